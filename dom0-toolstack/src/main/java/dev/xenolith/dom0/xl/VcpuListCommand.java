package dev.xenolith.dom0.xl;

import java.util.List;
import java.util.Locale;

/** {@code xl vcpu-list}. */
final class VcpuListCommand extends XlCommand {
    @Override
    int run(CommandContext context) {
        List<DomainInfo> domains = arguments.isEmpty()
                ? context.toolstack().domains()
                : arguments.stream().map(argument -> find(context, argument)).toList();
        int cpus = context.toolstack().hostInfo().physical().maxCpuId() + 1;
        context.line("%-32s %5s %5s %5s %5s %9s %s", "Name", "ID", "VCPU", "CPU", "State", "Time(s)",
                "Affinity (Hard / Soft)");
        for (DomainInfo domain : domains) {
            for (VcpuInfo vcpu : vcpus(context, domain)) {
                String place = vcpu.online()
                        ? String.format(Locale.ROOT, "%5d %3c%c-", vcpu.cpu(), vcpu.running() ? 'r' : '-',
                                vcpu.blocked() ? 'b' : '-')
                        : "    -   --p";
                context.line("%-32s %5d %5d%s %9.1f  %s / %s", domain.name(), domain.domid(), vcpu.vcpu(), place,
                        vcpu.cpuTimeNanos() / 1e9, CpuMaps.format(vcpu.hardAffinity(), cpus),
                        CpuMaps.format(vcpu.softAffinity(), cpus));
            }
        }
        return 0;
    }
}
