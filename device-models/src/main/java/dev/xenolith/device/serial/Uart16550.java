package dev.xenolith.device.serial;

import dev.xenolith.device.ByteRegisters;
import dev.xenolith.device.Clock;
import dev.xenolith.device.InterruptLine;
import dev.xenolith.device.Saveable;
import dev.xenolith.device.StateException;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;

/**
 * A 16550A serial port (National Semiconductor, "PC16550D Universal Asynchronous Receiver/Transmitter with FIFOs"). Eight
 * registers.
 *
 * <p>What is connected has no speed of its own: a byte leaves as it is written, so that the transmitter is always empty, and comes
 * when there is room. Kernels wait for the transmitter in a loop; at the 9,600 baud that they set when nobody asks for more, a
 * boot would spend most of its instructions there. The divisor and line control say how long the receiver's time-out is. There is
 * no noise on the line: parity and framing errors do not happen, a break is received only in loopback. CTS, DSR and DCD stay
 * asserted.
 */
public final class Uart16550 implements ByteRegisters, CharacterBackend.Receiver, Saveable {
    /** Registers; the first two are the divisor latch while LCR.DLAB is set. */
    public static final int RBR_THR = 0;
    public static final int IER = 1;
    public static final int IIR_FCR = 2;
    public static final int LCR = 3;
    public static final int MCR = 4;
    public static final int LSR = 5;
    public static final int MSR = 6;
    public static final int SCR = 7;

    private static final int IER_RECEIVED = 1;
    private static final int IER_TRANSMITTER_EMPTY = 1 << 1;
    private static final int IER_LINE_STATUS = 1 << 2;
    private static final int IER_MODEM_STATUS = 1 << 3;

    private static final int IIR_NONE = 1;
    private static final int IIR_MODEM_STATUS = 0x0;
    private static final int IIR_TRANSMITTER_EMPTY = 0x2;
    private static final int IIR_RECEIVED = 0x4;
    private static final int IIR_LINE_STATUS = 0x6;
    private static final int IIR_CHARACTER_TIMEOUT = 0xc;
    private static final int IIR_FIFOS = 0xc0;

    private static final int FCR_ENABLE = 1;
    private static final int FCR_RESET_RECEIVER = 1 << 1;
    private static final int FCR_RESET_TRANSMITTER = 1 << 2;
    private static final int FCR_KEPT = 0xc9;
    private static final int[] TRIGGER_LEVEL = {1, 4, 8, 14};

    private static final int LCR_STOP_BITS = 1 << 2;
    private static final int LCR_PARITY = 1 << 3;
    private static final int LCR_BREAK = 1 << 6;
    private static final int LCR_DLAB = 1 << 7;

    private static final int MCR_DTR = 1;
    private static final int MCR_RTS = 1 << 1;
    private static final int MCR_OUT1 = 1 << 2;
    private static final int MCR_OUT2 = 1 << 3;
    private static final int MCR_LOOP = 1 << 4;

    private static final int LSR_DATA_READY = 1;
    private static final int LSR_OVERRUN = 1 << 1;
    private static final int LSR_BREAK = 1 << 4;
    private static final int LSR_THR_EMPTY = 1 << 5;
    private static final int LSR_TRANSMITTER_EMPTY = 1 << 6;

    private static final int MSR_CTS = 1 << 4;
    private static final int MSR_DSR = 1 << 5;
    private static final int MSR_RI = 1 << 6;
    private static final int MSR_DCD = 1 << 7;
    private static final int MSR_STATES = 0xf0;
    private static final int MSR_TRAILING_EDGE_RI = 1 << 2;

    private static final int FIFO_SIZE = 16;
    /** Hertz of the crystal over 16: divisor 1 is 115,200 baud. */
    private static final long BAUD_BASE = 115_200;
    private static final long SECOND = 1_000_000_000;
    /** The receiver FIFO's time-out, in characters. */
    private static final int TIMEOUT_CHARACTERS = 4;

    private final String name;
    private final Clock clock;
    private final CharacterBackend backend;
    private final InterruptLine irq;
    private final Clock.Timer timeout;
    private final ByteFifo received = new ByteFifo("received", FIFO_SIZE);

    private int divisor = 12;
    private int interruptEnable;
    private int fifoControl;
    private int lineControl;
    private int modemControl;
    private int scratch;
    /** LSR's overrun and break, which a read clears. */
    private int lineErrors;
    private int modemStates = MSR_CTS | MSR_DSR | MSR_DCD;
    private int modemChanges;
    /** The transmitter holding register became empty, and neither IIR was read nor THR written since. */
    private boolean emptyPending;
    private boolean timedOut;

    /**
     * @param name of its state
     * @param backend what is at the other end of the line
     * @param irq the interrupt, asserted while OUT2 enables its driver and IIR names a cause
     */
    public Uart16550(String name, Clock clock, CharacterBackend backend, InterruptLine irq) {
        this.name = name;
        this.clock = clock;
        this.backend = backend;
        this.irq = irq;
        timeout = clock.timer(() -> {
            timedOut = true;
            update();
        });
        backend.connect(this);
    }

    private boolean hasFifos() {
        return (fifoControl & FCR_ENABLE) != 0;
    }

    private boolean isLoop() { return (modemControl & MCR_LOOP) != 0; }

    /** Nanoseconds that a character takes on the line. */
    private long characterTime() {
        int bits = 1 + 5 + (lineControl & 3) + ((lineControl & LCR_PARITY) != 0 ? 1 : 0)
                + ((lineControl & LCR_STOP_BITS) != 0 ? 2 : 1);
        return bits * SECOND * Math.max(divisor, 1) / BAUD_BASE;
    }

    // ---- transmitter -------------------------------------------------------------------------------------------------

    private void transmit(int value) {
        // The holding register is full for a moment, which an edge-triggered controller has to see.
        emptyPending = false;
        update();
        int cut = value & 0xff >>> 3 - (lineControl & 3);
        if (isLoop()) {
            take(cut);
        } else {
            backend.write((byte) cut);
        }
        emptyPending = true;
    }

    // ---- receiver ----------------------------------------------------------------------------------------------------

    @Override
    public int room() {
        return isLoop() ? 0 : (hasFifos() ? FIFO_SIZE : 1) - received.size();
    }

    @Override
    public void receive(byte value) {
        if (room() <= 0) {
            throw new IllegalStateException(name + ": no room for input");
        }
        take(value & 0xff);
        update();
    }

    private void take(int value) {
        int capacity = hasFifos() ? FIFO_SIZE : 1;
        if (received.size() == capacity) {
            lineErrors |= LSR_OVERRUN;
            if (hasFifos()) {
                // The FIFO keeps what it has; without one the new byte replaces the old.
                return;
            }
            received.clear();
        }
        received.add(value);
        restartTimeout();
    }

    private void restartTimeout() {
        timedOut = false;
        timeout.set(hasFifos() && !received.isEmpty()
                ? clock.now() + TIMEOUT_CHARACTERS * characterTime()
                : Clock.NEVER);
    }

    private int readData() {
        int value = received.isEmpty() ? 0 : received.take();
        restartTimeout();
        return value;
    }

    // ---- interrupts --------------------------------------------------------------------------------------------------

    /** IIR without the FIFO bits: the pending interrupt of highest priority (table V). */
    private int identification() {
        if ((interruptEnable & IER_LINE_STATUS) != 0 && lineErrors != 0) {
            return IIR_LINE_STATUS;
        }
        if ((interruptEnable & IER_RECEIVED) != 0) {
            int level = hasFifos() ? TRIGGER_LEVEL[fifoControl >>> 6] : 1;
            if (received.size() >= level) {
                return IIR_RECEIVED;
            }
            if (timedOut) {
                return IIR_CHARACTER_TIMEOUT;
            }
        }
        if ((interruptEnable & IER_TRANSMITTER_EMPTY) != 0 && emptyPending) {
            return IIR_TRANSMITTER_EMPTY;
        }
        if ((interruptEnable & IER_MODEM_STATUS) != 0 && modemChanges != 0) {
            return IIR_MODEM_STATUS;
        }
        return IIR_NONE;
    }

    private void update() {
        // In loopback OUT2 is disconnected from its pin, which then floats to inactive.
        boolean driven = (modemControl & (MCR_OUT2 | MCR_LOOP)) == MCR_OUT2;
        irq.set(driven && identification() != IIR_NONE);
    }

    // ---- registers ---------------------------------------------------------------------------------------------------

    @Override
    public int readByte(int offset) {
        boolean latch = (lineControl & LCR_DLAB) != 0;
        int value = switch (offset) {
            case RBR_THR -> latch ? divisor & 0xff : readData();
            case IER -> latch ? divisor >>> 8 : interruptEnable;
            case IIR_FCR -> readIdentification();
            case LCR -> lineControl;
            case MCR -> modemControl;
            case LSR -> readLineStatus();
            case MSR -> readModemStatus();
            default -> scratch;
        };
        update();
        if (offset == RBR_THR && !latch && room() > 0) {
            backend.ready();
        }
        return value;
    }

    private int readIdentification() {
        int cause = identification();
        if (cause == IIR_TRANSMITTER_EMPTY) {
            emptyPending = false;
        }
        return cause | (hasFifos() ? IIR_FIFOS : 0);
    }

    private int readLineStatus() {
        int value = lineErrors | (received.isEmpty() ? 0 : LSR_DATA_READY) | LSR_THR_EMPTY | LSR_TRANSMITTER_EMPTY;
        lineErrors = 0;
        return value;
    }

    private int readModemStatus() {
        int value = modemStates | modemChanges;
        modemChanges = 0;
        return value;
    }

    @Override
    public void writeByte(int offset, int value) {
        boolean latch = (lineControl & LCR_DLAB) != 0;
        switch (offset) {
            case RBR_THR -> {
                if (latch) {
                    divisor = divisor & 0xff00 | value;
                } else {
                    transmit(value);
                }
            }
            case IER -> {
                if (latch) {
                    divisor = divisor & 0xff | value << 8;
                } else {
                    writeInterruptEnable(value & 0xf);
                }
            }
            case IIR_FCR -> writeFifoControl(value);
            case LCR -> writeLineControl(value);
            case MCR -> writeModemControl(value & 0x1f);
            case SCR -> scratch = value;
            default -> {
                // LSR and MSR: writing is for factory tests.
            }
        }
        update();
        if (room() > 0) {
            backend.ready();
        }
    }

    /** Enabling the transmitter's interrupt raises it: the holding register is empty. */
    private void writeInterruptEnable(int value) {
        if ((value & ~interruptEnable & IER_TRANSMITTER_EMPTY) != 0) {
            emptyPending = true;
        }
        interruptEnable = value;
    }

    private void writeFifoControl(int value) {
        boolean toggled = ((value ^ fifoControl) & FCR_ENABLE) != 0;
        fifoControl = (value & FCR_ENABLE) != 0 ? value & FCR_KEPT : 0;
        if (toggled || (value & FCR_RESET_RECEIVER) != 0) {
            received.clear();
            restartTimeout();
        }
        if (toggled || (value & FCR_RESET_TRANSMITTER) != 0) {
            emptyPending = true;
        }
    }

    private void writeLineControl(int value) {
        boolean starts = (value & ~lineControl & LCR_BREAK) != 0;
        lineControl = value;
        if (starts && isLoop()) {
            take(0);
            lineErrors |= LSR_BREAK;
        }
    }

    private void writeModemControl(int value) {
        modemControl = value;
        int states = MSR_CTS | MSR_DSR | MSR_DCD;
        if (isLoop()) {
            states = ((value & MCR_RTS) != 0 ? MSR_CTS : 0) | ((value & MCR_DTR) != 0 ? MSR_DSR : 0)
                    | ((value & MCR_OUT1) != 0 ? MSR_RI : 0) | ((value & MCR_OUT2) != 0 ? MSR_DCD : 0);
        }
        int changed = states ^ modemStates;
        // RI has no delta: only its trailing edge is noted.
        modemChanges |= (changed & ~MSR_RI) >>> 4 | ((changed & modemStates & MSR_RI) != 0 ? MSR_TRAILING_EDGE_RI : 0);
        modemStates = states;
    }

    // ---- state -------------------------------------------------------------------------------------------------------

    @Override
    public String stateName() {
        return name;
    }

    @Override
    public void save(StateWriter out) {
        out.put(received).put("divisor", divisor).put("interruptEnable", interruptEnable);
        out.put("fifoControl", fifoControl).put("lineControl", lineControl).put("modemControl", modemControl);
        out.put("scratch", scratch).put("lineErrors", lineErrors).put("modemStates", modemStates);
        out.put("modemChanges", modemChanges).put("emptyPending", emptyPending).put("timedOut", timedOut);
        out.put("timeout", timeout);
    }

    @Override
    public void restore(StateReader in) throws StateException {
        in.get(received);
        divisor = in.getInt("divisor", 0, 0xffff);
        interruptEnable = in.getInt("interruptEnable", 0, 0xf);
        fifoControl = in.getByte("fifoControl") & FCR_KEPT;
        lineControl = in.getByte("lineControl");
        modemControl = in.getInt("modemControl", 0, 0x1f);
        scratch = in.getByte("scratch");
        lineErrors = in.getByte("lineErrors") & (LSR_OVERRUN | LSR_BREAK);
        modemStates = in.getByte("modemStates") & MSR_STATES;
        modemChanges = in.getByte("modemChanges") & ~MSR_STATES;
        emptyPending = in.getBoolean("emptyPending");
        timedOut = in.getBoolean("timedOut");
        in.get("timeout", timeout);
        update();
    }
}
