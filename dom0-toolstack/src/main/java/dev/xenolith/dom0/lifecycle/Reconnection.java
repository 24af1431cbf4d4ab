package dev.xenolith.dom0.lifecycle;

import dev.xenolith.dom0.build.PvBuilder;
import dev.xenolith.dom0.pv.StartInfoPage;
import dev.xenolith.dom0.pv.VcpuContext;
import dev.xenolith.hypervisor.abi.Errno;
import dev.xenolith.hypervisor.operations.DomainControl;
import dev.xenolith.hypervisor.operations.DomainHandle;
import dev.xenolith.hypervisor.operations.OperationException;
import dev.xenolith.hypervisor.operations.SharedPage;
import java.io.IOException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Lets a suspended domain go on as if it had been restored from a saved image: with new ports, a new conversation with xenstored, a console
 * and devices connected anew, its start_info saying so. Its kernel hears that its suspend took place (SCHEDOP_shutdown returns 0).
 */
final class Reconnection {
    private static final int FRAME_SHIFT = 12;

    private final DomainManager manager;
    private final ManagedDomain domain;
    private final int domid;
    private final DomainHandle dom0;
    private final DomainControl control;
    private final Consumer<@Nullable String> outcome;

    /** {@code outcome} is told null, or why the domain does not go on. */
    Reconnection(DomainManager manager, ManagedDomain domain, Consumer<@Nullable String> outcome) {
        this.manager = manager;
        this.domain = domain;
        this.domid = domain.domid;
        this.dom0 = manager.dom0();
        this.control = dom0.control();
        this.outcome = outcome;
    }

    /** Begins; takes several turns of dom0. */
    void start() {
        int result = control.resetInterfaces(domid);
        if (result == DomainControl.AGAIN) {
            dom0.post(this::start);
        } else if (result < 0) {
            outcome.accept(result == -Errno.EINVAL ? "it is not suspended" : Errno.name(result));
        } else {
            reconnect();
        }
    }

    private void reconnect() {
        try {
            // In the builder's order: Linux keeps the console's port number over a suspend, so it must come out the same.
            int storePort = port("xenstore");
            int consolePort = port("console");
            long storeFrame = frame("/store/ring-ref");
            long consoleFrame = frame("/console/ring-ref");
            writeStartInfo(storeFrame, storePort, consoleFrame, consolePort);
            manager.store().write(DomainNodes.rings(domid, consoleFrame, consolePort, storeFrame, storePort));
            manager.services().introduce(domid, new PvBuilder.Built(consoleFrame, consolePort, storeFrame, storePort));
        } catch (IOException | OperationException e) {
            outcome.accept(e.getMessage());
            return;
        }
        manager.devices().reattach(domain, problem -> {
            if (problem != null) {
                outcome.accept(problem);
            } else {
                outcome.accept(manager.goOn(domain, false));
            }
        });
    }

    private int port(String what) throws IOException {
        int port = dom0.events().allocUnboundFor(domid, dom0.domid());
        if (port < 0) {
            throw new IOException("it gets no port for its " + what + ": " + Errno.name(port));
        }
        return port;
    }

    /** The frame that a node of the toolstack's names. */
    private long frame(String node) throws IOException {
        String text = manager.store().find(DomainNodes.home(domid) + node);
        if (text == null || !text.matches("[0-9]{1,18}")) {
            throw new IOException("its node " + node + " is gone");
        }
        return Long.parseLong(text);
    }

    /** SCHEDOP_shutdown's third argument, which is in RDX, was the frame of start_info; its kernel wrote PFNs there. */
    private void writeStartInfo(long storeFrame, int storePort, long consoleFrame, int consolePort)
            throws IOException, OperationException {
        VcpuContext context = VcpuContext.read(control, domid, 0);
        DomainControl.DomainInfo info = control.info(domid);
        if (context == null || info == null) {
            throw new IOException("it is gone");
        }
        long startInfo = context.general(VcpuContext.RDX);
        SharedPage page;
        try {
            page = control.mapForeign(domid, startInfo);
        } catch (OperationException e) {
            throw new IOException("its start_info, frame 0x" + Long.toHexString(startInfo) + ": " + e.getMessage(), e);
        }
        new StartInfoPage(context.abi(), page).word("nr_pages", info.pages())
                .word("shared_info", control.sharedInfoFrame(domid) << FRAME_SHIFT).word("store_mfn", storeFrame)
                .u32("store_evtchn", storePort).word("console.domU.mfn", consoleFrame)
                .u32("console.domU.evtchn", consolePort);
        page.unmap();
    }
}
