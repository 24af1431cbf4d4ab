package dev.xenolith.dom0.host;

import dev.xenolith.device.firmware.BootDevice;
import dev.xenolith.dom0.display.VncSettings;
import dev.xenolith.dom0.machinedisk.DriveSpec;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What is built into a bare machine and plugged into it, checked.
 *
 * @param display null without one
 * @param bootOrder what firmware boots from; empty: it decides
 * @param network the bridges that the network cards lead to
 * @param vnc null if nobody is shown the screen
 */
record MachineDevices(@Nullable Display display, List<DriveSpec> drives, List<BootDevice> bootOrder, List<NicSpec> nics,
        NetworkOptions network,
        @Nullable VncSettings vnc) {
    /**
     * A VGA.
     *
     * @param bios image of its BIOS, null for none
     * @param screenshot where a picture of the screen is written at the end, null for nowhere
     */
    record Display(@Nullable Path bios, @Nullable Path screenshot) {
    }
}
