package dev.xenolith.dom0.host;

import dev.xenolith.device.firmware.BootDevice;
import dev.xenolith.dom0.display.VncSettings;
import dev.xenolith.dom0.machinedisk.DriveSpec;
import dev.xenolith.dom0.machinedisk.MachineDisks;
import dev.xenolith.dom0.xl.ToolstackException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options of {@code xenolith machine run} that say what is built into the machine and plugged into it. */
final class MachineDeviceOptions {
    private static final String VGA_STANDARD = "std";
    private static final String VGA_NONE = "none";
    /** Where the package seabios has it. */
    private static final String VGA_BIOS = "/usr/share/seabios/vgabios-stdvga.bin";

    @Option(names = "--disk", paramLabel = "FILE[,OPTION...]", description = "A disk in an image: if=ide or if=ahci (default: ide), format=raw, qcow2 or vhd (default: raw), readonly. A comma in FILE is written twice; may be repeated.")
    private List<String> disks = new ArrayList<>();

    @Option(names = "--cdrom", paramLabel = "FILE", description = "A CD or DVD image in a drive on the secondary IDE channel; may be repeated.")
    private List<String> cdroms = new ArrayList<>();

    @Option(names = "--boot", paramLabel = "ORDER", description = "What the firmware boots from, one letter each: c disk, d CD-ROM, n network.")
    private @Nullable String boot;

    @Option(names = "--nic", paramLabel = "MODEL[,OPTION...]", description = "A network card: e1000. bridge=NAME it leads to (default: xenbr0), mac=ADDRESS, rom=FILE with its boot ROM; may be repeated.")
    private List<String> nics = new ArrayList<>();

    @Option(names = "--net", paramLabel = "BRIDGE=UPLINK", description = "A bridge for network cards and what leads out of it: nat (with its own 10.0.2.0/24, or nat:SUBNET), none or tap:INTERFACE (of this host; needs the right to open it). May be repeated (default: xenbr0=nat).")
    private List<String> bridges = new ArrayList<>();

    @Option(names = "--forward", paramLabel = "tcp:[ADDRESS:]PORT-GUEST:PORT", description = "A port of this host, at 127.0.0.1 if nothing is said, that leads to the machine behind a NAT; udp too. May be repeated.")
    private List<String> forwards = new ArrayList<>();

    @Option(names = "--vga", paramLabel = "CARD", description = "The display: std, a VGA with the VBE extensions of Bochs, or none (default: std).")
    private String vga = VGA_STANDARD;

    @Option(names = "--vga-bios", paramLabel = "FILE", description = "Image of the VGA's BIOS, which firmware starts (default: with --bios "
            + VGA_BIOS + " if it is there, else none).")
    private @Nullable String vgaBios;

    @Option(names = "--screenshot", paramLabel = "FILE", description = "Write a picture of the screen at the end, as PNG.")
    private @Nullable String screenshot;

    @Option(names = "--vnc", paramLabel = VncSettings.SYNTAX, description = "Show the screen to VNC viewers at TCP port 5900 + N, with web to browsers at 5700 + N too; without HOST to this computer only. POLICY: allow-exclusive, force-shared or ignore.")
    private @Nullable String vnc;

    /**
     * Checks everything. Throws with the option at fault and {@link ToolstackException#USAGE}.
     *
     * @param firmware whether firmware is booted, and not a kernel
     * @param screen whether the text on the screen is wanted
     */
    MachineDevices toSettings(Path directory, boolean firmware, boolean screen) {
        return new MachineDevices(display(directory, firmware, screen), drives(directory), bootOrder(firmware),
                nics(directory), network(), vnc(directory));
    }

    private MachineDevices.@Nullable Display display(Path directory, boolean firmware, boolean screen) {
        switch (vga) {
            case VGA_STANDARD -> {
                Path installed = Path.of(VGA_BIOS);
                Path image = vgaBios != null
                        ? MachineRunOptions.resolve(directory, "--vga-bios", vgaBios)
                        : firmware && Files.isReadable(installed) ? installed : null;
                return new MachineDevices.Display(image,
                        MachineRunOptions.given(directory, "--screenshot", screenshot));
            }
            case VGA_NONE -> {
                if (vgaBios != null || screen || screenshot != null) {
                    throw usage((vgaBios != null ? "--vga-bios" : screen ? "--screen" : "--screenshot")
                            + " does not go with --vga none");
                }
                return null;
            }
            default -> throw usage("--vga: expected std or none, found '" + vga + "'");
        }
    }

    private List<NicSpec> nics(Path directory) {
        List<NicSpec> cards = new ArrayList<>();
        try {
            for (String nic : nics) {
                cards.add(NicSpec.parse(nic, cards.size(),
                        file -> MachineRunOptions.resolve(directory, "--nic: rom", file)));
            }
        } catch (IllegalArgumentException e) {
            throw usage(String.valueOf(e.getMessage()));
        }
        return cards;
    }

    private NetworkOptions network() {
        if (nics.isEmpty() && !(bridges.isEmpty() && forwards.isEmpty())) {
            throw usage((bridges.isEmpty() ? "--forward" : "--net") + " goes with --nic");
        }
        try {
            return NetworkOptions.parse(bridges, forwards);
        } catch (IllegalArgumentException e) {
            throw usage(String.valueOf(e.getMessage()));
        }
    }

    private List<DriveSpec> drives(Path directory) {
        List<DriveSpec> drives = new ArrayList<>();
        try {
            for (String disk : disks) {
                drives.add(DriveSpec.disk(disk, file -> MachineRunOptions.resolve(directory, "--disk", file)));
            }
        } catch (IllegalArgumentException e) {
            throw usage(String.valueOf(e.getMessage()));
        }
        for (String cdrom : cdroms) {
            drives.add(DriveSpec.cdrom(MachineRunOptions.resolve(directory, "--cdrom", cdrom)));
        }
        return drives;
    }

    private List<BootDevice> bootOrder(boolean firmware) {
        if (boot == null) {
            return List.of();
        }
        if (!firmware) {
            throw usage("--boot goes with --bios");
        }
        try {
            return MachineDisks.bootOrder(boot);
        } catch (IllegalArgumentException e) {
            throw usage(String.valueOf(e.getMessage()));
        }
    }

    private @Nullable VncSettings vnc(Path directory) {
        try {
            return vnc == null ? null : VncSettings.parse(vnc, directory);
        } catch (IllegalArgumentException e) {
            throw usage("--vnc: " + e.getMessage());
        }
    }

    private static ToolstackException usage(String message) {
        return new ToolstackException(ToolstackException.USAGE, message);
    }
}
