package dev.xenolith.dom0.host;

import dev.xenolith.dom0.net.Bridges;
import dev.xenolith.dom0.net.nat.NatSettings;
import dev.xenolith.dom0.net.nat.PortForward;
import dev.xenolith.dom0.net.packet.Ipv4;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The network of a host: its bridges and what leads out of each, and ports of the real host that lead to guests.
 *
 * @param bridges by name; a vif on any other is refused
 * @param forwards each to a guest behind one of the bridges that have a NAT
 */
public record NetworkOptions(Map<String, Outside> bridges, List<PortForward> forwards) {
    /** One bridge, xenbr0, with a NAT. */
    public static final NetworkOptions DEFAULT = new NetworkOptions(
            Map.of(Bridges.DEFAULT_NAME, new Outside.Nat(NatSettings.standard())), List.of());

    private static final Pattern BRIDGE = Pattern.compile("([!-~&&[^=/]]{1,15})=(nat|none|nat:(.+)|tap:(.+))");
    private static final Pattern FORWARD = Pattern.compile("(tcp|udp):(?:(.+):)?([0-9]{1,5})-([0-9.]+):([0-9]{1,5})");
    private static final int MAX_PORT = 0xffff;

    /** What leads out of a bridge. */
    public sealed interface Outside {
        /** Nothing: its guests reach each other. */
        record None() implements Outside {
        }

        /** A NAT that needs no privileges. */
        record Nat(NatSettings settings) implements Outside {
        }

        /** A TAP interface of the real host, by its name. */
        record Tap(String device) implements Outside {
        }
    }

    /** Keeps the order. */
    public NetworkOptions {
        bridges = Collections.unmodifiableMap(new LinkedHashMap<>(bridges));
        forwards = List.copyOf(forwards);
    }

    /**
     * Reads what {@code --net} and {@code --forward} say. xenbr0 has a NAT if nothing else is said of it.
     *
     * @throws IllegalArgumentException with the option, what was expected and found
     */
    static NetworkOptions parse(List<String> bridges, List<String> forwards) {
        Map<String, Outside> named = new LinkedHashMap<>(DEFAULT.bridges);
        for (String text : bridges) {
            Matcher matcher = BRIDGE.matcher(text);
            if (!matcher.matches()) {
                throw new IllegalArgumentException("--net: expected BRIDGE=nat, BRIDGE=nat:SUBNET, BRIDGE=none or "
                        + "BRIDGE=tap:INTERFACE, found '" + text + "'");
            }
            named.put(matcher.group(1), outside(matcher));
        }
        return new NetworkOptions(named, forwards.stream().map(NetworkOptions::forward).toList());
    }

    private static Outside outside(Matcher matcher) {
        if (matcher.group(4) != null) {
            return new Outside.Tap(matcher.group(4));
        } else if (matcher.group(2).equals("none")) {
            return new Outside.None();
        }
        try {
            return new Outside.Nat(
                    matcher.group(3) == null ? NatSettings.standard() : NatSettings.parse(matcher.group(3)));
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("--net: " + e.getMessage(), e);
        }
    }

    private static PortForward forward(String text) {
        Matcher matcher = FORWARD.matcher(text);
        if (matcher.matches()) {
            int hostPort = Integer.parseInt(matcher.group(3));
            int guestPort = Integer.parseInt(matcher.group(5));
            OptionalInt guest = Ipv4.parse(matcher.group(4));
            OptionalInt host = Ipv4.parse(matcher.group(2) == null ? "127.0.0.1" : matcher.group(2));
            if (hostPort <= MAX_PORT && guestPort >= 1 && guestPort <= MAX_PORT && guest.isPresent()
                    && host.isPresent()) {
                InetAddress address = Ipv4.toInetAddress(host.getAsInt());
                return new PortForward(
                        matcher.group(1).equals("tcp") ? PortForward.Protocol.TCP : PortForward.Protocol.UDP,
                        new InetSocketAddress(address, hostPort), guest.getAsInt(), guestPort);
            }
        }
        throw new IllegalArgumentException("--forward: expected tcp:[ADDRESS:]PORT-GUEST:PORT or udp:..., such as "
                + "tcp:2222-10.0.2.15:22, found '" + text + "'");
    }
}
