package dev.xenolith.hypervisor.trace;

import org.jspecify.annotations.Nullable;

/** Classes of trace records, each a bit of the mask that says what is recorded. */
public final class TraceClass {
    public static final int HYPERCALL = 1;
    public static final int TRAP = 1 << 1;
    /** Leaving a non-root guest. */
    public static final int EXIT = 1 << 2;
    public static final int SCHEDULE = 1 << 3;
    public static final int EVENT = 1 << 4;
    public static final int GRANT = 1 << 5;
    public static final int XENSTORE = 1 << 6;
    public static final int ALL = (1 << 7) - 1;

    private static final String[] NAMES = {"hypercall", "trap", "exit", "schedule", "event", "grant", "xenstore"};

    private TraceClass() {
    }

    /** The name of the class with this bit number, such as {@code hypercall}; null if there is none. */
    public static @Nullable String name(int bit) {
        return bit >= 0 && bit < NAMES.length ? NAMES[bit] : null;
    }

    /** The bit of the class with this name, 0 if there is none. */
    public static int named(String name) {
        for (int i = 0; i < NAMES.length; i++) {
            if (NAMES[i].equals(name)) {
                return 1 << i;
            }
        }
        return name.equals("all") ? ALL : 0;
    }
}
