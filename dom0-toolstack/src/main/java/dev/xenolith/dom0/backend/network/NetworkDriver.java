package dev.xenolith.dom0.backend.network;

import dev.xenolith.dom0.backend.Backend;
import dev.xenolith.dom0.backend.BackendDevice;
import dev.xenolith.dom0.backend.BackendDriver;
import dev.xenolith.dom0.net.Bridges;

/**
 * Serves vifs.
 *
 * @param bridges what they are attached to
 */
public record NetworkDriver(Bridges bridges) implements BackendDriver {
    public static final String VIF = "vif";

    @Override
    public String kind() {
        return VIF;
    }

    @Override
    public Backend create(BackendDevice device) {
        return new NetworkBackend(device, bridges);
    }
}
