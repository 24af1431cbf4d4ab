package dev.xenolith.dom0.gdb;

import java.util.ArrayList;
import java.util.List;

/**
 * What a debugger is told a processor is, for the length of a session: registers in the order of their numbers, which is that of gdb's own
 * features for x86, and after them those of the system.
 */
public enum Architecture {
    I386("i386"), X86_64("i386:x86-64");

    /** What a register is in the processor's state; {@link Register#index} says which. */
    enum Kind {
        /** Index as in {@code Processor.gpr}. */
        GENERAL, RIP, FLAGS,
        /** Index as in {@code Processor.segmentSelector}. */
        SELECTOR,
        /** Index counts from ST(0). */
        STACK,
        /** Index counts FCTRL, FSTAT, FTAG, FISEG, FIOFF, FOSEG, FOOFF, FOP. */
        FLOAT_CONTROL,
        /** XMM register. */
        VECTOR, MXCSR,
        /** Upper half of a YMM register. */
        VECTOR_HIGH,
        /** Index as in {@code Processor.segmentBase}. */
        BASE, KERNEL_GS_BASE, CR0, CR2, CR3, CR4, CR8, EFER
    }

    /**
     * A register.
     *
     * @param name gdb's
     * @param type of the target description
     * @param group of the target description, empty for the type's own
     */
    record Register(String name, int bits, String type, String group, Kind kind, int index) {
        int bytes() {
            return (bits + 7) / 8;
        }
    }

    /** A set of registers that a debugger knows by name. */
    record Feature(String name, List<Register> registers) {
    }

    private static final String[] GENERAL = {"ax", "cx", "dx", "bx", "sp", "bp", "si", "di"};
    /** gdb's numbers of x86-64 begin in another order than the processor's. */
    private static final int[] ORDER_64 = {0, 3, 1, 2, 6, 7, 5, 4};
    private static final String[] SELECTORS = {"cs", "ss", "ds", "es", "fs", "gs"};
    private static final int[] SELECTOR_INDEX = {1, 2, 3, 0, 4, 5};
    private static final String[] FLOAT_CONTROLS = {"fctrl", "fstat", "ftag", "fiseg", "fioff", "foseg", "fooff",
        "fop"};
    private static final int FS = 4;
    private static final int GS = 5;
    private static final int XMM_BITS = 128;

    /** Name of the architecture in a target description. */
    private final String description;

    Architecture(String description) {
        this.description = description;
    }

    String description() {
        return description;
    }

    private int wordBits() {
        return this == X86_64 ? 64 : 32;
    }

    /** The features of a processor, {@code avx} if it has the AVX registers; their registers are numbered through from 0. */
    List<Feature> features(boolean avx) {
        List<Feature> features = new ArrayList<>();
        features.add(new Feature("org.gnu.gdb.i386.core", core()));
        features.add(new Feature("org.gnu.gdb.i386.sse", sse()));
        if (avx) {
            features.add(new Feature("org.gnu.gdb.i386.avx", avx()));
        }
        if (this == X86_64) {
            features.add(new Feature("org.gnu.gdb.i386.segments", segmentBases()));
        }
        features.add(new Feature("dev.xenolith.i386.system", system()));
        return features;
    }

    private List<Register> core() {
        List<Register> core = new ArrayList<>();
        for (int i = 0; i < GENERAL.length; i++) {
            int index = this == X86_64 ? ORDER_64[i] : i;
            String name = (this == X86_64 ? "r" : "e") + GENERAL[index];
            boolean pointer = index == 4 || index == 5;
            core.add(word(name, pointer ? "data_ptr" : "int" + wordBits(), "", Kind.GENERAL, index));
        }
        for (int i = 8; this == X86_64 && i < 16; i++) {
            core.add(word("r" + i, "int64", "", Kind.GENERAL, i));
        }
        core.add(word(this == X86_64 ? "rip" : "eip", "code_ptr", "", Kind.RIP, 0));
        core.add(new Register("eflags", 32, "i386_eflags", "", Kind.FLAGS, 0));
        for (int i = 0; i < SELECTORS.length; i++) {
            core.add(new Register(SELECTORS[i], 32, "int32", "", Kind.SELECTOR, SELECTOR_INDEX[i]));
        }
        for (int i = 0; i < 8; i++) {
            core.add(new Register("st" + i, 80, "i387_ext", "", Kind.STACK, i));
        }
        for (int i = 0; i < FLOAT_CONTROLS.length; i++) {
            core.add(new Register(FLOAT_CONTROLS[i], 32, "int", "float", Kind.FLOAT_CONTROL, i));
        }
        return core;
    }

    private int vectors() {
        return this == X86_64 ? 16 : 8;
    }

    private List<Register> sse() {
        List<Register> sse = new ArrayList<>();
        for (int i = 0; i < vectors(); i++) {
            sse.add(new Register("xmm" + i, XMM_BITS, "vec128", "", Kind.VECTOR, i));
        }
        sse.add(new Register("mxcsr", 32, "i386_mxcsr", "vector", Kind.MXCSR, 0));
        return sse;
    }

    private List<Register> avx() {
        List<Register> avx = new ArrayList<>();
        for (int i = 0; i < vectors(); i++) {
            avx.add(new Register("ymm" + i + "h", XMM_BITS, "uint128", "", Kind.VECTOR_HIGH, i));
        }
        return avx;
    }

    private List<Register> segmentBases() {
        return List.of(word("fs_base", "int", "", Kind.BASE, FS), word("gs_base", "int", "", Kind.BASE, GS));
    }

    private List<Register> system() {
        List<Register> system = new ArrayList<>();
        if (this == I386) {
            // gdb's feature for these is one of x86-64.
            system.add(word("fs_base", "int32", "system", Kind.BASE, FS));
            system.add(word("gs_base", "int32", "system", Kind.BASE, GS));
        } else {
            system.add(word("k_gs_base", "int64", "system", Kind.KERNEL_GS_BASE, 0));
        }
        system.add(word("cr0", "i386_cr0", "system", Kind.CR0, 0));
        system.add(word("cr2", "int" + wordBits(), "system", Kind.CR2, 0));
        system.add(word("cr3", "int" + wordBits(), "system", Kind.CR3, 0));
        system.add(word("cr4", "i386_cr4", "system", Kind.CR4, 0));
        if (this == X86_64) {
            system.add(word("cr8", "int64", "system", Kind.CR8, 0));
        }
        system.add(word("efer", "i386_efer", "system", Kind.EFER, 0));
        return system;
    }

    private Register word(String name, String type, String group, Kind kind, int index) {
        return new Register(name, wordBits(), type, group, kind, index);
    }
}
