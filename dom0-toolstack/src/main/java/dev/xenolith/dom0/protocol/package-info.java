/**
 * What the thin client and the daemon say to each other over the socket, and where they meet: frames, the first frame, and
 * the paths of socket, lock, log and caches.
 *
 * <p>Only the JDK is used here, and little of it: the client loads these classes for every {@code xl list}. Start reading
 * at {@link dev.xenolith.dom0.protocol.Frames}.
 */
@NullMarked
package dev.xenolith.dom0.protocol;

import org.jspecify.annotations.NullMarked;
