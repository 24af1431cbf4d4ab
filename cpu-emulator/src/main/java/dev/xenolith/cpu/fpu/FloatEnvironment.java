package dev.xenolith.cpu.fpu;

/**
 * What an operation depends on besides its operands, and what it leaves besides its value: rounding, masks, flags. A processor
 * has one for MXCSR and one for the x87 control word; flags and masks have the same six bits in both (SDM 1 figures 8-4 and 10-3).
 */
public final class FloatEnvironment {
    /** Invalid operation. */
    public static final int IE = 1;
    /** Denormal operand. */
    public static final int DE = 1 << 1;
    /** Division by zero. */
    public static final int ZE = 1 << 2;
    /** Overflow. */
    public static final int OE = 1 << 3;
    /** Underflow. */
    public static final int UE = 1 << 4;
    /** Inexact result. */
    public static final int PE = 1 << 5;
    /** All six. */
    public static final int ALL = 0x3f;
    /** Those that the operands alone decide: raised before there is a result. */
    public static final int BEFORE_RESULT = IE | DE | ZE;

    public static final int NEAREST = 0;
    public static final int DOWN = 1;
    public static final int UP = 2;
    public static final int TOWARD_ZERO = 3;

    /** MXCSR: denormals are zero. */
    private static final int DAZ = 1 << 6;
    private static final int MXCSR_MASKS_SHIFT = 7;
    private static final int MXCSR_ROUNDING_SHIFT = 13;
    /** MXCSR: flush to zero. */
    private static final int FTZ = 1 << 15;
    /** MXCSR without the flags other than PE. */
    private static final int USUAL_BITS = 0xffe0;
    /** Round to nearest, all masked, inexact already seen. */
    private static final int USUAL = 0x1fa0;

    /** NEAREST, DOWN, UP or TOWARD_ZERO. */
    public int rounding;
    /** Significant bits of x87 results: 24, 53 or 64. */
    public int precision = 64;
    /** Flags whose bit is set raise nothing: the result is the masked one. */
    public int masks = ALL;
    /** Flags of the operations since it was cleared. */
    public int flags;
    /** Those of them that steps before the present one raised. */
    private int settled;
    /** Whether the latest rounding increased the magnitude: C1 of x87. */
    public boolean roundedUp;
    /** Sign and exponent of the latest 80-bit result, whose significand was returned. */
    public int signExponent;
    /** Low three bits of the quotient of the latest remainder, or {@link Extended#INCOMPLETE}. */
    public int quotient;
    /**
     * Whether the host's FPU may be asked: MXCSR is round to nearest, all masked, no DAZ nor FTZ, and PE is set, so that an inexact
     * result need not be found out.
     */
    public boolean usual;

    /** The second operand was a denormal of a narrower format and is none any more. */
    public boolean narrowDenormal;

    boolean denormalsAreZero;
    boolean flushToZero;
    /** Unmasked underflow and overflow give a result with its exponent adjusted, as x87 registers do; otherwise none. */
    boolean adjustsExponent;

    final Real a = new Real();
    final Real b = new Real();
    final Real c = new Real();
    final Real r = new Real();
    final Real t = new Real();
    /** For {@link Transcendental}. */
    final Real[] work = {new Real(), new Real(), new Real(), new Real(), new Real(), new Real()};

    private FloatEnvironment(boolean adjustsExponent) {
        this.adjustsExponent = adjustsExponent;
    }

    /** An environment for MXCSR. */
    public static FloatEnvironment sse() {
        FloatEnvironment environment = new FloatEnvironment(false);
        environment.setMxcsr(0x1f80);
        return environment;
    }

    /** An environment for the x87 control word. */
    public static FloatEnvironment x87() {
        FloatEnvironment environment = new FloatEnvironment(true);
        environment.setControlWord(0x37f);
        return environment;
    }

    /** Takes rounding, masks, DAZ and FTZ from MXCSR; its flags only decide {@link #usual}. */
    public void setMxcsr(int mxcsr) {
        rounding = mxcsr >> MXCSR_ROUNDING_SHIFT & 3;
        masks = mxcsr >> MXCSR_MASKS_SHIFT & ALL;
        denormalsAreZero = (mxcsr & DAZ) != 0;
        flushToZero = (mxcsr & FTZ) != 0;
        usual = (mxcsr & USUAL_BITS) == USUAL;
        flags = 0;
        settled = 0;
    }

    /** Takes rounding, precision and masks from an x87 control word (SDM 1 8.1.5). */
    public void setControlWord(int word) {
        rounding = word >> 10 & 3;
        precision = switch (word >> 8 & 3) {
            case 0 -> 24;
            case 2 -> 53;
            default -> 64;
        };
        masks = word & ALL;
        flags = 0;
    }

    /** Whether exception {@code flag} is not masked. */
    boolean traps(int flag) {
        return (masks & flag) == 0;
    }

    /**
     * Ends a step of an instruction that has several: whether it raised an exception that is not masked, so that no other step follows.
     * What it raised stays, whatever later steps do (SDM 2A DPPS).
     */
    public boolean endStep() {
        if ((flags & ~masks) != 0) {
            return true;
        }
        settled = flags;
        return false;
    }

    /**
     * Whether an exception that the operands alone decide is not masked: then there is no result, and what the result would have
     * raised is not raised. To be asked once an operation is done.
     */
    public boolean stops() {
        if ((flags & ~masks & BEFORE_RESULT) == 0) {
            return false;
        }
        flags &= BEFORE_RESULT | settled;
        return true;
    }

    void raise(int flag) {
        flags |= flag;
    }

    /** DE if one of the operands is a denormal. */
    void noteDenormals(Real x, Real y) {
        if (x.denormal || y.denormal || narrowDenormal) {
            flags |= DE;
        }
    }

    void noteDenormal(Real x) {
        if (x.denormal) {
            flags |= DE;
        }
    }
}
