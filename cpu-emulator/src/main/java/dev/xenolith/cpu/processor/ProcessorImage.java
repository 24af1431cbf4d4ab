package dev.xenolith.cpu.processor;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * What instructions change in a processor, as numbers to be compared and put back. Status flags are compared as RFLAGS shows them: which
 * result and carries they came from makes no difference to a guest. Saving, restoring and comparing allocate nothing.
 *
 * <p>Only numbers are put back, not what follows from modes: nothing in the MMU or the engine. That is enough for instructions that neither
 * end a block nor change modes; for others it is enough to see that something has changed.
 */
public final class ProcessorImage {
    private static final List<String> GPR = List.of("rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9",
            "r10", "r11", "r12", "r13", "r14", "r15", "zero");
    private static final List<String> SEGMENTS = List.of("es", "cs", "ss", "ds", "fs", "gs", "ldtr", "tr", "flat");
    private static final List<String> CONTROL = List.of("rip", "rflags", "instructions", "mxcsr", "pkru",
            "x87 control", "x87 status", "x87 tags", "x87 opcode", "x87 instruction", "x87 data", "cpl", "cr0", "cr2",
            "cr3", "cr4", "efer", "xcr0", "mode", "gate", "debug", "gdtr", "gdtr limit", "idtr", "idtr limit");

    /** By bit number. */
    private static final List<String> FLAGS = List.of("CF", "", "PF", "", "AF", "", "ZF", "SF", "TF", "IF", "DF", "OF");

    private static final int RIP = GPR.size();
    private static final int RFLAGS = RIP + 1;
    private static final int RETIRED = RIP + 2;
    private static final int MXCSR = RIP + 3;
    private static final int PKRU = RIP + 4;
    private static final int CPL = RIP + 11;
    private static final int VECTOR = RIP + CONTROL.size();
    private static final int SIGNIFICAND = VECTOR + 64;
    private static final int EXPONENT = SIGNIFICAND + 8;
    private static final int SELECTOR = EXPONENT + 8;
    private static final int BASE = SELECTOR + 8;
    private static final int LIMIT = BASE + 9;
    private static final int ATTRIBUTES = LIMIT + 8;
    private static final int DEBUG = ATTRIBUTES + 8;
    private static final int SIZE = DEBUG + 8;

    private final long[] values = new long[SIZE];
    private final FpuState fpu = new FpuState();
    private long flagResult;
    private long flagCarries;
    private long systemFlags;

    /** Takes everything from {@code p}. */
    public void save(Processor p) {
        System.arraycopy(p.gpr, 0, values, 0, GPR.size());
        flagResult = p.flagResult;
        flagCarries = p.flagCarries;
        systemFlags = p.rflagsSystem;
        fpu.copyFrom(p.fpu);
        int i = RIP;
        values[i++] = p.rip;
        values[i++] = p.rflags();
        values[i++] = p.retired;
        values[i++] = p.mxcsr();
        values[i++] = p.pkru();
        values[i++] = fpu.control();
        values[i++] = fpu.statusWord();
        values[i++] = fpu.valid;
        values[i++] = fpu.opcode;
        values[i++] = fpu.instructionPointer;
        values[i++] = fpu.dataPointer;
        values[i++] = p.cpl;
        values[i++] = p.cr0;
        values[i++] = p.cr2;
        values[i++] = p.cr3;
        values[i++] = p.cr4;
        values[i++] = p.efer;
        values[i++] = p.xcr0;
        values[i++] = p.codeContext;
        values[i++] = p.floatGate;
        values[i++] = p.pendingDebug;
        values[i++] = p.gdtBase;
        values[i++] = p.gdtLimit;
        values[i++] = p.idtBase;
        values[i] = p.idtLimit;
        System.arraycopy(p.vector, 0, values, VECTOR, 64);
        System.arraycopy(fpu.significand, 0, values, SIGNIFICAND, 8);
        copy(fpu.signExponent, EXPONENT);
        copy(p.segmentSelector, SELECTOR);
        System.arraycopy(p.segmentBase, 0, values, BASE, 9);
        System.arraycopy(p.segmentLimit, 0, values, LIMIT, 8);
        copy(p.segmentAttributes, ATTRIBUTES);
        System.arraycopy(p.dr, 0, values, DEBUG, 8);
    }

    private void copy(int[] from, int to) {
        for (int i = 0; i < from.length; i++) {
            values[to + i] = from[i];
        }
    }

    /** Puts everything back on {@code p}. */
    public void restore(Processor p) {
        System.arraycopy(values, 0, p.gpr, 0, GPR.size());
        p.flagResult = flagResult;
        p.flagCarries = flagCarries;
        p.rflagsSystem = systemFlags;
        p.fpu.copyFrom(fpu);
        p.rip = values[RIP];
        p.retired = values[RETIRED];
        p.setMxcsr((int) values[MXCSR]);
        p.setPkru((int) values[PKRU]);
        int i = CPL;
        p.cpl = (int) values[i++];
        p.cr0 = values[i++];
        p.cr2 = values[i++];
        p.cr3 = values[i++];
        p.cr4 = values[i++];
        p.efer = values[i++];
        p.xcr0 = values[i++];
        p.codeContext = (int) values[i++];
        p.floatGate = (int) values[i++];
        p.pendingDebug = (int) values[i++];
        p.gdtBase = values[i++];
        p.gdtLimit = (int) values[i++];
        p.idtBase = values[i++];
        p.idtLimit = (int) values[i];
        System.arraycopy(values, VECTOR, p.vector, 0, 64);
        copy(SELECTOR, p.segmentSelector);
        System.arraycopy(values, BASE, p.segmentBase, 0, 9);
        System.arraycopy(values, LIMIT, p.segmentLimit, 0, 8);
        copy(ATTRIBUTES, p.segmentAttributes);
        System.arraycopy(values, DEBUG, p.dr, 0, 8);
    }

    private void copy(int from, int[] to) {
        for (int i = 0; i < to.length; i++) {
            to[i] = (int) values[from + i];
        }
    }

    /** Number of instructions that had been retired. */
    public long retired() {
        return values[RETIRED];
    }

    public long rip() {
        return values[RIP];
    }

    /** Whether {@code other} is the same. */
    public boolean isSame(ProcessorImage other) {
        return Arrays.equals(values, other.values);
    }

    /** Adds to {@code lines} one for each difference, {@code ours} and {@code theirs} being what the two are called. */
    public void differences(ProcessorImage other, String ours, String theirs, List<String> lines) {
        for (int i = 0; i < SIZE; i++) {
            if (values[i] != other.values[i]) {
                String which = i == RFLAGS ? " (" + flags(values[i] ^ other.values[i]) + ")" : "";
                lines.add(name(i) + which + ": " + ours + " " + hex(values[i]) + ", " + theirs + " "
                        + hex(other.values[i]));
            }
        }
    }

    /** Adds to {@code lines} the general registers, RIP, flags and what else is not zero and not a segment. */
    public void describe(List<String> lines) {
        for (int i = 0; i < SELECTOR; i++) {
            if (values[i] != 0 || i <= RFLAGS) {
                lines.add(name(i) + " " + hex(values[i]));
            }
        }
    }

    private static String name(int i) {
        if (i < VECTOR) {
            return i < RIP ? GPR.get(i) : CONTROL.get(i - RIP);
        }
        if (i < SIGNIFICAND) {
            return "ymm" + (i - VECTOR) / 4 + " quadword " + (i - VECTOR) % 4;
        }
        if (i < SELECTOR) {
            return i < EXPONENT ? "x87 significand " + (i - SIGNIFICAND) : "x87 exponent " + (i - EXPONENT);
        }
        if (i >= DEBUG) {
            return "dr" + (i - DEBUG);
        }
        return i < BASE
                ? SEGMENTS.get(i - SELECTOR)
                : i < LIMIT
                        ? SEGMENTS.get(i - BASE) + " base"
                        : i < ATTRIBUTES
                                ? SEGMENTS.get(i - LIMIT) + " limit"
                                : SEGMENTS.get(i - ATTRIBUTES) + " attributes";
    }

    private static String flags(long bits) {
        return IntStream.range(0, FLAGS.size()).filter(i -> (bits >> i & 1) != 0).mapToObj(FLAGS::get)
                .collect(Collectors.joining(" "));
    }

    private static String hex(long value) {
        return "0x" + Long.toHexString(value);
    }
}
