package dev.xenolith.cpu.apic;

import dev.xenolith.cpu.time.MachineClock;
import dev.xenolith.cpu.time.TimeScale;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A local APIC (SDM 3A chapter 11): accepts interrupts, orders them, and has the timer that is the only time source of a
 * hypervisor. One register file serves both the x2APIC MSRs (11.12) and the xAPIC page (11.4).
 *
 * <p>Not there: CMCI, performance and thermal interrupts (their LVT entries are registers only).
 */
public final class LocalApic {
    /** IA32_APIC_BASE (11.4.4): bootstrap processor, x2APIC mode, enabled. */
    public static final long BASE_BSP = 1 << 8;
    public static final long BASE_X2APIC = 1 << 10;
    public static final long BASE_ENABLE = 1 << 11;
    public static final long DEFAULT_BASE = 0xfee0_0000L;

    private static final int LVT_ENTRIES = 6;
    /** The interrupt command register: destination mode, and destination shorthands (SDM 3A 12.6.1). */
    private static final int LOGICAL = 1 << 11;
    private static final int SHORTHAND_SHIFT = 18;
    private static final int SHORTHAND_SELF = 1;
    private static final int SHORTHAND_ALL = 2;
    private static final int SHORTHAND_OTHERS = 3;
    private static final int LVT_MASKED = 1 << 16;
    private static final int LVT_MODE_SHIFT = 8;
    private static final int LVT_MODE = 7 << LVT_MODE_SHIFT;
    /** Index of the entry of LINT0 in {@link #lvt}; that of LINT1 follows. */
    private static final int LINT0 = 3;
    private static final int TIMER_MODE_SHIFT = 17;
    /** Version 0x14, LVT entries - 1; no EOI-broadcast suppression. */
    private static final int VERSION_VALUE = 0x14 | LVT_ENTRIES - 1 << 16;
    private static final int SVR_ENABLE = 1 << 8;
    private static final int ERROR_SEND_ILLEGAL_VECTOR = 1 << 5;
    private static final int ERROR_RECEIVE_ILLEGAL_VECTOR = 1 << 6;
    private static final int ERROR_ILLEGAL_REGISTER = 1 << 7;
    /** Bits 12 (delivery status, xAPIC only), 13, 17:16 and 31:20. */
    private static final long ICR_RESERVED = 0xfff3_3000L;

    private final int id;
    private final Runnable eventPending;
    private final ApicTimer timer;
    private @Nullable ApicBus bus;

    private final InterruptBits requested = new InterruptBits();
    private final InterruptBits inService = new InterruptBits();
    private final InterruptBits levelTriggered = new InterruptBits();
    private final int[] lvt = new int[LVT_ENTRIES];
    private long base;
    private int taskPriority;
    private int logicalDestination;
    private int destinationFormat;
    private int spurious;
    private int errors;
    private int errorStatus;
    private long interruptCommand;
    private ExternalInterrupts external = ExternalInterrupts.NONE;
    /** An I/O APIC has sent ExtINT and nobody has acknowledged it. */
    private boolean externalMessage;
    /** Levels of the inputs LINT0 and LINT1. */
    private final boolean[] lint = new boolean[2];
    private boolean nmi;
    private boolean init;
    private boolean smi;
    /** Vector of a SIPI received, or -1. */
    private int startup = -1;

    /**
     * @param id initial APIC id
     * @param eventPending called when the processor should look at {@link #hasInterrupt}, {@link #takeNmi} or the deadline
     */
    public LocalApic(int id, MachineClock clock, TimeScale tsc, Runnable eventPending) {
        this.id = id;
        this.eventPending = eventPending;
        this.timer = new ApicTimer(clock, tsc);
        base = DEFAULT_BASE | BASE_ENABLE | (id == 0 ? BASE_BSP : 0);
        reset();
    }

    void connect(ApicBus apicBus) {
        bus = apicBus;
    }

    /** The state after power-up or a reset of the machine. */
    public void powerUp() {
        base = DEFAULT_BASE | BASE_ENABLE | (id == 0 ? BASE_BSP : 0);
        nmi = false;
        init = false;
        smi = false;
        startup = -1;
        reset();
    }

    /** Whether this is the bootstrap processor's. */
    public boolean isBootstrap() { return (base & BASE_BSP) != 0; }

    /** The state after power-up or INIT, but for IA32_APIC_BASE (11.4.7.1). */
    private void reset() {
        requested.clearAll();
        inService.clearAll();
        levelTriggered.clearAll();
        Arrays.fill(lvt, LVT_MASKED);
        taskPriority = 0;
        logicalDestination = 0;
        destinationFormat = -1;
        spurious = 0xff;
        errors = 0;
        errorStatus = 0;
        interruptCommand = 0;
        externalMessage = false;
        timer.reset();
    }

    /** Connects who answers the INTA cycles of ExtINT interrupts; {@link #setLint} tells when it has one. */
    public void connect(ExternalInterrupts controller) {
        external = controller;
    }

    public int id() {
        return id;
    }

    // ---- what the processor asks -----------------------------------------------------------------------------------

    /** Whether an interrupt of higher priority than what is being serviced waits (11.8.3), or an external one. */
    public boolean hasInterrupt() {
        return hasFixedInterrupt() || hasExternalInterrupt();
    }

    private boolean hasFixedInterrupt() {
        int vector = requested.highest();
        return vector >= 0 && (vector & 0xf0) > (processorPriority() & 0xf0) && isEnabled();
    }

    /** ExtINT knows no priority. Without an APIC, LINT0 is the processor's INTR pin (11.4.3). */
    private boolean hasExternalInterrupt() {
        return external.isPending() && (externalMessage || !isEnabled()
                || (lvt[LINT0] & (LVT_MASKED | LVT_MODE)) == ApicBus.EXT_INT << LVT_MODE_SHIFT);
    }

    /**
     * Takes the highest interrupt into service and returns its vector, an external one before all others; the spurious vector
     * if none is deliverable.
     */
    public int acknowledge() {
        if (hasExternalInterrupt()) {
            externalMessage = false;
            return external.acknowledge();
        }
        if (!hasFixedInterrupt()) {
            return spurious & 0xff;
        }
        int vector = requested.highest();
        requested.clear(vector);
        inService.set(vector);
        return vector;
    }

    /** Whether an NMI was received since the last call. */
    public boolean takeNmi() {
        boolean taken = nmi;
        nmi = false;
        return taken;
    }

    /** Whether an INIT was received since the last call. */
    public boolean takeInit() {
        boolean taken = init;
        init = false;
        return taken;
    }

    /** Whether an SMI was received since the last call. */
    public boolean takeSmi() {
        boolean taken = smi;
        smi = false;
        return taken;
    }

    /** Vector of the start-up IPI received since the last call, or -1. */
    public int takeStartup() {
        int taken = startup;
        startup = -1;
        return taken;
    }

    /** Machine time at which the timer expires, {@link Long#MAX_VALUE} if it is not armed. */
    public long nextDeadline() {
        return timer.deadline();
    }

    /** Raises the timer's interrupt if its deadline has come. */
    public void expire() {
        if (timer.expire() && (lvt[0] & LVT_MASKED) == 0) {
            accept(lvt[0] & 0xff, false);
        }
    }

    /** PPR (11.8.3.1). */
    int processorPriority() {
        int service = Math.max(inService.highest(), 0);
        return (taskPriority & 0xf0) >= (service & 0xf0) ? taskPriority : service & 0xf0;
    }

    /** CR8: the upper four bits of TPR. */
    public int taskPriorityClass() {
        return taskPriority >>> 4;
    }

    public void setTaskPriorityClass(int value) {
        setTaskPriority(value << 4);
    }

    private void setTaskPriority(int value) {
        taskPriority = value & 0xff;
        lookAgain();
    }

    private void lookAgain() {
        if (hasInterrupt()) {
            eventPending.run();
        }
    }

    /** The processor's time-stamp counter at the present machine time. */
    public long tsc() {
        return timer.tscNow();
    }

    public void setTsc(long value) {
        timer.setTsc(value);
        eventPending.run();
    }

    /**
     * Sets the level of input LINT{@code pin}, 0 or 1. Its LVT entry says what it means (11.5.1): ExtINT follows the level, the
     * others take the rising edge.
     */
    public void setLint(int pin, boolean asserted) {
        boolean edge = asserted && !lint[pin];
        lint[pin] = asserted;
        int entry = lvt[LINT0 + pin];
        if (edge && isEnabled() && (entry & LVT_MASKED) == 0) {
            switch (entry >>> LVT_MODE_SHIFT & 7) {
                case ApicBus.FIXED -> accept(entry & 0xff, false);
                case ApicBus.NMI -> receive(ApicBus.NMI, 0, false);
                case ApicBus.INIT -> receive(ApicBus.INIT, 0, false);
                default -> {
                    // ExtINT is looked at as a level; SMI there is none.
                }
            }
        }
        if (asserted) {
            lookAgain();
        }
    }

    // ---- receiving --------------------------------------------------------------------------------------------------

    boolean isSoftwareEnabled() { return isEnabled() && (spurious & SVR_ENABLE) != 0; }

    private boolean isEnabled() { return (base & BASE_ENABLE) != 0; }

    public boolean isX2apic() { return (base & (BASE_ENABLE | BASE_X2APIC)) == (BASE_ENABLE | BASE_X2APIC); }

    /** Whether a message to {@code destination} is for this APIC (11.6.2). */
    boolean matches(int destination, boolean logical) {
        if (!logical) {
            return destination == id;
        }
        if (isX2apic()) {
            int mine = logicalX2apic();
            return destination >>> 16 == mine >>> 16 && (destination & mine & 0xffff) != 0;
        }
        int mine = logicalDestination >>> 24;
        if (destinationFormat >>> 28 == 0) {
            return (destination & 0xf0) == (mine & 0xf0) && (destination & mine & 0xf) != 0;
        }
        return (destination & mine & 0xff) != 0;
    }

    private int logicalX2apic() {
        return id >>> 4 << 16 | 1 << (id & 0xf);
    }

    void receive(int mode, int vector, boolean level) {
        if (!isEnabled()) {
            return;
        }
        switch (mode) {
            case ApicBus.FIXED, ApicBus.LOWEST_PRIORITY -> {
                if (isSoftwareEnabled()) {
                    accept(vector & 0xff, level);
                }
            }
            case ApicBus.NMI -> {
                nmi = true;
                eventPending.run();
            }
            case ApicBus.INIT -> {
                reset();
                init = true;
                eventPending.run();
            }
            case ApicBus.STARTUP -> {
                startup = vector & 0xff;
                eventPending.run();
            }
            case ApicBus.SMI -> {
                smi = true;
                eventPending.run();
            }
            case ApicBus.EXT_INT -> {
                externalMessage = true;
                lookAgain();
            }
            default -> {
                // Reserved.
            }
        }
    }

    private void accept(int vector, boolean level) {
        if (vector < 16) {
            error(ERROR_RECEIVE_ILLEGAL_VECTOR);
            return;
        }
        requested.set(vector);
        if (level) {
            levelTriggered.set(vector);
        } else {
            levelTriggered.clear(vector);
        }
        lookAgain();
    }

    private void error(int bit) {
        errors |= bit;
        int entry = lvt[ApicRegisters.lvtIndex(ApicRegisters.LVT_ERROR)];
        if ((entry & LVT_MASKED) == 0 && (entry & 0xff) >= 16) {
            accept(entry & 0xff, false);
        }
    }

    private void endOfInterrupt() {
        int vector = inService.highest();
        if (vector < 0) {
            return;
        }
        inService.clear(vector);
        if (levelTriggered.get(vector) && bus != null) {
            bus.endOfInterrupt(vector);
        }
        lookAgain();
    }

    // ---- sending ----------------------------------------------------------------------------------------------------

    private void send(long command, int destination) {
        int vector = (int) command & 0xff;
        int mode = (int) command >>> 8 & 7;
        boolean deassert = (command & (1 << 14 | 1 << 15)) == 1 << 15;
        if (mode == ApicBus.FIXED && vector < 16) {
            error(ERROR_SEND_ILLEGAL_VECTOR);
            return;
        }
        if (mode == ApicBus.INIT && deassert) {
            // INIT level de-assert synchronises arbitration ids of processors that had such.
            return;
        }
        switch (shorthand(command)) {
            case SHORTHAND_SELF -> receive(mode, vector, false);
            case SHORTHAND_ALL -> sendToAll(true, mode, vector);
            case SHORTHAND_OTHERS -> sendToAll(false, mode, vector);
            default -> {
                if (bus != null) {
                    bus.send(destination, isLogical(command), mode, vector, false);
                } else if (destination == -1 || matches(destination, isLogical(command))) {
                    receive(mode, vector, false);
                }
            }
        }
    }

    /** Whether the interrupt that the ICR holds goes, or may go, to other APICs than this one. */
    public boolean interruptsOthers() {
        int destination = (int) (isX2apic() ? interruptCommand >>> 32 : interruptCommand >>> 56);
        return switch (shorthand(interruptCommand)) {
            case SHORTHAND_SELF -> false;
            case SHORTHAND_ALL, SHORTHAND_OTHERS -> true;
            default -> isLogical(interruptCommand) || destination != id;
        };
    }

    /** Destination shorthand of an interrupt command; 0 if its destination counts. */
    private static int shorthand(long command) {
        return (int) command >>> SHORTHAND_SHIFT & 3;
    }

    private static boolean isLogical(long command) {
        return (command & LOGICAL) != 0;
    }

    private void sendToAll(boolean self, int mode, int vector) {
        if (bus != null) {
            bus.sendToAll(this, self, mode, vector);
        } else if (self) {
            receive(mode, vector, false);
        }
    }

    // ---- registers --------------------------------------------------------------------------------------------------

    /** IA32_APIC_BASE. */
    public long baseMsr() {
        return base;
    }

    /** Writes IA32_APIC_BASE; false if the processor raises #GP (11.4.4, 11.12.5). */
    public boolean setBaseMsr(long value, int physicalBits) {
        long allowed = (1L << physicalBits) - 1 & ~0xfffL | BASE_BSP | BASE_X2APIC | BASE_ENABLE;
        long mode = value & (BASE_X2APIC | BASE_ENABLE);
        if ((value & ~allowed) != 0 || mode == BASE_X2APIC || isX2apic() && mode == BASE_ENABLE
                || !isEnabled() && mode == (BASE_X2APIC | BASE_ENABLE)) {
            return false;
        }
        if (mode == 0 && isEnabled()) {
            reset();
        }
        base = value & ~BASE_BSP | base & BASE_BSP;
        lookAgain();
        return true;
    }

    /** Physical address of the xAPIC page, or -1 if it is not there. */
    public long mmioBase() {
        return (base & (BASE_ENABLE | BASE_X2APIC)) == BASE_ENABLE ? base & ~0xfffL : -1;
    }

    /** Reads a register through the xAPIC page; registers are 32 bits at multiples of 16. */
    public long readMmio(int offset, int size) {
        int register = offset & ~0xf;
        long value = switch (register) {
            case ApicRegisters.ID -> (long) id << 24;
            case ApicRegisters.LDR -> logicalDestination & 0xffff_ffffL;
            case ApicRegisters.DFR -> destinationFormat & 0xffff_ffffL;
            case ApicRegisters.ICR -> interruptCommand & 0xffff_ffffL;
            case ApicRegisters.ICR_HIGH -> interruptCommand >>> 32;
            default -> ApicRegisters.isReadable(register) ? read(register) & 0xffff_ffffL : illegal();
        };
        return (offset & 0xf) >= 4 ? 0 : value >>> (offset & 3) * 8 & (size >= 4 ? 0xffff_ffffL : (1L << size * 8) - 1);
    }

    private long illegal() {
        error(ERROR_ILLEGAL_REGISTER);
        return 0;
    }

    /** Writes a register through the xAPIC page; only aligned accesses of 4 bytes (or more) do anything (11.4.1). */
    public void writeMmio(int offset, int size, long value) {
        if (size < 4 || (offset & 0xf) != 0) {
            return;
        }
        int low = (int) value;
        switch (offset) {
            case ApicRegisters.ID -> {
                // The id is fixed, as in processors with x2APIC.
            }
            case ApicRegisters.LDR -> logicalDestination = low & 0xff00_0000;
            case ApicRegisters.DFR -> destinationFormat = low | 0x0fff_ffff;
            case ApicRegisters.ICR -> {
                interruptCommand = interruptCommand & 0xffff_ffff_0000_0000L | low & 0xc_cfffL;
                int destination = (int) (interruptCommand >>> 56);
                send(low, destination == 0xff ? -1 : destination);
            }
            case ApicRegisters.ICR_HIGH ->
                interruptCommand = interruptCommand & 0xffff_ffffL | (low & 0xff00_0000L) << 32;
            default -> {
                if (offset == ApicRegisters.SELF_IPI || !ApicRegisters.isWritable(offset)) {
                    illegal();
                } else {
                    write(offset, low & 0xffff_ffffL & ApicRegisters.writableBits(offset));
                }
            }
        }
    }

    /** Whether RDMSR of the x2APIC register at MSR {@code msr} works; the others are #GP (11.12.1.2). */
    public boolean canReadMsr(int msr) {
        int register = msr - 0x800 << 4;
        return isX2apic() && (register == ApicRegisters.ID || register == ApicRegisters.LDR
                || register == ApicRegisters.ICR || ApicRegisters.isReadable(register));
    }

    public long readMsr(int msr) {
        int register = msr - 0x800 << 4;
        return switch (register) {
            case ApicRegisters.ID -> id;
            case ApicRegisters.LDR -> logicalX2apic() & 0xffff_ffffL;
            case ApicRegisters.ICR -> interruptCommand;
            default -> read(register);
        };
    }

    /** Whether WRMSR of {@code value} works; it is #GP for read-only registers and reserved bits. */
    public boolean canWriteMsr(int msr, long value) {
        int register = msr - 0x800 << 4;
        if (!isX2apic()) {
            return false;
        }
        if (register == ApicRegisters.ICR) {
            return (value & ICR_RESERVED) == 0;
        }
        return ApicRegisters.isWritable(register) && (value & ~ApicRegisters.writableBits(register)) == 0;
    }

    public void writeMsr(int msr, long value) {
        int register = msr - 0x800 << 4;
        if (register == ApicRegisters.ICR) {
            interruptCommand = value;
            send(value, (int) (value >>> 32));
        } else {
            write(register, value);
        }
    }

    /** IA32_TSC_DEADLINE. */
    public long tscDeadline() {
        return timer.tscDeadline();
    }

    public void setTscDeadline(long value) {
        timer.setTscDeadline(value);
        eventPending.run();
    }

    private long read(int register) {
        return switch (register) {
            case ApicRegisters.VERSION -> VERSION_VALUE;
            case ApicRegisters.TPR -> taskPriority;
            case ApicRegisters.PPR -> processorPriority();
            case ApicRegisters.SVR -> spurious;
            case ApicRegisters.ESR -> errorStatus;
            case ApicRegisters.TIMER_INITIAL -> timer.initialCount();
            case ApicRegisters.TIMER_CURRENT -> timer.currentCount();
            case ApicRegisters.TIMER_DIVIDE -> timer.divide();
            default -> ApicRegisters.isLvt(register) ? lvt[ApicRegisters.lvtIndex(register)] : bits(register);
        };
    }

    private long bits(int register) {
        InterruptBits bits = register < ApicRegisters.TMR
                ? inService
                : register < ApicRegisters.IRR ? levelTriggered : requested;
        return bits.register(register >>> 4 & 7) & 0xffff_ffffL;
    }

    private void write(int register, long value) {
        int low = (int) value;
        switch (register) {
            case ApicRegisters.TPR -> setTaskPriority(low);
            case ApicRegisters.EOI -> endOfInterrupt();
            case ApicRegisters.SVR -> setSpurious(low);
            case ApicRegisters.ESR -> {
                errorStatus = errors;
                errors = 0;
            }
            case ApicRegisters.TIMER_INITIAL -> {
                timer.setInitialCount(value);
                eventPending.run();
            }
            case ApicRegisters.TIMER_DIVIDE -> {
                timer.setDivide(low);
                eventPending.run();
            }
            case ApicRegisters.SELF_IPI -> send(low & 0xff | SHORTHAND_SELF << SHORTHAND_SHIFT, 0);
            default -> writeLvt(ApicRegisters.lvtIndex(register), low);
        }
    }

    private void setSpurious(int value) {
        spurious = value;
        if ((value & SVR_ENABLE) == 0) {
            for (int i = 0; i < LVT_ENTRIES; i++) {
                lvt[i] |= LVT_MASKED;
            }
        }
    }

    private void writeLvt(int index, int value) {
        lvt[index] = value | ((spurious & SVR_ENABLE) == 0 ? LVT_MASKED : 0);
        if (index == 0) {
            timer.setMode(value >>> TIMER_MODE_SHIFT & 3);
            eventPending.run();
        }
        if (index == LINT0) {
            lookAgain();
        }
    }

    // ---- state ------------------------------------------------------------------------------------------------------

    public void save(DataOutput out) throws IOException {
        requested.save(out);
        inService.save(out);
        levelTriggered.save(out);
        for (int entry : lvt) {
            out.writeInt(entry);
        }
        out.writeLong(base);
        out.writeInt(taskPriority);
        out.writeInt(logicalDestination);
        out.writeInt(destinationFormat);
        out.writeInt(spurious);
        out.writeInt(errors);
        out.writeInt(errorStatus);
        out.writeLong(interruptCommand);
        out.writeBoolean(externalMessage);
        out.writeBoolean(lint[0]);
        out.writeBoolean(lint[1]);
        out.writeBoolean(nmi);
        out.writeBoolean(init);
        out.writeBoolean(smi);
        out.writeInt(startup);
        timer.save(out);
    }

    public void restore(DataInput in) throws IOException {
        requested.restore(in);
        inService.restore(in);
        levelTriggered.restore(in);
        for (int i = 0; i < LVT_ENTRIES; i++) {
            lvt[i] = in.readInt();
        }
        base = in.readLong();
        taskPriority = in.readInt();
        logicalDestination = in.readInt();
        destinationFormat = in.readInt();
        spurious = in.readInt();
        errors = in.readInt();
        errorStatus = in.readInt();
        interruptCommand = in.readLong();
        externalMessage = in.readBoolean();
        lint[0] = in.readBoolean();
        lint[1] = in.readBoolean();
        nmi = in.readBoolean();
        init = in.readBoolean();
        smi = in.readBoolean();
        startup = in.readInt();
        timer.restore(in);
        eventPending.run();
    }
}
