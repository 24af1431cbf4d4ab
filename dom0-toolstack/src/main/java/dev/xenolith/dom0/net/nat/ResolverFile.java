package dev.xenolith.dom0.net.nat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** The host's resolver configuration, resolv.conf(5). */
final class ResolverFile {
    private static final Path SYSTEM = Path.of("/etc/resolv.conf");
    private static final int MAX_SIZE = 64 << 10;
    private static final int PORT = 53;

    private ResolverFile() {
    }

    /** The first name server of the system; empty if there is no such file or none in it. */
    static Optional<InetSocketAddress> system() {
        try {
            if (Files.size(SYSTEM) > MAX_SIZE) {
                return Optional.empty();
            }
            return nameServer(Files.readAllLines(SYSTEM, StandardCharsets.ISO_8859_1));
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /** The first {@code nameserver} that is an address. */
    static Optional<InetSocketAddress> nameServer(List<String> lines) {
        for (String line : lines) {
            String[] words = line.strip().split("\\s+");
            // Only literals, so that nothing is looked up here.
            if (words.length >= 2 && words[0].equals("nameserver")
                    && words[1].matches("[0-9.]+|[0-9a-fA-F:.]*:[^/]*")) {
                try {
                    return Optional.of(new InetSocketAddress(InetAddress.ofLiteral(words[1]), PORT));
                } catch (IllegalArgumentException e) {
                    continue;
                }
            }
        }
        return Optional.empty();
    }
}
