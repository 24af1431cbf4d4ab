/**
 * Parallel ATA: channels of two drives each, and the IDE function of a PIIX3, which masters the bus for them.
 *
 * <p>Start reading at {@code Piix3Ide}.
 */
@NullMarked
package dev.xenolith.device.storage.ide;

import org.jspecify.annotations.NullMarked;
