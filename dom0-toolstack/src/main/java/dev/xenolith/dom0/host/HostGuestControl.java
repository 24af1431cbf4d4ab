package dev.xenolith.dom0.host;

import dev.xenolith.device.board.Machine;
import dev.xenolith.dom0.lifecycle.DomainManager;
import dev.xenolith.dom0.lifecycle.DomainNodes;
import dev.xenolith.dom0.lifecycle.NodeStore;
import dev.xenolith.dom0.xl.GuestControl;
import dev.xenolith.dom0.xl.NoSuchDomainException;
import dev.xenolith.dom0.xl.ToolstackException;
import dev.xenolith.hypervisor.abi.Domctl;
import dev.xenolith.hypervisor.abi.Errno;
import dev.xenolith.hypervisor.operations.DomainControl;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** What is done to running domains of a running host: sysrq, triggers, core dumps, suspend and resume. */
final class HostGuestControl implements GuestControl {
    private final HostToolstack toolstack;
    private final Machine machine;
    private final DomainControl control;
    private final DomainManager manager;
    private final NodeStore nodes;

    HostGuestControl(HostToolstack toolstack, Machine machine, DomainControl control, DomainManager manager,
            NodeStore nodes) {
        this.toolstack = toolstack;
        this.machine = machine;
        this.control = control;
        this.manager = manager;
        this.nodes = nodes;
    }

    private void requireGuest(int domid) {
        if (manager.configuration(domid).isEmpty()) {
            throw domid == 0
                    ? ToolstackException.failure("Domain-0 is this program, not a guest")
                    : new NoSuchDomainException(domid);
        }
    }

    @Override
    public void sysrq(int domid, char key) {
        toolstack.ask(() -> {
            requireGuest(domid);
            nodes.write(DomainNodes.home(domid) + "/control/sysrq", String.valueOf(key));
            return 0;
        });
    }

    @Override
    public void trigger(int domid, Trigger trigger, int vcpu) {
        toolstack.ask(() -> {
            requireGuest(domid);
            if (control.vcpu(domid, vcpu) == null) {
                throw ToolstackException.failure("domain " + domid + " has no vCPU " + vcpu);
            }
            int result = switch (trigger) {
                case NMI -> control.sendTrigger(domid, Domctl.SENDTRIGGER_NMI, vcpu);
                case RESET -> control.sendTrigger(domid, Domctl.SENDTRIGGER_RESET, vcpu);
                case INIT -> control.sendTrigger(domid, Domctl.SENDTRIGGER_INIT, vcpu);
                case POWER -> control.sendTrigger(domid, Domctl.SENDTRIGGER_POWER, vcpu);
                case SLEEP -> control.sendTrigger(domid, Domctl.SENDTRIGGER_SLEEP, vcpu);
                // A parameter of HVM domains (HVM_PARAM_ACPI_S_STATE).
                case S3RESUME -> -Errno.EINVAL;
            };
            return HostToolstack.check(domid, result,
                    "sending " + trigger.name().toLowerCase(Locale.ROOT) + " to vCPU " + vcpu);
        });
    }

    @Override
    public void dumpCore(int domid, Path file) {
        await(domid, "dump-core", outcome -> manager.dumpCore(domid, () -> file, outcome));
    }

    @Override
    public void suspend(int domid) {
        await(domid, "suspend", outcome -> manager.suspend(domid, outcome));
    }

    @Override
    public void resume(int domid, boolean reconnected) {
        await(domid, "resume", outcome -> manager.resume(domid, reconnected, outcome));
    }

    /** Starts something that takes a while in a handler of dom0, and waits until it tells its outcome. */
    private void await(int domid, String what, Consumer<Consumer<@Nullable String>> start) {
        CompletableFuture<Boolean> done = machine.whilePowered(new CompletableFuture<>());
        toolstack.tell(() -> {
            try {
                requireGuest(domid);
                start.accept(problem -> {
                    if (problem == null) {
                        done.complete(true);
                    } else {
                        done.completeExceptionally(
                                ToolstackException.failure(what + ": domain " + domid + ": " + problem));
                    }
                });
            } catch (RuntimeException | Error e) {
                done.completeExceptionally(e);
            }
        });
        HostToolstack.await(done);
    }
}
