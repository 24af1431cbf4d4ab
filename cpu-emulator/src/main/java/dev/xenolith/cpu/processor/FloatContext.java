package dev.xenolith.cpu.processor;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The x87, MMX, SSE and AVX registers of a virtual CPU while it is not on a processor. Saving and loading allocate nothing. XCR0 is not
 * in it: it enables what is here.
 */
public final class FloatContext {
    /** Bytes of an FXSAVE image (SDM 2A FXSAVE). */
    public static final int FX_BYTES = 512;
    private static final int REGISTERS = 32;
    private static final int XMM = 160;

    private final long[] vector = new long[64];
    private final FpuState fpu = new FpuState();
    private int mxcsr = 0x1f80;

    /** The state after FNINIT, all registers zero. */
    public FloatContext() {
        fpu.initialize();
    }

    /** Takes the registers of {@code p}, which is between runs. */
    public void save(Processor p) {
        System.arraycopy(p.vector, 0, vector, 0, vector.length);
        mxcsr = p.mxcsr();
        fpu.copyFrom(p.fpu);
    }

    /** Puts the registers on {@code p}, which is between runs. */
    public void load(Processor p) {
        System.arraycopy(vector, 0, p.vector, 0, vector.length);
        p.setMxcsr(mxcsr);
        p.fpu.copyFrom(fpu);
        p.updateFloatGate();
    }

    /** Takes x87, MXCSR and XMM registers from an FXSAVE64 image; the upper halves of YMM become zero. False if MXCSR is not valid. */
    public boolean setImage(byte[] bytes) {
        ByteBuffer image = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        int newMxcsr = image.getInt(24);
        if ((newMxcsr & ~SaveArea.MXCSR_MASK) != 0) {
            return false;
        }
        mxcsr = newMxcsr;
        fpu.setControl(image.getShort(0) & 0xffff);
        fpu.setStatusWord(image.getShort(2) & 0xffff);
        fpu.valid = image.get(4) & 0xff;
        fpu.opcode = image.getShort(6) & 0x7ff;
        fpu.instructionPointer = image.getLong(8);
        fpu.dataPointer = image.getLong(16);
        for (int i = 0; i < 8; i++) {
            int register = fpu.top + i & 7;
            fpu.significand[register] = image.getLong(REGISTERS + 16 * i);
            fpu.signExponent[register] = image.getShort(REGISTERS + 16 * i + 8) & 0xffff;
        }
        for (int i = 0; i < 16; i++) {
            vector[4 * i] = image.getLong(XMM + 16 * i);
            vector[4 * i + 1] = image.getLong(XMM + 16 * i + 8);
            vector[4 * i + 2] = 0;
            vector[4 * i + 3] = 0;
        }
        return true;
    }

    /** Writes x87, MXCSR and XMM registers as an FXSAVE64 image. */
    public void getImage(byte[] bytes) {
        ByteBuffer image = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        image.putShort(0, (short) fpu.control()).putShort(2, (short) fpu.statusWord());
        image.putShort(4, (short) fpu.valid).putShort(6, (short) fpu.opcode);
        image.putLong(8, fpu.instructionPointer).putLong(16, fpu.dataPointer);
        image.putInt(24, mxcsr).putInt(28, SaveArea.MXCSR_MASK);
        for (int i = 0; i < 8; i++) {
            int register = fpu.top + i & 7;
            image.putLong(REGISTERS + 16 * i, fpu.significand[register]);
            image.putLong(REGISTERS + 16 * i + 8, fpu.signExponent[register]);
        }
        for (int i = 0; i < 16; i++) {
            image.putLong(XMM + 16 * i, vector[4 * i]);
            image.putLong(XMM + 16 * i + 8, vector[4 * i + 1]);
        }
    }

    /** The vector registers, as {@link Processor#vector}; may be written. */
    public long[] vector() {
        return vector;
    }

    /** The x87's tag word with two bits a register (SDM 1 8.1.7), of which an image has only one. */
    public int tagWord() {
        return fpu.tagWord();
    }

    /** Sets which x87 registers are empty from a tag word; what the others are follows from their values. */
    public void setTagWord(int word) {
        fpu.setTagWord(word);
    }

    void write(DataOutput out) throws IOException {
        for (long quadword : vector) {
            out.writeLong(quadword);
        }
        out.writeInt(mxcsr);
        fpu.write(out);
    }

    void read(DataInput in) throws IOException {
        for (int i = 0; i < vector.length; i++) {
            vector[i] = in.readLong();
        }
        mxcsr = in.readInt();
        fpu.read(in);
    }
}
