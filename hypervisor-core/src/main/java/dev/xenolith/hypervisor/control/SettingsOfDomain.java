package dev.xenolith.hypervisor.control;

import static dev.xenolith.hypervisor.abi.Errno.EINVAL;
import static dev.xenolith.hypervisor.abi.Errno.EOPNOTSUPP;
import static dev.xenolith.hypervisor.abi.Errno.EPERM;
import static dev.xenolith.hypervisor.abi.Errno.ESRCH;

import dev.xenolith.hypervisor.abi.Domctl.TscInfo;
import dev.xenolith.hypervisor.abi.HypercallPage;
import dev.xenolith.hypervisor.abi.Xen;
import dev.xenolith.hypervisor.domain.Access;
import dev.xenolith.hypervisor.domain.Domain;
import dev.xenolith.hypervisor.domain.DomainGrants;
import dev.xenolith.hypervisor.domain.Domains;
import dev.xenolith.hypervisor.domain.Vcpu;
import dev.xenolith.hypervisor.memory.FrameTable;
import dev.xenolith.hypervisor.memory.Memory;
import dev.xenolith.hypervisor.operations.DomainSettings;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** What one domain sets of others; each operation asks once whether it may. */
abstract class SettingsOfDomain implements DomainSettings {
    /** The one node that there is. */
    private static final long NODES = 1;

    final Domain caller;
    final Domains domains;
    private final DomainGrants grants;
    private final long kilohertz;

    /**
     * @param kilohertz of the processors' TSC
     */
    SettingsOfDomain(Domain caller, Domains domains, DomainGrants grants, long kilohertz) {
        this.caller = caller;
        this.domains = domains;
        this.grants = grants;
        this.kilohertz = kilohertz;
    }

    @FunctionalInterface
    interface Use {
        int on(Domain domain);
    }

    /** What the caller may control: {@code use} on the domain, or why not. */
    final int on(int domid, Use use) {
        if (caller.isDying()) {
            return -ESRCH;
        }
        if (!Access.isPrivileged(caller)) {
            return -EPERM;
        }
        Domain domain = domains.table.find(domid);
        return domain == null ? -ESRCH : use.on(domain);
    }

    /** As {@link #on}, for what no domain may do to itself: -EINVAL. */
    final int onOther(int domid, Use use) {
        return on(domid, domain -> domain == caller ? -EINVAL : use.on(domain));
    }

    @Override
    public int setHandle(int domid, UUID handle) {
        return on(domid, domain -> {
            domain.handle = handle;
            return 0;
        });
    }

    @Override
    public int setTimeOffset(int domid, long seconds) {
        return on(domid, domain -> {
            domain.timeOffsetSeconds = seconds;
            return 0;
        });
    }

    @Override
    public int setDebugging(int domid, boolean enable) {
        return onOther(domid, domain -> {
            domain.debugged = enable;
            return 0;
        });
    }

    @Override
    public int initHypercallPage(int domid, long mfn) {
        return on(domid, domain -> {
            Memory memory = domains.memory;
            if (!memory.get(mfn, domain.memory)) {
                return -EINVAL;
            }
            int rc = -EPERM;
            if (domains.types.get((int) mfn, FrameTable.WRITABLE)) {
                byte[] stubs = HypercallPage.contents();
                memory.frame((int) mfn).write(0, stubs, 0, stubs.length);
                domains.types.put((int) mfn);
                rc = 0;
            }
            memory.put((int) mfn);
            return rc;
        });
    }

    @Override
    public int setTsc(int domid, Tsc tsc) {
        return onOther(domid, domain -> switch (tsc.mode()) {
            case TscInfo.DEFAULT, TscInfo.NEVER_EMULATE -> {
                if (tsc.kilohertz() != 0 && tsc.kilohertz() != kilohertz) {
                    yield -EOPNOTSUPP;
                }
                domain.tscMode = tsc.mode();
                domain.tscIncarnation = tsc.incarnation() + 1;
                yield 0;
            }
            case TscInfo.ALWAYS_EMULATE -> -EOPNOTSUPP;
            default -> -EINVAL;
        });
    }

    @Override
    public @Nullable Tsc tsc(int domid) {
        Domain domain = domains.table.find(domid);
        return domain == null
                ? null
                : new Tsc(domain.tscMode, (int) kilohertz, domain.tscIncarnation, domain.clock.at(domains.now()));
    }

    @Override
    public int setVirqHandler(int domid, int virq) {
        return on(domid, domain -> {
            if (!isGlobal(virq) || domain.isDying()) {
                return -EINVAL;
            }
            domains.globalVirqs.setHandler(virq, domain);
            return 0;
        });
    }

    /** Whether the interrupt is raised once for the whole host (virq_is_global). */
    private static boolean isGlobal(int virq) {
        return switch (virq) {
            case Xen.VIRQ_TIMER, Xen.VIRQ_DEBUG, Xen.VIRQ_XENOPROF, Xen.VIRQ_XENPMU -> false;
            default -> virq >= 0 && virq < Xen.NR_VIRQS;
        };
    }

    @Override
    public int setNodeAffinity(int domid, long nodes) {
        return on(domid, domain -> {
            if ((nodes & NODES) == 0) {
                return -EINVAL;
            }
            domain.nodeAffinity = nodes;
            return 0;
        });
    }

    @Override
    public long nodeAffinity(int domid) {
        Domain domain = domains.table.find(domid);
        return domain == null ? 0 : domain.nodeAffinity;
    }

    @Override
    public int resetVcpu(int domid, int vcpu) {
        return onOther(domid, domain -> {
            Vcpu target = domain.vcpu(vcpu);
            if (target == null || domain.kind != Domain.Kind.PV || domain.isDying()) {
                return -EINVAL;
            }
            domains.dispatcher.down(target);
            domains.vcpuState().unload(target);
            target.initialised = false;
            return target.tables().release();
        });
    }

    @Override
    public int maxGrantFrames(int domid, boolean status) {
        return on(domid,
                domain -> status ? grants.of(domain).maxStatusFrames() : grants.of(domain).maxFrames());
    }

    @Override
    public int grantFrames(int domid, boolean status, long first, long[] mfns) {
        return on(domid, domain -> grants.of(domain).acquire(status, first, mfns));
    }

    @Override
    public int claim(int domid, long pages) {
        return on(domid, domain -> domains.memory.claim(domain.memory, pages));
    }

    /** Writes a grant entry on behalf of a domain that does not run yet. */
    final int seed(Domain domain, int reference, int grantee, long frame) {
        return domain.isDying() ? -ESRCH : grants.of(domain).seed(reference, grantee, frame);
    }
}
