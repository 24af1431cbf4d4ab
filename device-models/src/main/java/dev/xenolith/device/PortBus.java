package dev.xenolith.device;

import dev.xenolith.cpu.memory.MmioDevice;
import dev.xenolith.cpu.processor.IoBus;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Routes the 64 Ki I/O ports to devices. Ports that nobody claims read as ones, and writes to them are lost. An access goes to a
 * device as it is if all of its ports are the device's; otherwise it is split into bytes, each for who claims it.
 */
public final class PortBus implements IoBus {
    private static final int PORTS = 1 << 16;

    /** A device's ports, {@code first} to {@code first + count - 1}. */
    private record Window(String name, int first, int count, MmioDevice device) {
        boolean contains(int port, int size) {
            return port >= first && port + size <= first + count;
        }
    }

    /** 1 + index into {@link #windows} of each port's window, 0 for none. */
    private final byte[] owners = new byte[PORTS];
    private final List<@Nullable Window> windows = new ArrayList<>();

    /**
     * Gives {@code device} the {@code count} ports from {@code first}. Throws {@link IllegalArgumentException} if there are no such
     * ports or one is taken.
     */
    public void map(int first, int count, MmioDevice device) {
        map(device.getClass().getSimpleName(), first, count, device);
    }

    /** The same for a device that is called {@code name} where accesses are told of. */
    public void map(String name, int first, int count, MmioDevice device) {
        if (first < 0 || count <= 0 || first + count > PORTS) {
            throw new IllegalArgumentException("not a range of ports: 0x" + Integer.toHexString(first) + ", " + count);
        }
        for (int port = first; port < first + count; port++) {
            if (owners[port] != 0) {
                throw new IllegalArgumentException("port 0x" + Integer.toHexString(port) + " is taken");
            }
        }
        int slot = windows.indexOf(null);
        if (slot < 0) {
            slot = windows.size();
            if (slot == 255) {
                throw new IllegalArgumentException("more than 255 ranges of ports");
            }
            windows.add(null);
        }
        windows.set(slot, new Window(name, first, count, device));
        for (int port = first; port < first + count; port++) {
            owners[port] = (byte) (slot + 1);
        }
    }

    /** Takes away the ports of the range that begins at {@code first}; does nothing if none does. */
    public void unmap(int first) {
        Window window = find(first);
        if (window == null || window.first != first) {
            return;
        }
        windows.set(windows.indexOf(window), null);
        for (int port = first; port < first + window.count; port++) {
            owners[port] = 0;
        }
    }

    /** Whether all {@code count} ports from {@code first} are unclaimed. */
    public boolean isFree(int first, int count) {
        for (int port = first; port < first + count; port++) {
            if (port >= PORTS || owners[port] != 0) {
                return false;
            }
        }
        return true;
    }

    /** Name of the device at {@code port}, or null. */
    public @Nullable String nameAt(int port) {
        Window window = find(port);
        return window == null ? null : window.name;
    }

    private @Nullable Window find(int port) {
        int owner = owners[port & PORTS - 1] & 0xff;
        return owner == 0 ? null : windows.get(owner - 1);
    }

    @Override
    public long in(int port, int size) {
        Window window = find(port);
        long ones = (1L << size * 8) - 1;
        if (window != null && window.contains(port, size)) {
            return window.device.read(port - window.first, size) & ones;
        }
        if (size == 1) {
            return ones;
        }
        long value = 0;
        for (int i = 0; i < size; i++) {
            value |= in(port + i & PORTS - 1, 1) << i * 8;
        }
        return value;
    }

    @Override
    public void out(int port, int size, long value) {
        Window window = find(port);
        if (window != null && window.contains(port, size)) {
            window.device.write(port - window.first, size, value & (1L << size * 8) - 1);
        } else if (size > 1) {
            for (int i = 0; i < size; i++) {
                out(port + i & PORTS - 1, 1, value >>> i * 8 & 0xff);
            }
        }
    }
}
