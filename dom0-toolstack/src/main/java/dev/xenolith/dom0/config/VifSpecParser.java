package dev.xenolith.dom0.config;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.regex.Pattern;

/** Reads {@code key=value,...,flag,...} of a vif; of keys that come twice the last counts, as with xl. */
final class VifSpecParser {
    private static final List<String> KEYS = List.of("mac", "bridge", "gatewaydev", "netdev", "type", "model",
            "vifname",
            "script", "ip", "backend", "rate", "devid", "mtu", "accel", "trusted", "untrusted");
    private static final Pattern MAC = Pattern.compile("[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}");
    /** IFNAMSIZ of Linux less the terminator. */
    private static final int MAX_INTERFACE_NAME = 15;
    private static final int MIN_MTU = 68;
    private static final int MAX_NUMBER = 65_535;

    private final String text;
    private final List<String> warnings = new ArrayList<>();
    private OptionalLong mac = OptionalLong.empty();
    private String bridge = VifSpec.DEFAULT.bridge();
    private Optional<String> gatewayDevice = Optional.empty();
    private VifSpec.Type type = VifSpec.DEFAULT.type();
    private String model = VifSpec.DEFAULT.model();
    private Optional<String> name = Optional.empty();
    private Optional<String> script = Optional.empty();
    private Optional<String> ip = Optional.empty();
    private String backend = VifSpec.DEFAULT.backend();
    private Optional<VifRate> rate = Optional.empty();
    private OptionalInt device = OptionalInt.empty();
    private OptionalInt mtu = OptionalInt.empty();
    private boolean trusted = VifSpec.DEFAULT.trusted();

    VifSpecParser(String text) {
        this.text = text;
    }

    VifSpec parse() throws VifSpec.Problem {
        int start = 0;
        while (start <= text.length()) {
            int comma = text.indexOf(',', start);
            int end = comma < 0 ? text.length() : comma;
            item(start, end);
            start = end + 1;
        }
        return new VifSpec(mac, bridge, gatewayDevice, type, model, name, script, ip, backend, rate, device, mtu,
                trusted, warnings);
    }

    private void item(int from, int to) throws VifSpec.Problem {
        int start = from;
        int end = to;
        while (start < end && text.charAt(start) <= ' ') {
            start++;
        }
        while (end > start && text.charAt(end - 1) <= ' ') {
            end--;
        }
        if (start == end) {
            return;
        }
        int equals = text.indexOf('=', start);
        if (equals < 0 || equals >= end) {
            flag(start, text.substring(start, end));
        } else {
            pair(start, text.substring(start, equals), equals + 1, text.substring(equals + 1, end));
        }
    }

    private void flag(int at, String word) throws VifSpec.Problem {
        switch (word) {
            case "trusted" -> trusted = true;
            case "untrusted" -> trusted = false;
            default -> {
                if (KEYS.contains(word)) {
                    throw new VifSpec.Problem(at, word + ": expected '=' and a value");
                }
                throw unknown(at, word);
            }
        }
    }

    private static VifSpec.Problem unknown(int at, String word) {
        String hint = Suggestions.nearest(word, KEYS).map(near -> "; did you mean '" + near + "'?").orElse("");
        return new VifSpec.Problem(at, "unknown key \"" + word + "\"" + hint);
    }

    private void pair(int at, String key, int valueAt, String value) throws VifSpec.Problem {
        if (!KEYS.contains(key)) {
            throw unknown(at, key);
        }
        if (key.equals("trusted") || key.equals("untrusted")) {
            throw new VifSpec.Problem(at, key + ": expected no value, found \"" + value + "\"");
        }
        if (value.isEmpty()) {
            throw new VifSpec.Problem(valueAt, key + ": expected a value, found none");
        }
        switch (key) {
            case "mac" -> mac = OptionalLong.of(mac(valueAt, value));
            case "bridge" -> bridge = value;
            case "gatewaydev" -> gatewayDevice = unused(key, value);
            case "netdev" -> {
                warnings.add("netdev is deprecated, use gatewaydev instead");
                gatewayDevice = unused("gatewaydev", value);
            }
            case "type" -> type = type(valueAt, value);
            case "model" -> model = value;
            case "vifname" -> name = Optional.of(interfaceName(valueAt, value));
            case "script" -> script = unused(key, value);
            case "ip" -> ip = unused(key, value);
            case "backend" -> backend = value;
            case "rate" -> rate = Optional.of(rate(valueAt, value));
            case "devid" -> device = OptionalInt.of(number(valueAt, key, value, 0));
            case "mtu" -> mtu = OptionalInt.of(number(valueAt, key, value, MIN_MTU));
            default -> warnings.add(key + " is not supported, ignored");
        }
    }

    /** What only a hotplug script would read. */
    private Optional<String> unused(String key, String value) {
        warnings.add(key + " is noted only: no hotplug script is run");
        return Optional.of(value);
    }

    private static long mac(int at, String value) throws VifSpec.Problem {
        if (!MAC.matcher(value).matches()) {
            throw new VifSpec.Problem(at,
                    "mac: expected six groups of two hexadecimal digits, separated by colons, found \""
                            + value + "\"");
        }
        long address = Long.parseLong(value.replace(":", ""), 16);
        if ((address >>> 40 & 1) != 0) {
            throw new VifSpec.Problem(at,
                    "mac: expected the address of one interface, found the group address \"" + value
                            + "\"");
        }
        return address;
    }

    private static VifSpec.Type type(int at, String value) throws VifSpec.Problem {
        return switch (value) {
            case "ioemu" -> VifSpec.Type.IOEMU;
            case "vif" -> VifSpec.Type.VIF;
            default -> throw new VifSpec.Problem(at, "type: expected \"ioemu\" or \"vif\", found \"" + value + "\"");
        };
    }

    private static String interfaceName(int at, String value) throws VifSpec.Problem {
        if (!value.matches("[!-.0-~]{1," + MAX_INTERFACE_NAME + "}")) {
            throw new VifSpec.Problem(at, "vifname: expected 1 to " + MAX_INTERFACE_NAME
                    + " characters without blanks and '/', found \"" + value + "\"");
        }
        return value;
    }

    private static VifRate rate(int at, String value) throws VifSpec.Problem {
        try {
            return VifRate.parse(value);
        } catch (VifSpec.Problem e) {
            throw new VifSpec.Problem(at + e.offset(), "rate: " + e.getMessage());
        }
    }

    private static int number(int at, String key, String value, int least) throws VifSpec.Problem {
        int number = value.matches("[0-9]{1,5}") ? Integer.parseInt(value) : -1;
        if (number < least || number > MAX_NUMBER) {
            throw new VifSpec.Problem(at,
                    key + ": expected a number of " + least + " to " + MAX_NUMBER + ", found \"" + value + "\"");
        }
        return number;
    }
}
