package dev.xenolith.cpu.processor;

import dev.xenolith.cpu.apic.LocalApic;
import dev.xenolith.cpu.decode.Mode;
import dev.xenolith.cpu.execute.Flags;
import dev.xenolith.cpu.fpu.FloatEnvironment;
import dev.xenolith.cpu.memory.MonitoredLines;
import dev.xenolith.cpu.memory.PhysicalMap;
import dev.xenolith.cpu.model.CpuModel;
import dev.xenolith.cpu.paging.FlushClock;
import dev.xenolith.cpu.paging.Mmu;
import dev.xenolith.cpu.paging.Tlb;
import dev.xenolith.cpu.time.MachineClock;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.SplittableRandom;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * One logical CPU: its registers, modes and events, and the one way to execute on it, {@link #run}.
 *
 * <p>Fields are public because instructions generated from the opcode table work on them; nothing outside the module writes
 * them other than between runs. All of it belongs to the machine thread.
 *
 * <p>General registers live in {@link #gpr}: 0..15 are RAX RCX RDX RBX RSP RBP RSI RDI R8..R15; slot {@link #ZERO} always
 * holds 0 and slot {@link #PAGE} holds the linear address of the page that the current block executes from, so that every
 * addressing mode, RIP-relative included, is {@code gpr[base] + (gpr[index] << scale) + displacement}.
 */
public final class Processor extends LinearMemory {
    public static final int RAX = 0;
    public static final int RCX = 1;
    public static final int RDX = 2;
    public static final int RBX = 3;
    public static final int RSP = 4;
    public static final int RBP = 5;
    public static final int RSI = 6;
    public static final int RDI = 7;
    /** Slot of {@link #gpr} that is always zero: absent base or index. */
    public static final int ZERO = 16;
    /** Slot of {@link #gpr} with the linear address of the current block's page. */
    public static final int PAGE = 17;

    public static final int ES = 0;
    public static final int CS = 1;
    public static final int SS = 2;
    public static final int DS = 3;
    public static final int FS = 4;
    public static final int GS = 5;
    public static final int LDTR = 6;
    public static final int TR = 7;
    /** Slot of {@link #segmentBase} that is always zero: segments whose base is ignored in 64-bit mode. */
    public static final int FLAT = 8;

    /** Index of this processor in its machine, 0..7. */
    public final int index;
    /** The machine's time; published by the engine before any instruction that reads it. */
    public final MachineClock clock;
    /** What RDRAND and RDSEED return. */
    public LongSupplier entropy = new SplittableRandom(0)::nextLong;
    /** Why the latest run ended. */
    public final Stop stop = new Stop();

    // ---- registers -------------------------------------------------------------------------------------------------

    public final long[] gpr = new long[18];
    /** Linear address of the next instruction; exact between runs and whenever an instruction that may look at it executes. */
    public long rip;
    /** Lazy status flags, first word: the latest result, sign-extended to 64 bits (see {@code execute.Flags}). */
    public long flagResult;
    /** Lazy status flags, second word: carries (see {@code execute.Flags}). */
    public long flagCarries;
    /** RFLAGS without the six status flags: TF, IF, DF, IOPL, NT, RF, VM, AC, VIF, VIP, ID and the fixed bit 1. */
    public long rflagsSystem = Bits.RFLAGS_FIXED;

    /** Selector values, indexed ES..TR. */
    public final int[] segmentSelector = new int[8];
    /** Segment bases, indexed ES..TR; in 64-bit mode the engine uses slot FLAT for ES, CS, SS and DS. */
    public final long[] segmentBase = new long[9];
    /** Segment limits in bytes, already scaled by G, as unsigned 32-bit values. */
    public final long[] segmentLimit = new long[8];
    /** Segment attributes: descriptor bits 40..55 in the VMX access-rights layout (type, S, DPL, P, AVL, L, D/B, G; bit 16 unusable). */
    public final int[] segmentAttributes = new int[8];

    /** Current privilege level, 0 to 3: the DPL of SS. */
    public int cpl;

    public long cr0 = Bits.CR0_ET;
    /** Linear address of the latest page fault. */
    public long cr2;
    /** CR3 as software wrote it; what the MMU walks is set with it by {@link #setCr3}. */
    public long cr3;
    public long cr4;
    public long efer;
    /** DR0 to DR3, DR6 and DR7; 4 and 5 are not used. */
    public final long[] dr = {0, 0, 0, 0, 0, 0, Bits.DR6_FIXED, Bits.DR7_FIXED};
    /**
     * The vector registers: YMMn is the four quadwords from 4 * n on, lowest first, and XMMn the first two of them.
     */
    public final long[] vector = new long[64];
    /** x87 and MMX. */
    public final FpuState fpu = new FpuState();
    /** Rounding and masks of MXCSR for the arithmetic; its flags are those of the executing instruction. */
    public final FloatEnvironment sse = FloatEnvironment.sse();
    private int mxcsr = 0x1f80;
    /** Bit set: instructions of that kind raise an exception; see {@link FloatGate}. */
    public int floatGate;
    /** State components that XCR0 enables: x87 always. */
    public long xcr0 = 1;
    public long gdtBase;
    public int gdtLimit = 0xffff;
    public long idtBase;
    public int idtLimit = 0xffff;
    /** Model-specific registers that are plain state. */
    public final MsrState msr;

    /**
     * What decoded code and the lookup of blocks by linear address depend on: the mode word (see {@code decode.Mode}) in bits 0
     * to 15, the TLB's context in bits 16 to 24, and where CS has a base or limit its number among such in bits 25 to 31.
     * Recomputed by {@link #updateContext}.
     */
    public int codeContext;
    /** For engines: which of several instructions that are executed by one call executes, from 0; set before one that may fault. */
    public int fusedPart;

    // ---- execution -------------------------------------------------------------------------------------------------

    /** Bit of {@link #poll}: {@link #stop} has been filled, the run is over. */
    public static final int POLL_STOP = 1;
    /** Bit of {@link #poll}: the run shall end with a REQUEST; see {@link #request}. */
    public static final int POLL_REQUEST = 1 << 1;
    /** Bit of {@link #poll}: an interrupt, NMI or timer may have become due, {@link #run} looks. */
    public static final int POLL_EVENT = 1 << 2;

    /** Non-zero asks the engine to stop at the next block boundary: the one word for everything that must interrupt execution. */
    public int poll;

    /** Instructions retired since the processor was made; exact at every stop. */
    public long retired;

    /** Value of {@link #retired} at which the present run must stop; repeated string instructions look at it. */
    public long retireLimit;

    /**
     * Whether {@link #retired} counts exactly up to the executing instruction, as it does in the stepping loop. In a block it
     * already counts the whole block, so an access with effects on time or devices asks for {@link #restartPrecisely} first.
     */
    public boolean precise;

    /** Linear address of the executing instruction, while {@link #precise}. */
    public long instructionStart;

    /** Interrupts are held off while {@link #retired} is below this: the shadow of STI, MOV SS and POP SS. */
    public long shadowEnd;

    /** Whether that shadow also holds off the single-step trap after its own instruction: of MOV SS and POP SS, not of STI. */
    public boolean shadowHoldsTrap;

    /** The executing instruction has entered a handler with TF cleared, so that no single-step trap follows it. */
    public boolean enteredHandler;

    /** A Java hypervisor owns ring 0: what would enter it stops the run instead. */
    public boolean hosted;
    /** Hosted: DPL of each vector, as its IDT gate would have; INT n from a greater CPL is #GP. */
    public final byte[] vectorDpl = new byte[256];
    /** There are other processors, so PAUSE and IPIs end the run with REQUEST: this processor's turn is over. */
    public boolean sharesTurns;
    /** HLT has been executed and nothing has woken the processor since. */
    public boolean halted;
    /** {@link #halted} by MWAIT, so that a write to the monitored line wakes it too. */
    boolean waitsForWrite;
    /** {@link #waitsForWrite}, and an interrupt wakes it although IF is clear; it is not delivered then. */
    boolean wakesMasked;
    /** The line that MONITOR has armed; null without memory. */
    final MonitoredLines.@Nullable Monitor lineMonitor;
    /** After INIT, other than on the bootstrap processor: nothing but a start-up IPI (or INIT, or reset) makes it execute. */
    public boolean waitsForStartup;
    /** Executing the handler of an SMI, until RSM. */
    public boolean inSystemManagement;
    /** Physical address from which system-management mode's handler and save-state map are found. */
    public long smbase = SystemManagement.FIRST_SMBASE;
    /** An SMI waits for delivery. */
    boolean smiPending;
    /** An NMI waits for delivery. */
    public boolean nmiPending;
    /** NMIs are held off until IRET (bare mode). */
    public boolean nmiBlocked;

    /** DR6 bits of breakpoints that the executing instruction has hit: a #DB trap after it. */
    int pendingDebug;
    /** A breakpoint is enabled in DR7: instructions execute one by one, accesses take the slow path. */
    boolean breakpoints;

    /** Told of events and accesses to devices; null: nobody. */
    public @Nullable ProcessorMonitor monitor;

    /** What a debugger wants to stop at. */
    public final Debugger debugger = new Debugger(this);

    /** Checks of data accesses outside 64-bit mode. */
    public final SegmentAccess segments = new SegmentAccess(this);
    private final CodeSegments codeSegments = new CodeSegments();

    /** The fault that {@link GuestFault} announces: vector, error code, and for #PF the linear address. */
    public int faultVector;
    public int faultErrorCode;
    public long faultAddress;

    /** A data address was not canonical: #GP(0), or #SS(0) if the engine finds that the segment was SS. */
    public boolean faultNonCanonical;

    /** {@link #faultVector} of a request to execute the instruction again in the stepping loop. */
    public static final int FAULT_RESTART = -1;

    /** Private to the engine: its lookup of blocks for this processor. */
    public @Nullable Object engineState;

    /** CPUID, MSRs and features. */
    public final CpuModel model;
    /** The local APIC; a scratch processor has one too, connected to nothing. */
    public final LocalApic apic;
    /** Where IN and OUT go. */
    public IoBus ioBus = IoBus.NONE;

    private static final VarHandle POLL;
    static {
        try {
            POLL = MethodHandles.lookup().findVarHandle(Processor.class, "poll", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final GuestFault guestFault = new GuestFault();
    final Engine engine;
    private long published;

    /** A scratch processor of the Intel model: see {@link #scratch}. */
    public Processor(int index, MachineClock clock, MemoryPort port) {
        this(index, clock, port, CpuModel.intel(), Engine.NONE);
    }

    private Processor(int index, MachineClock clock, MemoryPort port, CpuModel model, Engine engine) {
        super(port);
        this.index = index;
        this.clock = clock;
        this.model = model;
        this.engine = engine;
        this.msr = new MsrState(model);
        this.apic = new LocalApic(index, clock, model.tscScale(), () -> post(POLL_EVENT));
        lineMonitor = null;
        segmentAttributes[LDTR] = Segment.UNUSABLE;
        segmentAttributes[TR] = Segment.UNUSABLE;
        updateContext();
    }

    /** A processor of a machine; {@code flushClock} is the machine's. Use {@code ProcessorBuilder}. */
    public Processor(int index, MachineClock clock, Engine engine, PhysicalMap map, FlushClock flushClock,
            CpuModel model) {
        super(new Mmu(map.memory(), flushClock, model.physicalBits(), model.has("pdpe1gb")), map);
        this.index = index;
        this.clock = clock;
        this.model = model;
        this.engine = engine;
        this.msr = new MsrState(model);
        this.apic = new LocalApic(index, clock, model.tscScale(), () -> post(POLL_EVENT));
        lineMonitor = map.memory().monitoredLines().monitor(this::lineWritten);
        segmentAttributes[LDTR] = Segment.UNUSABLE;
        segmentAttributes[TR] = Segment.UNUSABLE;
        updateContext();
    }

    /**
     * A processor to execute single instructions with, for emulation by a hypervisor: its TLB stays empty, every access goes to
     * {@code port}, and {@code engine} (a stepping one) fetches through it too. Faults and all else that a guest would see
     * come back as a {@link Stop}, as in hosted mode. See {@link #step}.
     */
    public static Processor scratch(MachineClock clock, MemoryPort port, CpuModel model, Engine engine) {
        Processor processor = new Processor(0, clock, port, model, engine);
        processor.hosted = true;
        return processor;
    }

    /**
     * Power-up or a reset of the machine (bare mode): the bootstrap processor, whose local APIC has BSP set, will fetch its first
     * instruction from physical address FFFFFFF0h in real-address mode; the others wait for a start-up IPI.
     *
     * <p>What the machine around a bare processor does, all of it between runs or from a device's callback: INIT and start-up
     * IPIs, NMI and SMI come through the APIC bus; {@link #raiseNmi}, {@link #raiseSmi} and {@link #initialize} are the pins. An 8259A
     * is connected to the local APIC. A run ends with HALTED after HLT and while waiting for a start-up IPI; the next
     * {@code run} goes on as soon as something is due, so the machine calls it again when the APIC, the timer's deadline or a device
     * may have changed that. A triple fault ends with SHUTDOWN, which a PC turns into a reset.
     */
    public void reset() {
        Reset.powerUp(this);
    }

    /** The INIT pin: as reset, but MSRs, TSC and SMBASE stay; a PC's keyboard controller and port 92h pull it. */
    public void initialize() {
        Reset.init(this);
        post(POLL_EVENT);
    }

    /**
     * The A20M# pin, as the machine's gate drives it: while {@code open} is false bit 20 of each physical address is zero, as on a machine of
     * 1 MiB (SDM 3A 8.7.13.4). Open after power-up, and INIT leaves it.
     */
    public void setA20Gate(boolean open) {
        long mask = open ? -1 : ~(1L << 20);
        if (mmu != null && mmu.busMask != mask) {
            mmu.busMask = mask;
            flushAll();
        }
    }

    /** PKRU; 0 without an MMU. */
    public int pkru() {
        return mmu == null ? 0 : mmu.keyRights();
    }

    public void setPkru(int value) {
        if (mmu != null) {
            mmu.setKeyRights(value);
        }
    }

    /** The SMI pin. */
    public void raiseSmi() {
        smiPending = true;
        post(POLL_EVENT);
    }

    /**
     * Sets up IA-32e mode with paging as a boot protocol or a hypervisor does: flat 64-bit code and flat data of ring
     * {@code ring}, all other segments null, CR0.PE, WP, NE and PG, CR4.PAE and PGE, EFER.SCE, LME, LMA and NXE, interrupts off.
     * The caller sets CR3, RIP and RSP.
     */
    public void enterLongMode(int ring) {
        for (int segment = ES; segment <= TR; segment++) {
            Segmentation.setNull(this, segment, 0);
        }
        setFlat(CS, Segment.CODE_64, ring);
        setFlat(SS, Segment.DATA, ring);
        setFlat(DS, Segment.DATA, ring);
        setFlat(ES, Segment.DATA, ring);
        cpl = ring;
        setRflags(Bits.RFLAGS_FIXED);
        ControlRegisters.set(this, Bits.CR0_PE | Bits.CR0_ET | Bits.CR0_NE | Bits.CR0_WP | Bits.CR0_PG,
                Bits.CR4_PAE | Bits.CR4_PGE, Bits.EFER_SCE | Bits.EFER_LME | Bits.EFER_LMA | Bits.EFER_NXE);
    }

    private void setFlat(int segment, int attributes, int ring) {
        segmentSelector[segment] = ring;
        segmentLimit[segment] = 0xffff_ffffL;
        segmentAttributes[segment] = attributes | ring << Segment.DPL_SHIFT;
    }

    /** The MMU; a scratch processor has none. */
    public Mmu mmu() {
        if (mmu == null) {
            throw new IllegalStateException("a scratch processor has no MMU");
        }
        return mmu;
    }

    boolean hasMmu() {
        return mmu != null;
    }

    // ---- privilege --------------------------------------------------------------------------------------------------

    /** Who makes a data access at the current privilege: one of the constants of {@link Mmu}. */
    int dataPrivilege() {
        return cpl == 3 ? Mmu.USER : systemPrivilege((rflagsSystem & Bits.RFLAGS_AC) != 0);
    }

    /** Who makes an implicit supervisor access, to a descriptor table or TSS: SMAP holds whatever AC says (SDM 3A 4.6.1). */
    int systemPrivilege() {
        return systemPrivilege(false);
    }

    private int systemPrivilege(boolean userAllowed) {
        return (cr4 & Bits.CR4_SMAP) != 0 && !userAllowed ? Mmu.SUPERVISOR_SMAP : Mmu.SUPERVISOR;
    }

    // ---- faults ------------------------------------------------------------------------------------------------------

    /** Records a fault and returns what to throw; {@code errorCode} is 0 for vectors that push none. */
    public GuestFault raise(int vector, int errorCode) {
        faultVector = vector;
        faultErrorCode = errorCode;
        faultNonCanonical = false;
        return guestFault;
    }

    /** Records #PF with an error code as SDM 3A 4.7; CR2 is written when the fault is delivered. */
    public GuestFault raisePageFault(long address, int errorCode) {
        faultAddress = address;
        return raise(Vector.PF, errorCode);
    }

    /** Records that the data address {@code address} is not canonical: #GP(0), which the engine makes #SS(0) for SS. */
    public GuestFault raiseNonCanonical(long address) {
        faultAddress = address;
        GuestFault fault = raise(Vector.GP, 0);
        faultNonCanonical = true;
        return fault;
    }

    /** Whether a single-step or data-breakpoint trap follows the executing instruction. */
    boolean hasPendingTrap() {
        return precise && ((rflagsSystem & Bits.RFLAGS_TF) != 0 || pendingDebug != 0);
    }

    /** What to throw for an access that must not happen before {@link #retired} is exact; see {@link #precise}. */
    public GuestFault restartPrecisely() {
        faultVector = FAULT_RESTART;
        return guestFault;
    }

    /**
     * Handles the recorded fault of the instruction at {@link #rip}, which is {@code instructionLength} bytes long (0 if unknown)
     * and is not counted in {@link #retired}. Returns whether execution goes on; if not, {@link #stop} is filled.
     */
    public boolean fault(int instructionLength) {
        pendingDebug = 0;
        if (!hosted) {
            boolean goesOn = Delivery.exception(this, faultVector, faultErrorCode, false);
            if (goesOn && debugger.steps()) {
                debugger.end(Stop.DebugEvent.FAULT, rip);
            }
            return goesOn && !debugger.steps();
        }
        if (faultVector == Vector.PF) {
            cr2 = faultAddress;
        }
        stopForException(faultVector, faultErrorCode, false, instructionLength);
        return false;
    }

    /**
     * Hosted: an instruction enters ring 0 by itself. What MOV SS has held back of #DB would be raised there, in the hypervisor's own code,
     * and no hypervisor hands that on.
     */
    void dropPendingDebug() {
        pendingDebug = 0;
    }

    /** Hosted: ends the run with an exception or software interrupt. */
    void stopForException(int vector, int errorCode, boolean software, int instructionLength) {
        stop.vector = vector;
        stop.errorCode = errorCode;
        stop.hasErrorCode = !software && Vector.hasErrorCode(vector);
        stop.software = software;
        stop.address = vector == Vector.PF ? faultAddress : 0;
        stop.instructionLength = instructionLength;
        stop(Stop.Kind.EXCEPTION);
    }

    /** Ends the run at the next block boundary, which is right after the executing instruction. */
    void stop(Stop.Kind kind) {
        stop.kind = kind;
        post(POLL_STOP);
    }

    // ---- floating point ----------------------------------------------------------------------------------------------

    /** MXCSR (SDM 1 10.2.3). */
    public int mxcsr() {
        return mxcsr;
    }

    /** Sets MXCSR; reserved bits are the caller's business. */
    public void setMxcsr(int value) {
        mxcsr = value;
        sse.setMxcsr(value);
    }

    /** Recomputes {@link #floatGate}, for whoever changes what it depends on. */
    void updateFloatGate() {
        floatGate = FloatGate.of(this);
    }

    /** What an instruction of the kinds {@code kinds} of {@link FloatGate} raises, which the gate holds back. */
    public GuestFault closedGate(int kinds) {
        return raise(FloatGate.exception(this, kinds), 0);
    }

    /**
     * Takes the flags of an SSE instruction that is about to write its result into MXCSR. One that is not masked raises #XM, or #UD
     * without CR4.OSXMMEXCPT; flags that only a result has are then not set if there is none (SDM 1 11.5.2).
     */
    public void commitSse() {
        if (sse.flags != 0) {
            commitSseFlags();
        }
    }

    private void commitSseFlags() {
        sse.stops();
        int flags = sse.flags;
        boolean raises = (flags & ~sse.masks) != 0;
        setMxcsr(mxcsr | flags);
        if (raises) {
            throw raise((cr4 & Bits.CR4_OSXMMEXCPT) != 0 ? Vector.XM : Vector.UD, 0);
        }
    }

    /** What every MMX instruction does to the x87's stack: TOP is 0 and no register is empty (SDM 1 9.5.1). */
    public void enterMmx() {
        fpu.top = 0;
        fpu.valid = 0xff;
    }

    // ---- running -----------------------------------------------------------------------------------------------------

    /**
     * Retires exactly {@code count} instructions or stops earlier; says why in the {@link Stop} returned, which is valid until
     * the next run. Publishes the time of what it retired. Not reentrant.
     */
    public Stop run(long count) {
        long end = retired + count;
        clear(POLL_STOP);
        breakpointsChanged();
        while (true) {
            expireTimer();
            if (poll != 0 && !Events.service(this)) {
                return stop;
            }
            if (halted || waitsForStartup) {
                stop.kind = Stop.Kind.HALTED;
                return stop;
            }
            long left = end - retired;
            if (left <= 0) {
                stop.kind = Stop.Kind.BUDGET;
                return stop;
            }
            if (breakpoints && Breakpoints.stopBefore(this)) {
                continue;
            }
            if (retired < shadowEnd) {
                // Events are looked at only after the instruction in the shadow.
                clear(POLL_EVENT);
                engine.execute(this, 1);
                post(POLL_EVENT);
            } else if (breakpoints) {
                engine.execute(this, 1);
                breakpointsChanged();
            } else {
                engine.execute(this, Math.min(left, Math.max(1, clock.instructionsIn(apic.nextDeadline() - now()))));
            }
            publishTime();
        }
    }

    /**
     * Executes one instruction and returns the stop: BUDGET if it completed, EXCEPTION and so on as hosted. For scratch
     * processors: looks at no events.
     */
    public Stop step() {
        clear(POLL_STOP | POLL_EVENT);
        stop.kind = Stop.Kind.BUDGET;
        engine.execute(this, 1);
        return stop;
    }

    // ---- time, events ------------------------------------------------------------------------------------------------

    /** Takes note of DR7, which a hypervisor may have written between runs. */
    void breakpointsChanged() {
        if (breakpoints != Breakpoints.enabled(this)) {
            breakpoints = !breakpoints;
            updateContext();
            // Leaves the engine, which knows nothing of breakpoints.
            post(POLL_EVENT);
        }
    }

    private void expireTimer() {
        if (apic.nextDeadline() <= clock.now()) {
            apic.expire();
        }
    }

    /** Machine time including what this processor has retired since it published last. */
    public long now() {
        return clock.now() + clock.timeOf(retired - published);
    }

    /** Moves the machine's clock on by what has been retired; {@link #retired} must be exact. */
    public void publishTime() {
        // An instruction that reached a device and then faulted has been published but is not counted.
        if (retired > published) {
            long time = clock.timeOf(retired - published);
            clock.advance(time);
            published += clock.instructionsIn(time);
        }
    }

    /** Continues the count of a saved processor. */
    void restoreRetired(long count) {
        retired = count;
        published = count;
    }

    /** Whether the shadow of MOV SS or POP SS holds off a debug exception after or before the present instruction. */
    public boolean holdsTrap() {
        return shadowHoldsTrap && retired < shadowEnd;
    }

    /** The guest waits for another processor (PAUSE, an IPI sent to one): lets the others have their turns. */
    void endTurn() {
        if (sharesTurns) {
            request();
        }
    }

    /** Asks for the run to end with REQUEST; any thread. */
    public void request() {
        post(POLL_REQUEST);
    }

    /** Makes an NMI pending. */
    public void raiseNmi() {
        nmiPending = true;
        post(POLL_EVENT);
    }

    void post(int bits) {
        POLL.getAndBitwiseOr(this, bits);
    }

    void clear(int bits) {
        POLL.getAndBitwiseAnd(this, ~bits);
    }

    /** Ends HLT or MWAIT. */
    void wake() {
        halted = false;
        wakesMasked = false;
        if (waitsForWrite) {
            waitsForWrite = false;
            disarmMonitor();
        }
    }

    /** Forgets what MONITOR has armed. */
    void disarmMonitor() {
        if (lineMonitor != null) {
            lineMonitor.disarm();
        }
    }

    private void lineWritten() {
        if (waitsForWrite) {
            wake();
            post(POLL_EVENT);
        }
    }

    // ---- modes -------------------------------------------------------------------------------------------------------

    /** RFLAGS with the status flags put in. */
    public long rflags() {
        return rflagsSystem | Flags.toRflags(flagResult, flagCarries);
    }

    /** Sets all of RFLAGS; bits that do not exist are ignored. */
    public void setRflags(long value) {
        flagResult = Flags.resultOf(value);
        flagCarries = Flags.carriesOf(value);
        setSystemFlags(value);
    }

    /** Sets RFLAGS other than the status flags. */
    void setSystemFlags(long value) {
        long changed = rflagsSystem ^ value;
        rflagsSystem = value & Bits.RFLAGS_SYSTEM | Bits.RFLAGS_FIXED;
        if ((changed & (Bits.RFLAGS_TF | Bits.RFLAGS_AC | Bits.RFLAGS_VM)) != 0) {
            updateContext();
        }
        if ((changed & value & Bits.RFLAGS_IF) != 0) {
            post(POLL_EVENT);
        }
    }

    public int iopl() {
        return (int) (rflagsSystem >>> Bits.IOPL_SHIFT) & 3;
    }

    /** CR0.PE is clear. */
    boolean isReal() { return (cr0 & Bits.CR0_PE) == 0; }

    boolean isVirtual8086() { return (rflagsSystem & Bits.RFLAGS_VM) != 0 && !isReal(); }

    /** IA-32e mode: 64-bit or compatibility mode. */
    boolean isLongMode() { return (efer & Bits.EFER_LMA) != 0; }

    /** EFER.LMA and CS.L. */
    public boolean is64Bit() {
        return (codeContext & Mode.CODE_SIZE) == Mode.CODE_64;
    }

    /**
     * Recomputes the mode word and what TLB tags are compared with; whoever changes CS, SS, the data segments' bases or limits,
     * CPL, CR0, CR4, XCR0, EFER, RFLAGS.TF, VM, AC or the address space calls it.
     */
    public void updateContext() {
        int mode = ModeWord.of(this);
        int context = mmu == null ? Tlb.NO_CONTEXT : mmu.tlb.context();
        codeContext = mode | context << 16;
        if ((mode & Mode.CODE_SIZE) != Mode.CODE_64) {
            segments.update(mode);
            if ((mode & Mode.FLAT) == 0) {
                codeContext |= codeSegmentNumber() << CodeSegments.SHIFT;
            }
        }
        updateFloatGate();
        // With alignment checks or breakpoints on, and in a scratch processor, no entry may hit.
        int dataSpace = (mode & Mode.ALIGNMENT) != 0 || breakpoints ? Tlb.NO_CONTEXT : context;
        setContexts(dataSpace, dataPrivilege(), context, cpl == 3 ? Mmu.USER : Mmu.SUPERVISOR);
    }

    private int codeSegmentNumber() {
        int number = codeSegments.number(segmentBase[CS], segmentLimit[CS]);
        if (number == 0) {
            // The numbers begin anew: what the engine knows by them is void.
            engine.addressSpaceChanged(this);
            number = codeSegments.number(segmentBase[CS], segmentLimit[CS]);
        }
        return number;
    }

    /** {@code linear} as an address of the present mode: outside 64-bit mode they have 32 bits. */
    public long wrap(long linear) {
        return is64Bit() ? linear : linear & 0xffff_ffffL;
    }

    /** How many bytes of code, at most {@code most}, there are from {@code linear} to the limit of CS; throws #GP(0) if none. */
    public int codeBytes(long linear, int most) {
        if ((codeContext & Mode.FLAT) != 0) {
            return most;
        }
        long offset = linear - segmentBase[CS] & 0xffff_ffffL;
        long left = segmentLimit[CS] - offset + 1;
        if (left <= 0) {
            throw raise(Vector.GP, 0);
        }
        return (int) Math.min(left, most);
    }

    // ---- address space -----------------------------------------------------------------------------------------------

    /**
     * Loads CR3 without a flush: {@code tag} names the address space, and what the TLB holds of it is kept. The caller flushes
     * a tag that it gives to another address space.
     *
     * @param value CR3: physical address of the top-level table, and flags, which are kept but mean nothing here
     * @param tag 0 to {@link Tlb#ADDRESS_SPACE_TAGS} - 1
     */
    public void setCr3(long value, int tag) {
        cr3 = value;
        if (mmu != null) {
            mmu.root = value & ~0xfffL;
            long stamp = mmu.tlb.flushStamp();
            mmu.tlb.switchTo(tag);
            updateContext();
            if (mmu.tlb.flushStamp() != stamp) {
                // Contexts have run out and begin anew: what the engine knows by context is void.
                engine.addressSpaceChanged(this);
            }
        }
    }

    /** Tag of the current address space. */
    public int addressSpaceTag() {
        return mmu == null ? 0 : mmu.tlb.addressSpaceTag();
    }

    /** Forgets the non-global translations of the address space {@code tag}. */
    public void flushAddressSpace(int tag) {
        if (mmu != null) {
            long stamp = mmu.tlb.flushStamp();
            mmu.tlb.flush(tag);
            updateContext();
            if (mmu.tlb.flushStamp() != stamp) {
                engine.addressSpaceChanged(this);
            }
            // Else the address space has a new context: what the engine knows of the others by theirs stays.
        }
    }

    /** Forgets every translation, global ones included; gives the TLB a new {@link Tlb#flushStamp}. */
    public void flushAll() {
        if (mmu != null) {
            mmu.tlb.flushAll();
            addressSpaceChanged();
        }
    }

    /** Forgets the page at {@code linear} in every address space. */
    public void flushPage(long linear) {
        if (mmu != null) {
            mmu.tlb.invalidatePage(linear);
            addressSpaceChanged();
        }
    }

    private void addressSpaceChanged() {
        updateContext();
        engine.addressSpaceChanged(this);
    }
}
