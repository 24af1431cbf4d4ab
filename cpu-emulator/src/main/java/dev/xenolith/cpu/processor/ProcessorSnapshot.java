package dev.xenolith.cpu.processor;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;

/** All state of a processor between runs, its local APIC included; translations and decoded code are not state. */
public final class ProcessorSnapshot {
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
