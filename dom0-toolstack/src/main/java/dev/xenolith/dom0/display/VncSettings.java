package dev.xenolith.dom0.display;

import dev.xenolith.dom0.display.rfb.SharePolicy;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Where and how a screen is offered.
 *
 * @param rfb where VNC viewers connect
 * @param web where browsers do, null for nowhere
 * @param passwordFile its first line is the password; null for none
 * @param tls whether connections are encrypted
 */
public record VncSettings(InetSocketAddress rfb, @Nullable InetSocketAddress web, @Nullable Path passwordFile,
        boolean tls, SharePolicy sharing) {
    /** The syntax of {@link #parse}. */
    public static final String SYNTAX = "[HOST]:N[,password=FILE][,tls][,web][,share=POLICY][,insecure]";

    private static final int RFB_PORT = 5900;
    private static final int WEB_PORT = 5700;
    private static final int MAX_DISPLAY = 0xffff - RFB_PORT;

    /**
     * What {@code text} says. Display N is at TCP port 5900 + N and, with {@code web}, at 5700 + N; without a host at the loopback
     * interface. An IPv6 address stands in brackets. Elsewhere than there a password is needed, or {@code insecure}, which says that none
     * is wanted. Throws {@link IllegalArgumentException} with what is wrong.
     *
     * @param directory where relative names of files begin
     */
    public static VncSettings parse(String text, Path directory) {
        String[] parts = text.split(",", -1);
        boolean tls = false;
        boolean web = false;
        boolean insecure = false;
        Path password = null;
        SharePolicy sharing = SharePolicy.ALLOW_EXCLUSIVE;
        Set<String> given = new HashSet<>();
        for (int i = 1; i < parts.length; i++) {
            int equals = parts[i].indexOf('=');
            String name = equals < 0 ? parts[i] : parts[i].substring(0, equals);
            String value = equals < 0 ? null : parts[i].substring(equals + 1);
            if (!given.add(name)) {
                throw new IllegalArgumentException("'" + name + "' is given twice");
            }
            boolean valued = name.equals("password") || name.equals("share");
            if (valued && (value == null || value.isEmpty())) {
                throw new IllegalArgumentException("'" + name + "' needs a value: " + name + "=...");
            }
            if (!valued && value != null) {
                throw new IllegalArgumentException("'" + name + "' takes no value");
            }
            switch (name) {
                case "tls" -> tls = true;
                case "web" -> web = true;
                case "insecure" -> insecure = true;
                case "password" -> password = file(directory, String.valueOf(value));
                case "share" -> sharing = SharePolicy.named(String.valueOf(value))
                        .orElseThrow(() -> new IllegalArgumentException(
                                "share: expected allow-exclusive, force-shared or ignore, found '" + value + "'"));
                default -> throw new IllegalArgumentException("expected " + SYNTAX + ", found '" + name + "'");
            }
        }
        InetSocketAddress address = address(parts[0]);
        if (!address.getAddress().isLoopbackAddress() && password == null && !insecure) {
            throw new IllegalArgumentException(address.getAddress().getHostAddress()
                    + " can be reached from other computers: give password=FILE, or insecure to let everybody in");
        }
        return new VncSettings(address,
                web ? new InetSocketAddress(address.getAddress(), address.getPort() - RFB_PORT + WEB_PORT) : null,
                password, tls, sharing);
    }

    private static Path file(Path directory, String name) {
        try {
            return directory.resolve(name);
        } catch (InvalidPathException e) {
            throw new IllegalArgumentException("password: " + e.getMessage(), e);
        }
    }

    private static InetSocketAddress address(String text) {
        int colon = text.lastIndexOf(':');
        String host = colon < 0 ? "" : text.substring(0, colon);
        String number = text.substring(colon + 1);
        boolean bracketed = host.startsWith("[") && host.endsWith("]");
        if (colon < 0 || !number.matches("[0-9]{1,5}") || Integer.parseInt(number) > MAX_DISPLAY
                || !bracketed && host.indexOf(':') >= 0) {
            throw new IllegalArgumentException("expected [HOST]:N with N from 0 to " + MAX_DISPLAY + ", found '" + text
                    + "'");
        }
        int port = RFB_PORT + Integer.parseInt(number);
        if (host.isEmpty()) {
            return new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
        }
        InetSocketAddress address = new InetSocketAddress(bracketed ? host.substring(1, host.length() - 1) : host,
                port);
        if (address.isUnresolved()) {
            throw new IllegalArgumentException("no such host: " + host);
        }
        return address;
    }
}
