package dev.xenolith.device.storage.ata;

import dev.xenolith.device.Saveable;
import dev.xenolith.device.StateException;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;
import java.util.Arrays;

/**
 * The registers of the command block that commands take their arguments from and leave their results in. Each holds the byte written
 * last and the one written before (ATA/ATAPI-6, 6.20 "48-bit Address feature set").
 */
public final class TaskFile implements Saveable {
    private static final int PREVIOUS = 8;

    /** The bytes written last by register, and from {@link #PREVIOUS} on those before. */
    private final byte[] bytes = new byte[2 * PREVIOUS];

    /** Writes the byte {@code value} to register 1 to 7. */
    public void write(int register, int value) {
        bytes[PREVIOUS + register] = bytes[register];
        bytes[register] = (byte) value;
    }

    /** Reads register 1 to 7; {@code previous}: what was there before, as bit HOB wants it. */
    public int read(int register, boolean previous) {
        return bytes[previous ? PREVIOUS + register : register] & 0xff;
    }

    private int wide(int register) {
        return read(register, true) << 8 | read(register, false);
    }

    int features() {
        return read(Ata.FEATURES, false);
    }

    /** All 16 bits, as 48-bit commands have them. */
    int wideFeatures() {
        return wide(Ata.FEATURES);
    }

    int count() {
        return read(Ata.COUNT, false);
    }

    int wideCount() {
        return wide(Ata.COUNT);
    }

    int device() {
        return read(Ata.DEVICE, false);
    }

    /** The address of 28-bit commands. */
    long lba28() {
        return (device() & 15) << 24 | low24(false);
    }

    /** The address of 48-bit commands. */
    long lba48() {
        return (long) low24(true) << 24 | low24(false);
    }

    private int low24(boolean previous) {
        return read(Ata.LBA_HIGH, previous) << 16 | read(Ata.LBA_MID, previous) << 8 | read(Ata.LBA_LOW, previous);
    }

    void setCount(int count) { bytes[Ata.COUNT] = (byte) count; }

    /** The byte count or the signature of a packet device. */
    void setMidHigh(int value) {
        bytes[Ata.LBA_MID] = (byte) value;
        bytes[Ata.LBA_HIGH] = (byte) (value >>> 8);
    }

    int midHigh() {
        return read(Ata.LBA_HIGH, false) << 8 | read(Ata.LBA_MID, false);
    }

    void setLba28(long lba) {
        setLow24((int) lba, 0);
        bytes[Ata.DEVICE] = (byte) (device() & 0xf0 | (int) (lba >>> 24) & 15);
    }

    void setLba48(long lba) {
        setLow24((int) lba, 0);
        setLow24((int) (lba >>> 24), PREVIOUS);
    }

    private void setLow24(int value, int bank) {
        bytes[bank + Ata.LBA_LOW] = (byte) value;
        bytes[bank + Ata.LBA_MID] = (byte) (value >>> 8);
        bytes[bank + Ata.LBA_HIGH] = (byte) (value >>> 16);
    }

    /** Cylinder, head and sector of old. */
    void setChs(int cylinder, int head, int sector) {
        bytes[Ata.LBA_LOW] = (byte) sector;
        setMidHigh(cylinder);
        bytes[Ata.DEVICE] = (byte) (device() & 0xf0 | head & 15);
    }

    /** What tells a packet device (0xeb14) from a disk (0) after a reset (ATA/ATAPI-6, 9.12). */
    void setSignature(int midHigh) {
        int selected = device() & Ata.DEVICE_1;
        Arrays.fill(bytes, (byte) 0);
        bytes[Ata.COUNT] = 1;
        bytes[Ata.LBA_LOW] = 1;
        setMidHigh(midHigh);
        bytes[Ata.DEVICE] = (byte) selected;
    }

    @Override
    public String stateName() {
        return "registers";
    }

    @Override
    public void save(StateWriter out) {
        out.put("bytes", bytes);
    }

    @Override
    public void restore(StateReader in) throws StateException {
        in.get("bytes", bytes);
    }
}
