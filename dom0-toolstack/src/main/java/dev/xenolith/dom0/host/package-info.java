/**
 * The host: the embeddable {@code Host}, and the daemon that puts a socket in front of it so that {@code xl} works from
 * any terminal.
 *
 * <p>Start reading at {@link dev.xenolith.dom0.host.HostFactory}, the seam between the two.
 */
@NullMarked
package dev.xenolith.dom0.host;

import org.jspecify.annotations.NullMarked;
