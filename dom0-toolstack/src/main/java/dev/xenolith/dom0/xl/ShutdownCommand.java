package dev.xenolith.dom0.xl;

import dev.xenolith.dom0.xl.Toolstack.ShutdownRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import picocli.CommandLine.Option;

/** {@code xl shutdown} and {@code xl reboot}. */
final class ShutdownCommand extends XlCommand {
    private final ShutdownRequest request;

    @Option(names = {"-a", "--all"})
    private boolean all;

    @Option(names = {"-w", "--wait"})
    private boolean[] wait = new boolean[0];

    /** Falls back to ACPI events, which only HVM domains have. */
    @Option(names = "-F")
    private boolean fallback;

    ShutdownCommand(ShutdownRequest request) {
        this.request = request;
    }

    @Override
    int run(CommandContext context) throws InterruptedException {
        Toolstack toolstack = context.toolstack();
        if (!all && arguments.isEmpty()) {
            throw ToolstackException.failure((request == ShutdownRequest.REBOOT ? "reboot" : "shutdown")
                    + ": expected a domain or -a, found neither");
        }
        List<Integer> domids = new ArrayList<>();
        if (all) {
            toolstack.domains().stream().map(DomainInfo::domid).filter(domid -> domid != 0).forEach(domids::add);
        } else {
            domids.add(find(context, arguments.getFirst()).domid());
        }
        try (DomainEvents events = toolstack.events()) {
            Set<Integer> waitedFor = new TreeSet<>();
            for (int domid : domids) {
                context.message(
                        (request == ShutdownRequest.REBOOT ? "Rebooting domain " : "Shutting down domain ") + domid);
                try {
                    toolstack.requestShutdown(domid, request);
                    waitedFor.add(domid);
                } catch (NoSuchDomainException e) {
                    if (!all) {
                        throw e;
                    }
                    // It went while we asked the others; what was wanted is done.
                }
            }
            if (wait.length > 0) {
                context.message("Waiting for " + waitedFor.size() + " domains");
                await(context, events, waitedFor);
            }
        }
        return 0;
    }

    /** Waits for all to shut down; with {@code -w} twice, until they are gone. */
    private void await(CommandContext context, DomainEvents events, Set<Integer> domids) throws InterruptedException {
        // A domain that had shut down before we asked sends no event any more.
        for (DomainInfo domain : context.toolstack().domains()) {
            ShutdownReason reason = domain.shutdownReason();
            if (reason != null && wait.length == 1 && domids.remove(domain.domid())) {
                context.message("Domain " + domain.domid() + " has been shut down, reason code " + reason.code());
            }
        }
        while (!domids.isEmpty()) {
            switch (events.take()) {
                case DomainEvent.ShutDown(int domid, ShutdownReason reason) when domids.contains(domid) -> {
                    context.message("Domain " + domid + " has been shut down, reason code " + reason.code());
                    if (wait.length == 1) {
                        domids.remove(domid);
                    } else {
                        context.message("Domain " + domid + " continue waiting for death");
                    }
                }
                case DomainEvent.Restarted(int domid, int newDomid) when domids.remove(domid) -> context
                        .message("Domain " + domid + " has been restarted as domain " + newDomid);
                case DomainEvent.Destroyed(int domid) when domids.remove(domid) -> context
                        .message("Domain " + domid + " has been destroyed");
                default -> {
                    // About others.
                }
            }
        }
    }
}
