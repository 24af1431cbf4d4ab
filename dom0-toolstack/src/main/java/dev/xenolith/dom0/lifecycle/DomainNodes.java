package dev.xenolith.dom0.lifecycle;

import dev.xenolith.dom0.config.DomainConfig;
import dev.xenolith.dom0.config.DomainType;
import java.util.ArrayList;
import java.util.List;

/**
 * The xenstore nodes that a toolstack makes for a PV domain, as libxl does (docs/misc/xenstore-paths.pandoc): its home, which
 * it may read; the few nodes below it that it may write; its entry by UUID; and the toolstack's own notes.
 */
public final class DomainNodes {
    /** One node: path, value, and permissions in wire form (first the owner with what everyone may). */
    public record Node(String path, String value, List<String> permissions) {
    }

    private final int domid;
    private final List<Node> nodes = new ArrayList<>();
    private final List<String> readable;
    private final List<String> writable;
    private final List<String> internal = List.of("n0");

    private DomainNodes(int domid) {
        this.domid = domid;
        this.readable = List.of("n0", "r" + domid);
        this.writable = List.of("n" + domid);
    }

    public static String home(int domid) {
        return "/local/domain/" + domid;
    }

    /** All that goes when the domain goes. */
    static List<String> roots(int domid, DomainConfig config) {
        return List.of(home(domid), "/vm/" + config.uuid(), "/libxl/" + domid);
    }

    /** Before the domain is built: everything but the rings. */
    static List<Node> of(int domid, DomainConfig config) {
        DomainNodes made = new DomainNodes(domid);
        made.vm(config);
        made.toolstack(config);
        made.home(config);
        return made.nodes;
    }

    /** The entry by UUID alone, for a domain that changes its handle. */
    static List<Node> vm(int domid, DomainConfig config) {
        DomainNodes made = new DomainNodes(domid);
        made.vm(config);
        return made.nodes;
    }

    /** After the builder has said where the rings are. */
    static List<Node> rings(int domid, long consoleFrame, int consolePort, long storeFrame, int storePort) {
        DomainNodes made = new DomainNodes(domid);
        String home = home(domid);
        made.read(home + "/store/ring-ref", Long.toString(storeFrame));
        made.read(home + "/store/port", Integer.toString(storePort));
        made.read(home + "/console", "");
        made.read(home + "/console/backend-id", "0");
        made.read(home + "/console/ring-ref", Long.toString(consoleFrame));
        made.read(home + "/console/port", Integer.toString(consolePort));
        made.read(home + "/console/limit", "1048576");
        made.read(home + "/console/type", "xenconsoled");
        made.read(home + "/console/output", "pty");
        made.read(home + "/console/tty", "");
        return made.nodes;
    }

    private void vm(DomainConfig config) {
        String vm = "/vm/" + config.uuid();
        read(vm, "");
        read(vm + "/name", config.name());
        read(vm + "/uuid", config.uuid().toString());
    }

    private void toolstack(DomainConfig config) {
        internal("/libxl/" + domid, "");
        internal("/libxl/" + domid + "/type", config.type().key());
    }

    private void driver() {
        String home = home(domid);
        read(home + "/backend", "");
        write(home + "/device-model", "");
        write(home + "/libxl", "");
    }

    private void home(DomainConfig config) {
        String home = home(domid);
        read(home, "");
        read(home + "/vm", "/vm/" + config.uuid());
        read(home + "/name", config.name());
        read(home + "/domid", Integer.toString(domid));
        read(home + "/cpu", "");
        for (int vcpu = 0; vcpu < config.maxVcpus(); vcpu++) {
            read(home + "/cpu/" + vcpu + "/availability", vcpu < config.vcpus() ? "online" : "offline");
        }
        read(home + "/memory", "");
        read(home + "/memory/static-max", Long.toString(config.maxMemoryKiB()));
        read(home + "/memory/target", Long.toString(config.memoryKiB()));
        read(home + "/device", "");
        write(home + "/device/suspend/event-channel", "");
        read(home + "/control", "");
        write(home + "/control/shutdown", "");
        write(home + "/control/feature-poweroff", "");
        write(home + "/control/feature-reboot", "");
        write(home + "/control/feature-suspend", "");
        write(home + "/control/sysrq", "");
        read(home + "/control/platform-feature-multiprocessor-suspend", "1");
        read(home + "/control/platform-feature-xs_reset_watches", "1");
        write(home + "/data", "");
        write(home + "/drivers", "");
        write(home + "/feature", "");
        write(home + "/attr", "");
        write(home + "/error", "");
        if (config.type() == DomainType.JAVA) {
            driver();
        }
    }

    private void read(String path, String value) {
        nodes.add(new Node(path, value, readable));
    }

    private void write(String path, String value) {
        nodes.add(new Node(path, value, writable));
    }

    private void internal(String path, String value) {
        nodes.add(new Node(path, value, internal));
    }
}
