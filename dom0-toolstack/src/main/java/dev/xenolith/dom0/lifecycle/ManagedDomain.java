package dev.xenolith.dom0.lifecycle;

import dev.xenolith.dom0.config.DomainConfig;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What the toolstack remembers of a domain that it made. */
final class ManagedDomain {
    /** Where in its life a domain is, as far as the toolstack is concerned. */
    enum State {
        /** Its name is taken; it may not have a domid yet. */
        CREATING,
        /** Complete; running, paused, or shut down and preserved. */
        ALIVE,
        /** Being torn down. */
        DESTROYING
    }

    /** The configuration that it was made from and would be made from again; the name follows a rename. */
    DomainConfig config;
    State state = State.CREATING;
    int domid = -1;
    /** What has been attached to it, in that order. */
    final List<Device> devices = new ArrayList<>();
    /** Drives whose media are being changed. */
    final Set<Device> changing = new HashSet<>();
    /** Machine time at which it was complete, in ns. */
    long startedAt;
    /** Its shutdown has been seen and acted on. */
    boolean shutdownHandled;
    /** It has been asked to suspend itself, and has not answered yet. */
    boolean suspending;
    /** It is being connected anew, and does not go on yet. */
    boolean reconnecting;
    /** Called once, when nothing of it is left but what others map. */
    @Nullable
    Runnable whenGone;

    ManagedDomain(DomainConfig config) {
        this.config = config;
    }
}
