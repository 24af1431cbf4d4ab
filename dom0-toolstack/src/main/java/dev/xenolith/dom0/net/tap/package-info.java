/**
 * The way out of a bridge by a TAP interface of the host, for those who may have one.
 *
 * <p>{@link dev.xenolith.dom0.net.tap.TapPort} is the port, {@code TunDevice} the file descriptor behind it (/dev/net/tun of Linux).
 * It takes CAP_NET_ADMIN, or an interface that somebody who has that made for the user; what is missing is said by name.
 */
@NullMarked
package dev.xenolith.dom0.net.tap;

import org.jspecify.annotations.NullMarked;
