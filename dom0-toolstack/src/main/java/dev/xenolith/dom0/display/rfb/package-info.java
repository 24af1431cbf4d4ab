/**
 * The RFB protocol (RFC 6143 and the community's rfbproto) on Netty: the handshake with its security types, messages of viewers, and what
 * is sent to them. Everything of a connection happens on its event loop.
 *
 * <p>Start reading at {@link dev.xenolith.dom0.display.rfb.RfbService}.
 */
@NullMarked
package dev.xenolith.dom0.display.rfb;

import org.jspecify.annotations.NullMarked;
