package dev.xenolith.dom0.config;

import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * A network interface of a domain as {@code vif} describes it (xl-network-configuration(5)), its values checked, defaults filled in
 * where they do not depend on the domain.
 *
 * @param mac of the guest's side, 48 bits; empty to choose one of Xen's, 00:16:3e:...
 * @param bridge that the backend's side is attached to
 * @param gatewayDevice for routed set-ups
 * @param type only HVM guests tell the difference
 * @param model of the emulated card, of HVM guests
 * @param name of the backend's side; empty for {@code vifDOMID.DEVID}
 * @param script hotplug script
 * @param ip addresses for the script, as they are written
 * @param backend name or number of the domain that serves it
 * @param rate limit of what the guest sends
 * @param device number; empty for its index in the list
 * @param mtu bytes, 68..65535; empty for the bridge's
 * @param trusted advice to the frontend on whether to trust the backend
 * @param warnings about keys that are deprecated or do nothing
 */
public record VifSpec(OptionalLong mac, String bridge, Optional<String> gatewayDevice, Type type, String model,
        Optional<String> name, Optional<String> script, Optional<String> ip, String backend, Optional<VifRate> rate,
        OptionalInt device, OptionalInt mtu, boolean trusted, List<String> warnings) {
    /** Copies the list. */
    public VifSpec {
        warnings = List.copyOf(warnings);
    }

    /** The same with a MAC address. */
    public VifSpec withMac(long newMac) {
        return new VifSpec(OptionalLong.of(newMac), bridge, gatewayDevice, type, model, name, script, ip, backend,
                rate, device, mtu, trusted, warnings);
    }

    /** The same with a number. */
    public VifSpec withDevice(int newDevice) {
        return new VifSpec(mac, bridge, gatewayDevice, type, model, name, script, ip, backend, rate,
                OptionalInt.of(newDevice), mtu, trusted, warnings);
    }

    /** What a vif is to an HVM guest. */
    public enum Type {
        /** An emulated card, and a PV device. */
        IOEMU,
        /** A PV device only. */
        VIF
    }

    /** All defaults: what {@code ''} means. */
    public static final VifSpec DEFAULT = new VifSpec(OptionalLong.empty(), "xenbr0", Optional.empty(), Type.IOEMU,
            "rtl8139", Optional.empty(), Optional.empty(), Optional.empty(), "0", Optional.empty(),
            OptionalInt.empty(), OptionalInt.empty(), true, List.of());

    /** The script that xl names if nothing is said (xl-network-configuration(5)). */
    public static final String DEFAULT_SCRIPT = "/etc/xen/scripts/vif-bridge";

    /** Something in a specification that cannot be used. */
    public static final class Problem extends Exception {
        private static final long serialVersionUID = 1L;

        private final int offset;

        Problem(int offset, String message) {
            super(message);
            this.offset = offset;
        }

        /** Where it is, characters from the beginning of the text. */
        public int offset() {
            return offset;
        }
    }

    /**
     * Parses a specification on its own, such as that of {@code xl network-attach}.
     *
     * @throws Problem at the first thing that cannot be used
     */
    public static VifSpec parse(String text) throws Problem {
        return new VifSpecParser(text).parse();
    }

    /**
     * Parses an item of {@code vif}.
     *
     * @throws XlConfigException at the place in the file, if the string has no escapes before it
     */
    public static VifSpec parse(XlValue.Atom item) throws XlConfigException {
        try {
            return parse(item.text());
        } catch (Problem e) {
            XlPosition start = item.position();
            int column = start.column() + (item.number() ? 0 : 1) + e.offset();
            throw XlConfigException.syntax(new XlPosition(start.source(), start.line(), column),
                    "vif: " + e.getMessage());
        }
    }
}
