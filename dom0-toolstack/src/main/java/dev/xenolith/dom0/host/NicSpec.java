package dev.xenolith.dom0.host;

import dev.xenolith.device.network.MacAddress;
import dev.xenolith.device.network.NetworkLink;
import dev.xenolith.device.network.e1000.E1000;
import dev.xenolith.device.pci.PciFunction;
import dev.xenolith.device.pci.PciSlot;
import dev.xenolith.dom0.net.Bridges;
import dev.xenolith.dom0.net.packet.Mac;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A network card of a bare machine, as {@code --nic} names it.
 *
 * @param bridge the name of the bridge that its cable leads to
 * @param rom the image of its boot ROM, null for none
 */
record NicSpec(Model model, String bridge, MacAddress address, @Nullable Path rom) {
    /** The first address that is given to a card of which nothing else is said; others follow. */
    private static final long FIRST_ADDRESS = 0x5254_0058_4c00L;

    /** What there is. */
    enum Model {
        E1000 {
            @Override
            PciFunction build(PciSlot slot, MacAddress address, NetworkLink link, byte @Nullable [] rom) {
                return new E1000(slot, address, link, rom);
            }
        };

        abstract PciFunction build(PciSlot slot, MacAddress address, NetworkLink link, byte @Nullable [] rom);

        String optionName() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * Reads {@code MODEL[,bridge=NAME][,mac=ADDRESS][,rom=FILE]}.
     *
     * @param index of the card, from 0
     * @param files where a file is that is named
     * @throws IllegalArgumentException with the option, what was expected and found
     */
    static NicSpec parse(String text, int index, Function<String, Path> files) {
        String[] parts = text.split(",", -1);
        String bridge = Bridges.DEFAULT_NAME;
        MacAddress address = new MacAddress(FIRST_ADDRESS + index);
        Path rom = null;
        for (int i = 1; i < parts.length; i++) {
            int equals = parts[i].indexOf('=');
            String key = equals < 0 ? parts[i] : parts[i].substring(0, equals);
            String value = equals < 0 ? "" : parts[i].substring(equals + 1);
            switch (key) {
                case "bridge" -> bridge = value;
                case "mac" -> address = address(value);
                case "rom" -> rom = files.apply(value);
                default -> throw new IllegalArgumentException(
                        "--nic: expected bridge=NAME, mac=ADDRESS or rom=FILE, found '" + parts[i] + "'");
            }
        }
        return new NicSpec(model(parts[0]), bridge, address, rom);
    }

    private static MacAddress address(String text) {
        OptionalLong bits = Mac.parse(text);
        if (bits.isEmpty() || Mac.isGroup(bits.getAsLong())) {
            throw new IllegalArgumentException(
                    "--nic: mac: expected the address of one card, such as 52:54:00:12:34:56, found '" + text + "'");
        }
        return new MacAddress(bits.getAsLong());
    }

    private static Model model(String name) {
        for (Model model : Model.values()) {
            if (model.optionName().equals(name)) {
                return model;
            }
        }
        String known = Arrays.stream(Model.values()).map(Model::optionName).collect(Collectors.joining(", "));
        throw new IllegalArgumentException(switch (name) {
            case "rtl8139", "ne2k_pci", "virtio" -> "--nic: " + name + " is not supported yet; there is " + known;
            default -> "--nic: expected " + known + ", found '" + name + "'";
        });
    }
}
