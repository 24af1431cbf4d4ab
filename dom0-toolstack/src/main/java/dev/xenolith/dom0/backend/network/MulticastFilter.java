package dev.xenolith.dom0.backend.network;

import dev.xenolith.dom0.net.packet.Mac;
import java.util.HashSet;
import java.util.Set;

/** The groups that a frontend wants to hear of, if it has asked for such a choice ("request-multicast-control"). */
final class MulticastFilter {
    /** As many groups as Linux's netback keeps (XEN_NETBK_MCAST_MAX). */
    static final int MAX_GROUPS = 64;

    private final Set<Long> groups = new HashSet<>();
    private boolean active;

    /** A new frontend: no groups. */
    void reset(boolean activate) {
        groups.clear();
        active = activate;
    }

    /** Returns whether there was room. */
    boolean add(long group) {
        return groups.contains(group) || groups.size() < MAX_GROUPS && groups.add(group);
    }

    void remove(long group) {
        groups.remove(group);
    }

    /** Whether frames to this address are to reach the frontend. */
    boolean passes(long destination) {
        return !active || !Mac.isGroup(destination) || destination == Mac.BROADCAST || groups.contains(destination);
    }
}
