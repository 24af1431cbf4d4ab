/**
 * The network behind domains' vifs: ports, software bridges, and what they share.
 *
 * <p>{@link dev.xenolith.dom0.net.Bridges} is the host's registry of bridges by name; a {@link dev.xenolith.dom0.net.Bridge}
 * forwards frames between the {@link dev.xenolith.dom0.net.NetworkPort}s attached to it and finishes in software what a port
 * cannot take unfinished. What leads out of the host is a port like any other: a user-mode NAT ({@code net.nat}) or a TAP device
 * ({@code net.tap}); a {@code net.pcap} file records what passes a port. Everything runs on the machine thread; sockets, files
 * and devices have threads of their own, which only post ({@link dev.xenolith.dom0.net.NetworkContext}).
 */
@NullMarked
package dev.xenolith.dom0.net;

import org.jspecify.annotations.NullMarked;
