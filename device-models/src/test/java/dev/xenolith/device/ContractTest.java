package dev.xenolith.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xenolith.cpu.memory.MemoryLayout;
import dev.xenolith.cpu.memory.MmioDevice;
import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.cpu.time.MachineClock;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ContractTest {
    /** Remembers accesses; reads give offset and size. */
    private static final class Recorder implements MmioDevice {
        final List<String> accesses = new ArrayList<>();

        @Override
        public long read(long offset, int size) {
            accesses.add("r" + offset + "/" + size);
            return offset << 4 | size;
        }

        @Override
        public void write(long offset, int size, long value) {
            accesses.add("w" + offset + "/" + size + "=" + Long.toHexString(value));
        }
    }

    @Test
    void unclaimedPortsReadAsOnes() {
        PortBus bus = new PortBus();
        assertThat(bus.in(0x80, 1)).isEqualTo(0xff);
        assertThat(bus.in(0x80, 2)).isEqualTo(0xffff);
        assertThat(bus.in(0xffff, 4)).isEqualTo(0xffff_ffffL);
        bus.out(0xffff, 4, -1);
    }

    @Test
    void anAccessThatReachesOverADeviceIsSplit() {
        PortBus bus = new PortBus();
        Recorder first = new Recorder();
        Recorder second = new Recorder();
        bus.map(0x100, 4, first);
        bus.map(0x104, 1, second);
        assertThat(bus.in(0x100, 4)).isEqualTo(0x04);
        assertThat(bus.in(0x102, 4)).isEqualTo(0xff_01_31_21L);
        bus.out(0x103, 2, 0xabcd);
        assertThat(first.accesses).containsExactly("r0/4", "r2/1", "r3/1", "w3/1=cd");
        assertThat(second.accesses).containsExactly("r0/1", "w0/1=ab");
    }

    @Test
    void portsHaveOneOwnerUntilUnmapped() {
        PortBus bus = new PortBus();
        bus.map(0x100, 4, new Recorder());
        assertThatThrownBy(() -> bus.map(0x0fe, 3, new Recorder())).hasMessageContaining("0x100 is taken");
        assertThatThrownBy(() -> bus.map(0xffff, 2, new Recorder())).isInstanceOf(IllegalArgumentException.class);
        bus.unmap(0x101);
        assertThat(bus.isFree(0x103, 1)).isFalse();
        bus.unmap(0x100);
        assertThat(bus.isFree(0x100, 4)).isTrue();
        assertThat(bus.in(0x100, 1)).isEqualTo(0xff);
    }

    @Test
    void byteRegistersSeeByteCycles() {
        List<String> cycles = new ArrayList<>();
        ByteRegisters device = new ByteRegisters() {
            @Override
            public int readByte(int offset) {
                return 0x10 + offset;
            }

            @Override
            public void writeByte(int offset, int value) {
                cycles.add(offset + "=" + value);
            }
        };
        assertThat(device.read(1, 2)).isEqualTo(0x1211);
        device.write(0, 2, 0x0201);
        assertThat(cycles).containsExactly("0=1", "1=2");
    }

    @Test
    void timersExpireInTheOrderOfTheirDeadlines() {
        MachineClock clock = new MachineClock();
        ClockTimers timers = new ClockTimers(clock);
        List<String> order = new ArrayList<>();
        Clock.Timer late = timers.timer(() -> order.add("late"));
        Clock.Timer early = timers.timer(() -> order.add("early"));
        Clock.Timer cancelled = timers.timer(() -> order.add("cancelled"));
        int[] sooner = new int[1];
        timers.onSooner(() -> sooner[0]++);
        late.set(20);
        early.set(10);
        cancelled.set(10);
        cancelled.cancel();
        assertThat(sooner[0]).isEqualTo(2);
        assertThat(timers.nextDeadline()).isEqualTo(10);
        clock.advanceTo(9);
        timers.expire();
        assertThat(order).isEmpty();
        clock.advanceTo(30);
        timers.expire();
        assertThat(order).containsExactly("early", "late");
        assertThat(timers.nextDeadline()).isEqualTo(Clock.NEVER);
        assertThat(late.isArmed()).isFalse();
    }

    @Test
    void aTimerMayRearmItself() {
        MachineClock clock = new MachineClock();
        ClockTimers timers = new ClockTimers(clock);
        int[] count = new int[1];
        Clock.Timer[] timer = new Clock.Timer[1];
        timer[0] = timers.timer(() -> {
            if (++count[0] < 3) {
                timer[0].set(count[0]);
            }
        });
        timer[0].set(0);
        clock.advanceTo(5);
        timers.expire();
        assertThat(count[0]).isEqualTo(3);
    }

    @Test
    void aSharedLineIsAssertedWhileAnySourceAsks() {
        TestLine line = new TestLine();
        SharedLine shared = new SharedLine(line);
        InterruptLine a = shared.source();
        InterruptLine b = shared.source();
        a.set(true);
        b.set(true);
        a.set(false);
        assertThat(line.level()).isTrue();
        b.set(false);
        assertThat(line.level()).isFalse();
        assertThat(line.takeRises()).isEqualTo(1);
    }

    @Test
    void dmaOutsideMemoryReadsOnesAndLosesWrites() {
        try (PhysicalMemory memory = new PhysicalMemory(new MemoryLayout(List.of(
                new MemoryLayout.Region(0, 0x2000, MemoryLayout.Kind.RAM),
                new MemoryLayout.Region(0x3000, 0x1000, MemoryLayout.Kind.ROM))))) {
            Dma dma = new MemoryDma(memory);
            dma.write(0x1ffe, new byte[]{1, 2, 3, 4}, 0, 4);
            byte[] read = new byte[5];
            dma.read(0x1ffe, read, 1, 4);
            assertThat(read).containsExactly(0, 1, 2, -1, -1);
            dma.write(0x3000, new byte[]{7}, 0, 1);
            assertThat(memory.read8(0x3000)).isZero();
            dma.read(-1, read, 0, 1);
            assertThat(read[0]).isEqualTo((byte) -1);
        }
    }

    /** Something with each kind of field. */
    private static final class Thing implements Saveable {
        final String name;
        final int version;
        long number;
        int[] numbers = {0, 0};
        byte[] bytes = {0};

        Thing(String name, int version) {
            this.name = name;
            this.version = version;
        }

        @Override
        public String stateName() {
            return name;
        }

        @Override
        public int stateVersion() {
            return version;
        }

        @Override
        public void save(StateWriter out) {
            out.put("number", number).put("numbers", numbers).put("bytes", bytes);
            if (name.equals("outer")) {
                out.put(new Thing("inner", 1));
            }
        }

        @Override
        public void restore(StateReader in) throws StateException {
            number = in.getInt("number", -5, 5);
            in.get("numbers", numbers);
            in.get("bytes", bytes);
            if (name.equals("outer")) {
                in.get(new Thing("inner", 1));
            }
        }
    }

    @Test
    void stateComesBack() throws StateException {
        Thing thing = new Thing("outer", 1);
        thing.number = -5;
        thing.numbers = new int[]{-1, 7};
        thing.bytes = new byte[]{9};
        Thing copy = RoundTrip.check(thing, new Thing("outer", 1));
        assertThat(copy.number).isEqualTo(-5);
        assertThat(copy.numbers).containsExactly(-1, 7);
    }

    @Test
    void stateThatDoesNotFitIsRefusedByName() {
        Thing thing = new Thing("outer", 2);
        thing.number = 6;
        byte[] saved = StateWriter.save(thing);
        assertThatThrownBy(() -> StateReader.restore(new Thing("outer", 1), saved)).isInstanceOf(StateException.class)
                .hasMessage("outer: saved as version 2, this is 1");
        assertThatThrownBy(() -> StateReader.restore(new Thing("outer", 2), saved))
                .hasMessage("outer.number is 6, not in -5..5");
        assertThatThrownBy(() -> StateReader.restore(new Thing("other", 2), saved))
                .hasMessage("this is the state of outer, not of other");
        thing.number = 0;
        thing.numbers = new int[3];
        assertThatThrownBy(() -> StateReader.restore(new Thing("outer", 2), StateWriter.save(thing)))
                .hasMessage("outer.numbers has 3 elements, not 2");
    }

    @Test
    void truncatedStateIsRefusedWhereverItEnds() {
        byte[] saved = StateWriter.save(new Thing("outer", 1));
        for (int length = 0; length < saved.length; length++) {
            byte[] truncated = java.util.Arrays.copyOf(saved, length);
            assertThatThrownBy(() -> StateReader.restore(new Thing("outer", 1), truncated))
                    .isInstanceOf(StateException.class);
        }
    }
}
