package dev.xenolith.hypervisor.domain;

import dev.xenolith.cpu.processor.FloatContext;
import dev.xenolith.hypervisor.abi.ArchX86;

/**
 * State of a 64-bit PV vCPU: its registers while they are not in a processor, and what its kernel has told the hypervisor (trap
 * table, descriptor tables, callbacks, kernel stack). Plain data; {@code pv} gives it meaning.
 */
public final class PvContext {
    // ---- registers; valid while the vCPU is not loaded on a processor ------------------------------------------------

    /** RAX RCX RDX RBX RSP RBP RSI RDI R8..R15. */
    public final long[] gpr = new long[16];
    public long rip;
    public long rflags = 2;
    /** ES CS SS DS FS GS selectors, in the processor's order. */
    public final int[] selector = new int[6];
    public long fsBase;
    /** Base of GS while the guest's kernel runs. */
    public long gsBaseKernel;
    /** Base of GS while the guest's user mode runs. */
    public long gsBaseUser;
    /** x87 and vector registers, switched with the others: CR0.TS is the guest's alone. */
    public final FloatContext floating = new FloatContext();

    // ---- modes -------------------------------------------------------------------------------------------------------

    /** Whether the guest's kernel runs, rather than its user mode; both are in ring 3, but the kernel of a 32-bit guest is in ring 1. */
    public boolean kernelMode = true;
    /** Virtual CR0: only TS may differ from {@link #CR0}. */
    public long cr0 = CR0;
    /** Virtual CR4 as the guest last wrote it. */
    public long cr4;
    /** State components that the guest has enabled. */
    public long xcr0 = 1;
    /** IA32_SPEC_CTRL as the guest last wrote it: there is nothing that it would control. */
    public long specCtrl;
    /** Whether the guest's kernel wants CPUID to fault in its user mode (MSR_MISC_FEATURES_ENABLES). */
    public boolean cpuidFaulting;
    /** DR0 to DR7, of which 4 and 5 are not used. */
    public final long[] debug = {0, 0, 0, 0, 0, 0, 0xFFFF_0FF0L, 0x400};
    /** Virtual I/O privilege level, 0..3. */
    public int iopl;
    /** Ports that user mode may use: bit clear = allowed; linear address in the guest, 0 for none. */
    public long ioBitmap;
    /** Ports that {@link #ioBitmap} describes. */
    public int ioBitmapPorts;

    /** PE, MP, ET, NE, WP, AM and PG: what a PV guest sees. */
    public static final long CR0 = 0x8005_0033L;

    // ---- trap table --------------------------------------------------------------------------------------------------

    /** Handler of each vector; 0 if there is none. */
    public final long[] trapAddress = new long[256];
    public final char[] trapSelector = new char[256];
    /** {@link dev.xenolith.hypervisor.abi.ArchX86.TrapInfo} flags. */
    public final byte[] trapFlags = new byte[256];

    // ---- segments ----------------------------------------------------------------------------------------------------

    /** Frames of the guest's part of the GDT, as it named them; {@code paging.DescriptorTables} holds them. */
    public final long[] gdtFrames = new long[ArchX86.FIRST_RESERVED_GDT_PAGE];
    /** Descriptors that the guest's GDT has. */
    public int gdtEntries;

    // ---- where the kernel is entered ---------------------------------------------------------------------------------

    /** The virtual TSS: stack for events from user mode. */
    public long kernelSp;
    public int kernelSs;
    /** Code selectors are those that 32-bit kernels give; 64-bit ones are entered on the flat segment. */
    public int eventSelector = ArchX86.FLAT_RING3_CS64;
    public long eventCallback;
    public int failsafeSelector = ArchX86.FLAT_RING3_CS64;
    public long failsafeCallback;
    public boolean failsafeMasksEvents;
    public long syscallCallback;
    public boolean syscallMasksEvents;
    public int syscall32Selector = ArchX86.FLAT_RING3_CS64;
    public long syscall32Callback;
    public boolean syscall32MasksEvents;
    public int sysenterSelector = ArchX86.FLAT_RING3_CS64;
    public long sysenterCallback;
    public boolean sysenterMasksEvents;

    /** A hardware-like NMI waits to be delivered, or is being handled. */
    public boolean nmiPending;
    public boolean nmiActive;

    // ---- what the guest shares with the hypervisor -------------------------------------------------------------------

    /** Linear address of the registered runstate area, 0 if none. */
    public long runstateArea;
    /** Linear address of the registered time area, 0 if none. */
    public long timeArea;
}
