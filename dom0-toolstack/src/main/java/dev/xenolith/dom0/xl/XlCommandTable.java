package dev.xenolith.dom0.xl;

import dev.xenolith.dom0.config.Suggestions;
import dev.xenolith.dom0.xl.Toolstack.ShutdownRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The commands of xl: those that exist here with the help that the real one prints (tools/xl/xl_cmdtable.c of 4.17), and
 * the names of those that do not yet.
 */
final class XlCommandTable {
    /**
     * One command.
     *
     * @param name as it is typed
     * @param canDryRun takes {@code xl -N}
     * @param modifies shows {@code -f} in its usage
     * @param summary what it does
     * @param synopsis its arguments
     * @param options what its options do; null if the synopsis says it all
     * @param factory makes it, ready for parsing
     */
    record Entry(String name, boolean canDryRun, boolean modifies, String summary, String synopsis,
            @Nullable String options, Supplier<XlCommand> factory) {
    }

    private static final String SHUTDOWN_OPTIONS = """
            -a, --all               Shutdown all guest domains.
            -h                      Print this help.
            -F                      Fallback to ACPI %s event for HVM guests with
                                    no PV drivers.
            -w, --wait              Wait for guest(s) to %s.
            """;

    private static final String MEMORY = "<Domain> <MemMB['b'[bytes]|'k'[KB]|'m'[MB]|'g'[GB]|'t'[TB]]>";

    /** In the order of the real table, which is that of the help. */
    private static final List<Entry> ENTRIES = List.of(
            new Entry("create", true, true, "Create a domain from config file <filename>",
                    "<ConfigFile> [options] [vars]", """
                            -c                      Connect to the console after the domain is created.
                            -d                      Enable debug messages.
                            -e                      Do not wait in the background for the death of the domain.
                            -F                      Run in foreground until death of the domain.
                            -f FILE, --defconfig=FILE
                                                 Use the given configuration file.
                            -h                      Print this help.
                            -n, --dryrun            Dry run - prints the resulting configuration
                                                     (deprecated in favour of global -N option).
                            -p                      Leave the domain paused after it is created.
                            -q, --quiet             Quiet.
                            -V, --vncviewer         Connect to the VNC display after the domain is created.
                            -A, --vncviewer-autopass
                                                    Pass VNC password to viewer via stdin.
                            --ignore-global-affinity-masks Ignore global masks in xl.conf.""", CreateCommand::new),
            new Entry("list", false, false, "List information about all/some domains", "[options] [Domain]\n", """
                    -l, --long              Output all VM details
                    -v, --verbose           Prints out UUIDs and security context
                    -Z, --context           Prints out security context
                    -c, --cpupool           Prints the cpupool the domain is in
                    -n, --numa              Prints out NUMA node affinity""", ListCommand::new),
            new Entry("destroy", false, true, "Terminate a domain immediately", "[options] <Domain>\n", """
                    -f                      Permit destroying domain 0, which will only succeed
                                            when run from disaggregated toolstack domain with a
                                            hardware domain distinct from domain 0.""", StateCommands.Destroy::new),
            new Entry("shutdown", false, true, "Issue a shutdown signal to a domain", "[options] <-a|Domain>",
                    SHUTDOWN_OPTIONS.formatted("power", "shutdown"),
                    () -> new ShutdownCommand(ShutdownRequest.POWEROFF)),
            new Entry("reboot", false, true, "Issue a reboot signal to a domain", "[options] <-a|Domain>",
                    SHUTDOWN_OPTIONS.formatted("reset", "reboot"), () -> new ShutdownCommand(ShutdownRequest.REBOOT)),
            new Entry("pause", false, true, "Pause execution of a domain", "<Domain>", null, StateCommands.Pause::new),
            new Entry("unpause", false, true, "Unpause a paused domain", "<Domain>", null, StateCommands.Unpause::new),
            new Entry("console", false, false, "Attach to domain's console", """
                    [options] <Domain>
                    -t <type>       console type, pv , serial or vuart
                    -n <number>     console number
                    -e <escape>     escape character""", null, ConsoleCommand::new),
            new Entry("suspend", false, true, "Suspend a domain to RAM", "<Domain>", null, GuestCommands.Suspend::new),
            new Entry("resume", false, true, "Resume a domain from RAM", "[options] <Domain>",
                    "-r, --reconnect         New ports, rings and backends, as after a restore.",
                    GuestCommands.Resume::new),
            new Entry("dump-core", false, true, "Core dump a domain", "<Domain> <filename>", null,
                    GuestCommands.DumpCore::new),
            new Entry("cd-insert", true, true, "Insert a cdrom into a guest's cd drive",
                    "<Domain> <VirtualDevice> <path>", null, () -> new BlockCommands.ChangeMedium("cd-insert", true)),
            new Entry("cd-eject", true, true, "Eject a cdrom from a guest's cd drive", "<Domain> <VirtualDevice>",
                    null, () -> new BlockCommands.ChangeMedium("cd-eject", false)),
            new Entry("mem-max", false, true, "Set the maximum amount reservation for a domain", MEMORY, null,
                    ResourceCommands.MemMax::new),
            new Entry("mem-set", false, true, "Set the current memory usage for a domain", MEMORY, null,
                    ResourceCommands.MemSet::new),
            new Entry("vcpu-list", false, false, "List the VCPUs for all/some domains", "[Domain, ...]", null,
                    VcpuListCommand::new),
            new Entry("vcpu-pin", true, true, "Set which CPUs a VCPU can use",
                    "[option] <Domain> <VCPU|all> <Hard affinity|-|all> <Soft affinity|-|all>",
                    "-f, --force        undo an override pinning done by the kernel", ResourceCommands.VcpuPin::new),
            new Entry("vcpu-set", false, true, "Set the number of active VCPUs allowed for the domain",
                    "[option] <Domain> <vCPUs>",
                    "-i, --ignore-host  Don't limit the vCPU based on the host CPU count",
                    ResourceCommands.VcpuSet::new),
            new Entry("vm-list", false, false, "List guest domains, excluding dom0, stubdoms, etc.", "", null,
                    NameCommands.VmList::new),
            new Entry("info", false, false, "Get information about Xen host",
                    "-n, --numa         List host NUMA topology information", null, InfoCommand::new),
            new Entry("sched-credit2", false, true, "Get/set credit2 scheduler parameters",
                    "[-d <Domain> [-w[=WEIGHT]]] [-p CPUPOOL]", """
                            -d DOMAIN, --domain=DOMAIN     Domain to modify
                            -w WEIGHT, --weight=WEIGHT     Weight (int)
                            -c CAP,    --cap=CAP           Cap (int)
                            -s         --schedparam        Query / modify scheduler parameters
                            -r RLIMIT, --ratelimit_us=RLIMIT Set the scheduling rate limit, in microseconds
                            -p CPUPOOL, --cpupool=CPUPOOL  Restrict output to CPUPOOL""", SchedCredit2Command::new),
            new Entry("domid", false, false, "Convert a domain name to domain id", "<DomainName>", null,
                    NameCommands.DomId::new),
            new Entry("domname", false, false, "Convert a domain id to domain name", "<DomainId>", null,
                    NameCommands.DomName::new),
            new Entry("rename", false, true, "Rename a domain", "<Domain> <NewDomainName>", null,
                    NameCommands.Rename::new),
            new Entry("trigger", false, true, "Send a trigger to a domain",
                    "<Domain> <nmi|reset|init|power|sleep|s3resume> [<VCPU>]", null, GuestCommands.SendTrigger::new),
            new Entry("sysrq", false, true, "Send a sysrq to a domain", "<Domain> <letter>", null,
                    GuestCommands.Sysrq::new),
            new Entry("dmesg", false, false, "Read and/or clear dmesg buffer", "[-c]",
                    "  -c                        Clear dmesg buffer as well as printing it", DmesgCommand::new),
            new Entry("network-attach", true, true, "Create a new virtual network device",
                    "<Domain> [type=<type>] [mac=<mac>] [bridge=<bridge>] [ip=<ip>] [script=<script>] "
                            + "[backend=<BackDomain>] [vifname=<name>] [rate=<rate>] [model=<model>] [accel=<accel>]",
                    null, NetworkCommands.Attach::new),
            new Entry("network-list", false, false, "List virtual network interfaces for a domain", "<Domain(s)>",
                    null, NetworkCommands.ListVifs::new),
            new Entry("network-detach", false, true, "Destroy a domain's virtual network device",
                    "<Domain> <DevId|mac>", null, NetworkCommands.Detach::new),
            new Entry("channel-list", false, false, "List virtual channel devices for a domain", "<Domain(s)>", null,
                    ChannelListCommand::new),
            new Entry("block-attach", true, true, "Create a new virtual block device",
                    "<Domain> <disk-spec-component(s)>...", null, BlockCommands.Attach::new),
            new Entry("block-list", false, false, "List virtual block devices for a domain", "<Domain(s)>", null,
                    BlockCommands.ListDisks::new),
            new Entry("block-detach", false, true, "Destroy a domain's virtual block device",
                    "[option] <Domain> <DevId>", "-f, --force        do not wait for the domain to release the device",
                    BlockCommands.Detach::new),
            new Entry("uptime", false, false, "Print uptime for all/some domains", "[-s] [Domain]", null,
                    UptimeCommand::new));

    private static final List<String> UNSUPPORTED = List
            .of("""
                    config-update pci-attach pci-detach pci-list pci-assignable-add pci-assignable-remove pci-assignable-list
                    vncviewer save migrate restore migrate-receive button-press
                    sharing sched-credit sched-rtds debug-keys set-parameters top
                    vtpm-attach vtpm-list vtpm-detach vkb-attach vkb-list vkb-detach vdispl-attach vdispl-list vdispl-detach vsnd-attach
                    vsnd-list vsnd-detach claims cpupool-create cpupool-list cpupool-destroy cpupool-rename cpupool-cpu-add
                    cpupool-cpu-remove cpupool-migrate cpupool-numa-split getenforce setenforce loadpolicy remus devd psr-hwinfo
                    psr-cmt-attach psr-cmt-detach psr-cmt-show psr-cat-set psr-cat-show psr-mba-set psr-mba-show usbctrl-attach
                    usbctrl-detach usbdev-attach usbdev-detach usb-list qemu-monitor-command"""
                    .split("\\s+"));

    private XlCommandTable() {
    }

    /** Returns the names of all commands of the real xl. */
    static List<String> names() {
        List<String> names = new ArrayList<>(UNSUPPORTED);
        ENTRIES.forEach(entry -> names.add(entry.name()));
        return names;
    }

    /** Returns what an abbreviation stands for: the command of that name, or the only one that begins so; else null. */
    static @Nullable String resolve(String abbreviation) {
        List<String> candidates = names().stream().filter(name -> name.startsWith(abbreviation)).toList();
        return candidates.contains(abbreviation) ? abbreviation : candidates.size() == 1 ? candidates.getFirst() : null;
    }

    /** Returns a command, or null if it does not exist here. */
    static @Nullable Entry find(String name) {
        return ENTRIES.stream().filter(entry -> entry.name().equals(name)).findFirst().orElse(null);
    }

    /** Prints the list of commands. */
    static void printHelp(CommandContext context) {
        context.line("Usage xl [-vfNtT] <subcommand> [args]");
        context.line("");
        context.line("xl full list of subcommands:");
        context.line("");
        for (Entry entry : ENTRIES) {
            context.line(" %-19s %s", entry.name(), entry.summary());
        }
    }

    /** Prints the help of one command. */
    static void printHelp(CommandContext context, String name) {
        Entry entry = find(name);
        if (entry == null) {
            context.line("%s", problem(name));
            return;
        }
        context.line("Usage: xl [-vtT%s%s] %s %s", entry.modifies() ? "f" : "", entry.canDryRun() ? "N" : "",
                entry.name(),
                entry.synopsis().stripTrailing());
        if (entry.synopsis().endsWith("\n")) {
            context.line("");
        }
        context.line("");
        context.line("%s.", entry.summary());
        context.line("");
        if (entry.options() != null) {
            context.line("Options:");
            context.line("");
            context.out().print(entry.options());
            context.out().print('\n');
        }
    }

    /** Says why a word is no command here. */
    static String problem(String word) {
        String name = resolve(word);
        if (name != null) {
            return "'" + name + "' is not supported yet";
        }
        return "'" + word + "' is no command"
                + Suggestions.nearest(word, names()).map(near -> "; did you mean '" + near + "'?")
                        .orElse("; see 'xl help'");
    }
}
