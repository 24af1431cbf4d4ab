package dev.xenolith.dom0.xenstore;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class WriteRateTest {
    private static final long SECOND = 1_000_000_000;

    private final WriteRate rate = new WriteRate();

    /** How many writes a domain that writes whenever it is heard gets done until {@code end}. */
    private long flood(WriteRate.Account account, long start, long end) {
        long writes = 0;
        long now = start;
        while (now < end) {
            long heard = rate.heardFrom(account, now);
            if (heard > now) {
                now = heard;
                continue;
            }
            rate.spend(account, 1, now);
            writes++;
        }
        return writes;
    }

    @Test
    void oneDomainHasTheWholeRateAndItsBurst() {
        WriteRate.Account account = rate.open(0);
        assertThat(flood(account, 0, 10 * SECOND)).isBetween(2005L, 2015L);
        assertThat(rate.heardFrom(account, 20 * SECOND)).isEqualTo(20 * SECOND);
    }

    @Test
    void domainsShareTheRate() {
        List<WriteRate.Account> accounts = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            accounts.add(rate.open(0));
        }
        assertThat(flood(accounts.getFirst(), 0, 10 * SECOND)).isBetween(195L, 215L);
        for (int i = 1; i < 10; i++) {
            rate.close(accounts.get(i));
        }
        assertThat(flood(accounts.getFirst(), 10 * SECOND, 20 * SECOND)).isBetween(1990L, 2030L);
    }

    @Test
    void theReserveHelpsForAWhile() {
        WriteRate.Account idle = rate.open(0);
        WriteRate.Account busy = rate.open(0);
        rate.heardFrom(idle, 100 * SECOND);
        long first = flood(busy, 100 * SECOND, 101 * SECOND);
        assertThat(first).isGreaterThan(1000);
        assertThat(flood(busy, 101 * SECOND, 102 * SECOND)).isBetween(95L, 120L);
    }
}
