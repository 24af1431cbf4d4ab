package dev.xenolith.device.firmware;

import dev.xenolith.cpu.memory.MmioDevice;
import java.util.function.IntConsumer;

/**
 * The port through which a test ends its machine, as QEMU's isa-debug-exit: writing {@code value} ends it with the exit code
 * {@code value << 1 | 1}, which is never 0. It has no state.
 */
public record DebugExit(IntConsumer exit) implements MmioDevice {
    /** Where such a device is by default, and where kvm-unit-tests expects it. */
    public static final int DEFAULT_PORT = 0x501;
    public static final int TESTS_PORT = 0xf4;
    /** Ports. */
    public static final int PORTS = 4;

    @Override
    public long read(long offset, int size) {
        return 0;
    }

    @Override
    public void write(long offset, int size, long value) {
        exit.accept((int) value << 1 | 1);
    }
}
