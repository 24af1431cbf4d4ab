package dev.xenolith.cpu.processor;

import static dev.xenolith.cpu.processor.X87Stack.begin;
import static dev.xenolith.cpu.processor.X87Stack.commit;
import static dev.xenolith.cpu.processor.X87Stack.isEmpty;
import static dev.xenolith.cpu.processor.X87Stack.pop;
import static dev.xenolith.cpu.processor.X87Stack.signExponent;
import static dev.xenolith.cpu.processor.X87Stack.significand;

import dev.xenolith.cpu.fpu.Extended;
import dev.xenolith.cpu.fpu.FloatEnvironment;

/** x87 loads and stores (SDM 2A FLD, FST, FILD, FIST, FBLD, FBSTP). Parameters as in {@link X87}. */
public final class X87Memory {
    /** log2(10), log2(e), pi, log10(2), ln(2): sign and exponent, significand rounded down, and whether the nearest is one more. */
    private static final int[] CONSTANT_EXPONENTS = {0x3fff, 0x4000, 0x3fff, 0x4000, 0x3ffd, 0x3ffe, 0};
    private static final long[] CONSTANTS = {0x8000_0000_0000_0000L, 0xd49a_784b_cd1b_8afeL, 0xb8aa_3b29_5c17_f0bbL,
        0xc90f_daa2_2168_c234L, 0x9a20_9a84_fbcf_f798L, 0xb172_17f7_d1cf_79abL, 0};
    /** Bit n: constant n is nearer to the next significand. */
    private static final int NEARER_TO_NEXT = 0b0111100;
    /** Bit n: constant n is no exact number. */
    private static final int INEXACT = 0b0111110;

    private X87Memory() {}

    // ---- loads -------------------------------------------------------------------------------------------------------

    /** FLD m32 and m64 and FILD: {@code kind} as in {@link X87}. */
    public static void load(Processor p, int kind, long bits, long pointer) {
        FpuState fpu = p.fpu;
        FloatEnvironment e = begin(p);
        if (!isEmpty(fpu, 7)) {
            overflow(p, pointer);
            return;
        }
        long significand = switch (kind) {
            case X87.FLOAT32 -> Extended.ofFloat32(bits, e);
            case X87.FLOAT64 -> Extended.ofFloat64(bits, e);
            default -> Extended.ofInteger(bits, e);
        };
        boolean completes = commit(p, e, pointer);
        // AMD's processors load a denormal also when DE is not masked (seen on Zen 3).
        if (completes || !p.model.isIntel() && (e.flags & FloatEnvironment.IE) == 0) {
            X87Stack.push(fpu, significand, e.signExponent);
        }
    }

    private static void overflow(Processor p, long pointer) {
        if (X87Stack.fault(p, true, pointer)) {
            X87Stack.push(p.fpu, Extended.INDEFINITE, Extended.INDEFINITE_EXPONENT);
        }
    }

    /** FLD m80: no exceptions but the stack's. */
    public static void loadExtended(Processor p, long address, long pointer) {
        long significand = p.load64(address);
        int signExponent = (int) p.load16(address + 8);
        if (!isEmpty(p.fpu, 7)) {
            overflow(p, pointer);
            return;
        }
        X87Stack.clearC1(p.fpu);
        X87Stack.push(p.fpu, significand, signExponent);
    }

    /** FBLD. */
    public static void loadBcd(Processor p, long address, long pointer) {
        long low = p.load64(address);
        int high = (int) p.load16(address + 8);
        if (!isEmpty(p.fpu, 7)) {
            overflow(p, pointer);
            return;
        }
        FloatEnvironment e = begin(p);
        long significand = Extended.ofBcd(low, high, e);
        X87Stack.clearC1(p.fpu);
        X87Stack.push(p.fpu, significand, e.signExponent);
    }

    /** FLD1 0, FLDL2T, FLDL2E, FLDPI, FLDLG2, FLDLN2, FLDZ 6: rounded by the control word (SDM 2A FLD1). */
    public static void loadConstant(Processor p, int constant) {
        FpuState fpu = p.fpu;
        if (!isEmpty(fpu, 7)) {
            overflow(p, 0);
            return;
        }
        boolean next = switch (fpu.environment.rounding) {
            case FloatEnvironment.NEAREST -> (NEARER_TO_NEXT >> constant & 1) != 0;
            case FloatEnvironment.UP -> (INEXACT >> constant & 1) != 0;
            default -> false;
        };
        X87Stack.clearC1(fpu);
        X87Stack.push(fpu, CONSTANTS[constant] + (next ? 1 : 0), CONSTANT_EXPONENTS[constant]);
    }

    // ---- stores ------------------------------------------------------------------------------------------------------

    /** FST m32 and m64: {@code bits} 32 or 64. */
    public static void store(Processor p, int bits, long address, long pointer, int pops) {
        FpuState fpu = p.fpu;
        FloatEnvironment e = begin(p);
        long value;
        if (isEmpty(fpu, 0)) {
            p.probeStore(address, bits / 8);
            if (!X87Stack.fault(p, false, pointer)) {
                return;
            }
            store(p, bits, address, bits == 32 ? 0xffc0_0000L : 0xfff8_0000_0000_0000L);
            pop(fpu, pops);
            return;
        }
        value = bits == 32
                ? Extended.toFloat32(significand(fpu, 0), signExponent(fpu, 0), e)
                : Extended.toFloat64(significand(fpu, 0), signExponent(fpu, 0), e);
        finish(p, e, bits, address, pointer, value, pops);
    }

    /** FIST, and with {@code rounding} other than -1, which means the control word's, FISTTP. */
    public static void storeInteger(Processor p, int bits, int rounding, long address, long pointer, int pops) {
        FpuState fpu = p.fpu;
        FloatEnvironment e = begin(p);
        if (isEmpty(fpu, 0)) {
            p.probeStore(address, bits / 8);
            if (X87Stack.fault(p, false, pointer)) {
                store(p, bits, address, 1L << bits - 1);
                pop(fpu, pops);
            }
            return;
        }
        long value = Extended.toInteger(significand(fpu, 0), signExponent(fpu, 0), bits,
                rounding < 0 ? e.rounding : rounding, e);
        finish(p, e, bits, address, pointer, value, pops);
    }

    private static void finish(Processor p, FloatEnvironment e, int bits, long address, long pointer, long value,
            int pops) {
        p.probeStore(address, bits / 8);
        boolean stored = X87Stack.storesResult(e);
        commit(p, e, pointer);
        if (stored) {
            store(p, bits, address, value);
            pop(p.fpu, pops);
        }
    }

    private static void store(Processor p, int bits, long address, long value) {
        switch (bits) {
            case 16 -> p.store16(address, value);
            case 32 -> p.store32(address, value);
            default -> p.store64(address, value);
        }
    }

    /** FSTP m80: no exceptions but the stack's. */
    public static void storeExtended(Processor p, long address, long pointer) {
        FpuState fpu = p.fpu;
        probe80(p, address);
        if (isEmpty(fpu, 0)) {
            if (!X87Stack.fault(p, false, pointer)) {
                return;
            }
            store80(p, address, Extended.INDEFINITE, Extended.INDEFINITE_EXPONENT);
        } else {
            X87Stack.clearC1(fpu);
            store80(p, address, significand(fpu, 0), signExponent(fpu, 0));
        }
        pop(fpu, 1);
    }

    /** FBSTP. */
    public static void storeBcd(Processor p, long address, long pointer) {
        FpuState fpu = p.fpu;
        FloatEnvironment e = begin(p);
        probe80(p, address);
        if (isEmpty(fpu, 0)) {
            if (X87Stack.fault(p, false, pointer)) {
                store80(p, address, Extended.BCD_INDEFINITE, Extended.BCD_INDEFINITE_HIGH);
                pop(fpu, 1);
            }
            return;
        }
        long low = Extended.toBcd(significand(fpu, 0), signExponent(fpu, 0), e);
        int high = e.signExponent;
        boolean stored = X87Stack.storesResult(e);
        commit(p, e, pointer);
        if (stored) {
            store80(p, address, low, high);
            pop(fpu, 1);
        }
    }

    private static void probe80(Processor p, long address) {
        p.probeStore(address, 8);
        p.probeStore(address + 8, 2);
    }

    private static void store80(Processor p, long address, long significand, int signExponent) {
        p.store64(address, significand);
        p.store16(address + 8, signExponent);
    }
}
