/**
 * Network cards. A card sends frames to a {@link dev.xenolith.device.network.NetworkLink} and takes those that come from there; what is at its
 * other end, a bridge or nothing, it does not know.
 */
@NullMarked
package dev.xenolith.device.network;

import org.jspecify.annotations.NullMarked;
