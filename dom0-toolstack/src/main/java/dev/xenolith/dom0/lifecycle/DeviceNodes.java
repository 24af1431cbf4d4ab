package dev.xenolith.dom0.lifecycle;

import dev.xenolith.dom0.backend.XenbusState;
import dev.xenolith.dom0.backend.block.BlockDriver;
import dev.xenolith.dom0.backend.block.DiskSource;
import dev.xenolith.dom0.backend.network.NetworkDriver;
import dev.xenolith.dom0.config.ChannelSpec;
import dev.xenolith.dom0.config.DiskSpec;
import dev.xenolith.dom0.config.DomainConfig.Devices;
import dev.xenolith.dom0.config.VifSpec;
import dev.xenolith.dom0.console.ConsoleDaemon;
import dev.xenolith.dom0.lifecycle.DomainNodes.Node;
import dev.xenolith.dom0.net.packet.Mac;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The nodes by which a toolstack announces a device to both ends, as libxl writes them (libxl_disk.c, libxl_nic.c, libxl_console.c). */
final class DeviceNodes {
    /** Of bridges and the NAT, bytes. */
    private static final int DEFAULT_MTU = 1500;

    /** LIBXL_XENCONSOLE_LIMIT and LIBXL_XENCONSOLE_PROTOCOL of tools/libs/light/libxl_internal.h. */
    private static final int CONSOLE_LIMIT = 1 << 20;
    private static final String CONSOLE_PROTOCOL = "vt100";

    private final Device device;
    private final List<Node> nodes = new ArrayList<>();
    private final List<String> frontendOwns;
    private final List<String> backendOwns;

    private DeviceNodes(Device device) {
        this.device = device;
        frontendOwns = frontendOwns(device);
        backendOwns = List.of("n" + device.backendDomid(), "r" + device.domid());
    }

    /**
     * A device and what announces it.
     *
     * @param nodes to be written all at once
     */
    record Announced(Device device, List<Node> nodes) {
    }

    /** Finds the domid of a backend by what a configuration calls it, null for dom0. */
    @FunctionalInterface
    interface Backends<E extends Exception> {
        int domid(@Nullable String name) throws E;
    }

    /** All devices of a domain. */
    static <E extends Exception> List<Announced> all(int domid, Devices devices, Backends<E> backends)
            throws E {
        List<Announced> all = new ArrayList<>();
        for (DiskSpec disk : devices.disks()) {
            Device device = device(domid, backends.domid(disk.backend()), disk);
            all.add(new Announced(device, of(device, disk)));
        }
        for (VifSpec vif : devices.vifs()) {
            Device device = device(domid, backends.domid(vif.backend()), vif);
            all.add(new Announced(device, of(device, vif)));
        }
        // Console 0 is the one that the builder has made.
        int console = 1;
        for (ChannelSpec channel : devices.channels()) {
            Device device = device(domid, backends.domid(channel.backend()), console++);
            all.add(new Announced(device, of(device, channel)));
        }
        return all;
    }

    /** Permissions of the frontend's directory: it is the frontend's, and the backend reads it. */
    static List<String> frontendOwns(Device device) {
        return List.of("n" + device.domid(), "r" + device.backendDomid());
    }

    /** The device that a disk becomes. */
    static Device device(int domid, int backendDomid, DiskSpec disk) {
        return new Device(DeviceChanges.VBD, disk.isQdisk() ? BlockDriver.QDISK : BlockDriver.VBD, domid, backendDomid,
                disk.device().number());
    }

    private static String params(DiskSpec disk) {
        String target = disk.target();
        return target == null ? "" : disk.isQdisk() ? DiskSource.word(disk.format()) + ':' + target : target;
    }

    /** What asks the backend of a drive to change its medium. */
    static List<Node> change(Device device, DiskSpec disk) {
        DeviceNodes made = new DeviceNodes(device);
        made.backend("params", params(disk));
        made.backend("type", "qdisk");
        made.backend("medium-error", "");
        return made.nodes;
    }

    /** What announces a disk. */
    static List<Node> of(Device device, DiskSpec disk) {
        DeviceNodes made = new DeviceNodes(device);
        made.announce();
        made.frontend("virtual-device", Integer.toString(device.number()));
        made.frontend("device-type", disk.cdrom() ? "cdrom" : "disk");
        made.frontend("trusted", disk.trusted() ? "1" : "0");
        made.backend("params", params(disk));
        made.backend("type", disk.isQdisk() ? "qdisk" : "phy");
        made.backend("dev", disk.device().name());
        made.backend("mode", disk.readOnly() ? "r" : "w");
        made.backend("device-type", disk.cdrom() ? "cdrom" : "disk");
        made.backend("removable", disk.cdrom() ? "1" : "0");
        made.backend("bootable", "1");
        made.backend("discard-enable", disk.discard() ? "1" : "0");
        return made.nodes;
    }

    /** The device that a vif with a number becomes. */
    static Device device(int domid, int backendDomid, VifSpec vif) {
        return new Device(NetworkDriver.VIF, NetworkDriver.VIF, domid, backendDomid, vif.device().orElseThrow());
    }

    /** What announces a vif that has a MAC address. */
    static List<Node> of(Device device, VifSpec vif) {
        DeviceNodes made = new DeviceNodes(device);
        String handle = Integer.toString(device.number());
        String mac = Mac.toString(vif.mac().orElseThrow());
        String mtu = Integer.toString(vif.mtu().orElse(DEFAULT_MTU));
        made.announce();
        made.frontend("handle", handle);
        made.frontend("trusted", vif.trusted() ? "1" : "0");
        made.frontend("mac", mac);
        made.frontend("mtu", mtu);
        made.backend("script", vif.script().orElse(VifSpec.DEFAULT_SCRIPT));
        vif.name().ifPresent(name -> made.backend("vifname", name));
        made.backend("mac", mac);
        vif.ip().ifPresent(ip -> made.backend("ip", ip));
        vif.gatewayDevice().ifPresent(gateway -> made.backend("gatewaydev", gateway));
        vif.rate().ifPresent(
                rate -> made.backend("rate", rate.bytesPerInterval() + "," + rate.intervalMicros()));
        made.backend("bridge", vif.bridge());
        made.backend("handle", handle);
        made.backend("type", "vif");
        made.backend("mtu", mtu);
        return made.nodes;
    }

    /** The device that a channel becomes; {@code number} is that of the console, from 1 on. */
    static Device device(int domid, int backendDomid, int number) {
        return new Device(ConsoleDaemon.CONSOLE, ConsoleDaemon.CONSOLE, domid, backendDomid, number);
    }

    /** What announces a channel. */
    static List<Node> of(Device device, ChannelSpec channel) {
        DeviceNodes made = new DeviceNodes(device);
        String connection = channel.connection().key();
        made.announce();
        made.frontend("limit", Integer.toString(CONSOLE_LIMIT));
        made.frontend("protocol", CONSOLE_PROTOCOL);
        made.readable("name", channel.name());
        made.readable("type", "xenconsoled");
        made.readable("output", connection);
        made.readable("tty", "");
        made.backend("protocol", CONSOLE_PROTOCOL);
        made.backend("name", channel.name());
        made.backend("connection", connection);
        String path = channel.path();
        if (path != null) {
            made.backend("path", path);
        }
        return made.nodes;
    }

    private void announce() {
        nodes.add(new Node(device.toolstack(), "", List.of("n0")));
        nodes.add(new Node(device.toolstack() + "/frontend", device.frontend(), List.of("n0")));
        nodes.add(new Node(device.toolstack() + "/backend", device.backend(), List.of("n0")));
        nodes.add(new Node(device.frontend(), "", frontendOwns));
        frontend("backend", device.backend());
        frontend("backend-id", Integer.toString(device.backendDomid()));
        frontend("state", XenbusState.INITIALISING.text());
        nodes.add(new Node(device.backend(), "", backendOwns));
        backend("frontend", device.frontend());
        backend("frontend-id", Integer.toString(device.domid()));
        backend("online", "1");
        backend("state", XenbusState.INITIALISING.text());
    }

    private void frontend(String name, String value) {
        nodes.add(new Node(device.frontend() + '/' + name, value, frontendOwns));
    }

    /** A node of the frontend's directory that the frontend may only read. */
    private void readable(String name, String value) {
        nodes.add(new Node(device.frontend() + '/' + name, value,
                List.of("n" + device.backendDomid(), "r" + device.domid())));
    }

    private void backend(String name, String value) {
        nodes.add(new Node(device.backend() + '/' + name, value, backendOwns));
    }
}
