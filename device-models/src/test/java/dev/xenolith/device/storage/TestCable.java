package dev.xenolith.device.storage;

import dev.xenolith.device.TestTime;
import dev.xenolith.device.storage.ata.Ata;
import dev.xenolith.device.storage.ata.AtaDevice;
import dev.xenolith.device.storage.ata.AtaHost;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A host that takes and gives data when a test says so, and remembers what it is told. */
public final class TestCable implements AtaHost {
    public final List<String> told = new ArrayList<>();
    /** Data that queued commands have given, or are given. */
    public final byte[] queuedData = new byte[1 << 20];
    public int room = Integer.MAX_VALUE;
    private final TestTime time;
    private final AtaDevice drive;

    public TestCable(TestTime time, AtaDevice drive) {
        this.time = time;
        this.drive = drive;
        drive.connect(this);
    }

    @Override
    public void dataReady(boolean interrupts) {
        told.add(interrupts ? "data!" : "data");
    }

    @Override
    public void ended() {
        told.add("ended");
    }

    @Override
    public void resetEnded() {
        told.add("reset");
    }

    @Override
    public int moveQueued(int tag, boolean toHost, byte[] bytes, int offset, int length) {
        int moved = Math.min(length, room);
        if (toHost) {
            System.arraycopy(bytes, offset, queuedData, 0, moved);
        } else {
            System.arraycopy(queuedData, 0, bytes, offset, moved);
        }
        told.add((toHost ? "take " : "give ") + tag);
        return moved;
    }

    @Override
    public void queued() {
        told.add("queued");
    }

    @Override
    public void queuedEnded(int tags) {
        told.add("done " + tags);
    }

    /** Writes the registers of a 48-bit command. */
    public void registers(int features, int count, long lba, int device) {
        pair(Ata.FEATURES, features);
        pair(Ata.COUNT, count);
        for (int i = 0; i < 3; i++) {
            drive.writeRegister(Ata.LBA_LOW + i, (int) (lba >>> 24 + 8 * i) & 0xff);
            drive.writeRegister(Ata.LBA_LOW + i, (int) (lba >>> 8 * i) & 0xff);
        }
        drive.writeRegister(Ata.DEVICE, device);
    }

    private void pair(int register, int value) {
        drive.writeRegister(register, value >>> 8);
        drive.writeRegister(register, value & 0xff);
    }

    /** Writes a command and lets a second pass. */
    public void run(int command) {
        drive.command(command);
        settle();
    }

    public void settle() {
        time.advance(1_000_000_000);
    }

    /** Reads the open block through the data register. */
    public byte[] read() {
        byte[] bytes = new byte[drive.block().left()];
        for (int i = 0; i < bytes.length; i += 2) {
            int word = drive.readData(2);
            bytes[i] = (byte) word;
            if (i + 1 < bytes.length) {
                bytes[i + 1] = (byte) (word >>> 8);
            }
        }
        settle();
        return bytes;
    }

    /** Writes the open block through the data register. */
    public void write(byte[] bytes) {
        for (int i = 0; i < bytes.length; i += 2) {
            drive.writeData(2, bytes[i] & 0xff | (bytes[i + 1] & 0xff) << 8);
        }
        settle();
    }

    /** Takes the open block by DMA. */
    public byte[] take() {
        int from = drive.block().position();
        byte[] bytes = Arrays.copyOfRange(drive.buffer(), from, from + drive.block().left());
        drive.moved(bytes.length);
        settle();
        return bytes;
    }

    /** Gives the open block by DMA. */
    public void give(byte[] bytes) {
        System.arraycopy(bytes, 0, drive.buffer(), drive.block().position(), bytes.length);
        drive.moved(bytes.length);
        settle();
    }

    public List<String> takeTold() {
        List<String> taken = List.copyOf(told);
        told.clear();
        return taken;
    }

    /** Address in the registers, 48 bits. */
    public long lba() {
        long lba = 0;
        for (int i = 0; i < 3; i++) {
            lba |= (long) drive.register(Ata.LBA_LOW + i, false) << 8 * i;
            lba |= (long) drive.register(Ata.LBA_LOW + i, true) << 24 + 8 * i;
        }
        return lba;
    }
}
