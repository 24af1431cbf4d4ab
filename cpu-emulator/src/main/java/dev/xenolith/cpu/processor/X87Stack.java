package dev.xenolith.cpu.processor;

import dev.xenolith.cpu.fpu.Extended;
import dev.xenolith.cpu.fpu.FloatEnvironment;

/**
 * What x87 instructions have in common: the register stack with its faults, and the end of an instruction, where flags become
 * exceptions (SDM 1 8.1.2, 8.5, 8.6).
 *
 * <p>An instruction computes with the environment of {@link FpuState}, whose flags begin clear, then calls {@link #commit}, and writes
 * and pops only if that says so.
 */
final class X87Stack {
    private static final int OPCODE_BITS = 0x7ff;

    private X87Stack() {}

    /** Begins an instruction. */
    static FloatEnvironment begin(Processor p) {
        FloatEnvironment e = p.fpu.environment;
        e.flags = 0;
        e.roundedUp = false;
        return e;
    }

    /** Physical register of ST({@code i}). */
    static int physical(FpuState fpu, int i) {
        return fpu.top + i & 7;
    }

    static boolean isEmpty(FpuState fpu, int i) {
        return (fpu.valid >> physical(fpu, i) & 1) == 0;
    }

    static long significand(FpuState fpu, int i) {
        return fpu.significand[physical(fpu, i)];
    }

    static int signExponent(FpuState fpu, int i) {
        return fpu.signExponent[physical(fpu, i)];
    }

    /** Writes ST({@code i}), which is not empty then. */
    static void write(FpuState fpu, int i, long significand, int signExponent) {
        int register = physical(fpu, i);
        fpu.significand[register] = significand;
        fpu.signExponent[register] = signExponent & 0xffff;
        fpu.valid |= 1 << register;
    }

    static void writeIndefinite(FpuState fpu, int i) {
        write(fpu, i, Extended.INDEFINITE, Extended.INDEFINITE_EXPONENT);
    }

    /** Marks ST0 empty and moves TOP, {@code count} times. */
    static void pop(FpuState fpu, int count) {
        for (int i = 0; i < count; i++) {
            fpu.valid &= ~(1 << fpu.top);
            fpu.top = fpu.top + 1 & 7;
        }
    }

    static void push(FpuState fpu, long significand, int signExponent) {
        fpu.top = fpu.top - 1 & 7;
        write(fpu, 0, significand, signExponent);
    }

    /**
     * Ends an instruction's computation: its flags go to the status word, C1 says whether the result was rounded up. Returns whether a
     * result may go to a register. Before an unmasked exception the instruction may have to be executed again where its address is
     * known. {@code pointer} is the offset of the memory operand, or 0.
     */
    static boolean commit(Processor p, FloatEnvironment e, long pointer) {
        boolean stops = e.stops();
        boolean raises = (e.flags & ~e.masks) != 0;
        if (raises) {
            notePointers(p, pointer);
        }
        FpuState fpu = p.fpu;
        fpu.status = fpu.status & ~FpuState.C1 | e.flags | (e.roundedUp && !stops ? FpuState.C1 : 0);
        if (raises) {
            fpu.summarize();
            p.updateFloatGate();
        }
        return !stops;
    }

    /** As {@link #commit} for a result in memory, which overflow and underflow keep from being stored too. To be called before. */
    static boolean storesResult(FloatEnvironment e) {
        boolean stops = e.stops();
        return !stops && (e.flags & ~e.masks & (FloatEnvironment.OE | FloatEnvironment.UE)) == 0;
    }

    /**
     * Raises a stack fault: {@code overflow} of a push, else an operand was empty. Returns whether the masked response, an indefinite
     * result, follows.
     */
    static boolean fault(Processor p, boolean overflow, long pointer) {
        FpuState fpu = p.fpu;
        boolean masked = (fpu.control() & FloatEnvironment.IE) != 0;
        if (!masked) {
            notePointers(p, pointer);
        }
        fpu.status = fpu.status & ~FpuState.C1 | FpuState.STACK_FAULT | FloatEnvironment.IE
                | (overflow ? FpuState.C1 : 0);
        if (!masked) {
            fpu.summarize();
            p.updateFloatGate();
        }
        return masked;
    }

    static void clearC1(FpuState fpu) {
        fpu.status &= ~FpuState.C1;
    }

    static void setConditions(FpuState fpu, int conditions) {
        fpu.status = fpu.status & ~FpuState.CONDITIONS | conditions;
    }

    /** Records which instruction it is that a handler will ask for. */
    private static void notePointers(Processor p, long pointer) {
        if (!p.precise) {
            throw p.restartPrecisely();
        }
        FpuState fpu = p.fpu;
        fpu.instructionPointer = p.instructionStart - (p.is64Bit() ? 0 : p.segmentBase[Processor.CS]);
        fpu.dataPointer = pointer;
        long address = p.instructionStart;
        while (address < p.rip) {
            int escape = (int) p.port.fetch(p, address++, 1) & 0xff;
            if ((escape & 0xf8) == 0xd8) {
                int modRm = (int) p.port.fetch(p, address, 1) & 0xff;
                fpu.opcode = (escape << 8 | modRm) & OPCODE_BITS;
                return;
            }
        }
    }
}
