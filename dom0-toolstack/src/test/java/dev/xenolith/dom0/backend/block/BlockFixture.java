package dev.xenolith.dom0.backend.block;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.dom0.backend.BackendBus;
import dev.xenolith.dom0.support.FakeHypervisor;
import dev.xenolith.dom0.xenstore.Permissions;
import dev.xenolith.dom0.xenstore.XenstoreClient;
import dev.xenolith.dom0.xenstore.XenstoreException;
import dev.xenolith.dom0.xenstore.Xenstored;
import dev.xenolith.hypervisor.operations.DomainHandle;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/** A disk of a driver domain, and a frontend; the host does what it is told, in any order. */
final class BlockFixture {
    static final int FRONTEND_DOMID = 1;
    private static final int BACKEND_DOMID = 5;
    static final String BACKEND = "/local/domain/" + BACKEND_DOMID + "/backend/qdisk/1/51712";
    static final String FRONTEND = "/local/domain/" + FRONTEND_DOMID + "/device/vbd/51712";

    final FakeHypervisor hypervisor = new FakeHypervisor();
    final HeldWork work = new HeldWork();
    final BlockFrontend guest;
    private final ImageOpener images;
    private final Xenstored xenstored;
    private final XenstoreClient store;
    private final String mode;
    private final int portsBefore;
    private BackendBus bus;

    /** A disk that may be written to. */
    BlockFixture(ImageOpener images) throws XenstoreException {
        this(images, "w");
    }

    BlockFixture(ImageOpener images, String mode) throws XenstoreException {
        this.images = images;
        this.mode = mode;
        DomainHandle dom0 = hypervisor.handle(0);
        xenstored = new Xenstored(dom0);
        store = xenstored.connect(dom0);
        guest = new BlockFrontend(hypervisor, store);
        portsBefore = hypervisor.openPorts();
        for (int domid : new int[]{FRONTEND_DOMID, BACKEND_DOMID}) {
            hypervisor.addDomain(domid);
            store.mkdir("/local/domain/" + domid);
            store.setPermissions("/local/domain/" + domid, Permissions.parse(List.of("b" + domid)));
        }
        bus = start();
        store.writeText(FRONTEND + "/state", "1");
        announce();
    }

    private BackendBus start() throws XenstoreException {
        hypervisor.addDomain(BACKEND_DOMID);
        DomainHandle handle = hypervisor.handle(BACKEND_DOMID);
        BackendBus started = new BackendBus(handle, xenstored.connect(handle));
        started.add(new BlockDriver(BlockDriver.QDISK, images, work));
        return started;
    }

    /** What a toolstack writes, when a device comes and when its driver domain is back. */
    private void announce() throws XenstoreException {
        Map<String, String> settings = Map.of("params", "aio:/disk", "device-type", "disk", "mode", mode, "frontend",
                FRONTEND, "frontend-id", "1", "state", "1", "online", "1");
        store.transaction(transaction -> {
            for (Map.Entry<String, String> setting : settings.entrySet()) {
                transaction.write(BACKEND + '/' + setting.getKey(),
                        setting.getValue().getBytes(StandardCharsets.US_ASCII));
            }
            return true;
        });
        settle();
    }

    /** The driver domain dies as it is; what it has asked of the host goes on. */
    void die() {
        hypervisor.dying(BACKEND_DOMID);
        hypervisor.run();
        assertLetGo();
    }

    /** The driver domain is created anew when the host has let go of what the one before had. */
    void comeBack() throws XenstoreException {
        settle();
        assertThat(bus.devices()).isZero();
        bus = start();
        announce();
    }

    /** Runs everything: handlers, and the host, which reports the last first. */
    void settle() {
        do {
            hypervisor.run();
        } while (work.finishAll());
    }

    String told(String name) throws XenstoreException {
        String text = store.findText(BACKEND + '/' + name);
        return text == null ? "" : text;
    }

    /** Nothing of a frontend is held. */
    void assertLetGo() {
        assertThat(hypervisor.mappedPages()).isZero();
        assertThat(hypervisor.openPorts()).isEqualTo(portsBefore);
    }

    /** The toolstack takes the disk back from a frontend that is gone. */
    void withdraw() throws XenstoreException {
        store.remove(FRONTEND);
        store.writeText(BACKEND + "/online", "0");
        settle();
        assertLetGo();
        assertThat(bus.devices()).isZero();
        assertThat(work.size()).isZero();
    }
}
