/**
 * What people type on and point with: the keyboard controller with a keyboard and a mouse, and what else hangs on it, A20 and the
 * oldest way to reset a PC. Whoever types, a viewer or a test, does so on a {@link dev.xenolith.device.input.Keyboard} and a
 * {@link dev.xenolith.device.input.Pointer}. Start reading at {@link dev.xenolith.device.input.KeyboardController}.
 */
@NullMarked
package dev.xenolith.device.input;

import org.jspecify.annotations.NullMarked;
