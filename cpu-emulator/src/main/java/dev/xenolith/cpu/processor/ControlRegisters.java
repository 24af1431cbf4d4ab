package dev.xenolith.cpu.processor;

import dev.xenolith.cpu.paging.Mmu;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes to CR0, CR3, CR4 and EFER with their checks (SDM 3A 2.5, 4.1.2; SDM 2 MOV to CR) and what follows for the MMU. Each
 * returns false, with nothing changed, where the instruction raises #GP(0).
 */
public final class ControlRegisters {
    private static final Logger LOG = LoggerFactory.getLogger(ControlRegisters.class);

    private static final long CR0_EXISTING = Bits.CR0_PE | Bits.CR0_MP | Bits.CR0_EM | Bits.CR0_TS | Bits.CR0_ET
            | Bits.CR0_NE
            | Bits.CR0_WP | Bits.CR0_AM | Bits.CR0_NW | Bits.CR0_CD | Bits.CR0_PG;
    /** Changing these flushes the TLB, global entries included (SDM 3A 4.10.4.1). */
    private static final long CR4_FLUSHING = Bits.CR4_PAE | Bits.CR4_PGE | Bits.CR4_PSE | Bits.CR4_SMEP | Bits.CR4_LA57
            | Bits.CR4_PCIDE | Bits.CR4_PKE;
    /** Changing these in PAE paging reloads the page-directory-pointer registers (SDM 3A 4.4.1). */
    private static final long CR4_RELOADING = Bits.CR4_PAE | Bits.CR4_PGE | Bits.CR4_PSE | Bits.CR4_SMEP;
    private static final long CR0_RELOADING = Bits.CR0_PG | Bits.CR0_CD | Bits.CR0_NW;
    private static final int PCID = 0xfff;
    private static final long EFER_AIBRSE = 1 << 21;

    private ControlRegisters() {}

    /** Whether {@code linear} is canonical under the present CR4.LA57. */
    public static boolean isCanonical(Processor p, long linear) {
        return Mmu.isCanonical(linear,
                (p.cr4 & Bits.CR4_LA57) != 0 ? Mmu.LINEAR_BITS_5_LEVELS : Mmu.LINEAR_BITS_4_LEVELS);
    }

    /**
     * Whether a register that holds an address takes {@code linear}: it must be canonical for the most levels that the processor has,
     * whatever CR4.LA57 says (SDM 1 3.3.7.1).
     */
    public static boolean isCanonicalForRegisters(Processor p, long linear) {
        return Mmu.isCanonical(linear, p.model.linearBits());
    }

    public static boolean writeCr0(Processor p, long value) {
        boolean paging = (value & Bits.CR0_PG) != 0;
        boolean isProtected = (value & Bits.CR0_PE) != 0;
        if (value >>> 32 != 0 || paging && !isProtected || (value & (Bits.CR0_NW | Bits.CR0_CD)) == Bits.CR0_NW) {
            return false;
        }
        boolean wasPaging = (p.cr0 & Bits.CR0_PG) != 0;
        boolean longMode = paging && (p.efer & Bits.EFER_LME) != 0;
        if (!paging && wasPaging && (p.is64Bit() || (p.cr4 & Bits.CR4_PCIDE) != 0)
                || longMode && !wasPaging && !canEnterLongMode(p)) {
            return false;
        }
        long changed = p.cr0 ^ value;
        boolean pae = paging && !longMode && (p.cr4 & Bits.CR4_PAE) != 0;
        if (pae && (changed & CR0_RELOADING) != 0 && p.hasMmu() && !p.mmu().loadPointers(p.cr3)) {
            return false;
        }
        p.cr0 = value & CR0_EXISTING | Bits.CR0_ET;
        if ((changed & Bits.CR0_PG) != 0) {
            p.efer = longMode ? p.efer | Bits.EFER_LMA : p.efer & ~Bits.EFER_LMA;
        }
        if ((changed & Bits.CR0_PE) != 0) {
            p.cpl = 0;
        }
        if ((changed & (Bits.CR0_PG | Bits.CR0_WP)) != 0) {
            configureMmu(p);
        } else {
            p.updateContext();
        }
        return true;
    }

    /** Setting CR0.PG with EFER.LME (SDM 3A 4.1.2, 9.8.5): neither without PAE, nor from 64-bit code, nor with a 16-bit TSS. */
    private static boolean canEnterLongMode(Processor p) {
        int task = p.segmentAttributes[Processor.TR];
        boolean narrow = (task & Segment.UNUSABLE) == 0 && (task & Segment.TYPE_WIDE) == 0;
        return (p.cr4 & Bits.CR4_PAE) != 0 && (p.segmentAttributes[Processor.CS] & Segment.LONG) == 0 && !narrow;
    }

    /** MOV to CR3: flushes what is not global of the address space it names; with CR4.PCIDE bit 63 leaves that. */
    public static boolean writeCr3(Processor p, long value) {
        boolean tagged = (p.cr4 & Bits.CR4_PCIDE) != 0;
        boolean keep = tagged && value < 0;
        long table = tagged ? value & Long.MAX_VALUE : value;
        if (table >>> p.model.physicalBits() != 0 || isPae(p) && !p.mmu().loadPointers(table)) {
            return false;
        }
        int tag = tagged ? (int) table & PCID : p.addressSpaceTag();
        p.setCr3(table, tag);
        if (!keep) {
            p.flushAddressSpace(tag);
        }
        return true;
    }

    /** PAE paging: CR0.PG and CR4.PAE outside IA-32e mode. */
    private static boolean isPae(Processor p) {
        return (p.cr0 & Bits.CR0_PG) != 0 && (p.cr4 & Bits.CR4_PAE) != 0 && !p.isLongMode() && p.hasMmu();
    }

    public static boolean writeCr4(Processor p, long value) {
        long changed = p.cr4 ^ value;
        if ((value & ~existingCr4(p)) != 0) {
            LOG.debug("processor {}: CR4 bits 0x{} do not exist in model {}", p.index,
                    Long.toHexString(value & ~existingCr4(p)), p.model.name());
            return false;
        }
        boolean longMode = (p.efer & Bits.EFER_LMA) != 0;
        if (longMode && ((value & Bits.CR4_PAE) == 0 || (changed & Bits.CR4_LA57) != 0)) {
            return false;
        }
        boolean tagging = (changed & value & Bits.CR4_PCIDE) != 0;
        if (tagging && (!longMode || (p.cr3 & PCID) != 0)) {
            return false;
        }
        boolean pae = (p.cr0 & Bits.CR0_PG) != 0 && (value & Bits.CR4_PAE) != 0 && !longMode;
        if (pae && (changed & CR4_RELOADING) != 0 && p.hasMmu() && !p.mmu().loadPointers(p.cr3)) {
            return false;
        }
        p.cr4 = value;
        if ((changed & Bits.CR4_PCIDE) != 0) {
            p.setCr3(p.cr3, 0);
        }
        if ((changed & CR4_FLUSHING) != 0) {
            configureMmu(p);
        } else {
            p.updateContext();
        }
        return true;
    }

    /** The bits of CR4 that the model has. */
    private static long existingCr4(Processor p) {
        return when(p, "vme", Bits.CR4_VME | Bits.CR4_PVI) | Bits.CR4_TSD | Bits.CR4_DE | Bits.CR4_PSE | Bits.CR4_PAE
                | Bits.CR4_MCE | Bits.CR4_PGE | Bits.CR4_PCE
                | when(p, "fxsr", Bits.CR4_OSFXSR | Bits.CR4_OSXMMEXCPT) | when(p, "umip", Bits.CR4_UMIP)
                | when(p, "la57", Bits.CR4_LA57) | when(p, "fsgsbase", Bits.CR4_FSGSBASE)
                | when(p, "pcid", Bits.CR4_PCIDE) | when(p, "xsave", Bits.CR4_OSXSAVE) | when(p, "smep", Bits.CR4_SMEP)
                | when(p, "smap", Bits.CR4_SMAP) | when(p, "pku", Bits.CR4_PKE);
    }

    private static long when(Processor p, String feature, long bits) {
        return p.model.has(feature) ? bits : 0;
    }

    public static boolean writeEfer(Processor p, long value) {
        long allowed = Bits.EFER_SCE | Bits.EFER_LME | Bits.EFER_LMA
                | (Msrs.hasExecuteDisable(p) ? Bits.EFER_NXE : 0) | when(p, "auto_ibrs", EFER_AIBRSE);
        long changed = p.efer ^ value;
        if ((value & ~allowed) != 0 || (changed & Bits.EFER_LME) != 0 && (p.cr0 & Bits.CR0_PG) != 0) {
            return false;
        }
        p.efer = value & ~Bits.EFER_LMA | p.efer & Bits.EFER_LMA;
        if ((changed & Bits.EFER_NXE) != 0) {
            configureMmu(p);
        }
        return true;
    }

    /**
     * Sets control registers without the checks of instructions, for a hypervisor between runs; flushes the TLB only if
     * translations depend on what changes.
     */
    public static void set(Processor p, long cr0, long cr4, long efer) {
        boolean flush = ((p.cr0 ^ cr0) & (Bits.CR0_PG | Bits.CR0_WP)) != 0 || ((p.cr4 ^ cr4) & CR4_FLUSHING) != 0
                || ((p.efer ^ efer) & (Bits.EFER_NXE | Bits.EFER_LMA)) != 0;
        p.cr0 = cr0;
        p.cr4 = cr4;
        p.efer = efer;
        if (flush) {
            configureMmu(p);
        } else {
            p.updateContext();
        }
    }

    private static int levels(Processor p) {
        if (!p.isLongMode() && (p.cr0 & Bits.CR0_PG) != 0) {
            return (p.cr4 & Bits.CR4_PAE) != 0 ? Mmu.LEVELS_PAE : Mmu.LEVELS_32_BIT;
        }
        return (p.cr4 & Bits.CR4_LA57) != 0 ? 5 : 4;
    }

    /** Tells the MMU what the control registers say, and flushes everything. */
    static void configureMmu(Processor p) {
        if (p.hasMmu()) {
            Mmu mmu = p.mmu();
            mmu.enabled = (p.cr0 & Bits.CR0_PG) != 0;
            mmu.writeProtect = (p.cr0 & Bits.CR0_WP) != 0;
            mmu.smep = (p.cr4 & Bits.CR4_SMEP) != 0;
            mmu.globalPages = (p.cr4 & Bits.CR4_PGE) != 0;
            mmu.pageSizeExtensions = (p.cr4 & Bits.CR4_PSE) != 0;
            mmu.levels = levels(p);
            mmu.protectionKeys = (p.cr4 & Bits.CR4_PKE) != 0 && p.isLongMode();
            mmu.noExecute = (p.efer & Bits.EFER_NXE) != 0;
        }
        p.flushAll();
        p.updateContext();
    }
}
