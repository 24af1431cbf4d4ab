package dev.xenolith.device.storage.ata;

import dev.xenolith.device.Clock;
import dev.xenolith.device.Saveable;
import dev.xenolith.device.StateException;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;
import dev.xenolith.device.storage.DriveTiming;
import java.util.Arrays;

/**
 * What disks and packet devices have in common: registers, status, resets, and the data block that the protocols of ATA/ATAPI-6,
 * clause 9, move data by. A command begins a little after it has been written; until then and while the device works BSY is set.
 *
 * <p>Commands that come while BSY or DRQ is set are lost, but for DEVICE RESET to a packet device.
 */
public abstract class AtaDevice implements Saveable {
    /** Bytes of a device's buffer: as many as the largest data block, 256 sectors. */
    public static final int BUFFER_BYTES = 128 << 10;

    /** How it is connected: decides about queued commands, and what it says of itself. */
    public enum Cable {
        PARALLEL, SERIAL
    }

    /** What the timer is for. */
    private enum Step {
        NONE, COMMAND, RESET
    }

    protected final Clock clock;
    protected final Cable cable;
    protected final TaskFile registers = new TaskFile();
    protected final DataBlock block = new DataBlock();
    protected byte[] buffer = new byte[BUFFER_BYTES];
    protected AtaHost host = AtaHost.NONE;
    private final Clock.Timer timer;
    private Step step = Step.NONE;
    private int opcode;
    private int status;
    private int error;
    private boolean asleep;

    // The timer is armed later.
    @SuppressWarnings("this-escape")
    protected AtaDevice(Clock clock, Cable cable) {
        this.clock = clock;
        this.cable = cable;
        timer = clock.timer(this::expired);
    }

    /** Plugs the device in; once. */
    public void connect(AtaHost controller) {
        host = controller;
    }

    // ---- registers ---------------------------------------------------------------------------------------------------

    /** Status as the register reads. */
    public int status() {
        return status;
    }

    /** Error as the register reads. */
    public int error() {
        return error;
    }

    /** The register 2 to 6; {@code previous} with HOB set. */
    public int register(int register, boolean previous) {
        return registers.read(register, previous);
    }

    /** Writes register 1 to 6; lost while the device is busy. */
    public void writeRegister(int register, int value) {
        if (!isEngaged()) {
            registers.write(register, value);
        }
    }

    private boolean isEngaged() { return (status & (Ata.BSY | Ata.DRQ)) != 0; }

    /** The command that was written last. */
    public int lastCommand() {
        return opcode;
    }

    /** Writes the command register. */
    public void command(int written) {
        if (written == Ata.DEVICE_RESET && resetsByCommand()) {
            abandon();
            signature();
            status = 0;
        } else if (!isEngaged() && !asleep) {
            opcode = written;
            error = 0;
            status = Ata.BSY | Ata.DRDY;
            if (cable == Cable.SERIAL && isQueued(written)) {
                execute(written);
            } else {
                step = Step.COMMAND;
                timer.set(clock.now() + DriveTiming.COMMAND);
            }
        }
    }

    private static boolean isQueued(int command) {
        return command == Ata.READ_FPDMA_QUEUED || command == Ata.WRITE_FPDMA_QUEUED;
    }

    /**
     * SRST: while it is {@code asserted} the device does nothing; when it is taken away the reset begins, during which BSY is set.
     */
    public void softReset(boolean asserted) {
        abandon();
        status = Ata.BSY;
        asleep = false;
        softResetBegins();
        if (!asserted) {
            step = Step.RESET;
            timer.set(clock.now() + DriveTiming.RESET);
        }
    }

    /** Power-on, RESET#, COMRESET. */
    public void hardReset() {
        hardResetBegins();
        softReset(false);
    }

    private void expired() {
        Step due = step;
        step = Step.NONE;
        if (due == Step.RESET) {
            signature();
            status = readyStatus();
            host.resetEnded();
        } else if (due == Step.COMMAND && opcode == Ata.EXECUTE_DEVICE_DIAGNOSTIC) {
            signature();
            status = readyStatus();
            host.ended();
        } else if (due == Step.COMMAND) {
            execute(opcode);
        }
    }

    private void signature() {
        registers.setSignature(signatureWord());
        error = Ata.DIAGNOSTIC_PASSED;
    }

    /** Lets go of all that is under way. */
    private void abandon() {
        timer.cancel();
        step = Step.NONE;
        block.close();
        if (abandonRequests()) {
            // The medium may write to the old one yet.
            buffer = new byte[BUFFER_BYTES];
        }
    }

    // ---- data --------------------------------------------------------------------------------------------------------

    /** What is to be moved. */
    public DataBlock block() {
        return block;
    }

    /** What {@link #block} is a part of. */
    public byte[] buffer() {
        return buffer;
    }

    /** Says that the controller has moved {@code bytes} bytes, from 1 to all that are left, of the open block. */
    public void moved(int bytes) {
        if (block.moved(bytes)) {
            status = status & ~Ata.DRQ | Ata.BSY;
            blockMoved();
        }
    }

    /** Reads the data register; zero if there is nothing to be read. */
    public int readData(int size) {
        int value = 0;
        if (block.isOpen() && !block.isDma() && block.isToHost()) {
            int bytes = Math.min(size, block.left());
            for (int i = 0; i < bytes; i++) {
                value |= (buffer[block.position() + i] & 0xff) << i * 8;
            }
            moved(bytes);
        }
        return value;
    }

    /** Writes the data register; lost if nothing is to be written. */
    public void writeData(int size, int value) {
        if (block.isOpen() && !block.isDma() && !block.isToHost()) {
            int bytes = Math.min(size, block.left());
            for (int i = 0; i < bytes; i++) {
                buffer[block.position() + i] = (byte) (value >>> i * 8);
            }
            moved(bytes);
        }
    }

    /** Sets DRQ for the part of the buffer from {@code from} to {@code to}, which is not empty. */
    protected final void openBlock(int from, int to, boolean toHost, boolean dma, boolean interrupts) {
        openBlock(from, to, toHost, dma, false, interrupts);
    }

    /** Sets DRQ for a command packet. */
    protected final void openPacket(int bytes) {
        openBlock(0, bytes, false, false, true, false);
    }

    private void openBlock(int from, int to, boolean toHost, boolean dma, boolean packet, boolean interrupts) {
        block.open(from, to, toHost, dma, packet);
        status = Ata.DRDY | Ata.DSC | Ata.DRQ;
        host.dataReady(interrupts);
    }

    // ---- ends --------------------------------------------------------------------------------------------------------

    /** Ends a command well. */
    protected final void succeed() {
        end(0, 0);
    }

    /** Ends a command with an interrupt; {@code bits} of status are set with DRDY and DSC, and the error register. */
    protected final void end(int bits, int errors) {
        ready(bits, errors);
        host.ended();
    }

    /** Ends a command without an interrupt, as reads through the data register end. */
    protected final void ready(int bits, int errors) {
        error = errors;
        status = Ata.DRDY | Ata.DSC | bits;
    }

    protected final void abort() {
        end(Ata.ERR, Ata.ABRT);
    }

    /** Aborts a command that devices of the other kind have, leaving the signature (ATA/ATAPI-6, 8.15.5). */
    protected final void abortWithSignature() {
        registers.setSignature(signatureWord());
        abort();
    }

    /** Sleeps: nothing but a reset wakes the device. */
    protected final void sleep() {
        succeed();
        asleep = true;
    }

    // ---- kinds of devices --------------------------------------------------------------------------------------------

    /** Executes a command but EXECUTE DEVICE DIAGNOSTIC and DEVICE RESET; BSY is set. */
    protected abstract void execute(int command);

    /** Goes on after the block has been moved; BSY is set. */
    protected abstract void blockMoved();

    /** Forgets requests to the medium. Returns whether the buffer was lent to one. */
    protected abstract boolean abandonRequests();

    /** Settings go back to where a software reset puts them. */
    protected abstract void softResetBegins();

    /** Settings go back to where they are after power-on. */
    protected abstract void hardResetBegins();

    /** LBA mid and high of the signature. */
    public abstract int signatureWord();

    /** Status after a reset. */
    protected abstract int readyStatus();

    /** Whether DEVICE RESET is a command of this device. */
    protected abstract boolean resetsByCommand();

    /** How much of the buffer has a meaning. */
    protected abstract int bufferUsed();

    // ---- state -------------------------------------------------------------------------------------------------------

    @Override
    public void save(StateWriter out) {
        out.put(registers).put(block).put("step", step.ordinal()).put("timer", timer).put("opcode", opcode);
        out.put("status", status).put("error", error).put("asleep", asleep);
        out.put("buffer", Arrays.copyOf(buffer, bufferUsed()));
    }

    @Override
    public void restore(StateReader in) throws StateException {
        abandon();
        in.get(registers);
        in.get(block);
        step = Step.values()[in.getInt("step", 0, Step.values().length - 1)];
        in.get("timer", timer);
        opcode = in.getByte("opcode");
        status = in.getByte("status");
        error = in.getByte("error");
        asleep = in.getBoolean("asleep");
        byte[] used = in.getBytes("buffer");
        if (used.length > BUFFER_BYTES) {
            throw new StateException(stateName() + ".buffer has " + used.length + " bytes");
        }
        Arrays.fill(buffer, (byte) 0);
        System.arraycopy(used, 0, buffer, 0, used.length);
    }
}
