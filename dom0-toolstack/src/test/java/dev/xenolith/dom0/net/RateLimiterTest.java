package dev.xenolith.dom0.net;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class RateLimiterTest {
    @Test
    void givesAnIntervalsWorthAndNoMore() {
        RateLimiter limiter = new RateLimiter(10_000, 1000, 0);
        assertThat(limiter.take(6000, 0)).isTrue();
        assertThat(limiter.take(6000, 999)).isFalse();
        assertThat(limiter.nextCredit()).isEqualTo(1000);
        assertThat(limiter.take(6000, 1000)).isTrue();
        assertThat(limiter.credit()).isEqualTo(4000);
        assertThat(limiter.take(10_000, 50_500)).isTrue();
        assertThat(limiter.take(1, 50_999)).isFalse();
        assertThat(limiter.take(10_000, 51_000)).isTrue();
    }

    @Test
    void aLargePacketWaitsUntilThereIsEnough() {
        RateLimiter limiter = new RateLimiter(20_000, 1000, 0);
        long time = 0;
        while (!limiter.take(65_000, time)) {
            time = limiter.nextCredit();
        }
        assertThat(time).isEqualTo(3000);
        assertThat(limiter.credit()).as("no more than for that packet").isZero();
    }

    @Test
    void neverMoreThanTheRate() {
        SplittableRandom random = new SplittableRandom(1);
        RateLimiter limiter = new RateLimiter(5000, 1000, 0);
        long sent = 0;
        long time = 0;
        for (int i = 0; i < 100_000; i++) {
            int size = random.nextInt(3000);
            sent += limiter.take(size, time) ? size : 0;
            assertThat(sent).isLessThanOrEqualTo((time / 1000 + 1) * 5000);
            time += random.nextInt(300);
        }
        assertThat(sent).isGreaterThan(time * 4);
        assertThat(new RateLimiter(Long.MAX_VALUE / 2, 1, 0).take(1, Long.MAX_VALUE / 2)).isTrue();
    }
}
