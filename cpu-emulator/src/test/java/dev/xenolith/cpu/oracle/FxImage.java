package dev.xenolith.cpu.oracle;

import dev.xenolith.cpu.processor.Processor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.SplittableRandom;

/** The floating-point and vector state of a snippet: an FXSAVE64 image (SDM 2A, FXSAVE) and the upper halves of the YMM registers. */
final class FxImage {
    private static final int FCW = 0;
    private static final int FSW = 2;
    private static final int FTW = 4;
    private static final int FOP = 6;
    private static final int FIP = 8;
    private static final int FDP = 16;
    private static final int MXCSR = 24;
    /** ST(0), the others behind it in steps of 16; XMM0 likewise. */
    static final int ST = 32;
    static final int XMM = 160;
    private static final int ERROR_SUMMARY = 0x80;

    private FxImage() {
    }

    private static ByteBuffer buffer(byte[] bytes) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Fills {@code fx} and {@code high} with anything that can be loaded; with {@code x87} an exception may be pending there. */
    static void random(SplittableRandom random, byte[] fx, byte[] high, boolean x87, boolean approximate) {
        ByteBuffer image = buffer(fx);
        int control = random.nextInt(3) != 0 ? 0x37f : random.nextInt() & 0xf00 | 0x7f;
        boolean unmasked = x87 && random.nextInt(4) == 0;
        if (unmasked) {
            control &= ~random.nextInt(64);
        }
        int status = random.nextInt(8) << 11 | random.nextInt() & 0x4700;
        if (unmasked && random.nextBoolean()) {
            status |= random.nextInt(64);
        } else if (random.nextInt(4) == 0) {
            status |= random.nextInt(64) & (random.nextInt(4) == 0 ? 63 : control);
        }
        boolean pending = (status & ~control & 63) != 0;
        status |= pending ? 0x8080 : 0;
        image.putShort(FCW, (short) control).putShort(FSW, (short) status);
        image.put(FTW, (byte) (random.nextInt(3) == 0 ? 0xff : random.nextInt(256)));
        if (x87 && random.nextInt(3) == 0) {
            // Room for a push.
            int top = status >> 11 & 7;
            image.put(FTW, (byte) (image.get(FTW) & ~(1 << (top - 1 & 7))));
        }
        for (int i = 0; i < 8; i++) {
            int exponent = (int) FloatValues.exponent(random, 15);
            image.putLong(ST + 16 * i, FloatValues.extendedSignificand(random, exponent));
            image.putLong(ST + 16 * i + 8, random.nextInt(2) << 15 | exponent);
        }
        int mxcsr = random.nextBoolean() ? 0x1fa0 : 0x1f80 | random.nextInt() & 0xe07f;
        if (!approximate && random.nextInt(8) == 0) {
            mxcsr &= ~(random.nextInt(64) << 7);
        }
        image.putInt(MXCSR, mxcsr);
        for (int i = 0; i < 32; i++) {
            image.putLong(XMM + 8 * i, lane(random));
            buffer(high).putLong(8 * i, lane(random));
        }
    }

    /** Number of the register that is ST(0) in {@code fx}. */
    static int top(byte[] fx) {
        return buffer(fx).getShort(FSW) >> 11 & 7;
    }

    /** Two binary32, one binary64, or integers. */
    static long lane(SplittableRandom random) {
        return switch (random.nextInt(4)) {
            case 0 -> FloatValues.any(random, 8, 23) << 32 | FloatValues.any(random, 8, 23);
            case 1 -> FloatValues.any(random, 11, 52);
            case 2 -> Values.any(random);
            default -> random.nextLong();
        };
    }

    /** Sets quadword {@code quadword} of a vector register. */
    static void setQuadword(Snippet snippet, int register, int quadword, long value) {
        if (quadword < 2) {
            buffer(snippet.fx).putLong(XMM + 16 * register + 8 * quadword, value);
        } else {
            buffer(snippet.ymmHigh).putLong(16 * register + 8 * (quadword - 2), value);
        }
    }

    static void load(Processor p, byte[] fx, byte[] high) {
        ByteBuffer image = buffer(fx);
        p.fpu.setControl(image.getShort(FCW) & 0xffff);
        p.fpu.setStatusWord(image.getShort(FSW) & 0xffff);
        p.fpu.valid = image.get(FTW) & 0xff;
        p.fpu.opcode = 0;
        p.fpu.instructionPointer = 0;
        p.fpu.dataPointer = 0;
        for (int i = 0; i < 8; i++) {
            int register = p.fpu.top + i & 7;
            p.fpu.significand[register] = image.getLong(ST + 16 * i);
            p.fpu.signExponent[register] = image.getShort(ST + 16 * i + 8) & 0xffff;
        }
        p.setMxcsr(image.getInt(MXCSR));
        for (int i = 0; i < 16; i++) {
            p.vector[4 * i] = image.getLong(XMM + 16 * i);
            p.vector[4 * i + 1] = image.getLong(XMM + 16 * i + 8);
            p.vector[4 * i + 2] = buffer(high).getLong(16 * i);
            p.vector[4 * i + 3] = buffer(high).getLong(16 * i + 8);
        }
    }

    static void store(Processor p, byte[] fx, byte[] high) {
        ByteBuffer image = buffer(fx);
        image.putShort(FCW, (short) p.fpu.control()).putShort(FSW, (short) p.fpu.statusWord());
        image.put(FTW, (byte) p.fpu.valid).putShort(FOP, (short) p.fpu.opcode);
        image.putLong(FIP, p.fpu.instructionPointer).putLong(FDP, p.fpu.dataPointer).putInt(MXCSR, p.mxcsr());
        for (int i = 0; i < 8; i++) {
            int register = p.fpu.top + i & 7;
            image.putLong(ST + 16 * i, p.fpu.significand[register]);
            image.putLong(ST + 16 * i + 8, p.fpu.signExponent[register]);
        }
        for (int i = 0; i < 16; i++) {
            image.putLong(XMM + 16 * i, p.vector[4 * i]);
            image.putLong(XMM + 16 * i + 8, p.vector[4 * i + 1]);
            buffer(high).putLong(16 * i, p.vector[4 * i + 2]);
            buffer(high).putLong(16 * i + 8, p.vector[4 * i + 3]);
        }
    }

    /** Adds what differs to {@code differences}. The pointers are held by AMD's processors only while an exception is pending. */
    static void differences(List<String> differences, Outcome silicon, Outcome emulated, int undefinedStatus) {
        ByteBuffer expected = buffer(silicon.fx);
        ByteBuffer actual = buffer(emulated.fx);
        number(differences, "fcw", expected.getShort(FCW) & 0xffff, actual.getShort(FCW) & 0xffff);
        number(differences, "fsw", expected.getShort(FSW) & 0xffff & ~undefinedStatus,
                actual.getShort(FSW) & 0xffff & ~undefinedStatus);
        number(differences, "ftw", expected.get(FTW) & 0xff, actual.get(FTW) & 0xff);
        if ((actual.getShort(FSW) & ERROR_SUMMARY) != 0 && actual.getLong(FIP) != 0) {
            number(differences, "fop", expected.getShort(FOP), actual.getShort(FOP));
            number(differences, "fip", expected.getLong(FIP), actual.getLong(FIP));
        }
        number(differences, "mxcsr", expected.getInt(MXCSR), actual.getInt(MXCSR));
        for (int i = 0; i < 8; i++) {
            wide(differences, "st" + i, expected, actual, ST + 16 * i);
        }
        for (int i = 0; i < 16; i++) {
            wide(differences, "xmm" + i, expected, actual, XMM + 16 * i);
            wide(differences, "high half of ymm" + i, buffer(silicon.ymmHigh), buffer(emulated.ymmHigh), 16 * i);
        }
    }

    private static void number(List<String> differences, String name, long expected, long actual) {
        if (expected != actual) {
            differences.add("%s is 0x%x, emulated 0x%x".formatted(name, expected, actual));
        }
    }

    private static void wide(List<String> differences, String name, ByteBuffer expected, ByteBuffer actual, int at) {
        if (expected.getLong(at) != actual.getLong(at) || expected.getLong(at + 8) != actual.getLong(at + 8)) {
            differences.add("%s is %016x:%016x, emulated %016x:%016x".formatted(name, expected.getLong(at + 8),
                    expected.getLong(at), actual.getLong(at + 8), actual.getLong(at)));
        }
    }
}
