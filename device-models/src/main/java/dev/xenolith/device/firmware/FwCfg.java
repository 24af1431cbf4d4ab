package dev.xenolith.device.firmware;

import dev.xenolith.cpu.memory.MmioDevice;
import dev.xenolith.device.Dma;
import dev.xenolith.device.Saveable;
import dev.xenolith.device.StateException;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Supplier;

/**
 * The firmware configuration device of QEMU (docs/specs/fw_cfg.rst): items of bytes behind a selector, a data port and a DMA
 * interface, and a directory of named ones. All items are read-only.
 */
public final class FwCfg implements Saveable {
    /** Ports: selector and data, DMA address. */
    public static final int PORT = 0x510;
    public static final int PORTS = 2;
    public static final int DMA_PORT = 0x514;
    public static final int DMA_PORTS = 8;

    /** Keys. */
    public static final int SIGNATURE = 0x00;
    public static final int ID = 0x01;
    public static final int UUID = 0x02;
    public static final int RAM_SIZE = 0x03;
    public static final int NOGRAPHIC = 0x04;
    public static final int NB_CPUS = 0x05;
    public static final int BOOT_MENU = 0x0e;
    public static final int MAX_CPUS = 0x0f;
    public static final int FILE_DIR = 0x19;
    public static final int IRQ0_OVERRIDE = 0x8002;

    private static final int FILE_FIRST = 0x20;
    private static final int FILE_NAME = 56;
    private static final int FILE_ENTRY = 64;
    private static final int VERSION_TRADITIONAL = 1;
    private static final int VERSION_DMA = 1 << 1;
    private static final long DMA_SIGNATURE = 0x5145_4d55_2043_4647L;

    private static final int DMA_ERROR = 1;
    private static final int DMA_READ = 1 << 1;
    private static final int DMA_SKIP = 1 << 2;
    private static final int DMA_SELECT = 1 << 3;
    private static final int DMA_WRITE = 1 << 4;
    private static final int DMA_DESCRIPTOR = 16;
    private static final int CHUNK = 4096;

    private final Dma memory;
    private final Map<Integer, byte[]> items = new TreeMap<>();
    private final Map<String, Integer> files = new TreeMap<>();
    private final Map<Integer, Supplier<byte[]>> changing = new HashMap<>();
    private int selected;
    private int position;
    private long dmaAddress;

    public FwCfg(Dma memory) {
        this.memory = memory;
        put(SIGNATURE, "QEMU".getBytes(StandardCharsets.US_ASCII));
        putInt(ID, VERSION_TRADITIONAL | VERSION_DMA);
        writeDirectory();
    }

    /** Sets the item {@code key}. */
    public void put(int key, byte[] item) {
        items.put(key, item.clone());
    }

    /** Sets an item of 2 bytes. */
    public void putShort(int key, int value) {
        put(key, littleEndian(2).putShort((short) value).array());
    }

    /** Sets an item of 4 bytes. */
    public void putInt(int key, int value) {
        put(key, littleEndian(4).putInt(value).array());
    }

    /** Sets an item of 8 bytes. */
    public void putLong(int key, long value) {
        put(key, littleEndian(8).putLong(value).array());
    }

    private static ByteBuffer littleEndian(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Adds a file; {@code name} has at most 55 bytes. */
    public void putFile(String name, byte[] content) {
        if (name.length() >= FILE_NAME) {
            throw new IllegalArgumentException("the name of a fw_cfg file has at most 55 bytes: " + name);
        }
        int key = files.computeIfAbsent(name, n -> FILE_FIRST + files.size());
        put(key, content);
        writeDirectory();
    }

    /** Adds a file whose content is asked for each time that software turns to it; its length does not change. */
    public void putFile(String name, Supplier<byte[]> content) {
        putFile(name, content.get());
        changing.put(Objects.requireNonNull(files.get(name)), content);
    }

    /** Big-endian: a count, then per file its size, key, two bytes reserved, and name. */
    private void writeDirectory() {
        ByteBuffer directory = ByteBuffer.allocate(4 + files.size() * FILE_ENTRY);
        directory.putInt(files.size());
        files.forEach((name, key) -> {
            int start = directory.position();
            directory.putInt(item(key).length).putShort((short) (int) key).putShort((short) 0);
            directory.put(name.getBytes(StandardCharsets.US_ASCII));
            directory.position(start + FILE_ENTRY);
        });
        put(FILE_DIR, directory.array());
    }

    private byte[] item(int key) {
        return items.getOrDefault(key, new byte[0]);
    }

    private void select(int key) {
        selected = key & 0xffff;
        position = 0;
        refresh();
    }

    private void refresh() {
        Supplier<byte[]> content = changing.get(selected);
        if (content != null) {
            put(selected, content.get());
        }
    }

    private int nextByte() {
        byte[] item = item(selected);
        return position < item.length ? item[position++] & 0xff : 0;
    }

    /** Two ports: the selector takes 16 bits at the first, the data is a byte at the second. */
    public MmioDevice registers() {
        return new MmioDevice() {
            @Override
            public long read(long offset, int size) {
                return size == 1 && offset == 1 ? nextByte() : 0;
            }

            @Override
            public void write(long offset, int size, long value) {
                if (size == 2) {
                    select((int) value);
                }
            }
        };
    }

    /** Eight ports, big-endian: the address of a descriptor; writing its lower half starts the transfer. */
    public MmioDevice dma() {
        return new MmioDevice() {
            @Override
            public long read(long offset, int size) {
                long rest = DMA_SIGNATURE << offset * 8 >>> 64 - size * 8;
                return Long.reverseBytes(rest) >>> 64 - size * 8;
            }

            @Override
            public void write(long offset, int size, long value) {
                if (size != 4 || (offset & 3) != 0) {
                    return;
                }
                long half = Integer.reverseBytes((int) value) & 0xffff_ffffL;
                if (offset == 0) {
                    dmaAddress = half << 32;
                } else {
                    long address = dmaAddress | half;
                    dmaAddress = 0;
                    transfer(address);
                }
            }
        };
    }

    private void transfer(long address) {
        byte[] descriptor = new byte[DMA_DESCRIPTOR];
        memory.read(address, descriptor, 0, DMA_DESCRIPTOR);
        ByteBuffer fields = ByteBuffer.wrap(descriptor);
        int control = fields.getInt();
        long length = fields.getInt() & 0xffff_ffffL;
        long target = fields.getLong();
        if ((control & DMA_SELECT) != 0) {
            select(control >>> 16);
        }
        int result = 0;
        if ((control & DMA_READ) != 0) {
            copy(target, length);
        } else if ((control & DMA_SKIP) != 0) {
            position = (int) Math.min(item(selected).length, position + length);
        } else if ((control & DMA_WRITE) != 0) {
            result = DMA_ERROR;
        }
        memory.write(address, ByteBuffer.allocate(4).putInt(result).array(), 0, 4);
    }

    /** What is beyond the item reads as zeros. */
    private void copy(long target, long length) {
        byte[] item = item(selected);
        byte[] chunk = new byte[CHUNK];
        for (long done = 0; done < length; done += CHUNK) {
            int size = (int) Math.min(CHUNK, length - done);
            int available = Math.min(size, item.length - position);
            System.arraycopy(item, position, chunk, 0, available);
            Arrays.fill(chunk, available, size, (byte) 0);
            position += available;
            memory.write(target + done, chunk, 0, size);
        }
    }

    @Override
    public String stateName() {
        return "fwCfg";
    }

    @Override
    public void save(StateWriter out) {
        out.put("selected", selected).put("position", position).put("dmaAddress", dmaAddress);
    }

    @Override
    public void restore(StateReader in) throws StateException {
        selected = in.getInt("selected", 0, 0xffff);
        refresh();
        position = in.getInt("position", 0, item(selected).length);
        dmaAddress = in.getLong("dmaAddress");
    }
}
