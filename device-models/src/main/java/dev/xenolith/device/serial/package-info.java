/**
 * Serial ports and where their bytes go on the host.
 *
 * <p>{@link dev.xenolith.device.serial.Uart16550} is the device; a {@link dev.xenolith.device.serial.CharacterBackend} is what is
 * plugged into it: a terminal, a file, nothing. Start reading at {@code Uart16550}.
 */
@NullMarked
package dev.xenolith.device.serial;

import org.jspecify.annotations.NullMarked;
