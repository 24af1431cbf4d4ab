package dev.xenolith.device.board;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xenolith.cpu.memory.MemoryLayout;
import dev.xenolith.cpu.memory.PhysicalMap;
import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.device.InterruptLine;
import dev.xenolith.device.MemoryDma;
import dev.xenolith.device.PortBus;
import dev.xenolith.device.RoundTrip;
import dev.xenolith.device.StateException;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;
import dev.xenolith.device.TestLine;
import dev.xenolith.device.TestTime;
import dev.xenolith.device.pci.ConfigSpace;
import dev.xenolith.device.pci.MessageSink;
import dev.xenolith.device.pci.PciBus;
import dev.xenolith.device.pci.PciFunction;
import dev.xenolith.device.pci.PciInterrupt;
import dev.xenolith.device.pci.PciSlot;
import dev.xenolith.device.pci.PciSpaces;
import dev.xenolith.device.pci.Piix3;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class PciWiringTest {
    /** A function that can only interrupt. */
    private static final class Card implements PciFunction {
        final ConfigSpace config = new ConfigSpace(0x1234, 0x5678, 0, 0xff_0000);
        final PciInterrupt interrupt;

        Card(PciSlot slot) {
            interrupt = new PciInterrupt(config, slot.pin(), null);
        }

        @Override
        public ConfigSpace config() {
            return config;
        }

        @Override
        public String stateName() {
            return "card";
        }

        @Override
        public void save(StateWriter out) {
            out.put(config);
        }

        @Override
        public void restore(StateReader in) throws StateException {
            in.get(config);
        }
    }

    private final List<TestLine> isa = IntStream.range(0, 16).mapToObj(i -> new TestLine()).toList();
    private final List<TestLine> apic = IntStream.range(0, 4).mapToObj(i -> new TestLine()).toList();
    private final PhysicalMemory memory = new PhysicalMemory(MemoryLayout.flat(4096));
    private final PciBus bus = new PciBus(piix3().resetControl());

    @AfterEach
    void close() {
        memory.close();
    }

    private Piix3 piix3() {
        List<InterruptLine> lines = List.copyOf(isa);
        return new Piix3(List.of(lines, lines, lines, lines), () -> {});
    }

    private PciWiring wiring(PciBus to, Piix3 bridge) {
        return new PciWiring(to, bridge, List.copyOf(apic),
                new PciSpaces(new PortBus(), new PhysicalMap(memory), UnaryOperator.identity()), new TestTime(),
                MessageSink.NONE, new MemoryDma(memory));
    }

    @Test
    void aPinLeadsToTheBridgeAndToTheIoApic() {
        Piix3 bridge = piix3();
        bridge.config().write(Piix3.PIRQRCA + 1, 1, 11);
        PciWiring wiring = wiring(bus, bridge);
        Card card = wiring.plug(2, 0, 0, Card::new);
        Card sharing = wiring.plug(6, 0, 0, Card::new);
        Card other = wiring.plug(3, 0, 0, Card::new);
        card.interrupt.set(true);
        assertThat(isa.get(11).level()).isTrue();
        assertThat(apic.get(1).level()).isTrue();
        sharing.interrupt.set(true);
        card.interrupt.set(false);
        assertThat(apic.get(1).level()).as("shared by device 6").isTrue();
        sharing.interrupt.set(false);
        assertThat(isa.get(11).level()).isFalse();
        assertThat(apic.get(1).level()).isFalse();
        other.interrupt.set(true);
        assertThat(apic.get(2).level()).isTrue();
        assertThat(isa.stream().noneMatch(TestLine::level)).as("the bridge routes it nowhere").isTrue();
    }

    @Test
    void cardsGetTheSlotsThatAreFree() {
        PciWiring wiring = wiring(bus, piix3());
        wiring.plug(3, 0, 0, Card::new);
        wiring.plug(2, Card::new);
        wiring.plug(2, Card::new);
        assertThat(bus.isTaken(2, 0)).isTrue();
        assertThat(bus.isTaken(4, 0)).isTrue();
        for (int i = 5; i < 32; i++) {
            wiring.plug(2, Card::new);
        }
        assertThatThrownBy(() -> wiring.plug(2, Card::new)).hasMessageContaining("more cards than slots");
    }

    @Test
    void whoAsksComesBack() throws StateException {
        PciWiring wiring = wiring(bus, piix3());
        wiring.plug(2, 0, 0, Card::new).interrupt.set(true);
        Piix3 bridge = piix3();
        PciBus otherBus = new PciBus(bridge.resetControl());
        PciWiring other = wiring(otherBus, bridge);
        Card card = other.plug(2, 0, 0, Card::new);
        RoundTrip.check(wiring, other);
        card.interrupt.set(true);
        card.interrupt.set(false);
        assertThat(apic.get(1).level()).isFalse();
    }
}
