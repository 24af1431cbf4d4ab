package dev.xenolith.cpu.processor;

import dev.xenolith.cpu.decode.Mode;
import dev.xenolith.cpu.execute.Exchange;

/**
 * The stack outside 64-bit mode, which has a segment and an address size of its own (SDM 1 6.2.3), and the instructions that make
 * many accesses to it. All of them check every access before the first change.
 */
public final class Stack {
    private static final int RSP = Processor.RSP;
    private static final int RBP = Processor.RBP;
    private static final long WRAP = 0xffff_ffffL;
    private static final int DEPTH_MASK = 31;

    private Stack() {}

    // ---- single accesses, outside 64-bit mode ---------------------------------------------------------------------------

    /** Pushes the low {@code bits} (16, 32) of {@code value}. */
    public static void push(Processor p, long value, int bits) {
        long pointer = p.gpr[RSP] - bits / 8;
        long address = address(p, pointer, bits / 8, true);
        if (bits == 16) {
            p.store16(address, value);
        } else {
            p.store32(address, value);
        }
        setPointer(p, pointer);
    }

    /** The {@code bits} (16, 32) at SS:{@code pointer}, zero-extended. */
    public static long load(Processor p, long pointer, int bits) {
        long address = address(p, pointer, bits / 8, false);
        return bits == 16 ? p.load16(address) : p.load32(address);
    }

    /** Sets ESP or SP, by the size of the stack. */
    public static void setPointer(Processor p, long value) {
        if ((p.codeContext & Mode.STACK_32) != 0) {
            p.gpr[RSP] = value & WRAP;
        } else {
            p.gpr[RSP] = p.gpr[RSP] & ~0xffffL | value & 0xffff;
        }
    }

    /** Linear address of {@code bytes} at SS:{@code pointer}, checked. */
    private static long address(Processor p, long pointer, int bytes, boolean write) {
        long offset = (p.codeContext & Mode.STACK_32) != 0 ? pointer & WRAP : pointer & 0xffff;
        if ((p.codeContext & Mode.FLAT) != 0) {
            return offset;
        }
        return write
                ? p.segments.writable(Processor.SS, offset, bytes)
                : p.segments.readable(Processor.SS, offset, bytes);
    }

    // ---- any mode ---------------------------------------------------------------------------------------------------

    /** Linear address of {@code bytes} at stack pointer {@code pointer} in any mode; #SS(0) if they are not there. */
    static long linear(Processor p, long pointer, int bytes, boolean write) {
        if (!p.is64Bit()) {
            return address(p, pointer, bytes, write);
        }
        if (!ControlRegisters.isCanonical(p, pointer)) {
            throw p.raise(Vector.SS, 0);
        }
        return pointer;
    }

    /** The {@code bytes} (2, 4, 8) at stack pointer {@code pointer}, zero-extended. */
    static long read(Processor p, long pointer, int bytes) {
        long address = linear(p, pointer, bytes, false);
        return switch (bytes) {
            case 2 -> p.load16(address);
            case 4 -> p.load32(address);
            default -> p.load64(address);
        };
    }

    /** Checks that {@code bytes} at stack pointer {@code pointer} can be written. */
    static void probe(Processor p, long pointer, int bytes) {
        p.probeStore(linear(p, pointer, bytes, true), bytes);
    }

    /** Writes {@code bytes} at stack pointer {@code pointer}. */
    static void write(Processor p, long pointer, int bytes, long value) {
        long address = linear(p, pointer, bytes, true);
        switch (bytes) {
            case 2 -> p.store16(address, value);
            case 4 -> p.store32(address, value);
            default -> p.store64(address, value);
        }
    }

    // ---- instructions --------------------------------------------------------------------------------------------------

    /** PUSHA: AX CX DX BX, SP as it was, BP SI DI, or the same with 32 bits. */
    public static void pushAll(Processor p, int bits) {
        int bytes = bits / 8;
        long pointer = p.gpr[RSP];
        for (int i = 1; i <= 8; i++) {
            probe(p, pointer - (long) i * bytes, bytes);
        }
        for (int i = 0; i < 8; i++) {
            write(p, pointer - (i + 1L) * bytes, bytes, p.gpr[i]);
        }
        setPointer(p, pointer - 8L * bytes);
    }

    /** POPA: as pushed, but the stack pointer's image is skipped. */
    public static void popAll(Processor p, int bits) {
        int bytes = bits / 8;
        long pointer = p.gpr[RSP];
        for (int i = 0; i < 8; i++) {
            read(p, pointer + (long) i * bytes, bytes);
        }
        for (int i = 0; i < 8; i++) {
            int register = 7 - i;
            if (register != RSP) {
                p.gpr[register] = Exchange.merge(p.gpr[register], read(p, pointer + (long) i * bytes, bytes), bits);
            }
        }
        setPointer(p, pointer + 8L * bytes);
    }

    /**
     * ENTER: pushes {@code bits}-bit words. The accesses are made twice, so that nothing has changed if one faults; the last of
     * them is the check that the new RSP can be written (SDM 2A, ENTER).
     */
    public static void enter(Processor p, long size, long level, int bits) {
        int depth = (int) level & DEPTH_MASK;
        long[] gpr = p.gpr;
        long rsp = gpr[RSP];
        int bytes = bits / 8;
        long frame = rsp - bytes;
        long end = rsp - (depth + 1L) * bytes;
        for (long at = frame; at != end - bytes; at -= bytes) {
            probe(p, at, bytes);
        }
        for (int i = 1; i < depth; i++) {
            read(p, gpr[RBP] - (long) i * bytes, bytes);
        }
        probe(p, end - size, bytes);
        write(p, frame, bytes, gpr[RBP]);
        for (int i = 1; i < depth; i++) {
            write(p, frame - (long) i * bytes, bytes, read(p, gpr[RBP] - (long) i * bytes, bytes));
        }
        if (depth > 0) {
            write(p, end, bytes, frame);
        }
        if (p.is64Bit()) {
            gpr[RSP] = end - size;
        } else {
            // A 16-bit stack leaves the upper half of ESP in the frame pointer.
            frame = (p.codeContext & Mode.STACK_32) != 0 ? frame : gpr[RSP] & ~0xffffL | frame & 0xffff;
            setPointer(p, end - size);
        }
        gpr[RBP] = Exchange.merge(gpr[RBP], frame, bits);
    }
}
