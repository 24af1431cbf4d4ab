package dev.xenolith.dom0.lifecycle;

import dev.xenolith.dom0.backend.XenbusState;
import dev.xenolith.dom0.backend.block.BlockDriver;
import dev.xenolith.dom0.backend.network.NetworkDriver;
import dev.xenolith.dom0.config.DiskSpec;
import dev.xenolith.dom0.config.DomainConfig.Devices;
import dev.xenolith.dom0.config.VifSpec;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Attaches devices to domains that live, and detaches them; the domains' configurations follow, so that a restart finds what is there.
 * Outcomes are told why it did not work, or null, later. All methods are called from handlers of dom0.
 */
public final class DeviceChanges {
    /** The directory of disks below a frontend's {@code device}. */
    public static final String VBD = BlockDriver.VBD;
    public static final String VIF = NetworkDriver.VIF;

    /** Xen's part of the MAC addresses, 00:16:3e. */
    private static final long XEN_OUI = 0x00163eL << 24;
    private static final int MAX_VIFS = 1 << 16;

    private final DomainManager manager;
    private final RandomGenerator random;

    /** @param random chooses MAC addresses */
    DeviceChanges(DomainManager manager, RandomGenerator random) {
        this.manager = manager;
        this.random = random;
    }

    /** The same with a number and a MAC address for each vif, which then stay the same in all restarts. */
    Devices settled(Devices devices) {
        List<VifSpec> vifs = new ArrayList<>();
        for (VifSpec vif : devices.vifs()) {
            VifSpec numbered = vif.withDevice(vif.device().orElse(vifs.size()));
            vifs.add(numbered.mac().isPresent() ? numbered : numbered.withMac(chooseMac(vifs)));
        }
        return devices.withVifs(vifs);
    }

    private long chooseMac(List<VifSpec> more) {
        while (true) {
            long mac = XEN_OUI | random.nextInt(1 << 24);
            boolean taken = more.stream().anyMatch(vif -> vif.mac().orElse(-1) == mac)
                    || manager.all().stream().flatMap(domain -> domain.config.devices().vifs().stream())
                            .anyMatch(vif -> vif.mac().orElse(-1) == mac);
            if (!taken) {
                return mac;
            }
        }
    }

    // ---- attaching ---------------------------------------------------------------------------------------------------

    /** Attaches a disk. */
    public void attach(int domid, DiskSpec disk, Consumer<@Nullable String> outcome) {
        ManagedDomain domain = manager.living(domid);
        if (domain == null) {
            outcome.accept("domain " + domid + " is none that devices can be attached to");
            return;
        }
        try {
            Device device = DeviceNodes.device(domid, manager.backendDomid(disk.backend()), disk);
            attach(domain, device, DeviceNodes.of(device, disk), devices -> devices.with(disk), outcome);
        } catch (IOException e) {
            outcome.accept(e.getMessage());
        }
    }

    /** Attaches a vif; what it does not say of itself, number and MAC address, is chosen. */
    public void attach(int domid, VifSpec vif, Consumer<@Nullable String> outcome) {
        ManagedDomain domain = manager.living(domid);
        if (domain == null) {
            outcome.accept("domain " + domid + " is none that devices can be attached to");
            return;
        }
        VifSpec numbered = vif.withDevice(vif.device().orElseGet(() -> nextVif(domain)));
        VifSpec settled = numbered.mac().isPresent() ? numbered : numbered.withMac(chooseMac(List.of()));
        if (settled.device().orElseThrow() >= MAX_VIFS) {
            outcome.accept("domain " + domid + " has no number left for another vif");
            return;
        }
        try {
            Device device = DeviceNodes.device(domid, manager.backendDomid(settled.backend()), settled);
            attach(domain, device, DeviceNodes.of(device, settled), devices -> devices.with(settled), outcome);
        } catch (IOException e) {
            outcome.accept(e.getMessage());
        }
    }

    /** One more than the largest number, as libxl__device_nextid. */
    private static int nextVif(ManagedDomain domain) {
        return 1 + domain.devices.stream().filter(device -> device.kind().equals(VIF)).mapToInt(Device::number).max()
                .orElse(-1);
    }

    private void attach(ManagedDomain domain, Device device, List<DomainNodes.Node> nodes,
            UnaryOperator<Devices> change,
            Consumer<@Nullable String> outcome) {
        if (find(domain, device.kind(), device.number()) != null) {
            outcome.accept("domain " + domain.domid + " has a device " + device.kind() + '/' + device.number()
                    + " already");
            return;
        }
        DeviceBus bus = manager.deviceBus();
        domain.devices.add(device);
        bus.announce(nodes);
        bus.awaitReady(List.of(device), problem -> {
            if (problem == null) {
                domain.config = domain.config.withDevices(change.apply(domain.config.devices()));
                outcome.accept(null);
            } else {
                bus.withdraw(List.of(device), true, closed -> {
                    domain.devices.remove(device);
                    outcome.accept(problem);
                });
            }
        });
    }

    // ---- changing media ----------------------------------------------------------------------------------------------

    /**
     * Changes what is in a CD-ROM drive. If that does not work, what was in it is in it still.
     *
     * @param medium names the drive by its device, and the medium by its target and format; without a target the drive becomes empty
     */
    public void changeMedium(int domid, DiskSpec medium, Consumer<@Nullable String> outcome) {
        ManagedDomain domain = manager.living(domid);
        int number = medium.device().number();
        Device device = domain == null ? null : find(domain, VBD, number);
        DiskSpec drive = domain == null
                ? null
                : domain.config.devices().disks().stream()
                        .filter(disk -> disk.device().number() == number).findFirst().orElse(null);
        if (domain == null || device == null || drive == null) {
            outcome.accept("domain " + domid + " has no device " + VBD + '/' + number);
            return;
        }
        if (!drive.cdrom()) {
            outcome.accept("device " + VBD + '/' + number + " is not a cdrom");
            return;
        }
        if (domain.changing.contains(device)) {
            outcome.accept("device " + VBD + '/' + number + ": its medium is being changed already");
            return;
        }
        domain.changing.add(device);
        DiskSpec changed = drive.withMedium(medium.target(), medium.format());
        if (drive.target() != null && drive.equals(changed)) {
            // The file may be another by now, or have another size: the drive has to let go of what it knows.
            DiskSpec empty = drive.withMedium(null, drive.format());
            change(domain, device, drive, empty, problem -> {
                if (problem == null) {
                    change(domain, device, empty, changed, done(domain, device, outcome));
                } else {
                    done(domain, device, outcome).accept(problem);
                }
            });
        } else {
            change(domain, device, drive, changed, done(domain, device, outcome));
        }
    }

    private static Consumer<@Nullable String> done(ManagedDomain domain, Device device,
            Consumer<@Nullable String> outcome) {
        return problem -> {
            domain.changing.remove(device);
            outcome.accept(problem);
        };
    }

    private void change(ManagedDomain domain, Device device, DiskSpec before, DiskSpec after,
            Consumer<@Nullable String> outcome) {
        DeviceBus bus = manager.deviceBus();
        bus.change(device, DeviceNodes.change(device, after), problem -> {
            if (problem == null) {
                domain.config = domain.config.withDevices(domain.config.devices().withChanged(after));
            } else if (manager.store().find(device.backend() + "/frontend-id") != null) {
                manager.store().write(DeviceNodes.change(device, before));
            }
            outcome.accept(problem);
        });
    }

    // ---- detaching ---------------------------------------------------------------------------------------------------

    /**
     * Detaches a device.
     *
     * @param kind {@link #VBD} or {@link #VIF}
     * @param force whether the frontend is not asked to let go of it
     */
    public void detach(int domid, String kind, int number, boolean force, Consumer<@Nullable String> outcome) {
        ManagedDomain domain = manager.living(domid);
        Device device = domain == null ? null : find(domain, kind, number);
        if (domain == null || device == null) {
            outcome.accept("domain " + domid + " has no device " + kind + '/' + number);
            return;
        }
        manager.deviceBus().withdraw(List.of(device), force, closed -> {
            if (!closed && !force) {
                outcome.accept("device " + kind + '/' + number + ": the domain does not let go of it");
                return;
            }
            domain.devices.remove(device);
            Devices devices = domain.config.devices();
            domain.config = domain.config
                    .withDevices(kind.equals(VIF) ? devices.withoutVif(number) : devices.withoutDisk(number));
            outcome.accept(null);
        });
    }

    private static @Nullable Device find(ManagedDomain domain, String kind, int number) {
        return domain.devices.stream().filter(device -> device.kind().equals(kind) && device.number() == number)
                .findFirst().orElse(null);
    }

    // ---- driver domains ----------------------------------------------------------------------------------------------

    /** Whether a domain that lives has a device that domain {@code backend} serves. */
    boolean dependOn(int backend) {
        return manager.all().stream().anyMatch(domain -> domain.state == ManagedDomain.State.ALIVE
                && domain.devices.stream().anyMatch(device -> device.backendDomid() == backend));
    }

    /**
     * A driver domain is there again, with the domid of the one before it: announces to it the devices that the other served. Their
     * frontends notice nothing but that they are served: their grants and ports are for that domid.
     */
    void announceAgain(int backend) {
        for (ManagedDomain domain : manager.all()) {
            if (domain.state == ManagedDomain.State.ALIVE) {
                DeviceNodes.all(domain.domid, domain.config.devices(), name -> backend).stream()
                        .filter(announced -> domain.devices.contains(announced.device()))
                        .forEach(this::announceAgain);
            }
        }
    }

    private void announceAgain(DeviceNodes.Announced announced) {
        NodeStore store = manager.store();
        Device device = announced.device();
        // The guest's side is as it was, but what the dead domain might read of it, its successor may not before it is said again.
        store.permit(device.frontend(), DeviceNodes.frontendOwns(device));
        store.write(announced.nodes().stream().filter(node -> node.path().startsWith(device.backend())).toList());
    }

    /**
     * Takes all devices of a suspended domain back and announces them again, for it to connect to them anew; to the backends that are
     * there now.
     */
    void reattach(ManagedDomain domain, Consumer<@Nullable String> outcome) {
        DeviceBus bus = manager.deviceBus();
        List<Device> before = List.copyOf(domain.devices);
        bus.withdraw(before, true, closed -> {
            if (manager.living(domain.domid) != domain) {
                // What is announced now nobody would take back.
                outcome.accept("it has been destroyed");
                return;
            }
            try {
                List<DeviceNodes.Announced> after = DeviceNodes.all(domain.domid, domain.config.devices(),
                        manager::backendDomid);
                domain.devices.clear();
                after.forEach(announced -> {
                    domain.devices.add(announced.device());
                    bus.announce(announced.nodes());
                });
                bus.awaitReady(List.copyOf(domain.devices), outcome);
            } catch (IOException e) {
                outcome.accept(e.getMessage());
            }
        });
    }

    // ---- looking -----------------------------------------------------------------------------------------------------

    /**
     * A device as its nodes describe it.
     *
     * @param device what it is
     * @param state the frontend's
     * @param store reads further nodes of the frontend's directory
     */
    public record Described(Device device, XenbusState state, Function<String, @Nullable String> store) {
        /** A node of the frontend's directory; empty if there is none. */
        public String text(String name) {
            String text = store.apply(name);
            return text == null ? "" : text;
        }

        /** A number that the frontend has written; -1 if it has not. */
        public int number(String name) {
            String text = text(name);
            return text.matches("[0-9]{1,9}") ? Integer.parseInt(text) : -1;
        }
    }

    /** The devices of a kind that a domain has, by number; to be looked at before anything else happens. */
    public List<Described> list(int domid, String kind) {
        ManagedDomain domain = manager.living(domid);
        if (domain == null) {
            return List.of();
        }
        NodeStore store = manager.store();
        return domain.devices.stream().filter(device -> device.kind().equals(kind))
                .sorted((a, b) -> Integer.compare(a.number(), b.number()))
                .map(device -> new Described(device, XenbusState.of(store.find(device.frontend() + "/state")),
                        name -> store.find(device.frontend() + '/' + name)))
                .toList();
    }
}
