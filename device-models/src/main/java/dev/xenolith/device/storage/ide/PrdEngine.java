package dev.xenolith.device.storage.ide;

import dev.xenolith.device.ByteRegisters;
import dev.xenolith.device.Saveable;
import dev.xenolith.device.StateException;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;
import dev.xenolith.device.pci.BusMaster;
import dev.xenolith.device.pci.ConfigSpace;
import dev.xenolith.device.storage.ata.AtaDevice;
import dev.xenolith.device.storage.ata.DataBlock;

/**
 * The bus master of one IDE channel (SFF-8038i, "Programming Interface for Bus Master IDE Controller"; 82371SB, 2.7): eight ports, and
 * the walk through a table of physical region descriptors.
 *
 * <p>A table that is shorter than the transfer leaves the drive waiting and the active bit clear; one that is longer leaves it set.
 */
final class PrdEngine implements ByteRegisters, Saveable {
    /** Registers. */
    static final int COMMAND = 0;
    static final int STATUS = 2;
    static final int TABLE = 4;
    static final int PORTS = 8;

    private static final int COMMAND_START = 0x01;
    /** Data go to memory. */
    private static final int COMMAND_TO_MEMORY = 0x08;
    private static final int STATUS_ACTIVE = 0x01;
    private static final int STATUS_ERROR = 0x02;
    private static final int STATUS_INTERRUPT = 0x04;
    private static final int STATUS_DRIVES = 0x60;
    private static final int DESCRIPTOR = 8;
    private static final int DESCRIPTOR_LAST = 0x80;
    private static final int MOST_BYTES = 1 << 16;
    private static final long ADDRESSES = 1L << 32;

    private final String name;
    private final BusMaster memory;
    private final IdeChannel channel;
    private final byte[] descriptor = new byte[DESCRIPTOR];
    private int command;
    private int status;
    private int table;
    /** Place of the next descriptor; what is left of the one before, and whether that was the last. */
    private int next;
    private long address;
    private int left;
    private boolean last;
    private boolean isMoving;

    PrdEngine(String name, BusMaster memory, IdeChannel channel) {
        this.name = name;
        this.memory = memory;
        this.channel = channel;
        channel.connect(this);
        memory.config().onWrite((register, size) -> run());
    }

    /** INTRQ has risen. */
    void interrupted() {
        status |= STATUS_INTERRUPT;
    }

    /** Moves data for as long as a drive wants it, software has started it, and the table goes on. */
    void run() {
        if (isMoving) {
            return;
        }
        isMoving = true;
        boolean goesOn = true;
        while (goesOn) {
            AtaDevice drive = channel.dmaDrive();
            goesOn = drive != null && (status & STATUS_ACTIVE) != 0
                    && memory.config().commands(ConfigSpace.COMMAND_MASTER) && move(drive);
        }
        isMoving = false;
    }

    private boolean move(AtaDevice drive) {
        DataBlock block = drive.block();
        if (block.isToHost() != ((command & COMMAND_TO_MEMORY) != 0)) {
            return false;
        }
        if (left == 0) {
            loadDescriptor();
        }
        int bytes = (int) Math.min(Math.min(left, block.left()), ADDRESSES - address);
        if (block.isToHost()) {
            memory.write(address, drive.buffer(), block.position(), bytes);
        } else {
            memory.read(address, drive.buffer(), block.position(), bytes);
        }
        address = address + bytes & ADDRESSES - 1;
        left -= bytes;
        if (left == 0 && last) {
            status &= ~STATUS_ACTIVE;
        }
        drive.moved(bytes);
        return true;
    }

    private void loadDescriptor() {
        memory.read(next & ADDRESSES - 1, descriptor, 0, DESCRIPTOR);
        next += DESCRIPTOR;
        address = little(0, 4) & ~1L;
        int count = (int) little(4, 2) & ~1;
        left = count == 0 ? MOST_BYTES : count;
        last = (descriptor[7] & DESCRIPTOR_LAST) != 0;
    }

    private long little(int from, int bytes) {
        long value = 0;
        for (int i = 0; i < bytes; i++) {
            value |= (descriptor[from + i] & 0xffL) << i * 8;
        }
        return value;
    }

    @Override
    public int readByte(int offset) {
        return switch (offset) {
            case COMMAND -> command;
            case STATUS -> status;
            case TABLE, TABLE + 1, TABLE + 2, TABLE + 3 -> table >>> (offset - TABLE) * 8 & 0xff;
            default -> 0;
        };
    }

    @Override
    public void writeByte(int offset, int value) {
        switch (offset) {
            case COMMAND -> writeCommand(value & (COMMAND_START | COMMAND_TO_MEMORY));
            case STATUS -> status = status & ~(STATUS_DRIVES | value & (STATUS_ERROR | STATUS_INTERRUPT))
                    | value & STATUS_DRIVES;
            case TABLE, TABLE + 1, TABLE + 2, TABLE + 3 -> {
                int shift = (offset - TABLE) * 8;
                table = (table & ~(0xff << shift) | value << shift) & ~3;
            }
            default -> {
                // Reserved.
            }
        }
    }

    private void writeCommand(int value) {
        boolean starts = (value & ~command & COMMAND_START) != 0;
        command = value;
        if (starts) {
            status |= STATUS_ACTIVE;
            next = table;
            left = 0;
            last = false;
            run();
        } else if ((value & COMMAND_START) == 0) {
            status &= ~STATUS_ACTIVE;
        }
    }

    @Override
    public String stateName() {
        return name;
    }

    @Override
    public void save(StateWriter out) {
        out.put("command", command).put("status", status).put("table", table).put("next", next);
        out.put("address", address).put("left", left).put("last", last);
    }

    @Override
    public void restore(StateReader in) throws StateException {
        command = in.getByte("command") & (COMMAND_START | COMMAND_TO_MEMORY);
        status = in.getByte("status") & (STATUS_ACTIVE | STATUS_ERROR | STATUS_INTERRUPT | STATUS_DRIVES);
        table = in.getInt("table") & ~3;
        next = in.getInt("next") & ~3;
        address = in.getLong("address") & ADDRESSES - 1;
        left = in.getInt("left", 0, MOST_BYTES);
        last = in.getBoolean("last");
    }
}
