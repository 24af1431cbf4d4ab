package dev.xenolith.dom0.xl;

import dev.xenolith.dom0.config.DomainConfig;
import dev.xenolith.dom0.config.DomainConfigJson;
import java.io.StringWriter;
import java.util.BitSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import picocli.CommandLine.Option;

/** {@code xl list}. */
final class ListCommand extends XlCommand {
    @Option(names = {"-l", "--long"})
    private boolean details;

    @Option(names = {"-v", "--verbose"})
    private boolean verbose;

    @Option(names = {"-Z", "--context"})
    private boolean context;

    @Option(names = {"-c", "--cpupool"})
    private boolean pool;

    @Option(names = {"-n", "--numa"})
    private boolean numa;

    @Override
    int run(CommandContext context) {
        if (arguments.size() > 1) {
            XlCommandTable.printHelp(context, "list");
            return ToolstackException.FAILURE;
        }
        List<DomainInfo> domains = arguments.isEmpty()
                ? context.toolstack().domains()
                : List.of(find(context, arguments.getFirst()));
        if (details) {
            printDetails(context, domains);
        } else {
            printTable(context, domains);
        }
        return 0;
    }

    private void printTable(CommandContext context, List<DomainInfo> domains) {
        HostInfo host = numa ? context.toolstack().hostInfo() : null;
        context.line("Name                                        ID   Mem VCPUs\tState\tTime(s)%s%s%s%s",
                verbose ? "   UUID                            Reason-Code\tSecurity Label" : "",
                this.context && !verbose ? "   Security Label" : "", pool ? "         Cpupool" : "",
                numa ? " NODE Affinity" : "");
        for (DomainInfo domain : domains) {
            ShutdownReason reason = domain.shutdownReason();
            StringBuilder line = new StringBuilder(String.format(Locale.ROOT,
                    "%-40s %5d %5d %5d     %c%c%c%c%c%c  %8.1f",
                    domain.name(), domain.domid(), domain.memoryKiB() / 1024, domain.onlineVcpus(),
                    domain.running() ? 'r' : '-', domain.blocked() ? 'b' : '-', domain.paused() ? 'p' : '-',
                    reason != null ? 's' : '-', reason == null ? '-' : reason.letter(), domain.dying() ? 'd' : '-',
                    domain.cpuTimeNanos() / 1e9));
            if (verbose) {
                line.append(' ').append(domain.uuid())
                        .append(String.format(" %8s", reason == null ? "-" : Integer.toHexString(reason.code())));
            }
            if (verbose || this.context) {
                line.append(String.format(" %16s", "-")); // No XSM, no labels.
            }
            if (pool) {
                line.append(String.format("%16s", domain.cpupool()));
            }
            if (host != null) {
                line.append(' ').append(CpuMaps.format(nodes(context, domain, host), host.nodes().size()));
            }
            context.line("%s", line);
        }
    }

    /** The nodes of the processors that its virtual CPUs may run on, which is Xen's automatic node affinity. */
    private static BitSet nodes(CommandContext context, DomainInfo domain, HostInfo host) {
        BitSet nodes = new BitSet();
        for (VcpuInfo vcpu : vcpus(context, domain)) {
            for (int cpu = 0; cpu < host.topology().size(); cpu++) {
                if (vcpu.hardAffinity().get(cpu)) {
                    nodes.set(host.topology().get(cpu).node());
                }
            }
        }
        return nodes;
    }

    private static void printDetails(CommandContext context, List<DomainInfo> domains) {
        String scheduler = context.toolstack().hostInfo().version().scheduler();
        StringWriter text = new StringWriter();
        try (DomainConfigJson json = new DomainConfigJson(text)) {
            json.beginList();
            for (DomainInfo domain : domains) {
                DomainConfigJson.Live live = new DomainConfigJson.Live(domain.domid(), domain.name(), scheduler,
                        domain.weight(), domain.cap(), domain.maxMemoryKiB(), domain.memoryKiB());
                Optional<DomainConfig> config;
                try {
                    config = context.toolstack().configuration(domain.domid());
                } catch (NoSuchDomainException e) {
                    continue; // It went while we were listing.
                }
                config.ifPresentOrElse(found -> json.writeLive(found, live), () -> json.writeInitialDomain(live));
            }
            json.endList();
        }
        context.out().print(text);
        context.out().print('\n'); // xl ends the document with puts.
    }
}
