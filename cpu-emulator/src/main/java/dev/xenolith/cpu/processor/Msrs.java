package dev.xenolith.cpu.processor;

import dev.xenolith.cpu.model.CpuModel;

/**
 * Model-specific registers by address (SDM 4; APM 2 appendix A), as RDMSR and WRMSR see them after the privilege check. Also for a
 * hypervisor between runs.
 */
public final class Msrs {
    public static final int TSC = 0x10;
    public static final int TSC_ADJUST = 0x3b;
    public static final int APIC_BASE = 0x1b;
    public static final int MISC_FEATURES_ENABLES = 0x140;
    /** Intel: bit 18 MONITOR, bit 22 limit of CPUID leaves, bit 34 no execute-disable. */
    public static final int MISC_ENABLE = 0x1a0;
    public static final int SYSENTER_CS = 0x174;
    public static final int SYSENTER_ESP = 0x175;
    public static final int SYSENTER_EIP = 0x176;
    public static final int PAT = 0x277;
    public static final int TSC_DEADLINE = 0x6e0;
    public static final int X2APIC_FIRST = 0x800;
    public static final int X2APIC_ICR = 0x830;
    public static final int X2APIC_LAST = 0x8ff;
    /** IA32_XSS: supervisor state components, of which there are none. */
    public static final int XSS = 0xda0;
    public static final int EFER = 0xc000_0080;
    public static final int STAR = 0xc000_0081;
    public static final int LSTAR = 0xc000_0082;
    public static final int CSTAR = 0xc000_0083;
    public static final int FMASK = 0xc000_0084;
    public static final int FS_BASE = 0xc000_0100;
    public static final int GS_BASE = 0xc000_0101;
    public static final int KERNEL_GS_BASE = 0xc000_0102;
    public static final int TSC_AUX = 0xc000_0103;
    /** AMD: bit 35 is CPUID faulting. */
    public static final int HWCR = 0xc001_0015;

    private static final long MONITOR_ENABLED = 1L << 18;
    private static final long LIMIT_CPUID = 1L << 22;
    private static final long XD_DISABLED = 1L << 34;
    private static final long CPUID_FAULTING = 1;
    private static final long CPUID_USER_DISABLE = 1L << 35;

    private Msrs() {}

    /** Whether the processor has the register and it can be read. */
    public static boolean canRead(Processor p, int address) {
        if (address >= X2APIC_FIRST && address <= X2APIC_LAST) {
            return p.apic.canReadMsr(address);
        }
        return switch (address) {
            case XSS -> p.model.has("xsaves");
            case TSC, TSC_ADJUST, APIC_BASE, SYSENTER_CS, SYSENTER_ESP, SYSENTER_EIP, PAT, TSC_DEADLINE, EFER, STAR,
                    LSTAR, CSTAR,
                    FMASK,
                    FS_BASE, GS_BASE, KERNEL_GS_BASE, TSC_AUX ->
                true;
            default -> {
                CpuModel.ModelMsr described = p.model.msr(address);
                yield described != null && described.access() != CpuModel.Access.WRITE_ONLY;
            }
        };
    }

    /** Value of a register for which {@link #canRead} holds. */
    public static long read(Processor p, int address) {
        if (address >= X2APIC_FIRST && address <= X2APIC_LAST) {
            return p.apic.readMsr(address);
        }
        MsrState msr = p.msr;
        return switch (address) {
            case XSS -> 0;
            case TSC -> p.apic.tsc();
            case TSC_ADJUST -> msr.tscAdjust;
            case APIC_BASE -> p.apic.baseMsr();
            case SYSENTER_CS -> msr.sysenterCs;
            case SYSENTER_ESP -> msr.sysenterEsp;
            case SYSENTER_EIP -> msr.sysenterEip;
            case PAT -> msr.pat;
            case TSC_DEADLINE -> p.apic.tscDeadline();
            case EFER -> p.efer;
            case STAR -> msr.star;
            case LSTAR -> msr.lstar;
            case CSTAR -> msr.cstar;
            case FMASK -> msr.fmask;
            case FS_BASE -> p.segmentBase[Processor.FS];
            case GS_BASE -> p.segmentBase[Processor.GS];
            case KERNEL_GS_BASE -> msr.kernelGsBase;
            case TSC_AUX -> msr.tscAux;
            default -> msr.modelValue(address);
        };
    }

    /** Writes a register; false, with nothing changed, if WRMSR raises #GP(0). */
    public static boolean write(Processor p, int address, long value) {
        if (address >= X2APIC_FIRST && address <= X2APIC_LAST) {
            if (!p.apic.canWriteMsr(address, value)) {
                return false;
            }
            p.apic.writeMsr(address, value);
            return true;
        }
        MsrState msr = p.msr;
        switch (address) {
            case XSS -> {
                return value == 0 && p.model.has("xsaves");
            }
            case TSC -> {
                msr.tscAdjust += value - p.apic.tsc();
                p.apic.setTsc(value);
            }
            case TSC_ADJUST -> {
                p.apic.setTsc(p.apic.tsc() + value - msr.tscAdjust);
                msr.tscAdjust = value;
            }
            case APIC_BASE -> {
                return p.apic.setBaseMsr(value, p.model.physicalBits());
            }
            case SYSENTER_CS -> msr.sysenterCs = value & 0xffff_ffffL;
            case PAT -> {
                if (!isPat(value)) {
                    return false;
                }
                msr.pat = value;
            }
            case TSC_DEADLINE -> p.apic.setTscDeadline(value);
            case EFER -> {
                return ControlRegisters.writeEfer(p, value);
            }
            case STAR -> msr.star = value;
            case FMASK -> msr.fmask = value & 0xffff_ffffL;
            case TSC_AUX -> {
                if (value >>> 32 != 0) {
                    return false;
                }
                msr.tscAux = value;
            }
            case SYSENTER_ESP, SYSENTER_EIP, LSTAR, CSTAR, FS_BASE, GS_BASE, KERNEL_GS_BASE -> {
                if (!ControlRegisters.isCanonicalForRegisters(p, value)) {
                    return false;
                }
                writeAddress(p, address, value);
            }
            default -> {
                return writeModel(p, address, value);
            }
        }
        return true;
    }

    private static void writeAddress(Processor p, int address, long value) {
        switch (address) {
            case SYSENTER_ESP -> p.msr.sysenterEsp = value;
            case SYSENTER_EIP -> p.msr.sysenterEip = value;
            case LSTAR -> p.msr.lstar = value;
            case CSTAR -> p.msr.cstar = value;
            case FS_BASE -> p.segmentBase[Processor.FS] = value;
            case GS_BASE -> p.segmentBase[Processor.GS] = value;
            default -> p.msr.kernelGsBase = value;
        }
    }

    private static boolean writeModel(Processor p, int address, long value) {
        CpuModel.ModelMsr described = p.model.msr(address);
        if (described == null) {
            return false;
        }
        boolean isLegal = ((value ^ described.reset()) & ~described.writable()) == 0;
        return switch (described.access()) {
            case READ_ONLY -> false;
            case WRITE_ONLY -> isLegal;
            case WRITES_IGNORED -> true;
            case READ_WRITE -> {
                if (isLegal) {
                    p.msr.setModelValue(address, value);
                }
                yield isLegal;
            }
        };
    }

    /** Each byte of PAT is one of UC 0, WC 1, WT 4, WP 5, WB 6, UC- 7 (SDM 3A 12.12.2). */
    private static boolean isPat(long value) {
        for (int i = 0; i < 64; i += 8) {
            long type = value >>> i & 0xff;
            if (type > 7 || type == 2 || type == 3) {
                return false;
            }
        }
        return true;
    }

    private static boolean miscEnable(Processor p, long bit) {
        return (p.msr.modelValue(MISC_ENABLE) & bit) != 0;
    }

    /** Whether there are MONITOR and MWAIT, which IA32_MISC_ENABLE can switch off. */
    static boolean hasMonitor(Processor p) {
        return p.model.has("monitor") && (!p.model.isIntel() || miscEnable(p, MONITOR_ENABLED));
    }

    /** Whether IA32_MISC_ENABLE hides CPUID's basic leaves above 2, for old software. */
    static boolean limitsCpuid(Processor p) {
        return miscEnable(p, LIMIT_CPUID);
    }

    /** Whether there is EFER.NXE, which IA32_MISC_ENABLE can switch off. */
    static boolean hasExecuteDisable(Processor p) {
        return p.model.has("nx") && !miscEnable(p, XD_DISABLED);
    }

    /** Whether CPUID at CPL &gt; 0 raises #GP(0). */
    public static boolean isCpuidFaulting(Processor p) {
        return p.model.isIntel()
                ? (p.msr.modelValue(MISC_FEATURES_ENABLES) & CPUID_FAULTING) != 0
                : (p.msr.modelValue(HWCR) & CPUID_USER_DISABLE) != 0;
    }

    /** Switches CPUID faulting, by whichever register the model has for it. */
    public static void setCpuidFaulting(Processor p, boolean on) {
        int address = p.model.isIntel() ? MISC_FEATURES_ENABLES : HWCR;
        long bit = p.model.isIntel() ? CPUID_FAULTING : CPUID_USER_DISABLE;
        long value = p.msr.modelValue(address);
        p.msr.setModelValue(address, on ? value | bit : value & ~bit);
    }
}
