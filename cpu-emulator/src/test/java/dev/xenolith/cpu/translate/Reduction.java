package dev.xenolith.cpu.translate;

import java.util.function.Predicate;

/** Makes a program that fails as small as it can. */
final class Reduction {
    private Reduction() {}

    /** {@code program} without what it need not have for {@code fails} to hold. */
    static GuestProgram reduce(GuestProgram program, Predicate<GuestProgram> fails) {
        GuestProgram least = program;
        boolean again = true;
        while (again) {
            int before = least.remaining();
            for (int size = program.size() / 2; size > 0; size /= 2) {
                for (int from = 0; from < program.size(); from += size) {
                    GuestProgram less = least.without(from, Math.min(from + size, program.size()));
                    if (less.remaining() < least.remaining() && fails.test(less)) {
                        least = less;
                    }
                }
            }
            again = least.remaining() < before;
        }
        return least;
    }
}
