/**
 * Between the machine thread, which owns displays, keyboards and pointers, and the threads of viewers: pictures come one way as immutable
 * frames, what somebody types and points at goes the other.
 *
 * <p>Start reading at {@link dev.xenolith.dom0.display.screen.ScreenSource} and
 * {@link dev.xenolith.dom0.display.screen.InputDevices}.
 */
@NullMarked
package dev.xenolith.dom0.display.screen;

import org.jspecify.annotations.NullMarked;
