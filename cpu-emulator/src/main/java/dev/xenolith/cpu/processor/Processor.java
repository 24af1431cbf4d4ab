package dev.xenolith.cpu.processor;

import dev.xenolith.cpu.time.MachineClock;
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
public final class Processor {
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
    public long rflagsSystem = 2;

    /** Selector values, indexed ES..TR. */
    public final int[] segmentSelector = new int[8];
    /** Segment bases, indexed ES..TR; in 64-bit mode the engine uses slot FLAT for ES, CS, SS and DS. */
    public final long[] segmentBase = new long[9];
    /** Segment limits in bytes, already scaled by G, as unsigned 32-bit values. */
    public final long[] segmentLimit = new long[8];
    /** Segment attributes: descriptor bits 40..55 in the VMX access-rights layout (type, S, DPL, P, AVL, L, D/B, G; bit 16 unusable). */
    public final int[] segmentAttributes = new int[8];

    /**
     * What decoded code and the lookup of blocks by linear address depend on: the mode word (see {@code decode.Mode}) in bits 0
     * to 15, the address-space tag in bits 16 to 31.
     */
    public int codeContext;

    /** Bit of {@link #poll}: {@link #stop} has been filled, the run is over. */
    public static final int POLL_STOP = 1;

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

    /** Interrupts are held off while {@link #retired} is below this: the shadow of STI, MOV SS and POP SS. */
    public long shadowEnd;

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

    /** Where loads and stores go that the TLB cannot serve. */
    public final MemoryPort port;

    private final GuestFault guestFault = new GuestFault();

    public Processor(int index, MachineClock clock, MemoryPort port) {
        this.index = index;
        this.clock = clock;
        this.port = port;
    }

    // ---- memory, linear addresses; loads are zero-extended -----------------------------------------------------------

    public long load8(long address) {
        return port.load(this, address, 1);
    }

    public long load16(long address) {
        return port.load(this, address, 2);
    }

    public long load32(long address) {
        return port.load(this, address, 4);
    }

    public long load64(long address) {
        return port.load(this, address, 8);
    }

    public void store8(long address, long value) {
        port.store(this, address, 1, value);
    }

    public void store16(long address, long value) {
        port.store(this, address, 2, value);
    }

    public void store32(long address, long value) {
        port.store(this, address, 4, value);
    }

    public void store64(long address, long value) {
        port.store(this, address, 8, value);
    }

    /** Loads the destination of a read-modify-write instruction: checked for write, so the store that follows cannot fault. */
    public long loadForWrite8(long address) {
        port.probeStore(this, address, 1);
        return port.load(this, address, 1);
    }

    public long loadForWrite16(long address) {
        port.probeStore(this, address, 2);
        return port.load(this, address, 2);
    }

    public long loadForWrite32(long address) {
        port.probeStore(this, address, 4);
        return port.load(this, address, 4);
    }

    public long loadForWrite64(long address) {
        port.probeStore(this, address, 8);
        return port.load(this, address, 8);
    }

    /** Checks that {@code size} bytes at {@code address} can be written, and changes nothing. */
    public void probeStore(long address, int size) {
        port.probeStore(this, address, size);
    }

    // ---- faults ------------------------------------------------------------------------------------------------------

    /** Records a fault and returns what to throw; {@code errorCode} is 0 for vectors that push none. */
    public GuestFault raise(int vector, int errorCode) {
        faultVector = vector;
        faultErrorCode = errorCode;
        faultNonCanonical = false;
        return guestFault;
    }

    /**
     * Handles the recorded fault of the instruction at {@link #rip}, which is {@code instructionLength} bytes long (0 if unknown)
     * and is not counted in {@link #retired}. Returns whether execution goes on; if not, {@link #stop} is filled.
     */
    public boolean fault(int instructionLength) {
        stop.kind = Stop.Kind.EXCEPTION;
        stop.vector = faultVector;
        stop.errorCode = faultErrorCode;
        stop.hasErrorCode = faultVector == 8 || faultVector >= 10 && faultVector <= 14 || faultVector == 17;
        stop.software = false;
        stop.address = faultAddress;
        stop.instructionLength = instructionLength;
        poll |= POLL_STOP;
        return false;
    }

    /** What to throw for an access that must not happen before {@link #retired} is exact; see {@link #precise}. */
    public GuestFault restartPrecisely() {
        faultVector = FAULT_RESTART;
        return guestFault;
    }
}
