package dev.xenolith.dom0.host;

import dev.xenolith.dom0.xl.Client;

/** The body of {@code xenolith demo}, found as a service. */
public interface Demonstration {
    /**
     * Boots a host in this process, shows what it can do, and ends it.
     *
     * @return the exit code, 0 if everything went as it should
     * @throws InterruptedException the user has had enough
     */
    int run(Client client) throws InterruptedException;
}
