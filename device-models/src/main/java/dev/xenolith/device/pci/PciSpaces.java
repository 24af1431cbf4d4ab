package dev.xenolith.device.pci;

import dev.xenolith.cpu.memory.DeviceMemory;
import dev.xenolith.cpu.memory.MmioDevice;
import dev.xenolith.cpu.memory.PhysicalMap;
import dev.xenolith.device.PortBus;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.UnaryOperator;

/**
 * The I/O ports and the memory addresses at which functions' base address registers appear.
 *
 * <p>Software moves windows one register at a time, so that two may overlap for a while. Then the one that was there first answers,
 * and the other appears when its place gets free; over what the board has at fixed places a window is not seen.
 */
public final class PciSpaces {
    /** Where a function's window is. */
    private abstract static class Window {
        /** Where software wants it, and where it is; -1 for nowhere. */
        long wanted = -1;
        long place = -1;

        abstract long decoded();

        abstract boolean map(long address);

        abstract void unmap(long address);
    }

    private final PortBus ports;
    private final PhysicalMap memory;
    private final UnaryOperator<MmioDevice> charge;
    private final List<Window> windows = new ArrayList<>();

    /** @param charge puts the cost of an access before a device in memory */
    public PciSpaces(PortBus ports, PhysicalMap memory, UnaryOperator<MmioDevice> charge) {
        this.ports = ports;
        this.memory = memory;
        this.charge = charge;
    }

    /** Has {@code device} answer at BAR {@code index}, one of {@code size} I/O ports that {@link ConfigSpace#ioBar} has made. */
    public void ports(String name, ConfigSpace config, int index, int size, MmioDevice device) {
        add(config, new PortWindow(name, size, device) {
            @Override
            long decoded() {
                return config.bar(index);
            }
        });
    }

    /**
     * Has {@code device} answer at {@code count} ports from {@code first}, which no BAR can move, while {@code decoded} says so: it is
     * asked after each write to {@code config}.
     */
    public void fixedPorts(String name, ConfigSpace config, int first, int count, MmioDevice device,
            BooleanSupplier decoded) {
        add(config, new PortWindow(name, count, device) {
            @Override
            long decoded() {
                return decoded.getAsBoolean() ? first : -1;
            }
        });
    }

    /** Has {@code device} answer at BAR {@code index}, one of memory, of {@code size} bytes. */
    public void memory(String name, ConfigSpace config, int index, long size, MmioDevice device) {
        MmioDevice charged = charge.apply(device);
        add(config, new MemoryWindow(name, size, charged) {
            @Override
            long decoded() {
                return config.bar(index);
            }
        });
    }

    /** Has {@code buffer} be memory at BAR {@code index}: processors and bus masters reach it without the function. */
    public void memory(ConfigSpace config, int index, DeviceMemory buffer) {
        add(config, new Window() {
            @Override
            long decoded() {
                return config.bar(index);
            }

            @Override
            boolean map(long address) {
                boolean free = buffer.fits(address) && memory.isFree(address, buffer.size());
                if (free) {
                    buffer.place(address);
                }
                return free;
            }

            @Override
            void unmap(long address) {
                buffer.remove();
            }
        });
    }

    /** Has the bytes of {@code image} appear as the expansion ROM, which is as large as they need. */
    public void expansionRom(String name, ConfigSpace config, byte[] image) {
        int size = Math.max(Integer.highestOneBit(Math.max(image.length - 1, 1)) << 1, ConfigSpace.MIN_EXPANSION_ROM);
        config.expansionRom(size);
        add(config, new MemoryWindow(name + "-rom", size, charge.apply(new RomImage(image))) {
            @Override
            long decoded() {
                return config.expansionRomAddress();
            }
        });
    }

    private abstract class PortWindow extends Window {
        private final String name;
        private final int size;
        private final MmioDevice device;

        PortWindow(String name, int size, MmioDevice device) {
            this.name = name;
            this.size = size;
            this.device = device;
        }

        @Override
        boolean map(long address) {
            boolean free = ports.isFree((int) Math.min(address, Integer.MAX_VALUE - size), size);
            if (free) {
                ports.map(name, (int) address, size, device);
            }
            return free;
        }

        @Override
        void unmap(long address) {
            ports.unmap((int) address);
        }
    }

    private abstract class MemoryWindow extends Window {
        private final String name;
        private final long size;
        private final MmioDevice device;

        MemoryWindow(String name, long size, MmioDevice device) {
            this.name = name;
            this.size = size;
            this.device = device;
        }

        @Override
        boolean map(long address) {
            boolean free = address <= Long.MAX_VALUE - size && memory.isFree(address, size);
            if (free) {
                memory.map(name, address, size, device);
            }
            return free;
        }

        @Override
        void unmap(long address) {
            memory.unmap(address);
        }
    }

    private void add(ConfigSpace config, Window window) {
        windows.add(window);
        config.onWrite((register, length) -> {
            long decoded = window.decoded();
            if (decoded != window.wanted) {
                window.wanted = decoded;
                place(window);
            }
        });
    }

    /** Moves {@code changed}; what waited for the place it leaves gets there. */
    private void place(Window changed) {
        if (changed.place >= 0) {
            changed.unmap(changed.place);
            changed.place = -1;
        }
        for (Window window : windows) {
            if (window.place < 0 && window.wanted >= 0 && window.map(window.wanted)) {
                window.place = window.wanted;
            }
        }
    }

    /** Bytes that may only be read; those after the image's end are ones. */
    private record RomImage(byte[] image) implements MmioDevice {
        @Override
        public long read(long offset, int size) {
            long value = 0;
            for (int i = 0; i < size; i++) {
                long at = offset + i;
                value |= (at < image.length ? image[(int) at] & 0xffL : 0xffL) << i * 8;
            }
            return value;
        }

        @Override
        public void write(long offset, int size, long value) {
            // A ROM ignores writes.
        }
    }
}
