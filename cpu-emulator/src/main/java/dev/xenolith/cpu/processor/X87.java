package dev.xenolith.cpu.processor;

import static dev.xenolith.cpu.processor.X87Stack.begin;
import static dev.xenolith.cpu.processor.X87Stack.commit;
import static dev.xenolith.cpu.processor.X87Stack.isEmpty;
import static dev.xenolith.cpu.processor.X87Stack.physical;
import static dev.xenolith.cpu.processor.X87Stack.pop;
import static dev.xenolith.cpu.processor.X87Stack.setConditions;
import static dev.xenolith.cpu.processor.X87Stack.signExponent;
import static dev.xenolith.cpu.processor.X87Stack.significand;
import static dev.xenolith.cpu.processor.X87Stack.write;
import static dev.xenolith.cpu.processor.X87Stack.writeIndefinite;

import dev.xenolith.cpu.execute.Flags;
import dev.xenolith.cpu.fpu.Extended;
import dev.xenolith.cpu.fpu.FloatEnvironment;

/**
 * x87 instructions on the register stack (SDM 1 chapter 8; SDM 2A F...). Parameters: {@code i} a register ST(i); {@code operation} as
 * the reg field of the arithmetic opcodes; {@code pops} how many registers leave the stack; {@code pointer} the offset of a memory
 * operand in its segment. Memory operands of arithmetic come as bit patterns with one of the kinds below.
 */
public final class X87 {
    /** Kind of a memory operand: binary32. */
    static final int FLOAT32 = 0;
    /** Kind of a memory operand: binary64. */
    static final int FLOAT64 = 1;
    /** Kind of a memory operand: a signed integer, sign-extended. */
    static final int INTEGER = 2;

    private static final int ADD = 0;
    private static final int MUL = 1;
    private static final int SUB = 4;
    private static final int SUBR = 5;
    private static final int DIV = 6;

    private X87() {}

    // ---- arithmetic --------------------------------------------------------------------------------------------------

    /** FADD, FMUL, FSUB, FSUBR, FDIV, FDIVR: ST(i) = ST(i) operation ST(j). */
    public static void arithmetic(Processor p, int operation, int i, int j, int pops) {
        FpuState fpu = p.fpu;
        FloatEnvironment e = begin(p);
        if (isEmpty(fpu, i) || isEmpty(fpu, j)) {
            if (X87Stack.fault(p, false, 0)) {
                writeIndefinite(fpu, i);
                pop(fpu, pops);
            }
            return;
        }
        long result = compute(operation, significand(fpu, i), signExponent(fpu, i), significand(fpu, j),
                signExponent(fpu, j), e);
        if (commit(p, e, 0)) {
            write(fpu, i, result, e.signExponent);
            pop(fpu, pops);
        }
    }

    /** The same with ST0 and a memory operand. */
    public static void arithmeticMemory(Processor p, int operation, int kind, long bits, long pointer) {
        FpuState fpu = p.fpu;
        FloatEnvironment e = begin(p);
        if (isEmpty(fpu, 0)) {
            if (X87Stack.fault(p, false, pointer)) {
                writeIndefinite(fpu, 0);
            }
            return;
        }
        long operand = operand(kind, bits, e);
        long result = compute(operation, significand(fpu, 0), signExponent(fpu, 0), operand, e.signExponent, e);
        e.narrowDenormal = false;
        if (commit(p, e, pointer)) {
            write(fpu, 0, result, e.signExponent);
        }
    }

    private static long operand(int kind, long bits, FloatEnvironment e) {
        return switch (kind) {
            case FLOAT32 -> Extended.operandOfFloat32(bits, e);
            case FLOAT64 -> Extended.operandOfFloat64(bits, e);
            default -> Extended.ofInteger(bits, e);
        };
    }

    private static long compute(int operation, long a, int as, long b, int bs, FloatEnvironment e) {
        return switch (operation) {
            case ADD -> Extended.add(a, as, b, bs, e);
            case MUL -> Extended.mul(a, as, b, bs, e);
            case SUB -> Extended.sub(a, as, b, bs, e);
            case SUBR -> Extended.sub(b, bs, a, as, e);
            case DIV -> Extended.div(a, as, b, bs, e);
            default -> Extended.div(b, bs, a, as, e);
        };
    }

    /** FSQRT 0, FRNDINT 1: ST0 = function of ST0. */
    public static void unary(Processor p, int function) {
        FpuState fpu = p.fpu;
        FloatEnvironment e = begin(p);
        if (isEmpty(fpu, 0)) {
            if (X87Stack.fault(p, false, 0)) {
                writeIndefinite(fpu, 0);
            }
            return;
        }
        long x = significand(fpu, 0);
        int xs = signExponent(fpu, 0);
        long result = function == 0 ? Extended.sqrt(x, xs, e) : Extended.roundToIntegral(x, xs, e);
        if (commit(p, e, 0)) {
            write(fpu, 0, result, e.signExponent);
        }
    }

    /** FSCALE: ST0 times two to the power of ST1. */
    public static void scale(Processor p) {
        FpuState fpu = p.fpu;
        FloatEnvironment e = begin(p);
        if (isEmpty(fpu, 0) || isEmpty(fpu, 1)) {
            if (X87Stack.fault(p, false, 0)) {
                writeIndefinite(fpu, 0);
            }
            return;
        }
        long result = Extended.scale(significand(fpu, 0), signExponent(fpu, 0), significand(fpu, 1),
                signExponent(fpu, 1), e);
        if (commit(p, e, 0)) {
            write(fpu, 0, result, e.signExponent);
        }
    }

    /** FPREM, or FPREM1 if {@code nearest}. */
    public static void remainder(Processor p, boolean nearest) {
        FpuState fpu = p.fpu;
        FloatEnvironment e = begin(p);
        if (isEmpty(fpu, 0) || isEmpty(fpu, 1)) {
            if (X87Stack.fault(p, false, 0)) {
                writeIndefinite(fpu, 0);
                fpu.status &= ~FpuState.C2;
            }
            return;
        }
        long result = Extended.remainder(significand(fpu, 0), signExponent(fpu, 0), significand(fpu, 1),
                signExponent(fpu, 1), nearest, e);
        boolean divided = (e.flags & FloatEnvironment.IE) == 0;
        if (commit(p, e, 0)) {
            write(fpu, 0, result, e.signExponent);
            if (divided) {
                int quotient = e.quotient;
                setConditions(fpu, ((quotient & 4) != 0 ? FpuState.C0 : 0) | ((quotient & 2) != 0 ? FpuState.C3 : 0)
                        | ((quotient & 1) != 0 ? FpuState.C1 : 0)
                        | ((quotient & Extended.INCOMPLETE) != 0 ? FpuState.C2 : 0));
            } else {
                fpu.status &= ~FpuState.C2;
            }
        }
    }

    /** FXTRACT: ST0 becomes its exponent, and its significand is pushed. */
    public static void extract(Processor p) {
        FpuState fpu = p.fpu;
        FloatEnvironment e = begin(p);
        boolean underflow = isEmpty(fpu, 0);
        if (underflow || !isEmpty(fpu, 7)) {
            if (X87Stack.fault(p, !underflow, 0)) {
                writeIndefinite(fpu, 0);
                X87Stack.push(fpu, Extended.INDEFINITE, Extended.INDEFINITE_EXPONENT);
            }
            return;
        }
        long x = significand(fpu, 0);
        int xs = signExponent(fpu, 0);
        long significand = Extended.significand(x, xs, e);
        int sign = e.signExponent;
        e.flags = 0;
        long exponent = Extended.exponent(x, xs, e);
        if (commit(p, e, 0)) {
            write(fpu, 0, exponent, e.signExponent);
            X87Stack.push(fpu, significand, sign);
        }
    }

    /** FABS 0, FCHS 1: no exceptions but the stack's. */
    public static void sign(Processor p, int change) {
        FpuState fpu = p.fpu;
        if (isEmpty(fpu, 0)) {
            if (X87Stack.fault(p, false, 0)) {
                writeIndefinite(fpu, 0);
            }
            return;
        }
        X87Stack.clearC1(fpu);
        int register = physical(fpu, 0);
        int old = fpu.signExponent[register];
        fpu.signExponent[register] = change == 0 ? old & 0x7fff : old ^ 0x8000;
    }

    // ---- comparison --------------------------------------------------------------------------------------------------

    /** C3, C2 and C0 for an order as {@link Extended#compare} gives it. */
    private static int conditions(int order) {
        return switch (order) {
            case -1 -> FpuState.C0;
            case 0 -> FpuState.C3;
            case 1 -> 0;
            default -> FpuState.C0 | FpuState.C2 | FpuState.C3;
        };
    }

    /** AMD's processors set the condition codes also before an unmasked exception (seen on Zen 3), Intel's do not (SDM 2A FCOM). */
    private static void concludeComparison(Processor p, boolean completes, int order, int pops) {
        if (completes || !p.model.isIntel()) {
            p.fpu.status = p.fpu.status & ~(FpuState.CONDITIONS & ~FpuState.C1) | conditions(order);
        }
        if (completes) {
            pop(p.fpu, pops);
        }
    }

    /** FCOM, or FUCOM if not {@code signaling}: ST0 with ST(i). */
    public static void compare(Processor p, int i, boolean signaling, int pops) {
        FpuState fpu = p.fpu;
        FloatEnvironment e = begin(p);
        if (isEmpty(fpu, 0) || isEmpty(fpu, i)) {
            concludeComparison(p, X87Stack.fault(p, false, 0), Extended.UNORDERED, pops);
            return;
        }
        int order = Extended.compare(significand(fpu, 0), signExponent(fpu, 0), significand(fpu, i),
                signExponent(fpu, i), signaling, e);
        concludeComparison(p, commit(p, e, 0), order, pops);
    }

    /** FCOM and FICOM with memory. */
    public static void compareMemory(Processor p, int kind, long bits, long pointer, int pops) {
        FpuState fpu = p.fpu;
        FloatEnvironment e = begin(p);
        if (isEmpty(fpu, 0)) {
            concludeComparison(p, X87Stack.fault(p, false, pointer), Extended.UNORDERED, pops);
            return;
        }
        long operand = operand(kind, bits, e);
        int order = Extended.compare(significand(fpu, 0), signExponent(fpu, 0), operand, e.signExponent, true, e);
        e.narrowDenormal = false;
        concludeComparison(p, commit(p, e, pointer), order, pops);
    }

    /** FTST: ST0 with zero. */
    public static void test(Processor p) {
        compareMemory(p, INTEGER, 0, 0, 0);
    }

    /** FCOMI, or FUCOMI if not {@code signaling}: into ZF, PF and CF; OF, SF and AF are cleared. */
    public static void compareFlags(Processor p, int i, boolean signaling, int pops) {
        FpuState fpu = p.fpu;
        FloatEnvironment e = begin(p);
        int c1 = fpu.status & FpuState.C1;
        int order = Extended.UNORDERED;
        boolean completes;
        if (isEmpty(fpu, 0) || isEmpty(fpu, i)) {
            completes = X87Stack.fault(p, false, 0);
        } else {
            order = Extended.compare(significand(fpu, 0), signExponent(fpu, 0), significand(fpu, i),
                    signExponent(fpu, i), signaling, e);
            completes = commit(p, e, 0);
            // AMD's leave C1 (seen on Zen 3), Intel's clear it (SDM 2A FCOMI).
            fpu.status |= p.model.isIntel() ? 0 : c1;
        }
        if (completes || !p.model.isIntel()) {
            long rflags = Flags.ofComparison(order);
            p.flagResult = Flags.resultOf(rflags);
            p.flagCarries = Flags.carriesOf(rflags);
        }
        if (completes) {
            pop(fpu, pops);
        }
    }

    /** FXAM: the class of ST0. */
    public static void examine(Processor p) {
        FpuState fpu = p.fpu;
        int signExponent = signExponent(fpu, 0);
        long significand = significand(fpu, 0);
        int exponent = signExponent & 0x7fff;
        int kind;
        if (isEmpty(fpu, 0)) {
            kind = FpuState.C3 | FpuState.C0;
        } else if (exponent == 0) {
            kind = significand == 0 ? FpuState.C3 : FpuState.C3 | FpuState.C2;
        } else if (significand >= 0) {
            kind = 0;
        } else if (exponent != 0x7fff) {
            kind = FpuState.C2;
        } else {
            kind = significand << 1 == 0 ? FpuState.C2 | FpuState.C0 : FpuState.C0;
        }
        setConditions(fpu, kind | ((signExponent & 0x8000) != 0 ? FpuState.C1 : 0));
    }

    // ---- registers ---------------------------------------------------------------------------------------------------

    /** FLD ST(i). */
    public static void loadRegister(Processor p, int i) {
        FpuState fpu = p.fpu;
        boolean underflow = isEmpty(fpu, i);
        if (underflow || !isEmpty(fpu, 7)) {
            if (X87Stack.fault(p, !underflow, 0)) {
                X87Stack.push(fpu, Extended.INDEFINITE, Extended.INDEFINITE_EXPONENT);
            }
            return;
        }
        X87Stack.clearC1(fpu);
        X87Stack.push(fpu, significand(fpu, i), signExponent(fpu, i));
    }

    /** FST ST(i) and FSTP ST(i). */
    public static void storeRegister(Processor p, int i, int pops) {
        FpuState fpu = p.fpu;
        if (isEmpty(fpu, 0)) {
            if (X87Stack.fault(p, false, 0)) {
                writeIndefinite(fpu, i);
                pop(fpu, pops);
            }
            return;
        }
        X87Stack.clearC1(fpu);
        write(fpu, i, significand(fpu, 0), signExponent(fpu, 0));
        pop(fpu, pops);
    }

    /** FSTPNCE ST(i), an alias of FSTP without exceptions: nothing is moved of an empty register. */
    public static void moveAndPop(Processor p, int i) {
        FpuState fpu = p.fpu;
        X87Stack.clearC1(fpu);
        if (!isEmpty(fpu, 0)) {
            write(fpu, i, significand(fpu, 0), signExponent(fpu, 0));
        }
        pop(fpu, 1);
    }

    /** FXCH ST(i). */
    public static void exchange(Processor p, int i) {
        FpuState fpu = p.fpu;
        if (isEmpty(fpu, 0) || isEmpty(fpu, i)) {
            if (!X87Stack.fault(p, false, 0)) {
                return;
            }
            if (isEmpty(fpu, 0)) {
                writeIndefinite(fpu, 0);
            }
            if (isEmpty(fpu, i)) {
                writeIndefinite(fpu, i);
            }
        } else {
            X87Stack.clearC1(fpu);
        }
        long significand = significand(fpu, 0);
        int signExponent = signExponent(fpu, 0);
        write(fpu, 0, significand(fpu, i), signExponent(fpu, i));
        write(fpu, i, significand, signExponent);
    }

    /** FCMOVcc: ST0 = ST(i) if {@code condition}. */
    public static void move(Processor p, int i, boolean condition) {
        FpuState fpu = p.fpu;
        if (isEmpty(fpu, 0) || isEmpty(fpu, i)) {
            if (X87Stack.fault(p, false, 0)) {
                writeIndefinite(fpu, 0);
            }
            return;
        }
        if (condition) {
            write(fpu, 0, significand(fpu, i), signExponent(fpu, i));
        }
    }

    /** FFREE, and FFREEP if {@code pops}. */
    public static void free(Processor p, int i, int pops) {
        FpuState fpu = p.fpu;
        fpu.valid &= ~(1 << physical(fpu, i));
        X87Stack.clearC1(fpu);
        pop(fpu, pops);
    }

    /** FINCSTP 1 and FDECSTP -1. */
    public static void rotate(Processor p, int by) {
        p.fpu.top = p.fpu.top + by & 7;
        X87Stack.clearC1(p.fpu);
    }

    // ---- control -----------------------------------------------------------------------------------------------------

    public static void initialize(Processor p) {
        p.fpu.initialize();
        p.updateFloatGate();
    }

    /** FNCLEX. */
    public static void clearExceptions(Processor p) {
        p.fpu.status &= ~(FloatEnvironment.ALL | FpuState.STACK_FAULT | FpuState.ERROR_SUMMARY | FpuState.BUSY);
        p.updateFloatGate();
    }

    public static void loadControl(Processor p, long word) {
        p.fpu.setControl((int) word);
        p.updateFloatGate();
    }

    public static long control(Processor p) {
        return p.fpu.control();
    }

    public static long status(Processor p) {
        return p.fpu.statusWord();
    }

    /** EMMS: the stack is empty. */
    public static void emms(Processor p) {
        p.fpu.valid = 0;
        p.fpu.top = 0;
    }
}
