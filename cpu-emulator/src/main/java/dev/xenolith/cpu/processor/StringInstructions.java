package dev.xenolith.cpu.processor;

import dev.xenolith.cpu.decode.DecodedInstruction;
import dev.xenolith.cpu.decode.Mode;
import dev.xenolith.cpu.execute.Arithmetic;
import dev.xenolith.cpu.execute.Exchange;
import dev.xenolith.cpu.execute.Flags;
import dev.xenolith.cpu.execute.Logic;

/**
 * MOVS, CMPS, STOS, LODS, SCAS, INS, OUTS and XLAT.
 *
 * <p>Each iteration of a repeated instruction commits by itself and counts as one retired instruction. A repetition that cannot
 * go on, because the run's budget is used up or the processor was asked to look up, leaves RIP at the instruction, which then
 * continues where it was: as an interrupt between iterations does (SDM 2B, REP).
 *
 * <p>Parameters: {@code bits} operand size; {@code segment} of the source, as in {@link DecodedInstruction}; {@code addressBits}
 * address size, which is also that of the count; {@code repeat} as in {@link DecodedInstruction#repeat}; {@code length} of the
 * instruction in bytes.
 */
public final class StringInstructions {
    private static final int RSI = Processor.RSI;
    private static final int RDI = Processor.RDI;
    private static final int RCX = Processor.RCX;

    private StringInstructions() {}

    /** CLD and STD: DF = {@code value}, 0 or 1. */
    public static void setDirection(Processor p, int value) {
        p.rflagsSystem = value != 0 ? p.rflagsSystem | Flags.DF : p.rflagsSystem & ~(long) Flags.DF;
    }

    public static void movs(Processor p, int bits, int segment, int addressBits, int repeat, int length) {
        if (repeat != DecodedInstruction.REPEAT_NONE && isDone(p, addressBits)) {
            return;
        }
        do {
            if (repeat != DecodedInstruction.REPEAT_NONE && copies(p, bits, segment, addressBits)) {
                continue;
            }
            long value = load(p, source(p, segment, addressBits, bits / 8), bits);
            store(p, destination(p, addressBits, bits / 8, true), bits, value);
            advance(p, RSI, bits, addressBits);
            advance(p, RDI, bits, addressBits);
        } while (repeat != DecodedInstruction.REPEAT_NONE && again(p, addressBits, length));
    }

    public static void stos(Processor p, int bits, int addressBits, int repeat, int length) {
        if (repeat != DecodedInstruction.REPEAT_NONE && isDone(p, addressBits)) {
            return;
        }
        do {
            if (repeat != DecodedInstruction.REPEAT_NONE && fills(p, bits, addressBits)) {
                continue;
            }
            store(p, destination(p, addressBits, bits / 8, true), bits, p.gpr[Processor.RAX]);
            advance(p, RDI, bits, addressBits);
        } while (repeat != DecodedInstruction.REPEAT_NONE && again(p, addressBits, length));
    }

    public static void lods(Processor p, int bits, int segment, int addressBits, int repeat, int length) {
        if (repeat != DecodedInstruction.REPEAT_NONE && isDone(p, addressBits)) {
            return;
        }
        do {
            long value = load(p, source(p, segment, addressBits, bits / 8), bits);
            p.gpr[Processor.RAX] = Exchange.merge(p.gpr[Processor.RAX], value, bits);
            advance(p, RSI, bits, addressBits);
        } while (repeat != DecodedInstruction.REPEAT_NONE && again(p, addressBits, length));
    }

    public static void cmps(Processor p, int bits, int segment, int addressBits, int repeat, int length) {
        if (repeat != DecodedInstruction.REPEAT_NONE && isDone(p, addressBits)) {
            return;
        }
        do {
            long a = load(p, source(p, segment, addressBits, bits / 8), bits);
            long b = load(p, destination(p, addressBits, bits / 8, false), bits);
            compare(p, a, b, bits);
            advance(p, RSI, bits, addressBits);
            advance(p, RDI, bits, addressBits);
        } while (repeat != DecodedInstruction.REPEAT_NONE && againIf(p, addressBits, repeat, length));
    }

    public static void scas(Processor p, int bits, int addressBits, int repeat, int length) {
        if (repeat != DecodedInstruction.REPEAT_NONE && isDone(p, addressBits)) {
            return;
        }
        do {
            long b = load(p, destination(p, addressBits, bits / 8, false), bits);
            compare(p, p.gpr[Processor.RAX], b, bits);
            advance(p, RDI, bits, addressBits);
        } while (repeat != DecodedInstruction.REPEAT_NONE && againIf(p, addressBits, repeat, length));
    }

    public static void ins(Processor p, int bits, int addressBits, int repeat, int length) {
        if (repeat != DecodedInstruction.REPEAT_NONE && isDone(p, addressBits)) {
            return;
        }
        do {
            int port = (int) p.gpr[Processor.RDX] & 0xffff;
            InputOutput.checkPermission(p, port, bits / 8);
            long address = destination(p, addressBits, bits / 8, true);
            p.probeStore(address, bits / 8);
            store(p, address, bits, InputOutput.in(p, port, bits / 8));
            advance(p, RDI, bits, addressBits);
        } while (repeat != DecodedInstruction.REPEAT_NONE && again(p, addressBits, length));
    }

    public static void outs(Processor p, int bits, int segment, int addressBits, int repeat, int length) {
        if (repeat != DecodedInstruction.REPEAT_NONE && isDone(p, addressBits)) {
            return;
        }
        do {
            int port = (int) p.gpr[Processor.RDX] & 0xffff;
            InputOutput.checkPermission(p, port, bits / 8);
            long value = load(p, source(p, segment, addressBits, bits / 8), bits);
            InputOutput.out(p, port, bits / 8, value);
            advance(p, RSI, bits, addressBits);
        } while (repeat != DecodedInstruction.REPEAT_NONE && again(p, addressBits, length));
    }

    /** XLAT: the byte at rBX + AL. */
    public static long xlat(Processor p, int segment, int addressBits) {
        long offset = p.gpr[Processor.RBX] + (p.gpr[Processor.RAX] & 0xff);
        return p.load8(readable(p, offset, segment, addressBits, 1));
    }

    /** Linear address of {@code bytes} at {@code offset} in {@code segment}, to be read: an implied operand such as that of MONITOR. */
    public static long readable(Processor p, long offset, int segment, int addressBits, int bytes) {
        long at = Logic.zeroExtend(offset, addressBits);
        return (p.codeContext & Mode.CODE_SIZE) == Mode.CODE_64 || segment == Processor.FLAT
                ? p.segmentBase[segment] + at
                : p.segments.readable(segment, at, bytes);
    }

    /** Linear address of {@code bytes} at {@code offset} in {@code segment}, to be written: the operand of MASKMOVQ. */
    public static long writable(Processor p, long offset, int segment, int addressBits, int bytes) {
        long at = Logic.zeroExtend(offset, addressBits);
        return (p.codeContext & Mode.CODE_SIZE) == Mode.CODE_64 || segment == Processor.FLAT
                ? p.segmentBase[segment] + at
                : p.segments.writable(segment, at, bytes);
    }

    // ---- repetition ------------------------------------------------------------------------------------------------

    private static boolean isDone(Processor p, int addressBits) {
        return Logic.zeroExtend(p.gpr[RCX], addressBits) == 0;
    }

    /** Counts an iteration down; whether to do another one now. */
    private static boolean again(Processor p, int addressBits, int length) {
        add(p, RCX, -1, addressBits);
        if (isDone(p, addressBits)) {
            return false;
        }
        if (p.retired >= p.retireLimit || p.poll != 0) {
            p.rip -= length;
            return false;
        }
        p.retired++;
        return true;
    }

    private static boolean againIf(Processor p, int addressBits, int repeat, int length) {
        if (p.flagResult == 0 != (repeat == DecodedInstruction.REPEAT)) {
            add(p, RCX, -1, addressBits);
            return false;
        }
        return again(p, addressBits, length);
    }

    // ---- many iterations at once: in flat memory, within a page -----------------------------------------------------------

    /** Does as many iterations of REP STOS as one page and the budget allow; false, and nothing done, if it cannot. */
    private static boolean fills(Processor p, int bits, int addressBits) {
        long most = iterations(p, addressBits);
        if (most < 2) {
            return false;
        }
        long address = Logic.zeroExtend(p.gpr[RDI], addressBits);
        int size = bits / 8;
        if (goesDown(p)) {
            // The order is not seen: upwards from the last.
            most = Math.min(most, LinearMemory.elementsDown(address, size));
            address -= (most - 1) * size;
        }
        int done = most == 0 ? 0 : p.fill(address, size, p.gpr[Processor.RAX], most);
        if (done == 0) {
            return false;
        }
        add(p, RDI, done * step(p, bits), addressBits);
        countAllButLast(p, done, addressBits);
        return true;
    }

    /** As {@link #fills} for REP MOVS. */
    private static boolean copies(Processor p, int bits, int segment, int addressBits) {
        long most = iterations(p, addressBits);
        if (most < 2 || segment != Processor.FLAT) {
            return false;
        }
        long source = Logic.zeroExtend(p.gpr[RSI], addressBits);
        long destination = Logic.zeroExtend(p.gpr[RDI], addressBits);
        int done = goesDown(p)
                ? p.copyDown(source, destination, bits / 8, most)
                : p.copy(source, destination, bits / 8, most);
        if (done == 0) {
            return false;
        }
        add(p, RSI, done * step(p, bits), addressBits);
        add(p, RDI, done * step(p, bits), addressBits);
        countAllButLast(p, done, addressBits);
        return true;
    }

    /** How many iterations may be done at once; less than 2 if not more than one. */
    private static long iterations(Processor p, int addressBits) {
        if ((p.codeContext & Mode.FLAT) == 0 || addressBits == 16) {
            return 0;
        }
        // The first of them has been counted as retired already.
        long budget = p.retireLimit - p.retired + 1;
        long count = Logic.zeroExtend(p.gpr[RCX], addressBits);
        return Long.compareUnsigned(count, budget) < 0 ? count : budget;
    }

    /** Counts iterations that were done at once; the last of them is for {@link #again}, as one that is done alone. */
    private static void countAllButLast(Processor p, int done, int addressBits) {
        add(p, RCX, 1 - done, addressBits);
        p.retired += done - 1;
    }

    // ---- one iteration ---------------------------------------------------------------------------------------------

    private static long source(Processor p, int segment, int addressBits, int bytes) {
        return readable(p, p.gpr[RSI], segment, addressBits, bytes);
    }

    private static long destination(Processor p, int addressBits, int bytes, boolean write) {
        long at = Logic.zeroExtend(p.gpr[RDI], addressBits);
        if ((p.codeContext & Mode.FLAT) != 0) {
            return at;
        }
        return write
                ? p.segments.writable(Processor.ES, at, bytes)
                : p.segments.readable(Processor.ES, at, bytes);
    }

    private static void advance(Processor p, int register, int bits, int addressBits) {
        add(p, register, step(p, bits), addressBits);
    }

    private static long step(Processor p, int bits) {
        return goesDown(p) ? -bits / 8 : bits / 8;
    }

    private static boolean goesDown(Processor p) {
        return (p.rflagsSystem & Flags.DF) != 0;
    }

    private static void add(Processor p, int register, long value, int addressBits) {
        p.gpr[register] = Exchange.merge(p.gpr[register], p.gpr[register] + value, addressBits);
    }

    private static void compare(Processor p, long a, long b, int bits) {
        long first = Logic.signExtend(a, bits);
        long second = Logic.signExtend(b, bits);
        long r = Logic.signExtend(first - second, bits);
        p.flagResult = r;
        p.flagCarries = Flags.carries(Arithmetic.subCarries(first, second, r), bits);
    }

    private static long load(Processor p, long address, int bits) {
        return switch (bits) {
            case 8 -> p.load8(address);
            case 16 -> p.load16(address);
            case 32 -> p.load32(address);
            default -> p.load64(address);
        };
    }

    private static void store(Processor p, long address, int bits, long value) {
        switch (bits) {
            case 8 -> p.store8(address, value);
            case 16 -> p.store16(address, value);
            case 32 -> p.store32(address, value);
            default -> p.store64(address, value);
        }
    }
}
