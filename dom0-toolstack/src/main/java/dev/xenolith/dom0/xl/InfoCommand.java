package dev.xenolith.dom0.xl;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** {@code xl info}. */
final class InfoCommand extends XlCommand {
    /** xend_config_format: libxl has said 4 since xend went away. */
    private static final int CONFIG_FORMAT = 4;

    @Option(names = {"-n", "--numa"})
    private boolean numa;

    private @Nullable String only;

    @Override
    int run(CommandContext context) {
        only = !numa && !arguments.isEmpty() ? arguments.getFirst() : null;
        HostInfo info = context.toolstack().hostInfo();
        printNode(context, info.uname());
        printPhysical(context, info.physical(), info.nodes().size());
        if (numa) {
            printTopology(context, info);
        }
        printVersion(context, info.version());
        print(context, "xend_config_format", CONFIG_FORMAT);
        return 0;
    }

    /** Prints one line; with a name on the command line only the value of names that begin with it. */
    private void print(CommandContext context, String name, Object value) {
        if (only == null) {
            context.line("%-23s: %s", name, value);
        } else if (name.startsWith(only)) {
            context.line("%s", value);
        }
    }

    private void printNode(CommandContext context, HostInfo.Uname uname) {
        print(context, "host", uname.nodename());
        print(context, "release", uname.release());
        print(context, "version", uname.version());
        print(context, "machine", uname.machine());
    }

    private void printPhysical(CommandContext context, HostInfo.Physical physical, int nodes) {
        print(context, "nr_cpus", physical.cpus());
        print(context, "max_cpu_id", physical.maxCpuId());
        print(context, "nr_nodes", nodes);
        print(context, "cores_per_socket", physical.coresPerSocket());
        print(context, "threads_per_core", physical.threadsPerCore());
        print(context, "cpu_mhz",
                String.format(Locale.ROOT, "%d.%03d", physical.cpuKhz() / 1000, physical.cpuKhz() % 1000));
        print(context, "hw_caps", physical.hardwareCapabilities().stream()
                .map(word -> String.format(Locale.ROOT, "%08x", word)).collect(Collectors.joining(":")));
        print(context, "virt_caps", String.join(" ", physical.virtualizationCapabilities()));
        print(context, "total_memory", physical.totalKiB() / 1024);
        print(context, "free_memory", (physical.freeKiB() - physical.outstandingKiB()) / 1024);
        print(context, "sharing_freed_memory", physical.sharingFreedKiB() / 1024);
        print(context, "sharing_used_memory", physical.sharingUsedKiB() / 1024);
        print(context, "outstanding_claims", physical.outstandingKiB() / 1024);
        print(context, "free_cpus", physical.freeCpus());
    }

    private static void printTopology(CommandContext context, HostInfo info) {
        context.line("cpu_topology           :");
        context.line("cpu:    core    socket     node");
        for (int cpu = 0; cpu < info.topology().size(); cpu++) {
            HostInfo.CpuTopology place = info.topology().get(cpu);
            context.line("%3d:    %4d     %4d     %4d", cpu, place.core(), place.socket(), place.node());
        }
        context.line("device topology        :");
        context.line("device           node");
        context.line("No device topology data available");
        context.line("numa_info              :");
        context.line("node:    memsize    memfree    distances");
        for (int number = 0; number < info.nodes().size(); number++) {
            HostInfo.NumaNode node = info.nodes().get(number);
            List<String> distances = new ArrayList<>();
            node.distances().forEach(distance -> distances.add(distance.toString()));
            context.line("%4d:    %6d     %6d      %s", number, node.sizeKiB() / 1024, node.freeKiB() / 1024,
                    String.join(",", distances));
        }
    }

    private void printVersion(CommandContext context, HostInfo.Version version) {
        print(context, "xen_major", version.major());
        print(context, "xen_minor", version.minor());
        print(context, "xen_extra", version.extra());
        print(context, "xen_version", version.major() + "." + version.minor() + version.extra());
        print(context, "xen_caps", version.capabilities());
        print(context, "xen_scheduler", version.scheduler());
        print(context, "xen_pagesize", version.pageSize());
        print(context, "platform_params", String.format(Locale.ROOT, "virt_start=0x%x", version.virtStart()));
        print(context, "xen_changeset", version.changeset());
        print(context, "xen_commandline", version.commandLine());
        print(context, "cc_compiler", version.compiler());
        print(context, "cc_compile_by", version.compileBy());
        print(context, "cc_compile_domain", version.compileDomain());
        print(context, "cc_compile_date", version.compileDate());
        print(context, "build_id", version.buildId());
    }
}
