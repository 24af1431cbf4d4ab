package dev.xenolith.device.pci;

import dev.xenolith.cpu.memory.MmioDevice;
import dev.xenolith.device.ByteRegisters;
import dev.xenolith.device.Saveable;
import dev.xenolith.device.StateException;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * PCI bus 0 and configuration mechanism #1 (PCI Local Bus Specification 3.0, 3.2.2.3.2) at ports 0xcf8 to 0xcff: CONFIG_ADDRESS takes
 * accesses of 32 bits only, CONFIG_DATA of any size. Functions that are not there read as ones.
 */
public final class PciBus implements MmioDevice, Saveable {
    /** Ports of the registers. */
    public static final int PORT = 0xcf8;
    public static final int PORTS = 8;

    private static final int CONFIG_DATA = 4;
    private static final int RESET_CONTROL = 1;
    private static final int ENABLE = 1 << 31;
    private static final int ADDRESS_MASK = 0x80ff_fffc;
    private static final int DEVICES = 32;
    private static final int FUNCTIONS = 8;

    private final TreeMap<Integer, PciFunction> functions = new TreeMap<>();
    private final ByteRegisters resetControl;
    private int address;

    /** @param resetControl what answers bytes at port 0xcf9, between CONFIG_ADDRESS's own */
    public PciBus(ByteRegisters resetControl) {
        this.resetControl = resetControl;
    }

    /** Plugs in a function. Devices are 0 to 31, functions 0 to 7; a device has a function 0. */
    public void add(int device, int function, PciFunction added) {
        if (device < 0 || device >= DEVICES || function < 0 || function >= FUNCTIONS
                || functions.putIfAbsent(device << 3 | function, added) != null) {
            throw new IllegalArgumentException("PCI device " + device + ", function " + function);
        }
    }

    /** Whether a function is plugged in there. */
    public boolean isTaken(int device, int function) {
        return functions.containsKey(device << 3 | function);
    }

    private @Nullable PciFunction selected() {
        boolean onThisBus = (address & (ENABLE | 0xff_0000)) == ENABLE;
        return onThisBus ? functions.get(address >>> 8 & 0xff) : null;
    }

    @Override
    public long read(long offset, int size) {
        if (offset >= CONFIG_DATA) {
            PciFunction function = selected();
            int register = (address & 0xfc) + (int) offset - CONFIG_DATA;
            return function == null ? -1 : function.config().get(register, size);
        }
        if (size == 4) {
            return address;
        }
        return size == 1 && offset == RESET_CONTROL ? resetControl.readByte(0) : -1;
    }

    @Override
    public void write(long offset, int size, long value) {
        if (offset >= CONFIG_DATA) {
            PciFunction function = selected();
            if (function != null) {
                function.config().write((address & 0xfc) + (int) offset - CONFIG_DATA, size, (int) value);
            }
        } else if (size == 4) {
            address = (int) value & ADDRESS_MASK;
        } else if (size == 1 && offset == RESET_CONTROL) {
            resetControl.writeByte(0, (int) value & 0xff);
        }
    }

    /** A function's state under the name of its place, since two may be of one make. */
    private record Slot(int number, PciFunction function) implements Saveable {
        @Override
        public String stateName() {
            return String.format("%02x.%d", number >>> 3, number & FUNCTIONS - 1);
        }

        @Override
        public void save(StateWriter out) {
            out.put(function);
        }

        @Override
        public void restore(StateReader in) throws StateException {
            in.get(function);
        }
    }

    private List<Slot> slots() {
        return functions.entrySet().stream().map(each -> new Slot(each.getKey(), each.getValue())).toList();
    }

    @Override
    public String stateName() {
        return "pci";
    }

    @Override
    public void save(StateWriter out) {
        out.put("address", address);
        slots().forEach(out::put);
    }

    @Override
    public void restore(StateReader in) throws StateException {
        address = in.getInt("address") & ADDRESS_MASK;
        for (Slot each : slots()) {
            in.get(each);
        }
    }
}
