/**
 * Captures of what passes a port, for tcpdump and Wireshark.
 *
 * <p>{@link dev.xenolith.dom0.net.pcap.PcapCapture} is a {@link dev.xenolith.dom0.net.FrameObserver}: it is added to a
 * {@link dev.xenolith.dom0.net.Link} and taken off at any time. The machine thread only copies into a bounded queue; a thread of the
 * capture's own writes the file, and what does not fit into the queue is counted.
 */
@NullMarked
package dev.xenolith.dom0.net.pcap;

import org.jspecify.annotations.NullMarked;
