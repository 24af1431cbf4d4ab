package dev.xenolith.device.storage.ide;

import dev.xenolith.device.Clock;
import dev.xenolith.device.storage.ata.AtaDevice;
import java.util.function.Function;

/**
 * A drive and its place.
 *
 * @param channel 0 for the primary, 1 for the secondary
 * @param unit 0 or 1
 * @param drive makes it, given the time it lives by
 */
public record IdeDrive(int channel, int unit, Function<Clock, ? extends AtaDevice> drive) {
}
