package dev.xenolith.dom0.host;

import dev.xenolith.device.board.Machine;
import dev.xenolith.device.pci.PciFunction;
import dev.xenolith.device.pci.PciSlot;
import dev.xenolith.dom0.net.CardPort;
import dev.xenolith.dom0.net.NetworkContext;
import dev.xenolith.dom0.net.NetworkException;
import dev.xenolith.dom0.xl.FileProblem;
import dev.xenolith.dom0.xl.ToolstackException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The network cards of a bare machine and what their cables lead to: the same bridges, NAT and TAP that domains have. */
final class MachineNetwork implements AutoCloseable {
    private final List<NicSpec> specs;
    private final List<CardPort> cables = new ArrayList<>();
    private final List<Function<PciSlot, ? extends PciFunction>> cards = new ArrayList<>();
    private final NetworkOptions options;
    private @Nullable HostNetwork network;

    /** Reads the boot ROMs. */
    MachineNetwork(List<NicSpec> specs, NetworkOptions options) {
        this.specs = specs;
        this.options = options;
        for (NicSpec spec : specs) {
            byte[] rom = rom(spec.rom());
            CardPort cable = new CardPort("nic" + cables.size());
            cables.add(cable);
            cards.add(slot -> spec.model().build(slot, spec.address(), cable, rom));
        }
    }

    private static byte @Nullable [] rom(@Nullable Path file) {
        try {
            return file == null ? null : Files.readAllBytes(file);
        } catch (IOException e) {
            throw ToolstackException.failure("--nic: rom: " + file + ": " + FileProblem.of(e));
        }
    }

    /** The cards for a board's slots. */
    List<Function<PciSlot, ? extends PciFunction>> cards() {
        return cards;
    }

    /**
     * Connects the cables, once the board that has the cards is built and before it runs.
     *
     * @return ends when ports of this host have been bound that lead to guests; fails with {@link NetworkException}
     */
    CompletableFuture<?> attach(Machine machine) {
        if (specs.isEmpty()) {
            return CompletableFuture.completedFuture(null);
        }
        HostNetwork opened = new HostNetwork(NetworkContext.of(machine), options);
        network = opened;
        try {
            for (int i = 0; i < specs.size(); i++) {
                cables.get(i).attach(opened.bridges().bridge(specs.get(i).bridge()));
            }
        } catch (NetworkException e) {
            throw ToolstackException.failure("--nic: " + e.getMessage());
        }
        return opened.open();
    }

    /** Ends it all, when the machine does not run any more. */
    @Override
    public void close() {
        HostNetwork open = network;
        if (open != null) {
            open.close();
            open.closeSockets();
        }
    }
}
