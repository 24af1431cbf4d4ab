package dev.xenolith.hypervisor.memory;

import java.util.EnumSet;
import java.util.Set;

/**
 * The checks that isolate guests, by name, so that a test can disable one and show that the others notice. A machine that serves
 * users has {@link #ALL}; there is no way to disable a check from a command line.
 */
public final class Checks {
    /** One check each; the comment says what a guest could do without it. */
    public enum Check {
        /** An L1 entry maps only frames of the named owner: else a guest maps its neighbours' memory. */
        L1_OWNER,
        /** A writable mapping needs a frame whose type is writable: else a guest writes its own page tables. */
        WRITABLE_TYPE,
        /** L4 slots 256 to 271 are the hypervisor's: else a guest maps what it likes there. */
        HYPERVISOR_SLOTS,
        /** Linear page table entries are read-only: else a guest writes its own page tables. */
        LINEAR_READ_ONLY,
        /** Processors flush before a frame changes type or owner: else a stale translation still writes to it. */
        TLB_FLUSH,
        /** Segment descriptors are audited: else a guest installs gates and descriptors of ring 0. */
        SEGMENT_AUDIT,
        /** A grant for reading is mapped read-only: else the grantee writes to it. */
        GRANT_READ_ONLY,
        /** A grant names the domain that may use it: else anybody maps it. */
        GRANT_PEER,
        /** A domain's pages stay within its maximum: else it takes the machine's memory. */
        QUOTA,
        /** Exchanged and released frames belong to the caller: else a guest frees its neighbours' memory. */
        EXCHANGE_OWNER,
        /** A frame is released only when its last reference has gone: else a mapped frame goes to somebody else. */
        LAST_REFERENCE,
        /** The machine-to-physical table forgets frames that leave a domain: else others see where its memory was. */
        M2P_UPDATE,
        /** Frames are zeroed between owners: else the next one reads what the last one wrote. */
        SCRUB
    }

    /** Every check is made. */
    public static final Checks ALL = new Checks(EnumSet.noneOf(Check.class));

    private final int disabled;

    private Checks(Set<Check> without) {
        int bits = 0;
        for (Check check : without) {
            bits |= 1 << check.ordinal();
        }
        disabled = bits;
    }

    /** For tests: all checks but {@code check}. */
    public static Checks without(Check check) {
        return new Checks(EnumSet.of(check));
    }

    /** Whether {@code check} is made. */
    public boolean on(Check check) {
        return (disabled & (1 << check.ordinal())) == 0;
    }
}
