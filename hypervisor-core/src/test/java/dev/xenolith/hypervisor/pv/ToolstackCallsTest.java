package dev.xenolith.hypervisor.pv;

import static dev.xenolith.hypervisor.abi.Errno.E2BIG;
import static dev.xenolith.hypervisor.abi.Errno.EACCES;
import static dev.xenolith.hypervisor.abi.Errno.EEXIST;
import static dev.xenolith.hypervisor.abi.Errno.EFAULT;
import static dev.xenolith.hypervisor.abi.Errno.EINVAL;
import static dev.xenolith.hypervisor.abi.Errno.ENODATA;
import static dev.xenolith.hypervisor.abi.Errno.ENOMEM;
import static dev.xenolith.hypervisor.abi.Errno.ENOSYS;
import static dev.xenolith.hypervisor.abi.Errno.EOPNOTSUPP;
import static dev.xenolith.hypervisor.abi.Errno.EPERM;
import static dev.xenolith.hypervisor.abi.Errno.ESRCH;
import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.cpu.model.CpuModel;
import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.hypervisor.abi.ArchX86.VcpuGuestContext;
import dev.xenolith.hypervisor.abi.Bytes;
import dev.xenolith.hypervisor.abi.Domctl;
import dev.xenolith.hypervisor.abi.Domctl.CreateDomain;
import dev.xenolith.hypervisor.abi.Domctl.GetDomainInfo;
import dev.xenolith.hypervisor.abi.Hypercall;
import dev.xenolith.hypervisor.abi.Sysctl;
import dev.xenolith.hypervisor.abi.Xen;
import dev.xenolith.hypervisor.abi.Xenmem;
import dev.xenolith.hypervisor.abi.Xenmem.AcquireResource;
import dev.xenolith.hypervisor.abi.Xenmem.Reservation;
import dev.xenolith.hypervisor.domain.Domain;
import dev.xenolith.hypervisor.domain.Vcpu;
import dev.xenolith.hypervisor.pv.PvMachine.Guest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** domctl, sysctl and what goes with them, made by a privileged PV guest: structures in its page 8, lists in its page 9. */
class ToolstackCallsTest {
    private static final int STRUCTURE = 8;
    private static final int LIST = 9;
    private static final int SYSCALL_LENGTH = 2;
    private static final int MOST_RESTARTS = 100_000;
    private static final long NOWHERE = 0x1000;

    private final PvMachine machine = new PvMachine(2, CpuModel.intel());
    private final List<Integer> made = new ArrayList<>();
    private Guest caller;
    private Guest unprivileged;
    private long freeFrames;
    private long restarts;

    @BeforeEach
    void makeCallers() {
        freeFrames = machine.memory.freeFrames();
        caller = machine.guest(1, 20, true);
        unprivileged = machine.guest(1, 20);
    }

    @AfterEach
    void nothingIsLeft() {
        machine.domains.preemption.setHook(() -> false);
        for (int domid : made) {
            if (machine.domains.table.find(domid) != null) {
                assertThat(domctl(Domctl.XEN_DOMCTL_DESTROYDOMAIN, domid)).isZero();
            }
        }
        assertThat(machine.audit.run()).isEmpty();
        unprivileged.destroy();
        caller.destroy();
        assertThat(machine.memory.freeFrames()).isEqualTo(freeFrames);
        assertThat(machine.memory.claimedFrames()).isZero();
        assertThat(machine.log.bugs()).isZero();
        machine.close();
    }

    // ---- how the guest calls ----

    private long call(Guest guest, int number, long... arguments) {
        Vcpu vcpu = guest.vcpu(0);
        if (!vcpu.initialised) {
            guest.start(0, new ContextBuilder(guest.address(0, 0), guest.address(10, 4096), guest.kernelRoot()));
        }
        PvProcessor processor = machine.contexts.load(vcpu, 0);
        Processor p = processor.cpu;
        int[] registers = {Processor.RDI, Processor.RSI, Processor.RDX};
        for (int i = 0; i < arguments.length; i++) {
            p.gpr[registers[i]] = arguments[i];
        }
        p.gpr[Processor.RAX] = number;
        for (int i = 0; i < MOST_RESTARTS; i++) {
            long before = p.rip;
            machine.hypercalls[0].execute(vcpu, p, processor.memory);
            if (p.rip == before) {
                return p.gpr[Processor.RAX];
            }
            restarts++;
            p.rip += SYSCALL_LENGTH;
        }
        throw new AssertionError("hypercall " + number + " is restarted again and again");
    }

    private byte[] op(int size, int command, int version) {
        byte[] op = new byte[size];
        Bytes.put32(op, 0, command);
        Bytes.put32(op, Integer.BYTES, version);
        return op;
    }

    private byte[] domctlOp(int command, int domid) {
        byte[] op = op(Domctl.Op.SIZE, command, Domctl.INTERFACE_VERSION);
        Bytes.put16(op, Domctl.Op.DOMAIN, domid);
        return op;
    }

    private long domctl(Guest guest, byte[] op) {
        guest.write(STRUCTURE, 0, op);
        return call(guest, Hypercall.DOMCTL, guest.address(STRUCTURE, 0));
    }

    private long domctl(byte[] op) {
        return domctl(caller, op);
    }

    private long domctl(int command, int domid) {
        return domctl(domctlOp(command, domid));
    }

    /** With a 64-bit argument at the beginning of the union. */
    private long domctl(int command, int domid, long argument) {
        byte[] op = domctlOp(command, domid);
        Bytes.put64(op, Domctl.Op.U, argument);
        return domctl(op);
    }

    private int result32(int offset) {
        return (int) (caller.read(STRUCTURE, (Domctl.Op.U + offset) & ~7) >>> 8 * ((Domctl.Op.U + offset) & 7));
    }

    private long result64(int offset) {
        return caller.read(STRUCTURE, Domctl.Op.U + offset);
    }

    private static byte[] creation(byte[] op) {
        int u = Domctl.Op.U;
        Bytes.put64(op, u + CreateDomain.HANDLE, 0x0102030405060708L);
        Bytes.put32(op, u + CreateDomain.MAX_VCPUS, 2);
        Bytes.put32(op, u + CreateDomain.MAX_EVTCHN_PORT, -1);
        Bytes.put32(op, u + CreateDomain.MAX_GRANT_FRAMES, 40);
        Bytes.put32(op, u + CreateDomain.MAX_MAPTRACK_FRAMES, -1);
        Bytes.put32(op, u + CreateDomain.GRANT_OPTS, 2);
        return op;
    }

    private int create() {
        assertThat(domctl(creation(domctlOp(Domctl.XEN_DOMCTL_CREATEDOMAIN, 0)))).isZero();
        int domid = (int) caller.read(STRUCTURE, Domctl.Op.DOMAIN) & 0xffff;
        made.add(domid);
        return domid;
    }

    private Domain domain(int domid) {
        return Objects.requireNonNull(machine.domains.table.find(domid));
    }

    // ---- who may ----

    @Test
    void theVersionComesBeforeTheDomainAndTheDomainBeforeThePrivilege() {
        byte[] op = domctlOp(Domctl.XEN_DOMCTL_PAUSEDOMAIN, 0x7000);
        Bytes.put32(op, Domctl.Op.INTERFACE_VERSION, 0x14);
        assertThat(domctl(unprivileged, op)).isEqualTo(-EACCES);
        assertThat(domctl(op)).isEqualTo(-EACCES);
        op = domctlOp(Domctl.XEN_DOMCTL_PAUSEDOMAIN, 0x7000);
        assertThat(domctl(unprivileged, op)).isEqualTo(-ESRCH);
        assertThat(domctl(op)).isEqualTo(-ESRCH);
        assertThat(call(caller, Hypercall.DOMCTL, NOWHERE)).isEqualTo(-EFAULT);
        assertThat(call(caller, Hypercall.SYSCTL, NOWHERE)).isEqualTo(-EFAULT);
        assertThat(call(caller, Hypercall.PLATFORM_OP, NOWHERE)).isEqualTo(-EFAULT);
    }

    @Test
    void nothingIsForTheUnprivileged() {
        int self = unprivileged.domain.domid;
        for (int command = 0; command < 1100; command++) {
            for (int domid : new int[]{self, caller.domain.domid}) {
                assertThat(domctl(unprivileged, domctlOp(command, domid))).as("domctl %d", command).isEqualTo(-EPERM);
            }
            unprivileged.write(STRUCTURE, 0, op(Sysctl.Op.SIZE, command, Sysctl.INTERFACE_VERSION));
            assertThat(call(unprivileged, Hypercall.SYSCTL, unprivileged.address(STRUCTURE, 0)))
                    .as("sysctl %d", command).isEqualTo(-EPERM);
        }
        unprivileged.write(STRUCTURE, 0, op(136, 17, 0x0300_0001));
        assertThat(call(unprivileged, Hypercall.PLATFORM_OP, unprivileged.address(STRUCTURE, 0))).isEqualTo(-EPERM);
        caller.write(STRUCTURE, 0, op(136, 17, 0x0300_0001));
        assertThat(call(caller, Hypercall.PLATFORM_OP, caller.address(STRUCTURE, 0))).isEqualTo(-ENOSYS);
    }

    @Test
    void whatIsNotThereSaysSo() {
        int domid = create();
        assertThat(domctl(Domctl.XEN_DOMCTL_GET_PAGING_MEMPOOL_SIZE, domid)).isEqualTo(-EOPNOTSUPP);
        assertThat(domctl(Domctl.XEN_DOMCTL_GETHVMCONTEXT, domid)).isEqualTo(-EINVAL);
        assertThat(domctl(79, domid)).as("soft_reset").isEqualTo(-ENOSYS);
        assertThat(domctl(999, domid)).isEqualTo(-EOPNOTSUPP);
        caller.write(STRUCTURE, 0, op(Sysctl.Op.SIZE, 27, Sysctl.INTERFACE_VERSION));
        assertThat(call(caller, Hypercall.SYSCTL, caller.address(STRUCTURE, 0))).isEqualTo(-ENOSYS);
    }

    // ---- lives ----

    @Test
    void aDomainIsMadeAndTold() {
        int domid = create();
        Domain domain = domain(domid);
        assertThat(domain.privileged).isFalse();
        assertThat(domain.handle).isEqualTo(new UUID(0x0807060504030201L, 0));
        assertThat(domain.vcpus).hasSize(2);
        byte[] twice = creation(domctlOp(Domctl.XEN_DOMCTL_CREATEDOMAIN, domid));
        assertThat(domctl(twice)).isEqualTo(-EEXIST);
        byte[] chosen = creation(domctlOp(Domctl.XEN_DOMCTL_CREATEDOMAIN, 4711));
        assertThat(domctl(chosen)).isZero();
        made.add(4711);

        assertThat(domctl(Domctl.XEN_DOMCTL_GETDOMAININFO, domid)).isZero();
        assertThat(result32(GetDomainInfo.FLAGS)).isEqualTo(GetDomainInfo.PAUSED | 0xffff0000);
        assertThat(result32(GetDomainInfo.MAX_VCPU_ID)).isEqualTo(1);
        assertThat(result64(GetDomainInfo.SHARED_INFO_FRAME)).isEqualTo(domain.sharedInfoFrame);
        assertThat(domctl(Domctl.XEN_DOMCTL_GETDOMAININFO, domid + 1)).as("the next one").isZero();
        assertThat((int) caller.read(STRUCTURE, Domctl.Op.DOMAIN) & 0xffff).isEqualTo(4711);
        assertThat(domctl(Domctl.XEN_DOMCTL_GETDOMAININFO, 4712)).isEqualTo(-ESRCH);
        assertThat(domctl(Domctl.XEN_DOMCTL_GETDOMAININFO, Xen.DOMID_SELF)).isEqualTo(-EINVAL);
    }

    @Test
    void pausesAreCountedAndLimited() {
        int domid = create();
        assertThat(domctl(Domctl.XEN_DOMCTL_UNPAUSEDOMAIN, domid)).isZero();
        assertThat(domctl(Domctl.XEN_DOMCTL_UNPAUSEDOMAIN, domid)).isEqualTo(-EINVAL);
        for (int i = 0; i < 255; i++) {
            assertThat(domctl(Domctl.XEN_DOMCTL_PAUSEDOMAIN, domid)).isZero();
        }
        assertThat(domctl(Domctl.XEN_DOMCTL_PAUSEDOMAIN, domid)).isEqualTo(-E2BIG);
        assertThat(domctl(Domctl.XEN_DOMCTL_PAUSEDOMAIN, caller.domain.domid)).isEqualTo(-EINVAL);
        assertThat(domctl(Domctl.XEN_DOMCTL_DESTROYDOMAIN, caller.domain.domid)).isEqualTo(-EINVAL);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 7})
    void destructionIsPreemptible(int period) {
        int domid = create();
        domain(domid).memory.setMaxPages(50);
        for (int i = 0; i < 50; i++) {
            assertThat(machine.memory.allocatePage(domain(domid).memory)).isPositive();
        }
        int[] asked = {0};
        machine.domains.preemption.setHook(() -> ++asked[0] % period == 0);
        long before = restarts;
        assertThat(domctl(Domctl.XEN_DOMCTL_DESTROYDOMAIN, domid)).isZero();
        assertThat(restarts).as("restarts").isGreaterThan(before);
        assertThat(machine.domains.table.find(domid)).isNull();
    }

    // ---- vCPUs and settings ----

    @Test
    void aContextIsSetReadAndTakenBack() {
        int domid = create();
        Guest victim = machine.new Guest(domain(domid), 20);
        byte[] context = new ContextBuilder(victim.address(0, 0), victim.address(9, 4096), victim.kernelRoot()).build();
        assertThat(setContext(domid, 1, context)).isZero();
        assertThat(domain(domid).vcpus[1].isUp()).isTrue();
        assertThat(vcpuOp(Domctl.XEN_DOMCTL_GETVCPUCONTEXT, domid, 0, caller.address(LIST, 0))).isEqualTo(-ENODATA);
        assertThat(vcpuOp(Domctl.XEN_DOMCTL_GETVCPUCONTEXT, domid, 1, NOWHERE)).isEqualTo(-EFAULT);
        assertThat(vcpuOp(Domctl.XEN_DOMCTL_GETVCPUCONTEXT, domid, 2, caller.address(LIST, 0))).isEqualTo(-EINVAL);
        assertThat(vcpuOp(Domctl.XEN_DOMCTL_SETVCPUCONTEXT, domid, 1, 0)).as("reset").isZero();
        assertThat(domain(domid).vcpus[1].isUp()).isFalse();
        assertThat(domain(domid).vcpus[1].tables().kernelRoot()).isZero();

        Bytes.put64(context, VcpuGuestContext.CTRLREG + 24, (long) caller.kernelRoot() << 12);
        assertThat(setContext(domid, 0, context)).as("another's tables").isEqualTo(-EINVAL);
        assertThat(setContext(caller.domain.domid, 0, context)).isEqualTo(-EINVAL);
    }

    private long vcpuOp(int command, int domid, int vcpu, long handle) {
        byte[] op = domctlOp(command, domid);
        Bytes.put32(op, Domctl.Op.U + Domctl.VcpuContext.VCPU, vcpu);
        Bytes.put64(op, Domctl.Op.U + Domctl.VcpuContext.CTXT, handle);
        return domctl(op);
    }

    /** Sets a context, which lies over the end of a page. */
    private long setContext(int domid, int vcpu, byte[] context) {
        int first = 4096 - 1000;
        caller.write(LIST, 1000, Arrays.copyOf(context, first));
        caller.write(LIST + 1, 0, Arrays.copyOfRange(context, first, context.length));
        return vcpuOp(Domctl.XEN_DOMCTL_SETVCPUCONTEXT, domid, vcpu, caller.address(LIST, 1000));
    }

    @Test
    void affinityIsASetInTheCallersMemory() {
        int domid = create();
        byte[] op = domctlOp(Domctl.XEN_DOMCTL_SETVCPUAFFINITY, domid);
        int hard = Domctl.Op.U + Domctl.VcpuAffinity.CPUMAP_HARD;
        Bytes.put32(op, Domctl.Op.U + Domctl.VcpuAffinity.VCPU, 1);
        Bytes.put32(op, Domctl.Op.U + Domctl.VcpuAffinity.FLAGS, Domctl.VcpuAffinity.HARD);
        Bytes.put64(op, hard + Domctl.Bitmap.BITMAP, caller.address(LIST, 0));
        Bytes.put32(op, hard + Domctl.Bitmap.NR_BITS, 64);
        caller.write(LIST, 0, new byte[]{-2, -1, -1, -1, -1, -1, -1, -1});
        assertThat(domctl(op)).isZero();
        assertThat(domain(domid).vcpus[1].hardAffinity() & 3).isEqualTo(2);
        assertThat(caller.read(LIST, 0)).as("what is effective").isEqualTo(2);
        caller.write(LIST, 0, new byte[]{-4});
        assertThat(domctl(op)).as("no processor that there is").isEqualTo(-EINVAL);
        Bytes.put32(op, hard + Domctl.Bitmap.NR_BITS, -1);
        assertThat(domctl(op)).isEqualTo(-E2BIG);
        Bytes.put64(op, hard + Domctl.Bitmap.BITMAP, 0);
        assertThat(domctl(op)).isEqualTo(-EINVAL);
        assertThat(domain(domid).vcpus[1].hardAffinity() & 3).isEqualTo(2);
    }

    @Test
    void settingsArrive() {
        int domid = create();
        Domain domain = domain(domid);
        assertThat(domctl(Domctl.XEN_DOMCTL_MAX_MEM, domid, 4096)).isZero();
        assertThat(domain.memory.maxPages()).isEqualTo(1024);
        assertThat(domctl(Domctl.XEN_DOMCTL_MAX_MEM, domid, -1)).isZero();
        assertThat(domain.memory.maxPages()).isEqualTo(Long.MAX_VALUE >> 2);
        assertThat(domctl(Domctl.XEN_DOMCTL_SETTIMEOFFSET, domid, -60)).isZero();
        assertThat(domain.timeOffsetSeconds).isEqualTo(-60);
        assertThat(domctl(Domctl.XEN_DOMCTL_SETDEBUGGING, domid, 1)).isZero();
        assertThat(domain.debugged).isTrue();
        assertThat(domctl(Domctl.XEN_DOMCTL_SETDEBUGGING, caller.domain.domid, 1)).isEqualTo(-EINVAL);
        assertThat(domctl(Domctl.XEN_DOMCTL_SET_ADDRESS_SIZE, domid, 64)).isZero();
        assertThat(domctl(Domctl.XEN_DOMCTL_SET_ADDRESS_SIZE, domid, 16)).isEqualTo(-EINVAL);
        assertThat(domctl(Domctl.XEN_DOMCTL_SET_ADDRESS_SIZE, domid, 32)).isZero();
        assertThat(domctl(Domctl.XEN_DOMCTL_SET_ADDRESS_SIZE, domid, 64)).isEqualTo(-EINVAL);
        assertThat(domctl(Domctl.XEN_DOMCTL_GET_ADDRESS_SIZE, domid)).isZero();
        assertThat(result32(Domctl.AddressSize.BITS)).isEqualTo(32);
        assertThat(domctl(Domctl.XEN_DOMCTL_SETTSCINFO, domid, Domctl.TscInfo.ALWAYS_EMULATE)).isEqualTo(-EOPNOTSUPP);
        assertThat(domctl(Domctl.XEN_DOMCTL_SETTSCINFO, domid, 3)).isEqualTo(-EINVAL);
        assertThat(domctl(Domctl.XEN_DOMCTL_SETTSCINFO, domid, Domctl.TscInfo.NEVER_EMULATE)).isZero();
        assertThat(domctl(Domctl.XEN_DOMCTL_GETTSCINFO, domid)).isZero();
        assertThat(result32(Domctl.TscInfo.TSC_MODE)).isEqualTo(Domctl.TscInfo.NEVER_EMULATE);
        assertThat(result32(Domctl.TscInfo.INCARNATION)).isOne();
        assertThat(domctl(Domctl.XEN_DOMCTL_SET_VIRQ_HANDLER, domid, Xen.VIRQ_CON_RING)).isZero();
        assertThat(domctl(Domctl.XEN_DOMCTL_SET_VIRQ_HANDLER, domid, Xen.VIRQ_TIMER)).isEqualTo(-EINVAL);
        assertThat(domctl(Domctl.XEN_DOMCTL_SET_VIRQ_HANDLER, domid, -1)).isEqualTo(-EINVAL);
        domain.memory.setMaxPages(1);
        int mfn = machine.memory.allocatePage(domain.memory);
        assertThat(domctl(Domctl.XEN_DOMCTL_HYPERCALL_INIT, domid, mfn)).isZero();
        assertThat(machine.ram.read8((long) mfn << 12)).as("push %rcx").isEqualTo(0x51);
        assertThat(domctl(Domctl.XEN_DOMCTL_HYPERCALL_INIT, domid, caller.mfn[0])).isEqualTo(-EINVAL);
        assertThat(domctl(Domctl.XEN_DOMCTL_HYPERCALL_INIT, caller.domain.domid, caller.kernelRoot()))
                .as("a page table").isEqualTo(-EPERM);
    }

    @Test
    void aKernelWithADebuggerStopsAtItsBreakpoint() {
        int domid = create();
        Guest victim = machine.new Guest(domain(domid), 20);
        victim.write(0, 0, new byte[]{(byte) 0xcc, (byte) 0xeb, (byte) 0xfe});
        victim.start(0, new ContextBuilder(victim.address(0, 0), victim.address(9, 4096), victim.kernelRoot()));
        assertThat(domctl(Domctl.XEN_DOMCTL_SETDEBUGGING, domid, 1)).isZero();
        assertThat(domctl(Domctl.XEN_DOMCTL_UNPAUSEDOMAIN, domid)).isZero();
        machine.run(10_000_000);
        assertThat(domain(domid).isPausedByController()).isTrue();
        assertThat(domain(domid).isShutDown()).isFalse();
        machine.contexts.unload(domain(domid).vcpus[0]);
        assertThat(domain(domid).vcpus[0].pv().rip).isEqualTo(victim.address(0, 1));
    }

    // ---- memory ----

    private long memoryOp(int command, byte[] argument) {
        caller.write(STRUCTURE, 0, argument);
        return call(caller, Hypercall.MEMORY_OP, command, caller.address(STRUCTURE, 0));
    }

    private byte[] resource(int domid, int id, int frame, int count, long list) {
        byte[] argument = new byte[AcquireResource.SIZE];
        Bytes.put16(argument, AcquireResource.DOMID, domid);
        Bytes.put16(argument, AcquireResource.TYPE, AcquireResource.GRANT_TABLE);
        Bytes.put32(argument, AcquireResource.ID, id);
        Bytes.put64(argument, AcquireResource.FRAME, frame);
        Bytes.put32(argument, AcquireResource.NR_FRAMES, count);
        Bytes.put64(argument, AcquireResource.FRAME_LIST, list);
        return argument;
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aGrantTableIsAResource(boolean interrupted) {
        int domid = create();
        long list = caller.address(LIST, 0);
        machine.domains.preemption.setHook(() -> interrupted);
        int command = Xenmem.XENMEM_ACQUIRE_RESOURCE;
        assertThat(memoryOp(command, resource(domid, 0, 0, 0, 0))).isZero();
        assertThat(
                (int) (caller.read(STRUCTURE, AcquireResource.NR_FRAMES & ~7) >>> 8 * (AcquireResource.NR_FRAMES & 7)))
                .isEqualTo(40);
        assertThat(memoryOp(command, resource(domid, 0, 0, 40, list))).isZero();
        for (int i = 0; i < 40; i++) {
            long mfn = caller.read(LIST, i * Long.BYTES);
            assertThat(machine.memory.frames().owner((int) mfn)).isEqualTo(domid);
        }
        assertThat(caller.read(LIST, 39 * Long.BYTES)).isNotEqualTo(caller.read(LIST, 38 * Long.BYTES));
        assertThat(memoryOp(command, resource(domid, 0, 1, 40, list))).isEqualTo(-EINVAL);
        assertThat(memoryOp(command, resource(domid, 1, 0, 1, list))).as("version 1").isEqualTo(-EINVAL);
        assertThat(memoryOp(command, resource(domid, 0, 0, 1, NOWHERE))).isEqualTo(-EFAULT);
        assertThat(memoryOp(command, resource(0x7000, 0, 0, 1, list))).isEqualTo(-ESRCH);
        assertThat(memoryOp(command, resource(caller.domain.domid, 0, 0, 1, list))).isEqualTo(-EPERM);
    }

    @Test
    void claimedMemoryIsKept() {
        int domid = create();
        domain(domid).memory.setMaxPages(Long.MAX_VALUE >> 2);
        byte[] claim = new byte[Reservation.SIZE];
        Bytes.put16(claim, Reservation.DOMID, domid);
        long free = machine.memory.freeFrames();
        Bytes.put64(claim, Reservation.NR_EXTENTS, free + 1);
        assertThat(memoryOp(Xenmem.XENMEM_CLAIM_PAGES, claim)).isEqualTo(-ENOMEM);
        Bytes.put64(claim, Reservation.NR_EXTENTS, free);
        assertThat(memoryOp(Xenmem.XENMEM_CLAIM_PAGES, claim)).isZero();
        assertThat(memoryOp(Xenmem.XENMEM_CLAIM_PAGES, claim)).as("a second one").isEqualTo(-EINVAL);
        unprivileged.domain.memory.setMaxPages(1000);
        assertThat(machine.memory.allocatePage(unprivileged.domain.memory)).as("for others").isEqualTo(-ENOMEM);
        assertThat(machine.memory.allocateHypervisorFrame()).isEqualTo(-ENOMEM);
        assertThat(machine.memory.allocatePage(domain(domid).memory)).isPositive();
        assertThat(domain(domid).memory.claimedPages()).isEqualTo(free - 1);
        assertThat(domctl(Domctl.XEN_DOMCTL_DESTROYDOMAIN, domid)).isZero();
        assertThat(machine.memory.claimedFrames()).isZero();
    }

    // ---- the host ----

    private long sysctl(byte[] op) {
        caller.write(STRUCTURE, 0, op);
        return call(caller, Hypercall.SYSCTL, caller.address(STRUCTURE, 0));
    }

    @Test
    void theHostIsTold() {
        assertThat(sysctl(op(Sysctl.Op.SIZE, Sysctl.XEN_SYSCTL_PHYSINFO, Sysctl.INTERFACE_VERSION))).isZero();
        assertThat(caller.read(STRUCTURE, Sysctl.Op.U + Sysctl.PhysInfo.FREE_PAGES))
                .isEqualTo(machine.memory.freeFrames());
        byte[] list = op(Sysctl.Op.SIZE, Sysctl.XEN_SYSCTL_GETDOMAININFOLIST, Sysctl.INTERFACE_VERSION);
        int u = Sysctl.Op.U;
        Bytes.put32(list, u + Sysctl.GetDomainInfoList.MAX_DOMAINS, 1);
        Bytes.put64(list, u + Sysctl.GetDomainInfoList.BUFFER, caller.address(LIST, 0));
        Bytes.put16(list, u + Sysctl.GetDomainInfoList.FIRST_DOMAIN, caller.domain.domid + 1);
        assertThat(sysctl(list)).isZero();
        assertThat((int) caller.read(STRUCTURE, u + Sysctl.GetDomainInfoList.NUM_DOMAINS)).isOne();
        assertThat((int) caller.read(LIST, 0) & 0xffff).isEqualTo(unprivileged.domain.domid);
        Bytes.put64(list, u + Sysctl.GetDomainInfoList.BUFFER, NOWHERE);
        assertThat(sysctl(list)).isEqualTo(-EFAULT);
    }

    @Test
    void theConsoleRingIsReadInParts() {
        machine.log.print("first");
        machine.log.print("second");
        byte[] read = op(Sysctl.Op.SIZE, Sysctl.XEN_SYSCTL_READCONSOLE, Sysctl.INTERFACE_VERSION);
        int u = Sysctl.Op.U;
        Bytes.put64(read, u + Sysctl.ReadConsole.BUFFER, caller.address(LIST, 0));
        Bytes.put32(read, u + Sysctl.ReadConsole.COUNT, 8);
        Bytes.put8(read, u + Sysctl.ReadConsole.CLEAR, 1);
        assertThat(sysctl(read)).isZero();
        assertThat((int) caller.read(STRUCTURE, u + Sysctl.ReadConsole.COUNT)).isEqualTo(8);
        String all = machine.log.read(false);
        Bytes.put64(read, u + Sysctl.ReadConsole.BUFFER, NOWHERE);
        assertThat(sysctl(read)).isEqualTo(-EFAULT);
        assertThat(machine.log.read(false)).as("nothing is cleared that was not copied").isEqualTo(all);
    }

    // ---- anything ----

    /** Commands and arguments at random, of the caller's own domain too: each is answered, and nothing leaks. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void anyArgumentsAreAnswered(long seed) {
        Random random = new Random(seed);
        int[] asked = {0};
        machine.domains.preemption.setHook(() -> ++asked[0] % 5 == 0);
        Set<String> done = new TreeSet<>();
        int child = create();
        domain(child).memory.setMaxPages(40);
        for (int i = 0; i < 4000; i++) {
            int domid = switch (random.nextInt(8)) {
                case 0 -> caller.domain.domid;
                case 1 -> unprivileged.domain.domid;
                case 2 -> random.nextInt(0x10000);
                default -> child;
            };
            byte[] op = random.nextInt(3) == 0
                    ? op(Sysctl.Op.SIZE, random.nextInt(32), Sysctl.INTERFACE_VERSION)
                    : domctlOp(random.nextInt(90), domid);
            boolean isDomctl = op.length == Domctl.Op.SIZE;
            fill(random, op, isDomctl ? Domctl.Op.U : Sysctl.Op.U);
            caller.write(STRUCTURE, 0, op);
            long result = call(caller, isDomctl ? Hypercall.DOMCTL : Hypercall.SYSCTL, caller.address(STRUCTURE, 0));
            assertThat(result).as("command %d", Bytes.get32(op, 0)).isBetween(-200L, 0L);
            if (result == 0) {
                done.add((isDomctl ? "domctl " : "sysctl ") + Bytes.get32(op, 0));
            }
            byte[] resource = resource(domid, random.nextInt(3), random.nextInt(60), random.nextInt(60),
                    random.nextBoolean() ? caller.address(LIST, 0) : random.nextLong());
            assertThat(memoryOp(Xenmem.XENMEM_ACQUIRE_RESOURCE, resource)).isBetween(-200L, 0L);
            if (machine.domains.table.find(child) == null) {
                child = create();
                domain(child).memory.setMaxPages(40);
            }
        }
        machine.domains.table.all().forEach(left -> made.add(left.domid));
        made.remove((Integer) caller.domain.domid);
        made.remove((Integer) unprivileged.domain.domid);
        assertThat(machine.audit.run()).isEmpty();
        assertThat(done).as("commands that were carried out").hasSizeGreaterThan(25);
    }

    /** Words that are small, addresses or anything. */
    private void fill(Random random, byte[] op, int from) {
        for (int at = from; at < op.length; at += Integer.BYTES) {
            if ((at & 7) == 0 && random.nextInt(3) == 0) {
                Bytes.put64(op, at, random.nextInt(4) == 0 ? random.nextLong() : caller.address(LIST, 0));
                at += Integer.BYTES;
            } else {
                Bytes.put32(op, at, random.nextInt(6) == 0 ? random.nextInt() : random.nextInt(4));
            }
        }
    }
}
