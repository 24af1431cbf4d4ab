/**
 * The way out of a bridge that needs no privileges, in the manner of slirp: a gateway whose guests' connections end here and go on
 * as sockets of the host.
 *
 * <p>Start reading at {@link dev.xenolith.dom0.net.nat.UserModeNat}, which sorts what guests send. {@code TcpConnection} is one TCP
 * connection, with {@code TcpSender} and {@code TcpReceiver} as its halves and a {@code HostStream} on the other side;
 * {@code GuestSide} builds and sends packets. Guests are hostile: each table, queue and buffer has a bound, and nothing of the
 * outside is read before there is room for it. Everything runs on the machine thread but for {@code HostSockets}' event loop,
 * which posts.
 */
@NullMarked
package dev.xenolith.dom0.net.nat;

import org.jspecify.annotations.NullMarked;
