package dev.xenolith.dom0.net.packet;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.OptionalInt;

/** IPv4 addresses as 32-bit numbers, the first byte on the wire highest. */
public final class Ipv4 {
    private Ipv4() {
    }

    /** Parses four decimal numbers between dots, without leading zeros. */
    public static OptionalInt parse(String text) {
        String octet = "(0|[1-9][0-9]{0,2})";
        if (!text.matches(octet + "(\\." + octet + "){3}")) {
            return OptionalInt.empty();
        }
        int address = 0;
        for (String part : text.split("\\.")) {
            int value = Integer.parseInt(part);
            if (value > 255) {
                return OptionalInt.empty();
            }
            address = address << 8 | value;
        }
        return OptionalInt.of(address);
    }

    /** Returns the address as it is written. */
    public static String toString(int address) {
        return (address >>> 24) + "." + (address >>> 16 & 0xff) + "." + (address >>> 8 & 0xff) + "." + (address & 0xff);
    }

    /** The same address for Java's sockets. */
    public static InetAddress toInetAddress(int address) {
        byte[] bytes = new byte[4];
        Bytes.put32(bytes, 0, address);
        try {
            return InetAddress.getByAddress(bytes);
        } catch (UnknownHostException e) {
            throw new AssertionError("four bytes are an address", e);
        }
    }

    /** The number of an address of Java's; empty if it is of IPv6. */
    public static OptionalInt of(InetAddress address) {
        return address instanceof Inet4Address
                ? OptionalInt.of(Bytes.get32(address.getAddress(), 0))
                : OptionalInt.empty();
    }

    /** Whether nothing can be sent to one host by this address: this network, multicast, reserved, broadcast. */
    public static boolean isNoHost(int address) {
        int first = address >>> 24;
        return first == 0 || first >= 224;
    }

    /** 127.0.0.0/8. */
    public static boolean isLoopback(int address) {
        return address >>> 24 == 127;
    }
}
