package dev.xenolith.device.firmware;

import dev.xenolith.cpu.memory.MmioDevice;
import dev.xenolith.device.ByteRegisters;
import dev.xenolith.device.InterruptLine;
import dev.xenolith.device.Saveable;
import dev.xenolith.device.StateException;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;
import java.util.List;

/**
 * What tests of processors and interrupt controllers want of a machine, at the places of QEMU's pc-testdev: a register behind
 * ports, memory behind a device's window, and a port per interrupt line. Its fourth part, ports that have a hypervisor forget a
 * page, has nothing to forget here.
 */
public final class TestDevice implements Saveable {
    /** The register: 32 bits that can be written and read in any part. */
    public static final int REGISTER_PORT = 0xe0;
    public static final int REGISTER_PORTS = 4;
    /** Where a 32-bit address of a page is written. */
    public static final int FLUSH_PORT = 0xe4;
    public static final int FLUSH_PORTS = 4;
    /** A port per line; any value but 0 asserts it, 0 takes it back. */
    public static final int LINES_PORT = 0x2000;
    /** The window: bytes that can be written and read. */
    public static final long WINDOW = 0xff00_0000L;
    public static final int WINDOW_SIZE = 0x1_0000;

    private final List<InterruptLine> lines;
    private final byte[] register = new byte[REGISTER_PORTS];
    private final byte[] window = new byte[WINDOW_SIZE];
    private long asserted;

    /** @param lines at most 64, in the order of their ports */
    public TestDevice(List<InterruptLine> lines) {
        this.lines = List.copyOf(lines);
    }

    private record Bytes(byte[] content) implements ByteRegisters {
        @Override
        public int readByte(int offset) {
            return content[offset] & 0xff;
        }

        @Override
        public void writeByte(int offset, int value) {
            content[offset] = (byte) value;
        }
    }

    public MmioDevice register() {
        return new Bytes(register);
    }

    public MmioDevice window() {
        return new Bytes(window);
    }

    /** Registers that read as 0. */
    @FunctionalInterface
    private interface WriteOnly extends ByteRegisters {
        @Override
        default int readByte(int offset) {
            return 0;
        }
    }

    /** Takes what is written and does nothing: no translation is kept that software has not asked for. */
    public MmioDevice flush() {
        WriteOnly nothing = (offset, value) -> {};
        return nothing;
    }

    /** As many ports as there are lines. */
    public MmioDevice lines() {
        WriteOnly ports = (offset, value) -> setLine(offset, value != 0);
        return ports;
    }

    private void setLine(int line, boolean level) {
        long bit = 1L << line;
        asserted = level ? asserted | bit : asserted & ~bit;
        lines.get(line).set(level);
    }

    @Override
    public String stateName() {
        return "testDevice";
    }

    @Override
    public void save(StateWriter out) {
        out.put("register", register);
        out.put("window", window);
        out.put("lines", asserted);
    }

    @Override
    public void restore(StateReader in) throws StateException {
        in.get("register", register);
        in.get("window", window);
        asserted = in.getLong("lines");
        if (lines.size() < Long.SIZE && asserted >>> lines.size() != 0) {
            throw new StateException("testDevice: lines that there are not");
        }
        for (int i = 0; i < lines.size(); i++) {
            lines.get(i).set((asserted >>> i & 1) != 0);
        }
    }
}
