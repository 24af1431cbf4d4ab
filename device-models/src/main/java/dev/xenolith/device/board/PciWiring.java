package dev.xenolith.device.board;

import dev.xenolith.device.Clock;
import dev.xenolith.device.Dma;
import dev.xenolith.device.InterruptLine;
import dev.xenolith.device.Saveable;
import dev.xenolith.device.SharedLine;
import dev.xenolith.device.StateException;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;
import dev.xenolith.device.firmware.BoardDescription;
import dev.xenolith.device.pci.MessageSink;
import dev.xenolith.device.pci.PciBus;
import dev.xenolith.device.pci.PciFunction;
import dev.xenolith.device.pci.PciSlot;
import dev.xenolith.device.pci.PciSpaces;
import dev.xenolith.device.pci.Piix3;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** The slots of a board: what leads from each to the bus, to the interrupt wires, to the processors and to memory. */
final class PciWiring implements Saveable {
    private static final int DEVICES = 32;

    private final PciBus bus;
    private final PciSpaces spaces;
    private final Clock clock;
    private final MessageSink messages;
    private final Dma memory;
    private final List<SharedLine> pirqs = new ArrayList<>();

    /**
     * @param apicInputs where PIRQA# to PIRQD# lead besides the bridge, which makes ISA interrupts of them
     */
    PciWiring(PciBus bus, Piix3 bridge, List<InterruptLine> apicInputs, PciSpaces spaces, Clock clock,
            MessageSink messages, Dma memory) {
        this.bus = bus;
        this.spaces = spaces;
        this.clock = clock;
        this.messages = messages;
        this.memory = memory;
        for (int i = 0; i < Piix3.PIRQS; i++) {
            InterruptLine toBridge = bridge.pirq(i);
            InterruptLine toApic = apicInputs.get(i);
            pirqs.add(new SharedLine(asserted -> {
                toBridge.set(asserted);
                toApic.set(asserted);
            }));
        }
    }

    /** Plugs a function in that {@code build} makes; {@code pin} is its interrupt's, 0 for INTA#. */
    <T extends PciFunction> T plug(int device, int function, int pin, Function<PciSlot, T> build) {
        InterruptLine wire = pirqs.get(BoardDescription.pirq(device, pin)).source();
        T made = build.apply(new PciSlot(clock, spaces, wire, messages, memory));
        bus.add(device, function, made);
        return made;
    }

    /** Plugs a card into the first slot that is free from device {@code first} on. */
    void plug(int first, Function<PciSlot, ? extends PciFunction> build) {
        int device = first;
        while (bus.isTaken(device, 0)) {
            if (++device == DEVICES) {
                throw new IllegalArgumentException("more cards than slots");
            }
        }
        plug(device, 0, 0, build);
    }

    @Override
    public String stateName() {
        return "pciWiring";
    }

    @Override
    public void save(StateWriter out) {
        out.put("pirqLines", pirqs.stream().mapToLong(SharedLine::asserted).toArray());
    }

    @Override
    public void restore(StateReader in) throws StateException {
        long[] lines = new long[Piix3.PIRQS];
        in.get("pirqLines", lines);
        for (int i = 0; i < Piix3.PIRQS; i++) {
            pirqs.get(i).restore(lines[i]);
        }
    }
}
