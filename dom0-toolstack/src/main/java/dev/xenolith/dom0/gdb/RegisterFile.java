package dev.xenolith.dom0.gdb;

import dev.xenolith.cpu.processor.FloatContext;
import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.cpu.processor.ProcessorState;
import dev.xenolith.dom0.gdb.Architecture.Kind;
import dev.xenolith.dom0.gdb.Architecture.Register;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;

/**
 * The registers of a target's processors as a debugger numbers them, each as its bytes, lowest first. RIP is relative to CS, as the
 * manuals have it.
 */
final class RegisterFile {
    private static final int FCTRL = 0;
    private static final int FSTAT = 1;
    private static final int FTAG = 2;
    private static final int FISEG = 3;
    private static final int FIOFF = 4;
    private static final int FOSEG = 5;
    private static final int FOOFF = 6;
    private static final int FOP = 7;
    /** Offsets in an FXSAVE image. */
    private static final int IMAGE_IP = 8;
    private static final int IMAGE_DP = 16;
    private static final int IMAGE_MXCSR = 24;
    private static final int IMAGE_STACK = 32;
    private static final long LMA = 1 << 10;
    private static final int CS_LONG = 1 << 13;
    private static final long RFLAGS_VM = 1 << 17;
    private static final long LOW = 0xffff_ffffL;

    private final GdbTarget target;
    private final List<Register> registers;
    private final ProcessorState state = new ProcessorState();
    private final byte[] image = new byte[FloatContext.FX_BYTES];

    RegisterFile(GdbTarget target, List<Architecture.Feature> features) {
        this.target = target;
        registers = features.stream().flatMap(feature -> feature.registers().stream()).toList();
    }

    int count() {
        return registers.size();
    }

    int bytes(int number) {
        return registers.get(number).bytes();
    }

    /** All registers of {@code processor} in a row. */
    byte[] readAll(int processor) {
        target.save(processor, state);
        ByteBuffer out = ByteBuffer.allocate(registers.stream().mapToInt(Register::bytes).sum());
        for (Register register : registers) {
            out.put(value(processor, register));
        }
        return out.array();
    }

    byte[] read(int processor, int number) {
        target.save(processor, state);
        return value(processor, registers.get(number));
    }

    /** Writes one register; false, with nothing changed, if it cannot have this value. */
    boolean write(int processor, int number, byte[] bytes) {
        target.save(processor, state);
        Register register = registers.get(number);
        if (bytes.length != register.bytes()) {
            return false;
        }
        return switch (register.kind()) {
            case SELECTOR -> setSelector(processor, register, number(bytes));
            case CR0 -> target.setControl(processor, GdbTarget.Control.CR0, number(bytes));
            case CR3 -> target.setControl(processor, GdbTarget.Control.CR3, number(bytes));
            case CR4 -> target.setControl(processor, GdbTarget.Control.CR4, number(bytes));
            case CR8 -> target.setControl(processor, GdbTarget.Control.CR8, number(bytes));
            case EFER -> target.setControl(processor, GdbTarget.Control.EFER, number(bytes));
            default -> set(register, bytes) && target.load(processor, state);
        };
    }

    /** Sets RIP, relative to CS. */
    void writeInstructionPointer(int processor, long value) {
        target.save(processor, state);
        state.rip = is64Bit() ? value : value + state.base[Processor.CS] & LOW;
        target.load(processor, state);
    }

    /** Writes all registers that differ; false if one of them cannot have its value, and keeps what it had. */
    boolean writeAll(int processor, byte[] bytes) {
        byte[] before = readAll(processor);
        if (bytes.length != before.length) {
            return false;
        }
        boolean possible = true;
        int at = 0;
        for (int i = 0; i < registers.size(); i++) {
            int end = at + bytes(i);
            if (!Arrays.equals(bytes, at, end, before, at, end)) {
                possible &= write(processor, i, Arrays.copyOfRange(bytes, at, end));
            }
            at = end;
        }
        return possible;
    }

    // ---- reading -----------------------------------------------------------------------------------------------------

    private byte[] value(int processor, Register register) {
        ByteBuffer out = ByteBuffer.allocate(Math.max(16, register.bytes())).order(ByteOrder.LITTLE_ENDIAN);
        int index = register.index();
        switch (register.kind()) {
            case STACK -> {
                state.floating.getImage(image);
                out.put(image, IMAGE_STACK + 16 * index, register.bytes());
            }
            case VECTOR -> out.putLong(state.floating.vector()[4 * index])
                    .putLong(state.floating.vector()[4 * index + 1]);
            case VECTOR_HIGH -> out.putLong(state.floating.vector()[4 * index + 2])
                    .putLong(state.floating.vector()[4 * index + 3]);
            case FLOAT_CONTROL -> out.putLong(floatControl(index));
            case MXCSR -> {
                state.floating.getImage(image);
                out.put(image, IMAGE_MXCSR, 4);
            }
            default -> out.putLong(word(processor, register.kind(), index));
        }
        byte[] bytes = new byte[register.bytes()];
        out.get(0, bytes);
        return bytes;
    }

    private long word(int processor, Kind kind, int index) {
        return switch (kind) {
            case GENERAL -> state.gpr[index];
            case RIP -> is64Bit() ? state.rip : state.rip - state.base[Processor.CS] & LOW;
            case FLAGS -> state.rflags;
            case SELECTOR -> state.selector[index];
            case BASE -> state.base[index];
            case KERNEL_GS_BASE -> state.kernelGsBase;
            case CR2 -> state.cr2;
            case CR0 -> target.control(processor, GdbTarget.Control.CR0);
            case CR3 -> target.control(processor, GdbTarget.Control.CR3);
            case CR4 -> target.control(processor, GdbTarget.Control.CR4);
            case CR8 -> target.control(processor, GdbTarget.Control.CR8);
            case EFER -> target.control(processor, GdbTarget.Control.EFER);
            default -> throw new IllegalArgumentException(kind + " is wider than a word");
        };
    }

    private long floatControl(int index) {
        state.floating.getImage(image);
        ByteBuffer in = ByteBuffer.wrap(image).order(ByteOrder.LITTLE_ENDIAN);
        return switch (index) {
            case FCTRL -> in.getShort(0) & 0xffff;
            case FSTAT -> in.getShort(2) & 0xffff;
            case FTAG -> state.floating.tagWord();
            case FIOFF -> in.getLong(IMAGE_IP) & LOW;
            case FOOFF -> in.getLong(IMAGE_DP) & LOW;
            case FOP -> in.getShort(6) & 0x7ff;
            // The processor keeps no selectors (CPUID.7.EBX bit 13).
            default -> 0;
        };
    }

    private boolean is64Bit() {
        return (state.efer & LMA) != 0 && (state.attributes[Processor.CS] & CS_LONG) != 0;
    }

    // ---- writing -----------------------------------------------------------------------------------------------------

    private static long number(byte[] bytes) {
        long value = 0;
        for (int i = Math.min(bytes.length, 8) - 1; i >= 0; i--) {
            value = value << 8 | bytes[i] & 0xff;
        }
        return value;
    }

    private boolean setSelector(int processor, Register register, long value) {
        return value == state.selector[register.index()]
                || value >>> 16 == 0 && target.setSegment(processor, register.index(), (int) value);
    }

    private boolean set(Register register, byte[] bytes) {
        long value = number(bytes);
        int index = register.index();
        switch (register.kind()) {
            case GENERAL -> state.gpr[index] = register.bits() == 64 ? value : state.gpr[index] & ~LOW | value;
            case RIP -> state.rip = is64Bit() ? value : value + state.base[Processor.CS] & LOW;
            // Into virtual-8086 mode leads only IRET, for all segments change with it.
            case FLAGS -> state.rflags = value & ~RFLAGS_VM | state.rflags & RFLAGS_VM;
            case BASE -> {
                if (!isCanonical(value)) {
                    return false;
                }
                state.base[index] = value;
            }
            case KERNEL_GS_BASE -> {
                if (!isCanonical(value)) {
                    return false;
                }
                state.kernelGsBase = value;
            }
            case CR2 -> state.cr2 = value;
            case VECTOR -> setVector(4 * index, bytes);
            case VECTOR_HIGH -> setVector(4 * index + 2, bytes);
            case MXCSR -> {
                state.floating.getImage(image);
                System.arraycopy(bytes, 0, image, IMAGE_MXCSR, 4);
                return putImage();
            }
            case STACK -> {
                state.floating.getImage(image);
                System.arraycopy(bytes, 0, image, IMAGE_STACK + 16 * index, bytes.length);
                return putImage();
            }
            case FLOAT_CONTROL -> {
                return setFloatControl(index, value);
            }
            default -> throw new IllegalArgumentException(register + " is a control register");
        }
        return true;
    }

    private void setVector(int at, byte[] bytes) {
        ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        state.floating.vector()[at] = in.getLong(0);
        state.floating.vector()[at + 1] = in.getLong(8);
    }

    private boolean setFloatControl(int index, long value) {
        state.floating.getImage(image);
        ByteBuffer out = ByteBuffer.wrap(image).order(ByteOrder.LITTLE_ENDIAN);
        switch (index) {
            case FCTRL -> out.putShort(0, (short) value);
            case FSTAT -> out.putShort(2, (short) value);
            case FTAG -> {
                state.floating.setTagWord((int) value);
                return true;
            }
            case FIOFF -> out.putInt(IMAGE_IP, (int) value);
            case FOOFF -> out.putInt(IMAGE_DP, (int) value);
            case FOP -> out.putShort(6, (short) value);
            case FISEG, FOSEG -> {
                return value == 0;
            }
            default -> throw new IllegalArgumentException("x87 register " + index);
        }
        return putImage();
    }

    /** Takes the x87 and MXCSR from the image, which says nothing of the vector registers' upper halves. */
    private boolean putImage() {
        long[] vector = state.floating.vector().clone();
        boolean possible = state.floating.setImage(image);
        System.arraycopy(vector, 0, state.floating.vector(), 0, vector.length);
        return possible;
    }

    private boolean isCanonical(long linear) {
        int shift = 64 - ((state.cr4 & 1 << 12) != 0 ? 57 : 48);
        return linear << shift >> shift == linear;
    }
}
