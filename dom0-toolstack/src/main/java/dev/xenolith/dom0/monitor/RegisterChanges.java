package dev.xenolith.dom0.monitor;

import dev.xenolith.cpu.decode.Disassembler;
import dev.xenolith.cpu.processor.Processor;

/** What an instruction changes of the registers that a program sees, and of CR0 to CR4 and EFER. */
final class RegisterChanges {
    private static final String[] SEGMENTS = {"es", "cs", "ss", "ds", "fs", "gs", "ldtr", "tr"};
    private static final String[] SYSTEM = {"cr0", "cr2", "cr3", "cr4", "efer", "xcr0", "fs_base", "gs_base"};

    private final int[] selectors = new int[SEGMENTS.length];
    private final long[] system = new long[SYSTEM.length];
    private final long[] vector = new long[64];
    private final long[] significand = new long[8];
    private final int[] signExponent = new int[8];
    private long rflags;
    private int mxcsr;
    private int statusWord;

    /** Takes note of the registers before an instruction. */
    void before(Processor p) {
        System.arraycopy(p.segmentSelector, 0, selectors, 0, selectors.length);
        for (int i = 0; i < system.length; i++) {
            system[i] = system(p, i);
        }
        System.arraycopy(p.vector, 0, vector, 0, vector.length);
        System.arraycopy(p.fpu.significand, 0, significand, 0, significand.length);
        System.arraycopy(p.fpu.signExponent, 0, signExponent, 0, signExponent.length);
        rflags = p.rflags();
        mxcsr = p.mxcsr();
        statusWord = p.fpu.statusWord();
    }

    private static long system(Processor p, int index) {
        return switch (index) {
            case 0 -> p.cr0;
            case 1 -> p.cr2;
            case 2 -> p.cr3;
            case 3 -> p.cr4;
            case 4 -> p.efer;
            case 5 -> p.xcr0;
            case 6 -> p.segmentBase[Processor.FS];
            default -> p.segmentBase[Processor.GS];
        };
    }

    /** Appends {@code  name=value} of each register that is now another; {@code general} are RAX to R15 before. */
    void append(StringBuilder out, Processor p, long[] general) {
        for (int i = 0; i < general.length; i++) {
            if (general[i] != p.gpr[i]) {
                changed(out, Disassembler.register(i, 64), p.gpr[i], 16);
            }
        }
        if (rflags != p.rflags()) {
            changed(out, "rflags", p.rflags(), 8);
        }
        for (int i = 0; i < SEGMENTS.length; i++) {
            if (selectors[i] != p.segmentSelector[i]) {
                changed(out, SEGMENTS[i], p.segmentSelector[i], 4);
            }
        }
        for (int i = 0; i < SYSTEM.length; i++) {
            if (system[i] != system(p, i)) {
                changed(out, SYSTEM[i], system(p, i), 16);
            }
        }
        for (int i = 0; i < 16; i++) {
            appendVector(out, p, i);
        }
        for (int i = 0; i < 8; i++) {
            if (significand[i] != p.fpu.significand[i] || signExponent[i] != p.fpu.signExponent[i]) {
                changed(out, "fpr" + i, p.fpu.signExponent[i], 4);
                hex(out.append(':'), p.fpu.significand[i], 16);
            }
        }
        if (statusWord != p.fpu.statusWord()) {
            changed(out, "fsw", p.fpu.statusWord(), 4);
        }
        if (mxcsr != p.mxcsr()) {
            changed(out, "mxcsr", p.mxcsr(), 4);
        }
    }

    /** A YMM register, of which the upper half is shown if it changes. */
    private void appendVector(StringBuilder out, Processor p, int number) {
        int at = 4 * number;
        boolean high = vector[at + 2] != p.vector[at + 2] || vector[at + 3] != p.vector[at + 3];
        if (high) {
            changed(out, "ymm" + number, p.vector[at + 3], 16);
            hex(out.append(':'), p.vector[at + 2], 16);
            hex(out.append(':'), p.vector[at + 1], 16);
        } else if (vector[at] != p.vector[at] || vector[at + 1] != p.vector[at + 1]) {
            changed(out, "xmm" + number, p.vector[at + 1], 16);
        } else {
            return;
        }
        hex(out.append(':'), p.vector[at], 16);
    }

    private static void changed(StringBuilder out, String name, long value, int digits) {
        hex(out.append(' ').append(name).append('='), value, digits);
    }

    static void hex(StringBuilder out, long value, int digits) {
        for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) {
            out.append(Character.forDigit((int) (value >>> shift) & 15, 16));
        }
    }
}
