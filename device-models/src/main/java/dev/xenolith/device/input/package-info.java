/**
 * The keyboard controller and what hangs on it: A20 and the oldest way to reset a PC. Start reading at
 * {@link dev.xenolith.device.input.KeyboardController}.
 */
@NullMarked
package dev.xenolith.device.input;

import org.jspecify.annotations.NullMarked;
