package dev.xenolith.device.storage.ata;

import dev.xenolith.device.Clock;
import dev.xenolith.device.Saveable;
import dev.xenolith.device.StateException;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;

/** The power management feature set (ATA/ATAPI-6, 6.8): what CHECK POWER MODE tells. Nothing is slower in standby. */
final class PowerMode implements Saveable {
    private static final int STANDBY = 0x00;
    private static final int IDLE = 0x80;
    private static final int ACTIVE = 0xff;
    private static final long SECOND = 1_000_000_000;
    private static final long MINUTE = 60 * SECOND;

    private final Clock clock;
    private int mode = ACTIVE;
    /** Time without a command after which standby is entered, 0 for never. */
    private long period;
    private long since;

    PowerMode(Clock clock) {
        this.clock = clock;
        since = clock.now();
    }

    void reset() {
        period = 0;
        active();
    }

    /** The medium is used. */
    void active() {
        mode = ACTIVE;
        since = clock.now();
    }

    void idle() {
        mode = IDLE;
        since = clock.now();
    }

    void standby() {
        mode = STANDBY;
    }

    /** Sets the standby timer (table 21). */
    void timer(int count) {
        if (count <= 240) {
            period = count * 5 * SECOND;
        } else {
            period = switch (count) {
                case 252 -> 21 * MINUTE;
                case 253 -> 8 * 60 * MINUTE;
                case 254 -> 0;
                case 255 -> 21 * MINUTE + 15 * SECOND;
                default -> (count - 240) * 30 * MINUTE;
            };
        }
        since = clock.now();
    }

    int now() {
        return period != 0 && clock.now() - since >= period ? STANDBY : mode;
    }

    @Override
    public String stateName() {
        return "power";
    }

    @Override
    public void save(StateWriter out) {
        out.put("mode", mode).put("period", period).put("since", since);
    }

    @Override
    public void restore(StateReader in) throws StateException {
        mode = in.getByte("mode");
        period = in.getLong("period");
        since = in.getLong("since");
    }
}
