package dev.xenolith.cpu.processor;

import dev.xenolith.cpu.fpu.FloatEnvironment;

/**
 * Images of the floating-point and vector state in memory: FXSAVE, XSAVE and their kin (SDM 1 10.5, chapter 13). An instruction
 * checks that it can reach all of its area before it changes anything.
 */
public final class SaveArea {
    private static final int LEGACY_BYTES = 512;
    private static final int LEGACY_STORED = 416;
    private static final int REGISTERS = 32;
    private static final int XMM = 160;
    private static final int HEADER = 512;
    private static final int HEADER_BYTES = 64;
    private static final int EXTENDED = HEADER + HEADER_BYTES;
    /** Offset of the AVX component in the standard format, and its size. */
    static final int AVX_OFFSET = EXTENDED;
    static final int AVX_BYTES = 256;
    /** Bits of MXCSR that may be set, as FXSAVE reports them. */
    static final int MXCSR_MASK = 0xffff;
    static final long X87 = 1;
    static final long SSE = 2;
    static final long AVX = 4;
    static final long PKRU = 1 << 9;
    /** Offset of the PKRU component in the standard format, and its size. */
    static final int PKRU_OFFSET = 2688;
    static final int PKRU_BYTES = 8;
    private static final long COMPACTED = 1L << 63;
    private static final int INITIAL_MXCSR = 0x1f80;

    private SaveArea() {}

    // ---- access to the area ------------------------------------------------------------------------------------------

    private static void requireAlignment(Processor p, long address, int bytes) {
        if ((address & bytes - 1) != 0) {
            throw p.raise(Vector.GP, 0);
        }
    }

    private static void probeStore(Processor p, long address, int bytes) {
        p.probeStore(address, 1);
        for (long page = (address | 4095) + 1; page - address < bytes; page += 4096) {
            p.probeStore(page, 1);
        }
    }

    private static void probeLoad(Processor p, long address, int bytes) {
        p.load8(address);
        for (long page = (address | 4095) + 1; page - address < bytes; page += 4096) {
            p.load8(page);
        }
    }

    // ---- x87 part ----------------------------------------------------------------------------------------------------

    /** Bytes 0 to 23 and the registers; {@code wide}: pointers of 64 bits without selectors (REX.W). */
    private static void storeX87(Processor p, long address, boolean wide) {
        FpuState fpu = p.fpu;
        p.store16(address, fpu.control());
        p.store16(address + 2, fpu.statusWord());
        p.store16(address + 4, fpu.valid);
        p.store16(address + 6, fpu.opcode);
        p.store64(address + 8, wide ? fpu.instructionPointer : fpu.instructionPointer & 0xffff_ffffL);
        p.store64(address + 16, wide ? fpu.dataPointer : fpu.dataPointer & 0xffff_ffffL);
        for (int i = 0; i < 8; i++) {
            int register = fpu.top + i & 7;
            p.store64(address + REGISTERS + 16 * i, fpu.significand[register]);
            p.store64(address + REGISTERS + 16 * i + 8, fpu.signExponent[register]);
        }
    }

    private static void loadX87(Processor p, long address, boolean wide) {
        FpuState fpu = p.fpu;
        fpu.setControl((int) p.load16(address));
        fpu.setStatusWord((int) p.load16(address + 2));
        fpu.valid = (int) p.load8(address + 4);
        fpu.opcode = (int) p.load16(address + 6) & 0x7ff;
        fpu.instructionPointer = wide ? p.load64(address + 8) : p.load32(address + 8);
        fpu.dataPointer = wide ? p.load64(address + 16) : p.load32(address + 16);
        for (int i = 0; i < 8; i++) {
            int register = fpu.top + i & 7;
            fpu.significand[register] = p.load64(address + REGISTERS + 16 * i);
            fpu.signExponent[register] = (int) p.load16(address + REGISTERS + 16 * i + 8);
        }
        p.updateFloatGate();
    }

    private static int xmmCount(Processor p) {
        return p.is64Bit() ? 16 : 8;
    }

    private static void storeXmm(Processor p, long address) {
        for (int i = 0; i < xmmCount(p); i++) {
            p.store64(address + XMM + 16 * i, p.vector[4 * i]);
            p.store64(address + XMM + 16 * i + 8, p.vector[4 * i + 1]);
        }
    }

    private static void loadXmm(Processor p, long address) {
        for (int i = 0; i < xmmCount(p); i++) {
            p.vector[4 * i] = p.load64(address + XMM + 16 * i);
            p.vector[4 * i + 1] = p.load64(address + XMM + 16 * i + 8);
        }
    }

    // ---- MXCSR -------------------------------------------------------------------------------------------------------

    /** LDMXCSR: reserved bits are #GP(0). */
    public static void ldmxcsr(Processor p, long value) {
        if ((value & ~MXCSR_MASK) != 0) {
            throw p.raise(Vector.GP, 0);
        }
        p.setMxcsr((int) value);
    }

    /** STMXCSR. */
    public static long mxcsr(Processor p) {
        return p.mxcsr();
    }

    private static int loadMxcsr(Processor p, long address) {
        long value = p.load32(address + 24);
        if ((value & ~MXCSR_MASK) != 0) {
            throw p.raise(Vector.GP, 0);
        }
        return (int) value;
    }

    private static void storeMxcsr(Processor p, long address) {
        p.store32(address + 24, p.mxcsr());
        p.store32(address + 28, MXCSR_MASK);
    }

    // ---- FXSAVE ------------------------------------------------------------------------------------------------------

    /** FXSAVE, and FXSAVE64 with 64 {@code bits}. XMM registers are stored whatever CR4.OSFXSR says. */
    public static void fxsave(Processor p, long address, int bits) {
        requireAlignment(p, address, 16);
        probeStore(p, address, LEGACY_STORED);
        storeX87(p, address, bits == 64);
        storeMxcsr(p, address);
        storeXmm(p, address);
    }

    public static void fxrstor(Processor p, long address, int bits) {
        requireAlignment(p, address, 16);
        probeLoad(p, address, LEGACY_BYTES);
        int mxcsr = loadMxcsr(p, address);
        loadX87(p, address, bits == 64);
        p.setMxcsr(mxcsr);
        loadXmm(p, address);
    }

    // ---- XSAVE -------------------------------------------------------------------------------------------------------

    /** Bytes of a standard area for the components of XCR0. */
    static int standardBytes(long components) {
        if ((components & PKRU) != 0) {
            return PKRU_OFFSET + PKRU_BYTES;
        }
        return (components & AVX) != 0 ? AVX_OFFSET + AVX_BYTES : EXTENDED;
    }

    /** Bytes of a compacted area for these components: PKRU comes right after what is before it. */
    static int compactedBytes(long components) {
        return compactedPkru(components) + ((components & PKRU) != 0 ? PKRU_BYTES : 0);
    }

    private static int compactedPkru(long components) {
        return EXTENDED + ((components & AVX) != 0 ? AVX_BYTES : 0);
    }

    /** State components that the model has. */
    static long supported(Processor p) {
        return X87 | SSE | (p.model.has("avx") ? AVX : 0) | (p.model.has("pku") ? PKRU : 0);
    }

    /** Whether {@code components} is a value for XCR0. */
    static boolean canEnable(Processor p, long components) {
        return (components & X87) != 0 && (components & ~supported(p)) == 0
                && ((components & AVX) == 0 || (components & SSE) != 0);
    }

    private static long requested(Processor p) {
        return (p.gpr[Processor.RDX] << 32 | p.gpr[Processor.RAX] & 0xffff_ffffL) & p.xcr0;
    }

    /** The components that are not in their initial state. */
    static long inUse(Processor p) {
        long use = p.fpu.isInitial() ? 0 : X87;
        long low = 0;
        long high = 0;
        for (int i = 0; i < 4 * xmmCount(p); i += 4) {
            low |= p.vector[i] | p.vector[i + 1];
            high |= p.vector[i + 2] | p.vector[i + 3];
        }
        return use | (low != 0 ? SSE : 0) | (high != 0 ? AVX : 0) | (p.pkru() != 0 ? PKRU : 0);
    }

    private static void storeAvx(Processor p, long address) {
        for (int i = 0; i < xmmCount(p); i++) {
            p.store64(address + 16 * i, p.vector[4 * i + 2]);
            p.store64(address + 16 * i + 8, p.vector[4 * i + 3]);
        }
    }

    /** Outside 64-bit mode a segment that is not flat is checked for the whole area, whose size the components decide. */
    private static boolean isChecked(Processor p, int segment) {
        return !p.is64Bit() && segment != Processor.FLAT;
    }

    /** Checks that {@code segment} has the area at {@code offset} that XSAVE or, {@code compacted}, XSAVEC writes. */
    public static void checkSaved(Processor p, int segment, long address, long offset, int compacted) {
        if (isChecked(p, segment)) {
            requireAlignment(p, address, 64);
            long components = requested(p);
            p.segments.writable(segment, offset,
                    compacted != 0 ? compactedBytes(components) : standardBytes(components));
        }
    }

    /** Checks that {@code segment} has the area at {@code offset} that XRSTOR reads. */
    public static void checkRestored(Processor p, int segment, long address, long offset) {
        if (isChecked(p, segment)) {
            requireAlignment(p, address, 64);
            long layout = p.load64(address + HEADER + 8);
            long loaded = requested(p) & p.load64(address + HEADER);
            p.segments.readable(segment, offset, layout < 0 ? compactedBytes(layout) : standardBytes(loaded));
        }
    }

    /** XSAVE; with {@code optimized}, XSAVEOPT: components in their initial state are not written. */
    public static void xsave(Processor p, long address, int bits, int optimized) {
        requireAlignment(p, address, 64);
        long components = requested(p);
        probeStore(p, address, standardBytes(components));
        long use = inUse(p);
        long written = optimized != 0 ? components & use : components;
        long before = p.load64(address + HEADER);
        if ((written & X87) != 0) {
            storeX87(p, address, bits == 64);
        }
        if ((components & (SSE | AVX)) != 0) {
            storeMxcsr(p, address);
        }
        if ((written & SSE) != 0) {
            storeXmm(p, address);
        }
        if ((written & AVX) != 0) {
            storeAvx(p, address + AVX_OFFSET);
        }
        if ((written & PKRU) != 0) {
            p.store64(address + PKRU_OFFSET, p.pkru() & 0xffff_ffffL);
        }
        p.store64(address + HEADER, before & ~components | components & use);
    }

    /** XSAVEC; with {@code supervisor}, XSAVES, of which there is no state component: at CPL 0 only. */
    public static void xsavec(Processor p, long address, int bits, int supervisor) {
        if (supervisor != 0) {
            Segmentation.requireRing0(p);
        }
        requireAlignment(p, address, 64);
        long components = requested(p);
        probeStore(p, address, compactedBytes(components));
        long use = inUse(p);
        if (p.mxcsr() != INITIAL_MXCSR) {
            use |= SSE;
        }
        long written = components & use;
        if ((written & X87) != 0) {
            storeX87(p, address, bits == 64);
        }
        if ((written & SSE) != 0) {
            storeMxcsr(p, address);
            storeXmm(p, address);
        }
        if ((written & AVX) != 0) {
            storeAvx(p, address + AVX_OFFSET);
        }
        if ((written & PKRU) != 0) {
            p.store64(address + compactedPkru(components), p.pkru() & 0xffff_ffffL);
        }
        p.store64(address + HEADER, written);
        p.store64(address + HEADER + 8, components | COMPACTED);
    }

    /**
     * XRSTOR; with {@code supervisor}, XRSTORS, which takes the compacted format alone and is for CPL 0. AVX, as the first extended
     * component, lies at the same place in both formats.
     */
    public static void xrstor(Processor p, long address, int bits, int supervisor) {
        if (supervisor != 0) {
            Segmentation.requireRing0(p);
        }
        requireAlignment(p, address, 64);
        long asked = requested(p);
        probeLoad(p, address, EXTENDED);
        long present = p.load64(address + HEADER);
        long layout = p.load64(address + HEADER + 8);
        boolean compacted = layout < 0;
        long reserved = 0;
        for (int i = 16; i < HEADER_BYTES; i += 8) {
            reserved |= p.load64(address + HEADER + i);
        }
        boolean sound = compacted
                ? p.model.has("xsavec") && (layout & ~COMPACTED & ~p.xcr0) == 0 && (present & ~layout) == 0
                        && reserved == 0
                : supervisor == 0 && layout == 0 && (present & ~p.xcr0) == 0 && p.load64(address + HEADER + 16) == 0;
        if (!sound) {
            throw p.raise(Vector.GP, 0);
        }
        long loaded = asked & present;
        probeLoad(p, address, compacted ? compactedBytes(layout) : standardBytes(loaded));
        int pkruOffset = compacted ? compactedPkru(layout) : PKRU_OFFSET;
        int pkru = (loaded & PKRU) != 0 ? (int) p.load32(address + pkruOffset) : 0;
        // In the standard format MXCSR belongs to SSE and AVX alike and is loaded whatever the header says.
        boolean takesMxcsr = compacted ? (loaded & SSE) != 0 : (asked & (SSE | AVX)) != 0;
        int mxcsr = takesMxcsr ? loadMxcsr(p, address) : INITIAL_MXCSR;
        if ((loaded & X87) != 0) {
            loadX87(p, address, bits == 64);
        } else if ((asked & X87) != 0) {
            p.fpu.clear();
            p.updateFloatGate();
        }
        if (takesMxcsr || (asked & SSE) != 0) {
            p.setMxcsr(mxcsr);
        }
        if ((loaded & SSE) != 0) {
            loadXmm(p, address);
        } else if ((asked & SSE) != 0) {
            clear(p, 0);
        }
        if ((loaded & AVX) != 0) {
            for (int i = 0; i < xmmCount(p); i++) {
                p.vector[4 * i + 2] = p.load64(address + AVX_OFFSET + 16 * i);
                p.vector[4 * i + 3] = p.load64(address + AVX_OFFSET + 16 * i + 8);
            }
        } else if ((asked & AVX) != 0) {
            clear(p, 2);
        }
        if ((asked & PKRU) != 0) {
            // Last, for the area may be in a page that it takes away.
            p.setPkru(pkru);
        }
    }

    private static void clear(Processor p, int from) {
        for (int i = 0; i < xmmCount(p); i++) {
            p.vector[4 * i + from] = 0;
            p.vector[4 * i + from + 1] = 0;
        }
    }

    // ---- FNSTENV, FNSAVE ---------------------------------------------------------------------------------------------

    private static boolean isProtected(Processor p) {
        return (p.cr0 & Bits.CR0_PE) != 0 && (p.rflagsSystem & Bits.RFLAGS_VM) == 0;
    }

    /** Bytes of the environment. */
    private static int environmentBytes(int bits) {
        return bits == 16 ? 14 : 28;
    }

    /** The x87 environment in the format for {@code bits} 16 or 32 and the present mode (SDM 1 figures 8-9 to 8-12). */
    private static void storeEnvironment(Processor p, long address, int bits) {
        FpuState fpu = p.fpu;
        int[] words = new int[7];
        words[0] = fpu.control();
        words[1] = fpu.statusWord();
        words[2] = fpu.tagWord();
        words[3] = (int) fpu.instructionPointer;
        words[5] = (int) fpu.dataPointer;
        if (isProtected(p)) {
            words[4] = bits == 16 ? 0 : fpu.opcode << 16;
        } else if (bits == 16) {
            words[4] = (words[3] >>> 16 & 15) << 12 | fpu.opcode;
            words[6] = (words[5] >>> 16 & 15) << 12;
        } else {
            words[4] = (words[3] >>> 16) << 12 | fpu.opcode;
            words[6] = (words[5] >>> 16) << 12;
            words[3] &= 0xffff;
            words[5] &= 0xffff;
        }
        for (int i = 0; i < 7; i++) {
            if (bits == 16) {
                p.store16(address + 2 * i, words[i]);
            } else {
                // Unused upper halves of the first three and the last are ones.
                boolean ones = i < 3 || isProtected(p) && i == 6 || !isProtected(p) && (i == 3 || i == 5);
                p.store32(address + 4 * i, words[i] & 0xffff_ffffL | (ones ? 0xffff_0000L : 0));
            }
        }
    }

    private static void loadEnvironment(Processor p, long address, int bits) {
        FpuState fpu = p.fpu;
        long[] words = new long[7];
        for (int i = 0; i < 7; i++) {
            words[i] = bits == 16 ? p.load16(address + 2 * i) : p.load32(address + 4 * i);
        }
        fpu.setControl((int) words[0]);
        fpu.setStatusWord((int) words[1] & 0xffff);
        fpu.setTagWord((int) words[2]);
        if (isProtected(p)) {
            fpu.instructionPointer = words[3];
            fpu.dataPointer = words[5];
            fpu.opcode = bits == 16 ? 0 : (int) (words[4] >>> 16) & 0x7ff;
        } else {
            fpu.instructionPointer = words[3] & 0xffff | words[4] >>> 12 << 16;
            fpu.dataPointer = words[5] & 0xffff | words[6] >>> 12 << 16;
            fpu.opcode = (int) words[4] & 0x7ff;
        }
        p.updateFloatGate();
    }

    /** FNSTENV: stores the environment and masks all exceptions. */
    public static void fnstenv(Processor p, long address, int bits) {
        probeStore(p, address, environmentBytes(bits));
        storeEnvironment(p, address, bits);
        p.fpu.setControl(p.fpu.control() | FloatEnvironment.ALL);
        p.updateFloatGate();
    }

    public static void fldenv(Processor p, long address, int bits) {
        probeLoad(p, address, environmentBytes(bits));
        loadEnvironment(p, address, bits);
    }

    /** FNSAVE: stores environment and registers and initialises the FPU. */
    public static void fnsave(Processor p, long address, int bits) {
        FpuState fpu = p.fpu;
        int start = environmentBytes(bits);
        probeStore(p, address, start + 80);
        storeEnvironment(p, address, bits);
        for (int i = 0; i < 8; i++) {
            int register = fpu.top + i & 7;
            p.store64(address + start + 10 * i, fpu.significand[register]);
            p.store16(address + start + 10 * i + 8, fpu.signExponent[register]);
        }
        fpu.initialize();
        p.updateFloatGate();
    }

    public static void frstor(Processor p, long address, int bits) {
        FpuState fpu = p.fpu;
        int start = environmentBytes(bits);
        probeLoad(p, address, start + 80);
        loadEnvironment(p, address, bits);
        for (int i = 0; i < 8; i++) {
            int register = fpu.top + i & 7;
            fpu.significand[register] = p.load64(address + start + 10 * i);
            fpu.signExponent[register] = (int) p.load16(address + start + 10 * i + 8);
        }
    }
}
