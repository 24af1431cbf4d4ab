package dev.xenolith.hypervisor.control;

import static dev.xenolith.hypervisor.abi.Errno.EINVAL;
import static dev.xenolith.hypervisor.abi.Errno.ENOMEM;
import static dev.xenolith.hypervisor.abi.Errno.ENOSYS;
import static dev.xenolith.hypervisor.abi.Errno.EPERM;
import static dev.xenolith.hypervisor.abi.Errno.ERESTART;
import static dev.xenolith.hypervisor.abi.Errno.ESRCH;

import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.hypervisor.abi.Bytes;
import dev.xenolith.hypervisor.abi.Domctl;
import dev.xenolith.hypervisor.abi.Sched;
import dev.xenolith.hypervisor.abi.VcpuOp;
import dev.xenolith.hypervisor.abi.Xenmem.MemoryMap;
import dev.xenolith.hypervisor.domain.Access;
import dev.xenolith.hypervisor.domain.Domain;
import dev.xenolith.hypervisor.domain.Domains;
import dev.xenolith.hypervisor.domain.DomainGrants;
import dev.xenolith.hypervisor.domain.Vcpu;
import dev.xenolith.hypervisor.grant.GrantTable;
import dev.xenolith.hypervisor.memory.FrameTable;
import dev.xenolith.hypervisor.memory.Memory;
import dev.xenolith.hypervisor.operations.DomainControl;
import dev.xenolith.hypervisor.operations.DomainHandle;
import dev.xenolith.hypervisor.operations.OperationException;
import dev.xenolith.hypervisor.operations.SharedPage;
import dev.xenolith.hypervisor.paging.ExtendedOperations;
import dev.xenolith.hypervisor.paging.PagingContext;
import dev.xenolith.hypervisor.paging.Reservations;
import dev.xenolith.hypervisor.paging.TableUpdates;
import dev.xenolith.hypervisor.schedule.SchedDomain;
import dev.xenolith.hypervisor.schedule.Scheduler;
import dev.xenolith.hypervisor.time.Charges;
import java.util.List;
import java.util.function.Function;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/** Control over other domains in the name of one domain; each operation asks once whether it may. */
final class ControlOfDomain extends SettingsOfDomain implements DomainControl {
    private static final int NATIVE_BITS = 64;
    private static final int COMPAT_BITS = 32;
    private static final int KIB_SHIFT = 10;
    private static final int KIB_PER_PAGE_SHIFT = 2;

    private final Scheduler scheduler;
    private final Mappings mappings;
    private final TableUpdates updates;
    private final ExtendedOperations extended;
    private final Reservations reservations;
    private final PagingContext context;
    private final VcpuContexts contexts;
    private final Function<Domain, DomainHandle> handles;

    ControlOfDomain(Domain caller, Domains domains, Mappings mappings, VcpuContexts contexts, DomainGrants grants,
            Function<Domain, DomainHandle> handles, long kilohertz) {
        super(caller, domains, grants, kilohertz);
        this.scheduler = domains.dispatcher.scheduler();
        this.mappings = mappings;
        this.updates = domains.updates;
        this.extended = new ExtendedOperations(domains.types);
        this.reservations = new Reservations(domains.memory);
        this.context = new PagingContext(domains.preemption);
        this.contexts = contexts;
        this.handles = handles;
    }

    /** What preemptible operations of this caller have left to do, for the audit. */
    PagingContext context() {
        return context;
    }

    @Override
    public int create(Creation creation) {
        return create(creation, Domain.Kind.PV, domains::create);
    }

    @Override
    public int create(int domid, Creation creation) {
        return create(creation, Domain.Kind.PV, parameters -> domains.create(domid, parameters));
    }

    private int create(Creation creation, Domain.Kind kind, ToIntFunction<Domain.Parameters> maker) {
        if (caller.isDying()) {
            return -ESRCH;
        }
        if (!Access.isPrivileged(caller)) {
            return -EPERM;
        }
        if (creation.hvm()) {
            return -EINVAL;
        }
        return maker.applyAsInt(new Domain.Parameters(creation.handle(), kind, creation.privileged(),
                creation.maxVcpus(),
                creation.maxEventChannels(), new GrantTable.Limits(creation.maxGrantFrames(),
                        creation.maxMaptrackFrames(), creation.maxGrantVersion())));
    }

    @Override
    public int createJava(int domid, Creation creation) {
        if (creation.privileged() || creation.maxVcpus() != 1) {
            return -EINVAL;
        }
        int created = create(creation, Domain.Kind.JAVA, parameters -> domid == 0
                ? domains.create(parameters)
                : domains.create(domid, parameters));
        Domain domain = created < 0 ? null : domains.table.find(created);
        if (domain != null) {
            domains.dispatcher.up(domain.vcpus[0]);
        }
        return created;
    }

    @Override
    public @Nullable DomainHandle handle(int domid) {
        DomainHandle[] found = new DomainHandle[1];
        on(domid, domain -> {
            if (domain.kind == Domain.Kind.JAVA && !domain.isDying()) {
                found[0] = handles.apply(domain);
            }
            return 0;
        });
        return found[0];
    }

    @Override
    public int setMaxMemory(int domid, long kibibytes) {
        return on(domid, domain -> {
            if (kibibytes < 0) {
                return -EINVAL;
            }
            domain.memory.setMaxPages(kibibytes >> KIB_PER_PAGE_SHIFT);
            return 0;
        });
    }

    @Override
    public int setMemoryMapLimit(int domid, long kibibytes) {
        return on(domid, domain -> {
            if (kibibytes < 0 || kibibytes > Long.MAX_VALUE >> KIB_SHIFT) {
                return -EINVAL;
            }
            byte[] map = new byte[MemoryMap.ENTRY_SIZE];
            Bytes.put64(map, Long.BYTES, kibibytes << KIB_SHIFT);
            Bytes.put32(map, 2 * Long.BYTES, MemoryMap.TYPE_RAM);
            domain.memoryMap = map;
            return 0;
        });
    }

    @Override
    public int populate(int domid, long[] target, int done) {
        return on(domid, domain -> {
            for (int i = done; i < target.length; i++) {
                if (i > done && domains.preemption.check()) {
                    return i;
                }
                int mfn = reservations.increase(domain.memory);
                if (mfn < 0) {
                    return -ENOMEM;
                }
                target[i] = mfn;
            }
            return target.length;
        });
    }

    @Override
    public int setMachineToPhysical(int domid, long mfn, long pfn) {
        return on(domid, domain -> updates.setMachineToPhysical(domain.memory, mfn, pfn));
    }

    @Override
    public SharedPage mapForeign(int domid, long... mfns) throws OperationException {
        SharedPage[] mapped = new SharedPage[1];
        OperationException[] failure = new OperationException[1];
        int error = on(domid, domain -> {
            try {
                mapped[0] = mappings.map(domain.memory, mfns);
                return 0;
            } catch (OperationException e) {
                failure[0] = e;
                return e.error();
            }
        });
        if (mapped[0] == null) {
            throw failure[0] != null
                    ? failure[0]
                    : new OperationException(error, "domain " + domid + " does not exist");
        }
        return mapped[0];
    }

    @Override
    public long sharedInfoFrame(int domid) {
        Domain domain = domains.table.find(domid);
        return domain == null ? -ESRCH : domain.sharedInfoFrame;
    }

    @Override
    public int setAddressSize(int domid, int bits) {
        return on(domid, domain -> domains.setAddressSize(domain, bits));
    }

    @Override
    public int addressSize(int domid) {
        return on(domid, domain -> domain.memory.isCompat() ? COMPAT_BITS : NATIVE_BITS);
    }

    @Override
    public int pinRoot(int domid, long mfn) {
        return on(domid, domain -> extended.pin(context, domain.memory, mfn,
                domain.memory.isCompat() ? FrameTable.L3 : FrameTable.L4));
    }

    @Override
    public int seedGrant(int domid, int reference, int grantee, long frame) {
        return on(domid, domain -> seed(domain, reference, grantee, frame));
    }

    @Override
    public int setVcpuContext(int domid, int vcpu, byte[] state) {
        return onOther(domid, domain -> {
            Vcpu target = domain.vcpu(vcpu);
            if (target == null || domain.kind != Domain.Kind.PV || domain.isDying()) {
                return -EINVAL;
            }
            return contexts.set(target, state);
        });
    }

    @Override
    public byte @Nullable [] vcpuContext(int domid, int vcpu) {
        Domain domain = domains.table.find(domid);
        Vcpu target = domain == null || !Access.isPrivileged(caller) ? null : domain.vcpu(vcpu);
        return target == null || !target.initialised ? null : contexts.get(target);
    }

    @Override
    public int pause(int domid) {
        return onOther(domid, domains::pauseByController);
    }

    @Override
    public int unpause(int domid) {
        return on(domid, domains::unpauseByController);
    }

    @Override
    public int destroy(int domid) {
        return onOther(domid, domain -> domains.destroy(domain, domains.preemption));
    }

    @Override
    public int shutdown(int domid, int reason) {
        return on(domid, domain -> {
            if (reason < 0 || reason > Sched.SHUTDOWN_MAX) {
                return -EINVAL;
            }
            domains.shutdown(domain, reason);
            return 0;
        });
    }

    @Override
    public int resume(int domid, boolean cancelled) {
        return onOther(domid, domain -> domains.resume(domain, cancelled));
    }

    @Override
    public int resetInterfaces(int domid) {
        return on(domid, domain -> domains.resetInterfaces(domain, domains.preemption));
    }

    @Override
    public int sendTrigger(int domid, int trigger, int vcpu) {
        return on(domid, domain -> {
            Vcpu target = domain.vcpu(vcpu);
            if (target == null) {
                return -ESRCH;
            }
            return switch (trigger) {
                case Domctl.SENDTRIGGER_NMI -> domains.sendNmi(target);
                case Domctl.SENDTRIGGER_POWER, Domctl.SENDTRIGGER_SLEEP -> -EINVAL;
                default -> -ENOSYS;
            };
        });
    }

    @Override
    public int memoryList(int domid, long after, long[] mfns, long[] pfns) {
        return on(domid, domain -> {
            Memory memory = domains.memory;
            int mfn = domain.memory.firstPage();
            if (after >= 0) {
                if (!memory.get(after, domain.memory)) {
                    return -EINVAL;
                }
                mfn = memory.nextPage((int) after);
                memory.put((int) after);
            }
            int listed = 0;
            for (; listed < mfns.length && mfn != FrameTable.NO_FRAME; mfn = memory.nextPage(mfn)) {
                mfns[listed] = mfn;
                pfns[listed++] = memory.m2p().get(mfn);
            }
            domains.charge(listed * Charges.ELEMENT);
            return listed;
        });
    }

    @Override
    public int copyFrame(int domid, long mfn, byte[] target, int offset) {
        return on(domid, domain -> {
            Memory memory = domains.memory;
            if (!memory.get(mfn, domain.memory)) {
                return -EINVAL;
            }
            memory.ram().copyOut(mfn << PhysicalMemory.FRAME_SHIFT, target, offset, PhysicalMemory.FRAME_SIZE);
            memory.put((int) mfn);
            domains.charge(Charges.FRAME);
            return 0;
        });
    }

    @Override
    public int setSchedulerParameters(int domid, int weight, int cap) {
        return on(domid, domain -> {
            if (weight < SchedDomain.MIN_WEIGHT || cap < 0) {
                return -EINVAL;
            }
            return scheduler.adjust(domain.sched, weight, cap, domains.now());
        });
    }

    @Override
    public @Nullable SchedulerParameters schedulerParameters(int domid) {
        Domain domain = domains.table.find(domid);
        return domain == null ? null : new SchedulerParameters(domain.sched.weight(), domain.sched.cap());
    }

    @Override
    public int setAffinity(int domid, int vcpu, long hard, long soft) {
        return on(domid, domain -> {
            Vcpu target = domain.vcpu(vcpu);
            long present = (1L << domains.dispatcher.processors()) - 1;
            if (target == null || (hard & present) == 0 || (soft & present) == 0) {
                return -EINVAL;
            }
            target.setAffinity(hard, soft);
            scheduler.affinityChanged(target, domains.now());
            return 0;
        });
    }

    @Override
    public @Nullable DomainInfo info(int domid) {
        Domain domain = domains.table.find(domid);
        return domain == null ? null : describe(domain);
    }

    @Override
    public List<DomainInfo> list() {
        return domains.table.all().stream().map(this::describe).toList();
    }

    private DomainInfo describe(Domain domain) {
        int online = 0;
        boolean running = false;
        boolean blocked = true;
        long time = 0;
        for (Vcpu vcpu : domain.vcpus) {
            if (vcpu.isUp()) {
                online++;
                running |= vcpu.isRunning();
                blocked &= vcpu.has(Vcpu.BLOCKED);
            }
            time += vcpu.runstateTime(VcpuOp.RUNSTATE_RUNNING, domains.now());
        }
        return new DomainInfo(domain.domid, domain.handle, domain.memory.totalPages(), domain.memory.maxPages(), online,
                domain.vcpus.length, running, online > 0 && blocked, domain.isPausedByController(), domain.isShutDown(),
                domain.isDying(), false, Math.max(0, domain.shutdownCode()), time,
                domain.debugged, domain.memory.claimedPages());
    }

    @Override
    public @Nullable VcpuInfo vcpu(int domid, int vcpu) {
        Domain domain = domains.table.find(domid);
        Vcpu target = domain == null ? null : domain.vcpu(vcpu);
        if (target == null) {
            return null;
        }
        return new VcpuInfo(vcpu, target.isUp(), target.has(Vcpu.BLOCKED), target.isRunning(), target.processor(),
                target.runstateTime(VcpuOp.RUNSTATE_RUNNING, domains.now()), target.hardAffinity(),
                target.softAffinity());
    }

    static {
        if (AGAIN != -ERESTART) {
            throw new AssertionError("AGAIN must be what preemptible operations return");
        }
    }
}
