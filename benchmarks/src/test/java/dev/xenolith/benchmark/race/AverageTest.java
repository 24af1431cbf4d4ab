package dev.xenolith.benchmark.race;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class AverageTest {
    @Test
    void medianIsInTheMiddleWhateverTheOrder() {
        double[] values = {9, 1, 2};
        assertThat(Average.median(values)).isEqualTo(2);
        assertThat(values).containsExactly(9, 1, 2);
        assertThat(Average.median(4)).isEqualTo(4);
        assertThat(Average.median(4, 1, 100, 2)).isEqualTo(3);
    }

    @Test
    void fasterAndSlowerByTheSameFactorAreEven() {
        assertThat(Average.geometricMean(4, 0.25)).isCloseTo(1, within(1e-12));
        assertThat(Average.geometricMean(1, 2, 4)).isCloseTo(2, within(1e-12));
    }
}
