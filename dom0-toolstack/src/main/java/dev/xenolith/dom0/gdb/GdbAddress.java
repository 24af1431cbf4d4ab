package dev.xenolith.dom0.gdb;

import java.net.InetAddress;
import java.net.InetSocketAddress;

/** Where a stub listens: {@code [HOST]:PORT}. */
public final class GdbAddress {
    private static final int MAX_PORT = 0xffff;

    private GdbAddress() {}

    /**
     * The address that {@code text} says; without a host that of the loopback interface, for whoever can connect owns the machine. An
     * IPv6 address stands in brackets. Port 0 is one that is free. Throws {@link IllegalArgumentException} with what was expected.
     */
    public static InetSocketAddress parse(String text) {
        int colon = text.lastIndexOf(':');
        String host = colon < 0 ? "" : text.substring(0, colon);
        String port = text.substring(colon + 1);
        boolean bracketed = host.startsWith("[") && host.endsWith("]");
        if (colon < 0 || !port.matches("[0-9]{1,5}") || Integer.parseInt(port) > MAX_PORT
                || !bracketed && host.indexOf(':') >= 0) {
            throw new IllegalArgumentException("expected [HOST]:PORT, found '" + text + "'");
        }
        int number = Integer.parseInt(port);
        if (host.isEmpty()) {
            return new InetSocketAddress(InetAddress.getLoopbackAddress(), number);
        }
        InetSocketAddress address = new InetSocketAddress(bracketed ? host.substring(1, host.length() - 1) : host,
                number);
        if (address.isUnresolved()) {
            throw new IllegalArgumentException("no such host: " + host);
        }
        return address;
    }
}
