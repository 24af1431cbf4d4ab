/**
 * Packets as bytes: finding headers, checksums, cutting large frames into segments, building what the NAT sends.
 *
 * <p>Everything here is a pure function of bytes and knows neither ports nor time. Start reading at
 * {@link dev.xenolith.dom0.net.packet.Headers}, which finds the headers of a frame and believes no length in it, then
 * {@link dev.xenolith.dom0.net.packet.SoftwareOffload}, which finishes for a receiver what a sender has left open
 * ({@link dev.xenolith.dom0.net.packet.Offload}).
 */
@NullMarked
package dev.xenolith.dom0.net.packet;

import org.jspecify.annotations.NullMarked;
