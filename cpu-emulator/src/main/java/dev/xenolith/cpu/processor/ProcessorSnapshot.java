package dev.xenolith.cpu.processor;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;

/** All state of a processor between runs, its local APIC included; translations and decoded code are not state. */
public final class ProcessorSnapshot {
    /** Page-directory-pointer registers of PAE paging. */
    private static final int POINTERS = 4;

    private ProcessorSnapshot() {}

    public static void save(Processor p, DataOutput out) throws IOException {
        ProcessorState state = new ProcessorState();
        state.save(p);
        state.write(out);
        out.writeLong(p.cr3);
        out.writeInt(p.addressSpaceTag());
        out.writeLong(p.retired);
        out.writeBoolean(p.hosted);
        out.writeBoolean(p.nmiPending);
        out.writeBoolean(p.nmiBlocked);
        out.writeBoolean(p.waitsForStartup);
        out.writeBoolean(p.inSystemManagement);
        out.writeBoolean(p.smiPending);
        out.writeLong(p.smbase);
        out.writeLong(p.msr.tscAdjust);
        for (int i = 0; i < POINTERS; i++) {
            out.writeLong(p.mmu().pointer(i));
        }
        out.write(p.vectorDpl);
        out.writeInt(p.msr.modelAddress.length);
        for (int i = 0; i < p.msr.modelAddress.length; i++) {
            out.writeInt(p.msr.modelAddress[i]);
            out.writeLong(p.msr.modelValue[i]);
        }
        p.apic.save(out);
    }

    /** Restores what {@link #save} wrote on a processor of the same model and index, and flushes its TLB. */
    public static void restore(Processor p, DataInput in) throws IOException {
        ProcessorState state = new ProcessorState();
        state.read(in);
        long cr3 = in.readLong();
        int tag = in.readInt();
        p.restoreRetired(in.readLong());
        p.hosted = in.readBoolean();
        p.nmiPending = in.readBoolean();
        p.nmiBlocked = in.readBoolean();
        p.waitsForStartup = in.readBoolean();
        p.inSystemManagement = in.readBoolean();
        p.smiPending = in.readBoolean();
        p.smbase = in.readLong();
        p.msr.tscAdjust = in.readLong();
        for (int i = 0; i < POINTERS; i++) {
            p.mmu().setPointer(i, in.readLong());
        }
        in.readFully(p.vectorDpl);
        int count = in.readInt();
        for (int i = 0; i < count; i++) {
            p.msr.setModelValue(in.readInt(), in.readLong());
        }
        p.apic.restore(in);
        state.load(p);
        p.setCr3(cr3, tag);
        ControlRegisters.configureMmu(p);
    }
}
