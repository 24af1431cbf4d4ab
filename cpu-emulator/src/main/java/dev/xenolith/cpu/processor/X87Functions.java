package dev.xenolith.cpu.processor;

import static dev.xenolith.cpu.processor.X87Stack.begin;
import static dev.xenolith.cpu.processor.X87Stack.commit;
import static dev.xenolith.cpu.processor.X87Stack.isEmpty;
import static dev.xenolith.cpu.processor.X87Stack.signExponent;
import static dev.xenolith.cpu.processor.X87Stack.significand;
import static dev.xenolith.cpu.processor.X87Stack.write;
import static dev.xenolith.cpu.processor.X87Stack.writeIndefinite;

import dev.xenolith.cpu.fpu.Extended;
import dev.xenolith.cpu.fpu.FloatEnvironment;
import dev.xenolith.cpu.fpu.Transcendental;

/** Transcendental x87 instructions (SDM 2A FSIN, FCOS, FSINCOS, FPTAN, FPATAN, F2XM1, FYL2X, FYL2XP1). */
public final class X87Functions {
    private static final int FPATAN = 0;
    private static final int FYL2X = 1;
    private static final long ONE = 1L << 63;
    private static final int ONE_EXPONENT = 0x3fff;

    private X87Functions() {}

    /** FSIN 0, FCOS 1. */
    public static void sine(Processor p, int function) {
        FpuState fpu = p.fpu;
        FloatEnvironment e = begin(p);
        if (isEmpty(fpu, 0)) {
            underflow(p, 0);
            return;
        }
        long result = Transcendental.sine(significand(fpu, 0), signExponent(fpu, 0), function, e);
        boolean complete = e.quotient == 0;
        if (commit(p, e, 0)) {
            if (complete) {
                write(fpu, 0, result, e.signExponent);
            }
            setIncomplete(fpu, !complete);
        }
    }

    /** ST({@code i}) is made indefinite if the stack fault is masked; C2 says that the instruction is complete. */
    private static void underflow(Processor p, int i) {
        if (X87Stack.fault(p, false, 0)) {
            writeIndefinite(p.fpu, i);
            setIncomplete(p.fpu, false);
        }
    }

    private static void setIncomplete(FpuState fpu, boolean incomplete) {
        fpu.status = incomplete ? fpu.status | FpuState.C2 : fpu.status & ~FpuState.C2;
    }

    /** FSINCOS, and FPTAN if {@code tangent}: the function replaces ST0, then the cosine or 1 is pushed. */
    public static void sineAndMore(Processor p, boolean tangent) {
        FpuState fpu = p.fpu;
        FloatEnvironment e = begin(p);
        boolean empty = isEmpty(fpu, 0);
        if (empty || !isEmpty(fpu, 7)) {
            if (X87Stack.fault(p, !empty, 0)) {
                writeIndefinite(fpu, 0);
                X87Stack.push(fpu, Extended.INDEFINITE, Extended.INDEFINITE_EXPONENT);
                setIncomplete(fpu, false);
            }
            return;
        }
        long x = significand(fpu, 0);
        int xs = signExponent(fpu, 0);
        long pushed = ONE;
        int pushedExponent = ONE_EXPONENT;
        if (!tangent) {
            pushed = Transcendental.sine(x, xs, 1, e);
            pushedExponent = e.signExponent;
        }
        long result = tangent
                ? Transcendental.tangent(x, xs, e)
                : Transcendental.sine(x, xs, 0, e);
        int exponent = e.signExponent;
        boolean complete = e.quotient == 0;
        if (tangent && (exponent & 0x7fff) == 0x7fff && result << 1 != 0) {
            // Not a number: so is what is pushed.
            pushed = result;
            pushedExponent = exponent;
        }
        if (commit(p, e, 0)) {
            if (complete) {
                write(fpu, 0, result, exponent);
                X87Stack.push(fpu, pushed, pushedExponent);
            }
            setIncomplete(fpu, !complete);
        }
    }

    /** F2XM1. */
    public static void exponential(Processor p) {
        FpuState fpu = p.fpu;
        FloatEnvironment e = begin(p);
        if (isEmpty(fpu, 0)) {
            if (X87Stack.fault(p, false, 0)) {
                writeIndefinite(fpu, 0);
            }
            return;
        }
        long result = Transcendental.exponential(significand(fpu, 0), signExponent(fpu, 0), e);
        if (commit(p, e, 0)) {
            write(fpu, 0, result, e.signExponent);
        }
    }

    /** FPATAN 0, FYL2X 1, FYL2XP1 2: the function of ST1 and ST0 replaces both. */
    public static void binary(Processor p, int function) {
        FpuState fpu = p.fpu;
        FloatEnvironment e = begin(p);
        if (isEmpty(fpu, 0) || isEmpty(fpu, 1)) {
            if (X87Stack.fault(p, false, 0)) {
                writeIndefinite(fpu, 1);
                X87Stack.pop(fpu, 1);
            }
            return;
        }
        long x = significand(fpu, 0);
        int xs = signExponent(fpu, 0);
        long y = significand(fpu, 1);
        int ys = signExponent(fpu, 1);
        long result = switch (function) {
            case FPATAN -> Transcendental.arcusTangent(x, xs, y, ys, e);
            case FYL2X -> Transcendental.logarithm(x, xs, y, ys, e);
            default -> Transcendental.logarithmOfSuccessor(x, xs, y, ys, e);
        };
        if (commit(p, e, 0)) {
            write(fpu, 1, result, e.signExponent);
            X87Stack.pop(fpu, 1);
        }
    }
}
