package dev.xenolith.cpu.processor;

import dev.xenolith.cpu.fpu.FloatEnvironment;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;

/**
 * The x87 FPU's registers (SDM 1 8.1), which are the MMX registers too: MMn is the significand of physical register n.
 *
 * <p>The pointers to instruction and data are those of the latest instruction that raised an unmasked exception, when alone a handler
 * asks for them; selectors are not kept (CPUID.7.EBX bits 6 and 13 say both).
 */
public final class FpuState {
    /** Invalid operation by the stack: overflow or underflow; C1 says which. */
    static final int STACK_FAULT = 1 << 6;
    /** An exception that is not masked waits. */
    static final int ERROR_SUMMARY = 1 << 7;
    static final int C0 = 1 << 8;
    static final int C1 = 1 << 9;
    static final int C2 = 1 << 10;
    static final int C3 = 1 << 14;
    static final int BUSY = 1 << 15;
    static final int CONDITIONS = C0 | C1 | C2 | C3;
    static final int TOP_SHIFT = 11;
    /** Control word after FNINIT. */
    static final int INITIAL_CONTROL = 0x37f;
    private static final int RESET_CONTROL = 0x40;
    private static final int RESET_TAGS = 0x5555;
    /** Bits of the control word that can be written; bit 6 reads as one. */
    private static final int CONTROL_BITS = 0x1f3f;

    /** Significands by physical register. */
    public final long[] significand = new long[8];
    /** Sign (bit 15) and exponent by physical register. */
    public final int[] signExponent = new int[8];
    /** Physical register that is ST0. */
    public int top;
    /** Bit n: physical register n is not empty. */
    public int valid;
    /** Status word without TOP. */
    public int status;
    /** Low 11 bits of the opcode that the pointers are about. */
    public int opcode;
    public long instructionPointer;
    public long dataPointer;
    final FloatEnvironment environment = FloatEnvironment.x87();
    private int control = RESET_CONTROL;

    FpuState() {
        environment.setControlWord(control);
    }

    /** The control word. */
    public int control() {
        return control;
    }

    /** Sets the control word and, as the masks may have changed, the error summary. */
    public void setControl(int word) {
        control = word & CONTROL_BITS | RESET_CONTROL;
        environment.setControlWord(control);
        summarize();
    }

    /** The status word with TOP. */
    public int statusWord() {
        return status | top << TOP_SHIFT;
    }

    /** Sets TOP and the rest of the status word; the error summary follows the flags and masks (SDM 1 8.1.3.3). */
    public void setStatusWord(int word) {
        top = word >> TOP_SHIFT & 7;
        status = word & ~(7 << TOP_SHIFT) & 0xffff;
        summarize();
    }

    /** ES and B: whether a flag is set whose mask is not. */
    void summarize() {
        boolean pending = (status & ~control & FloatEnvironment.ALL) != 0;
        status = pending ? status | ERROR_SUMMARY | BUSY : status & ~(ERROR_SUMMARY | BUSY);
    }

    boolean hasPendingException() {
        return (status & ERROR_SUMMARY) != 0;
    }

    /** Power-up and reset: all registers are zero and, other than after FNINIT, not empty, and all exceptions unmasked (SDM 3A table 9-1). */
    void powerUp() {
        clear();
        setControl(RESET_CONTROL);
        setTagWord(RESET_TAGS);
    }

    /** FNINIT: the registers keep their values and become empty. */
    void initialize() {
        setControl(INITIAL_CONTROL);
        setStatusWord(0);
        valid = 0;
        opcode = 0;
        instructionPointer = 0;
        dataPointer = 0;
    }

    /** The state that XRSTOR calls initial: as after FNINIT, and the registers are zero. */
    void clear() {
        initialize();
        for (int i = 0; i < 8; i++) {
            significand[i] = 0;
            signExponent[i] = 0;
        }
    }

    /** Whether it is in its initial state. */
    boolean isInitial() {
        long any = 0;
        for (int i = 0; i < 8; i++) {
            any |= significand[i] | signExponent[i];
        }
        return any == 0 && control == INITIAL_CONTROL && statusWord() == 0 && valid == 0 && opcode == 0
                && instructionPointer == 0 && dataPointer == 0;
    }

    /** The tag word: two bits a register, 0 valid, 1 zero, 2 special, 3 empty (SDM 1 8.1.7). */
    int tagWord() {
        int word = 0;
        for (int i = 0; i < 8; i++) {
            word |= tag(i) << 2 * i;
        }
        return word;
    }

    private int tag(int register) {
        if ((valid >> register & 1) == 0) {
            return 3;
        }
        int exponent = signExponent[register] & 0x7fff;
        if (exponent == 0) {
            return significand[register] == 0 ? 1 : 2;
        }
        return exponent == 0x7fff || significand[register] >= 0 ? 2 : 0;
    }

    void setTagWord(int word) {
        valid = 0;
        for (int i = 0; i < 8; i++) {
            valid |= (word >> 2 * i & 3) == 3 ? 0 : 1 << i;
        }
    }

    void copyFrom(FpuState other) {
        System.arraycopy(other.significand, 0, significand, 0, 8);
        System.arraycopy(other.signExponent, 0, signExponent, 0, 8);
        valid = other.valid;
        opcode = other.opcode;
        instructionPointer = other.instructionPointer;
        dataPointer = other.dataPointer;
        setControl(other.control);
        setStatusWord(other.statusWord());
    }

    void write(DataOutput out) throws IOException {
        for (int i = 0; i < 8; i++) {
            out.writeLong(significand[i]);
            out.writeShort(signExponent[i]);
        }
        out.writeShort(control);
        out.writeShort(statusWord());
        out.writeByte(valid);
        out.writeShort(opcode);
        out.writeLong(instructionPointer);
        out.writeLong(dataPointer);
    }

    void read(DataInput in) throws IOException {
        for (int i = 0; i < 8; i++) {
            significand[i] = in.readLong();
            signExponent[i] = in.readUnsignedShort();
        }
        setControl(in.readUnsignedShort());
        setStatusWord(in.readUnsignedShort());
        valid = in.readUnsignedByte();
        opcode = in.readUnsignedShort();
        instructionPointer = in.readLong();
        dataPointer = in.readLong();
    }
}
