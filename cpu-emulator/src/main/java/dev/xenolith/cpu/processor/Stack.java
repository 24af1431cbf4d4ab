package dev.xenolith.cpu.processor;

import dev.xenolith.cpu.execute.Exchange;

/** ENTER, the one stack instruction that is many accesses. */
public final class Stack {
    private Stack() {}

    /**
     * ENTER in 64-bit mode: pushes {@code bits}-bit words. The accesses are made twice, so that nothing has changed if one
     * faults; the last of them is the check that the new RSP can be written (SDM 2A, ENTER).
     */
    public static void enter(Processor p, long size, long level, int bits) {
        int depth = (int) level & 31;
        long[] gpr = p.gpr;
        long rsp = gpr[Processor.RSP];
        int bytes = bits / 8;
        long frame = rsp - bytes;
        long end = rsp - (depth + 1L) * bytes;
        for (long at = frame; at != end - bytes; at -= bytes) {
            p.probeStore(at, bytes);
        }
        for (int i = 1; i < depth; i++) {
            load(p, gpr[Processor.RBP] - (long) i * bytes, bytes);
        }
        p.probeStore(end - size, bytes);
        store(p, frame, bytes, gpr[Processor.RBP]);
        for (int i = 1; i < depth; i++) {
            store(p, frame - (long) i * bytes, bytes, load(p, gpr[Processor.RBP] - (long) i * bytes, bytes));
        }
        if (depth > 0) {
            store(p, end, bytes, frame);
        }
        gpr[Processor.RSP] = end - size;
        gpr[Processor.RBP] = Exchange.merge(gpr[Processor.RBP], frame, bits);
    }

    private static long load(Processor p, long address, int bytes) {
        return bytes == 8 ? p.load64(address) : p.load16(address);
    }

    private static void store(Processor p, long address, int bytes, long value) {
        if (bytes == 8) {
            p.store64(address, value);
        } else {
            p.store16(address, value);
        }
    }
}
