/**
 * The network backend: connects network frontends (xen/include/public/io/netif.h) to the host's bridges, as Linux's xen-netback does.
 *
 * <p>{@link dev.xenolith.dom0.backend.network.NetworkBackend} is one vif: a port of a bridge that offers features and maps the rings that
 * the frontend chooses. Each of its {@link dev.xenolith.dom0.backend.network.NetworkQueue}s has a
 * {@link dev.xenolith.dom0.backend.network.TransmitRing}, whose requests are checked and become frames, and a
 * {@link dev.xenolith.dom0.backend.network.ReceiveRing}, whose requests frames are copied into. Nothing stays of a frontend's memory:
 * frames are copied once on their way out of a guest and once on their way into one.
 */
@NullMarked
package dev.xenolith.dom0.backend.network;

import org.jspecify.annotations.NullMarked;
