package dev.xenolith.benchmark.race;

import java.util.Locale;

/** The bare guests that compute: {@code guest-images/src/main/guest/bare/kernels}. */
enum Kernel {
    HASH(6500), SIEVE(600), SORT(420), SHA256(4600), CHASE(1600), RECURSION(2000), INTERPRETER(800);

    /** So many take QEMU about a second on a computer of the day. */
    final int rounds;

    Kernel(int rounds) {
        this.rounds = rounds;
    }

    /** Name of the guest. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
