package dev.xenolith.benchmark.race;

import java.util.Arrays;

/** Middles of measured values, of which there must be one at least. */
final class Average {
    private Average() {
    }

    /** The value in the middle, or half way between the two there; what a disturbed run yields does not matter. */
    static double median(double... values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
    }

    /** The mean for ratios: twice as fast and half as fast make as fast. */
    static double geometricMean(double... ratios) {
        return Math.exp(Arrays.stream(ratios).map(Math::log).average().orElseThrow());
    }
}
