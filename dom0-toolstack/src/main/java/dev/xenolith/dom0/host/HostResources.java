package dev.xenolith.dom0.host;

import dev.xenolith.dom0.config.CpuSelection;
import dev.xenolith.dom0.config.DomainConfig;
import dev.xenolith.dom0.lifecycle.DomainManager;
import dev.xenolith.dom0.lifecycle.DomainNodes;
import dev.xenolith.dom0.lifecycle.NodeStore;
import dev.xenolith.dom0.xl.DomainResources;
import dev.xenolith.dom0.xl.NoSuchDomainException;
import dev.xenolith.dom0.xl.ToolstackException;
import dev.xenolith.hypervisor.operations.DomainControl;
import dev.xenolith.hypervisor.operations.DomainControl.SchedulerParameters;
import dev.xenolith.hypervisor.operations.DomainControl.VcpuInfo;
import dev.xenolith.hypervisor.operations.HostControl;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/** The resources of domains on a running host: what libxl_mem.c, libxl_cpupool.c and libxl_sched.c do. */
final class HostResources implements DomainResources {
    private static final int MOST_WEIGHT = 65535;
    private static final int PERCENT = 100;
    private static final long PAGE_KIB = 4;
    private static final long MIB = 1024;

    private final HostToolstack toolstack;
    private final DomainControl control;
    private final HostControl hypervisor;
    private final DomainManager manager;
    private final NodeStore nodes;

    HostResources(HostToolstack toolstack, DomainControl control, HostControl hypervisor, DomainManager manager,
            NodeStore nodes) {
        this.toolstack = toolstack;
        this.control = control;
        this.hypervisor = hypervisor;
        this.manager = manager;
        this.nodes = nodes;
    }

    @FunctionalInterface
    private interface Change {
        void apply(DomainConfig config);
    }

    /** Does {@code change}, in a handler of dom0, with a domain that the toolstack has made. */
    private void with(int domid, Change change) {
        toolstack.ask(() -> {
            if (domid == 0) {
                throw ToolstackException.failure("Domain-0 has the memory and vCPUs that its kernel, this program, was"
                        + " started with");
            }
            change.apply(manager.configuration(domid).orElseThrow(() -> new NoSuchDomainException(domid)));
            return 0;
        });
    }

    private long node(int domid, String name, long otherwise) {
        String value = nodes.find(DomainNodes.home(domid) + name);
        try {
            return value == null ? otherwise : Long.parseLong(value);
        } catch (NumberFormatException e) {
            return otherwise;
        }
    }

    @Override
    public void setMaxMemory(int domid, long kibibytes) {
        with(domid, config -> {
            long target = node(domid, "/memory/target", config.memoryKiB());
            if (kibibytes < target) {
                throw ToolstackException.failure("domain " + domid + ": a limit of " + kibibytes / MIB
                        + " MiB is less than the " + target / MIB + " MiB of memory/target; see 'xl mem-set'");
            }
            limit(domid, kibibytes);
        });
    }

    @Override
    public void setMemoryTarget(int domid, long kibibytes) {
        with(domid, config -> {
            long most = node(domid, "/memory/static-max", config.maxMemoryKiB());
            if (kibibytes > most) {
                throw ToolstackException.failure("domain " + domid + ": a target of " + kibibytes / MIB
                        + " MiB is more than the " + most / MIB + " MiB of memory/static-max");
            }
            limit(domid, kibibytes);
            nodes.write(DomainNodes.home(domid) + "/memory/target", Long.toString(kibibytes));
            manager.reconfigure(domid, config.withMemory(Math.max(PAGE_KIB, kibibytes / PAGE_KIB * PAGE_KIB)));
        });
    }

    private void limit(int domid, long kibibytes) {
        HostToolstack.check(domid, control.setMaxMemory(domid, kibibytes + DomainManager.MAXMEM_SLACK_KIB),
                "limiting the memory");
    }

    @Override
    public void setVcpus(int domid, int count) {
        with(domid, config -> {
            if (count < 1 || count > config.maxVcpus()) {
                throw ToolstackException.failure("domain " + domid + ": expected 1 to " + config.maxVcpus()
                        + " vCPUs (maxvcpus), found " + Integer.toUnsignedString(count));
            }
            for (int vcpu = 0; vcpu < config.maxVcpus(); vcpu++) {
                nodes.write(DomainNodes.home(domid) + "/cpu/" + vcpu + "/availability",
                        vcpu < count ? "online" : "offline");
            }
            manager.reconfigure(domid, config.withVcpus(count));
        });
    }

    @Override
    public void setAffinity(int domid, int vcpu, @Nullable CpuSelection hard, @Nullable CpuSelection soft) {
        toolstack.ask(() -> {
            if (control.info(domid) == null) {
                throw new NoSuchDomainException(domid);
            }
            VcpuInfo present = control.vcpu(domid, vcpu);
            if (present == null) {
                throw ToolstackException.failure("domain " + domid + " has no vCPU " + vcpu);
            }
            return HostToolstack.check(domid,
                    control.setAffinity(domid, vcpu, hard == null ? present.hardAffinity() : mask(hard),
                            soft == null ? present.softAffinity() : mask(soft)),
                    "setting the affinity of vCPU " + vcpu);
        });
    }

    /** Processors of a selection; a machine has less than 64. */
    private static long mask(CpuSelection selection) {
        long[] words = selection.cpus().toLongArray();
        return selection.all() ? -1L : words.length == 0 ? 0 : words[0];
    }

    @Override
    public void setScheduling(int domid, OptionalInt weight, OptionalInt cap) {
        toolstack.ask(() -> {
            DomainControl.DomainInfo info = control.info(domid);
            SchedulerParameters present = control.schedulerParameters(domid);
            if (info == null || present == null) {
                throw new NoSuchDomainException(domid);
            }
            int newWeight = weight.orElse(present.weight());
            int newCap = cap.orElse(present.cap());
            if (newWeight < 1 || newWeight > MOST_WEIGHT) {
                throw ToolstackException.failure("expected a weight from 1 to " + MOST_WEIGHT + ", found " + newWeight);
            }
            if (newCap < 0 || newCap > PERCENT * info.maxVcpus()) {
                throw ToolstackException.failure("expected a cap from 0 to " + PERCENT * info.maxVcpus() + " for "
                        + info.maxVcpus() + " vCPUs, found " + newCap);
            }
            HostToolstack.check(domid, control.setSchedulerParameters(domid, newWeight, newCap),
                    "setting weight and cap");
            manager.configuration(domid).ifPresent(config -> manager.reconfigure(domid, config.withScheduling(
                    new DomainConfig.Scheduling(OptionalInt.of(newWeight), OptionalInt.of(newCap)))));
            return 0;
        });
    }

    @Override
    public int ratelimitMicros() {
        return toolstack.ask(hypervisor::ratelimitMicros);
    }

    @Override
    public void setRatelimitMicros(int micros) {
        if (toolstack.ask(() -> hypervisor.setRatelimitMicros(micros)) < 0) {
            throw ToolstackException.failure("expected a rate limit of 0 or 100 to 500000 us, found " + micros);
        }
    }
}
