package dev.xenolith.dom0.xenstore;

/**
 * Limits how fast unprivileged domains write while transactions are open, so that those of others can be committed: the write
 * rate limit of C xenstored (xenstored_domain.c, wrl_*). All domains together gain 200 writes a second in equal shares; each can
 * save ten, what is over fills a common reserve, and who is in debt is helped from it.
 */
final class WriteRate {
    /** Credit is counted in billionths of a write, so that a nanosecond is worth a whole number. */
    private static final long WRITE = 1_000_000_000;
    private static final long PER_SECOND = 200;
    private static final long DOMAIN_BURST = 10 * WRITE;
    private static final long RESERVE_LIMIT = 1000 * WRITE;

    /** New domains may overdraw the reserve by the burst of five. */
    private static final long RESERVE_FLOOR = -5 * DOMAIN_BURST;

    private static final long LONGEST_PAUSE = 1_000_000_000_000_000L;

    private long reserve;
    private int domains;

    /** The credit of one domain. */
    static final class Account {
        private long credit;
        private long updated;
    }

    Account open(long now) {
        Account account = new Account();
        account.updated = now;
        domains++;
        long start = Math.clamp(reserve - RESERVE_FLOOR, 0, DOMAIN_BURST);
        reserve -= start;
        account.credit = start;
        return account;
    }

    void close(Account account) {
        domains--;
        long rest = Math.clamp(DOMAIN_BURST - reserve, 0, Math.max(0, account.credit));
        reserve += rest;
    }

    /** A domain has made so many writes at time {@code now} (ns). */
    void spend(Account account, int writes, long now) {
        update(account, now);
        account.credit -= writes * WRITE;
    }

    /** The time from which on the domain is heard: {@code now} unless it is in debt. */
    long heardFrom(Account account, long now) {
        update(account, now);
        long debt = Math.max(0, -account.credit);
        return debt == 0 ? now : now + debt * domains / PER_SECOND + 1;
    }

    private void update(Account account, long now) {
        long passed = Math.clamp(now - account.updated, 0, LONGEST_PAUSE);
        account.updated = now;
        account.credit += passed * PER_SECOND / domains;
        if (account.credit < 0) {
            long help = Math.clamp(reserve, 0, -account.credit);
            reserve -= help;
            account.credit += help;
        }
        long surplus = account.credit - DOMAIN_BURST;
        if (surplus > 0) {
            account.credit = DOMAIN_BURST;
            reserve = Math.max(reserve, Math.min(RESERVE_LIMIT, reserve + surplus));
        }
    }
}
