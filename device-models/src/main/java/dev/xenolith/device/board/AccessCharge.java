package dev.xenolith.device.board;

import dev.xenolith.cpu.memory.MmioDevice;
import dev.xenolith.cpu.processor.IoBus;
import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.cpu.time.MachineClock;
import org.jspecify.annotations.Nullable;

/**
 * What an access to a device takes of machine time, in front of the device. It comes out of the turn of the processor that makes it:
 * a turn is counted in instructions, so one whose time is over by charges is ended here.
 */
final class AccessCharge {
    /** Nanoseconds of a cycle on the ISA bus, and of one on PCI. */
    static final long PORT = 500;
    static final long MEMORY = 100;

    private final MachineClock clock;
    private @Nullable Processor running;
    private long turnEnd = Long.MAX_VALUE;

    AccessCharge(MachineClock clock) {
        this.clock = clock;
    }

    /** {@code processor} has its turn until {@code end}; null: nobody has one. */
    void turn(@Nullable Processor processor, long end) {
        running = processor;
        turnEnd = end;
    }

    private void take(long nanoseconds) {
        clock.advance(nanoseconds);
        Processor processor = running;
        if (clock.now() >= turnEnd && processor != null) {
            processor.request();
        }
    }

    IoBus ports(IoBus bus) {
        return new IoBus() {
            @Override
            public long in(int port, int size) {
                take(PORT);
                return bus.in(port, size);
            }

            @Override
            public void out(int port, int size, long value) {
                take(PORT);
                bus.out(port, size, value);
            }
        };
    }

    MmioDevice memory(MmioDevice device) {
        return new MmioDevice() {
            @Override
            public long read(long offset, int size) {
                take(MEMORY);
                return device.read(offset, size);
            }

            @Override
            public void write(long offset, int size, long value) {
                take(MEMORY);
                device.write(offset, size, value);
            }
        };
    }
}
