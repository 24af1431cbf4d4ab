package dev.xenolith.dom0.xl;

import dev.xenolith.dom0.config.CpuSelection;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The commands that change what one domain may use. */
final class ResourceCommands {
    private ResourceCommands() {
    }

    /** {@code xl mem-max}. */
    static final class MemMax extends XlCommand {
        @Override
        int leastArguments() {
            return 2;
        }

        @Override
        int run(CommandContext context) {
            DomainInfo domain = find(context, arguments.getFirst());
            context.toolstack().resources().setMaxMemory(domain.domid(),
                    MemorySize.parseKiB("mem-max", arguments.get(1)));
            return 0;
        }
    }

    /** {@code xl mem-set}. */
    static final class MemSet extends XlCommand {
        @Override
        int leastArguments() {
            return 2;
        }

        @Override
        int run(CommandContext context) {
            DomainInfo domain = find(context, arguments.getFirst());
            context.toolstack().resources().setMemoryTarget(domain.domid(),
                    MemorySize.parseKiB("mem-set", arguments.get(1)));
            return 0;
        }
    }

    /** {@code xl vcpu-set}. */
    static final class VcpuSet extends XlCommand {
        @Option(names = {"-i", "--ignore-host"})
        private boolean ignoreHost;

        @Override
        int leastArguments() {
            return 2;
        }

        @Override
        int run(CommandContext context) {
            DomainInfo domain = find(context, arguments.getFirst());
            String wanted = arguments.get(1);
            if (!DomainSelector.isNumber(wanted)) {
                throw ToolstackException.failure("vcpu-set: expected a number of vCPUs, found '" + wanted + "'");
            }
            int count = DomainSelector.parse(wanted);
            int processors = context.toolstack().hostInfo().physical().cpus();
            if (!ignoreHost && count > domain.onlineVcpus() && count > processors) {
                throw ToolstackException.failure("vcpu-set: the host has " + processors + " physical CPUs, " + wanted
                        + " vCPUs are more; --ignore-host allows that");
            }
            context.toolstack().resources().setVcpus(domain.domid(), count);
            return 0;
        }
    }

    /** {@code xl vcpu-pin}. */
    static final class VcpuPin extends XlCommand {
        private static final String AS_IS = "-";
        private static final String ALL = "all";

        /** Kernels of guests may not pin their vCPUs (SCHEDOP_pin_override), so there is nothing to undo. */
        @Option(names = {"-f", "--force"})
        private boolean force;

        @Override
        int leastArguments() {
            return 3;
        }

        @Override
        int run(CommandContext context) {
            DomainInfo domain = find(context, arguments.getFirst());
            String vcpu = arguments.get(1);
            boolean every = vcpu.equals(ALL);
            if (!every && !DomainSelector.isNumber(vcpu)) {
                throw ToolstackException.failure("vcpu-pin: expected a vCPU or 'all', found '" + vcpu + "'");
            }
            if (every && force) {
                throw ToolstackException.failure("vcpu-pin: --force goes with one vCPU, not with 'all'");
            }
            CpuSelection hard = selection("hard", arguments.get(2));
            CpuSelection soft = arguments.size() > 3 ? selection("soft", arguments.get(3)) : null;
            Toolstack toolstack = context.toolstack();
            if (context.options().dryRun()) {
                int cpus = toolstack.hostInfo().physical().maxCpuId() + 1;
                context.line("cpumap: %s%s", hard == null ? AS_IS : CpuMaps.format(hard.cpus(), cpus),
                        soft == null ? "" : " " + CpuMaps.format(soft.cpus(), cpus));
            } else if (every) {
                for (VcpuInfo each : toolstack.vcpus(domain.domid())) {
                    toolstack.resources().setAffinity(domain.domid(), each.vcpu(), hard, soft);
                }
            } else {
                toolstack.resources().setAffinity(domain.domid(), DomainSelector.parse(vcpu), hard, soft);
            }
            return 0;
        }

        private static @Nullable CpuSelection selection(String what, String text) {
            try {
                return text.equals(AS_IS) ? null : CpuSelection.parse(text);
            } catch (IllegalArgumentException e) {
                throw ToolstackException.failure("vcpu-pin: " + what + " affinity: " + e.getMessage());
            }
        }
    }
}
