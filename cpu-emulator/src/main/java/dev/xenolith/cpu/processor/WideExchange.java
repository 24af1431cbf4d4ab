package dev.xenolith.cpu.processor;

import dev.xenolith.cpu.execute.Flags;

/** CMPXCHG8B and CMPXCHG16B: compare and exchange with a register pair. */
public final class WideExchange {
    private static final int GENERAL_PROTECTION = 13;

    private WideExchange() {}

    /** EDX:EAX with the quadword at {@code address}, ECX:EBX the new value. */
    public static void compareExchange8(Processor p, long address) {
        long[] gpr = p.gpr;
        long found = p.loadForWrite64(address);
        long expected = gpr[Processor.RDX] << 32 | gpr[Processor.RAX] & 0xffff_ffffL;
        if (found == expected) {
            p.store64(address, gpr[Processor.RCX] << 32 | gpr[Processor.RBX] & 0xffff_ffffL);
        } else {
            p.store64(address, found);
            gpr[Processor.RAX] = found & 0xffff_ffffL;
            gpr[Processor.RDX] = found >>> 32;
        }
        setZero(p, found == expected);
    }

    /** RDX:RAX with the 16 bytes at {@code address}, which must be aligned, RCX:RBX the new value. */
    public static void compareExchange16(Processor p, long address) {
        if ((address & 15) != 0) {
            throw p.raise(GENERAL_PROTECTION, 0);
        }
        long[] gpr = p.gpr;
        long low = p.loadForWrite64(address);
        long high = p.loadForWrite64(address + 8);
        boolean equal = low == gpr[Processor.RAX] && high == gpr[Processor.RDX];
        p.store64(address, equal ? gpr[Processor.RBX] : low);
        p.store64(address + 8, equal ? gpr[Processor.RCX] : high);
        if (!equal) {
            gpr[Processor.RAX] = low;
            gpr[Processor.RDX] = high;
        }
        setZero(p, equal);
    }

    private static void setZero(Processor p, boolean zero) {
        long rflags = Flags.withZero(p.flagResult, p.flagCarries, zero);
        p.flagResult = Flags.resultOf(rflags);
        p.flagCarries = Flags.carriesOf(rflags);
    }
}
