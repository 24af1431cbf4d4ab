package dev.xenolith.hypervisor.time;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TimerQueueTest {
    private long armed = -1;
    private final TimerQueue queue = new TimerQueue(deadline -> armed = deadline);
    private final List<String> expired = new ArrayList<>();

    private final class Named extends TimerQueue.Timer {
        final String name;

        Named(String name) {
            this.name = name;
        }

        @Override
        protected void expired(long now) {
            assertThat(isSet()).isFalse();
            expired.add(name);
        }
    }

    @Test
    void equalDeadlinesExpireInTheOrderTheyWereSet() {
        Named a = new Named("a");
        Named b = new Named("b");
        Named c = new Named("c");
        queue.set(c, 5);
        queue.set(a, 7);
        queue.set(b, 7);
        queue.set(c, 7);
        assertThat(armed).isEqualTo(7);
        queue.expire(6);
        assertThat(expired).isEmpty();
        queue.expire(7);
        assertThat(expired).containsExactly("a", "b", "c");
        assertThat(armed).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    void theAlarmFollowsTheEarliestTimer() {
        Named a = new Named("a");
        Named b = new Named("b");
        queue.set(a, 10);
        queue.set(b, 5);
        assertThat(armed).isEqualTo(5);
        b.stop();
        assertThat(armed).isEqualTo(10);
        b.stop();
        a.stop();
        assertThat(armed).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    void aTimerMovesBetweenQueues() {
        TimerQueue other = new TimerQueue(deadline -> {});
        Named a = new Named("a");
        queue.set(a, 10);
        other.set(a, 20);
        assertThat(armed).isEqualTo(Long.MAX_VALUE);
        queue.expire(100);
        assertThat(expired).isEmpty();
        other.expire(20);
        assertThat(expired).containsExactly("a");
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void randomHistories(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        Named[] timers = new Named[40];
        long[] deadlines = new long[timers.length];
        for (int i = 0; i < timers.length; i++) {
            timers[i] = new Named(Integer.toString(i));
            deadlines[i] = Long.MAX_VALUE;
        }
        long now = 0;
        for (int step = 0; step < 20_000; step++) {
            int i = random.nextInt(timers.length);
            switch (random.nextInt(3)) {
                case 0 -> {
                    deadlines[i] = now + random.nextInt(50);
                    queue.set(timers[i], deadlines[i]);
                }
                case 1 -> {
                    deadlines[i] = Long.MAX_VALUE;
                    timers[i].stop();
                }
                default -> {
                    now += random.nextInt(10);
                    expired.clear();
                    queue.expire(now);
                    long last = 0;
                    for (String name : expired) {
                        int index = Integer.parseInt(name);
                        assertThat(deadlines[index]).as("seed %d", seed).isBetween(last, now);
                        last = deadlines[index];
                        deadlines[index] = Long.MAX_VALUE;
                    }
                }
            }
            long next = Long.MAX_VALUE;
            for (long deadline : deadlines) {
                next = Math.min(next, deadline);
            }
            assertThat(queue.next()).as("seed %d step %d", seed, step).isEqualTo(next);
            assertThat(armed).isEqualTo(next);
        }
    }
}
