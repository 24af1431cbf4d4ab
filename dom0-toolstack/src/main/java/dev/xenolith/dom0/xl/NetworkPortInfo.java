package dev.xenolith.dom0.xl;

/**
 * A port of a bridge, and what has passed it; directions are the port's.
 *
 * @param bridge its name
 * @param port its name: that of a vif's backend, a NAT, a TAP interface
 * @param sentFrames frames that it has sent
 * @param sentBytes their bytes
 * @param malformed of those sent the ones that were dropped as malformed
 * @param deliveredFrames frames that it has taken
 * @param deliveredBytes their bytes
 * @param dropped frames that it had no room or no use for
 */
public record NetworkPortInfo(String bridge, String port, long sentFrames, long sentBytes, long malformed,
        long deliveredFrames, long deliveredBytes, long dropped) {
}
