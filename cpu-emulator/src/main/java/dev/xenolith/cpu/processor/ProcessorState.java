package dev.xenolith.cpu.processor;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;

/**
 * The guest-visible registers of a processor, to take a virtual CPU off it and put another on. Saving and loading allocate
 * nothing. Not in it: CR3 with its tag, which {@link Processor#setCr3} loads; the local APIC and model MSRs, which belong to the
 * processor; {@link Processor#retired}.
 */
public final class ProcessorState {
    public final long[] gpr = new long[16];
    public long rip;
    public long rflags = Bits.RFLAGS_FIXED;
    public final int[] selector = new int[8];
    public final long[] base = new long[8];
    public final long[] limit = new long[8];
    public final int[] attributes = new int[8];
    public int cpl;
    public long cr0;
    public long cr2;
    public long cr4;
    public long efer;
    public long xcr0 = 1;
    public int pkru;
    public final FloatContext floating = new FloatContext();
    public final long[] dr = new long[8];
    public long gdtBase;
    public int gdtLimit;
    public long idtBase;
    public int idtLimit;
    public long star;
    public long lstar;
    public long cstar;
    public long fmask;
    public long sysenterCs;
    public long sysenterEsp;
    public long sysenterEip;
    public long kernelGsBase;
    public long tscAux;
    public long pat;
    /** Instructions for which interrupts are still held off: 0 or 1. */
    public int shadow;
    public boolean halted;

    /** Takes everything from {@code p}, which is between runs. */
    public void save(Processor p) {
        System.arraycopy(p.gpr, 0, gpr, 0, gpr.length);
        rip = p.rip;
        rflags = p.rflags();
        System.arraycopy(p.segmentSelector, 0, selector, 0, selector.length);
        System.arraycopy(p.segmentBase, 0, base, 0, base.length);
        System.arraycopy(p.segmentLimit, 0, limit, 0, limit.length);
        System.arraycopy(p.segmentAttributes, 0, attributes, 0, attributes.length);
        cpl = p.cpl;
        cr0 = p.cr0;
        cr2 = p.cr2;
        cr4 = p.cr4;
        efer = p.efer;
        xcr0 = p.xcr0;
        pkru = p.pkru();
        floating.save(p);
        System.arraycopy(p.dr, 0, dr, 0, dr.length);
        gdtBase = p.gdtBase;
        gdtLimit = p.gdtLimit;
        idtBase = p.idtBase;
        idtLimit = p.idtLimit;
        star = p.msr.star;
        lstar = p.msr.lstar;
        cstar = p.msr.cstar;
        fmask = p.msr.fmask;
        sysenterCs = p.msr.sysenterCs;
        sysenterEsp = p.msr.sysenterEsp;
        sysenterEip = p.msr.sysenterEip;
        kernelGsBase = p.msr.kernelGsBase;
        tscAux = p.msr.tscAux;
        pat = p.msr.pat;
        shadow = (int) Math.max(0, p.shadowEnd - p.retired);
        // Out of MWAIT a processor may come at any time: it is not halted when it comes back, and nothing is armed.
        halted = p.halted && !p.waitsForWrite;
    }

    /**
     * Puts everything on {@code p}, which is between runs. The TLB is flushed only if a control bit that translations depend on
     * differs.
     */
    public void load(Processor p) {
        System.arraycopy(gpr, 0, p.gpr, 0, gpr.length);
        p.rip = rip;
        System.arraycopy(selector, 0, p.segmentSelector, 0, selector.length);
        System.arraycopy(base, 0, p.segmentBase, 0, base.length);
        System.arraycopy(limit, 0, p.segmentLimit, 0, limit.length);
        System.arraycopy(attributes, 0, p.segmentAttributes, 0, attributes.length);
        p.cpl = cpl;
        p.cr2 = cr2;
        p.xcr0 = xcr0;
        p.setPkru(pkru);
        floating.load(p);
        System.arraycopy(dr, 0, p.dr, 0, dr.length);
        p.gdtBase = gdtBase;
        p.gdtLimit = gdtLimit;
        p.idtBase = idtBase;
        p.idtLimit = idtLimit;
        p.msr.star = star;
        p.msr.lstar = lstar;
        p.msr.cstar = cstar;
        p.msr.fmask = fmask;
        p.msr.sysenterCs = sysenterCs;
        p.msr.sysenterEsp = sysenterEsp;
        p.msr.sysenterEip = sysenterEip;
        p.msr.kernelGsBase = kernelGsBase;
        p.msr.tscAux = tscAux;
        p.msr.pat = pat;
        p.shadowEnd = p.retired + shadow;
        p.wake();
        p.disarmMonitor();
        p.halted = halted;
        ControlRegisters.set(p, cr0, cr4, efer);
        p.setRflags(rflags);
        p.post(Processor.POLL_EVENT);
    }

    public void write(DataOutput out) throws IOException {
        writeAll(out, gpr);
        out.writeLong(rip);
        out.writeLong(rflags);
        for (int i = 0; i < selector.length; i++) {
            out.writeInt(selector[i]);
            out.writeLong(base[i]);
            out.writeLong(limit[i]);
            out.writeInt(attributes[i]);
        }
        out.writeInt(cpl);
        writeAll(out, cr0, cr2, cr4, efer, xcr0);
        out.writeInt(pkru);
        floating.write(out);
        writeAll(out, dr);
        writeAll(out, gdtBase, gdtLimit, idtBase, idtLimit);
        writeAll(out, star, lstar, cstar, fmask, sysenterCs, sysenterEsp, sysenterEip, kernelGsBase, tscAux, pat);
        out.writeInt(shadow);
        out.writeBoolean(halted);
    }

    private static void writeAll(DataOutput out, long... values) throws IOException {
        for (long value : values) {
            out.writeLong(value);
        }
    }

    public void read(DataInput in) throws IOException {
        readAll(in, gpr);
        rip = in.readLong();
        rflags = in.readLong();
        for (int i = 0; i < selector.length; i++) {
            selector[i] = in.readInt();
            base[i] = in.readLong();
            limit[i] = in.readLong();
            attributes[i] = in.readInt();
        }
        cpl = in.readInt();
        cr0 = in.readLong();
        cr2 = in.readLong();
        cr4 = in.readLong();
        efer = in.readLong();
        xcr0 = in.readLong();
        pkru = in.readInt();
        floating.read(in);
        readAll(in, dr);
        gdtBase = in.readLong();
        gdtLimit = (int) in.readLong();
        idtBase = in.readLong();
        idtLimit = (int) in.readLong();
        star = in.readLong();
        lstar = in.readLong();
        cstar = in.readLong();
        fmask = in.readLong();
        sysenterCs = in.readLong();
        sysenterEsp = in.readLong();
        sysenterEip = in.readLong();
        kernelGsBase = in.readLong();
        tscAux = in.readLong();
        pat = in.readLong();
        shadow = in.readInt();
        halted = in.readBoolean();
    }

    private static void readAll(DataInput in, long[] values) throws IOException {
        for (int i = 0; i < values.length; i++) {
            values[i] = in.readLong();
        }
    }
}
