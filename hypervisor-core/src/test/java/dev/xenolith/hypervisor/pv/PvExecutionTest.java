package dev.xenolith.hypervisor.pv;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.cpu.model.CpuModel;
import dev.xenolith.hypervisor.abi.ArchX86.UserRegs;
import dev.xenolith.hypervisor.abi.ArchX86.VcpuGuestContext;
import dev.xenolith.hypervisor.abi.ArchX86;
import dev.xenolith.hypervisor.abi.Sched;
import dev.xenolith.hypervisor.abi.Xen;
import dev.xenolith.hypervisor.pv.PvMachine.Guest;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Hand-assembled PV guests on real processors: pages 0.. code, 8 data, 9 kernel stack, 10 user stack. */
class PvExecutionTest {
    private static final int DATA = 8;
    private static final int STACK = 9;
    private static final int USER_STACK = 10;
    private static final int HANDLERS = 4;
    private static final int USER_CODE = 5;
    private static final long SECOND = 1_000_000_000;

    private final PvMachine machine = new PvMachine(1, CpuModel.intel());
    private Guest guest;
    private long freeFrames;

    @BeforeEach
    void createGuest() {
        freeFrames = machine.memory.freeFrames();
        guest = machine.guest(1, 20);
    }

    @AfterEach
    void nothingIsLeft() {
        guest.destroy();
        assertThat(machine.memory.freeFrames()).isEqualTo(freeFrames);
        assertThat(machine.log.bugs()).isZero();
        machine.close();
    }

    private ContextBuilder context() {
        return new ContextBuilder(guest.address(0, 0), guest.address(STACK, 4096), guest.kernelRoot());
    }

    private void run(Code kernel, ContextBuilder context) {
        run(kernel, context, SECOND);
    }

    private void run(Code kernel, ContextBuilder context, long duration) {
        guest.write(0, 0, kernel.build());
        guest.start(0, context);
        guest.unpause();
        machine.run(duration);
    }

    private long data(int offset) {
        return guest.read(DATA, offset);
    }

    private long at(int offset) {
        return guest.address(DATA, offset);
    }

    private void assertPoweredOff() {
        assertThat(machine.console).as("log").isEmpty();
        assertThat(guest.domain.shutdownCode()).isEqualTo(Sched.SHUTDOWN_POWEROFF);
    }

    @Test
    void aKernelComputesAndShutsDown() {
        run(new Code().set(Code.RAX, 0x1234).store(Code.RAX, at(16)).powerOff(at(0)).forever(), context());
        assertPoweredOff();
        assertThat(data(16)).isEqualTo(0x1234);
    }

    @Test
    void unknownHypercallsAreNotImplemented() {
        run(new Code().hypercall(63).store(Code.RAX, at(16)).hypercall(0x7fffffff).store(Code.RAX, at(24))
                .hypercall(41).store(Code.RAX, at(32)).hypercall(36, 0).store(Code.RAX, at(40)).powerOff(at(0))
                .forever(), context());
        assertPoweredOff();
        assertThat(data(16)).isEqualTo(-38);
        assertThat(data(24)).isEqualTo(-38);
        assertThat(data(32)).as("dm_op").isEqualTo(-1);
        assertThat(data(40)).as("domctl without an argument").isEqualTo(-14);
    }

    @Test
    void anExceptionOfTheKernelIsDeliveredOnItsStack() {
        // ud2; the handler stores the frame and goes on after the instruction.
        guest.write(HANDLERS, 0, new Code().storeStackWord(0, at(32)).storeStackWord(16, at(40))
                .storeStackWord(24, at(48)).storeStackWord(32, at(56)).storeStackWord(40, at(64))
                .storeStackWord(48, at(72)).store(Code.RSP, at(80))
                .bytes(0x48, 0x83, 0x44, 0x24, 0x10, 0x02) // addq $2,16(%rsp)
                .iret().build());
        Code kernel = new Code().set(Code.RCX, 0x77).set(Code.RAX, 0x66);
        int fault = kernel.length();
        run(kernel.bytes(0x0f, 0x0b).store(Code.RCX, at(88)).powerOff(at(0)).forever(),
                context().trap(6, guest.address(HANDLERS, 0), 0));
        assertPoweredOff();
        assertThat(data(32)).as("rcx").isEqualTo(0x77);
        assertThat(data(40)).as("rip").isEqualTo(guest.address(0, fault));
        assertThat(data(48)).as("cs: kernel, upcalls masked").isEqualTo(0xe030 | 1L << 32);
        assertThat(data(56) & 0x200).as("IF is the inverse of the mask").isZero();
        assertThat(data(64)).as("rsp").isEqualTo(guest.address(STACK, 4096));
        assertThat(data(72)).as("ss").isEqualTo(0xe02b);
        assertThat(data(80)).as("frame of seven words at a multiple of 16 above").isEqualTo(
                guest.address(STACK, 4096) - 56);
        assertThat(data(88)).as("rcx survives").isEqualTo(0x77);
    }

    @Test
    void aPageFaultTellsItsAddressAndErrorCode() {
        guest.write(HANDLERS, 0, new Code().storeStackWord(16, at(32)).powerOff(at(0)).forever().build());
        long nowhere = guest.address(400, 8);
        run(new Code().store(Code.RAX, nowhere).forever(), context().trap(14, guest.address(HANDLERS, 0), 0));
        assertPoweredOff();
        assertThat(data(32)).as("error code: write, not the user's").isEqualTo(2);
        assertThat(machine.ram.read64(guest.vcpu(0).infoAddress + Xen.VcpuInfo.CR2)).isEqualTo(nowhere);
    }

    @Test
    void userModeSystemCallsAndReturns() {
        Code user = new Code().set(Code.RBX, 0x42).bytes(0x0f, 0x05); // syscall
        int afterSyscall = user.length();
        guest.write(USER_CODE, 0, user.increment(at(16)).bytes(0x0f, 0x05).forever().build());
        // First system call: note RBX, RCX, SP; return. Second: power off.
        Code handler = new Code().increment(at(24)).bytes(0x48, 0x83, 0x7d, 0x00, 0x02);
        Code first = new Code().store(Code.RBX, at(32)).storeStackWord(16, at(40)).storeStackWord(24, at(48))
                .store(Code.RSP, at(56)).iret();
        Code second = new Code().powerOff(at(0)).forever();
        handler.bytes(0x74, first.length());
        guest.write(HANDLERS, 0, handler.build());
        guest.write(HANDLERS, handler.length(), first.build());
        guest.write(HANDLERS, handler.length() + first.length(), second.build());
        run(new Code().enter(ArchX86.FLAT_RING3_CS64, guest.address(USER_CODE, 0), 0x202, ArchX86.FLAT_RING3_SS32,
                guest.address(USER_STACK, 4096)).forever(),
                context().userRoot(guest.userRoot()).put(VcpuGuestContext.SYSCALL_CALLBACK_EIP,
                        guest.address(HANDLERS, 0)));
        assertPoweredOff();
        assertThat(data(16)).as("user mode went on").isEqualTo(1);
        assertThat(data(32)).isEqualTo(0x42);
        assertThat(data(40)).as("rip").isEqualTo(guest.address(USER_CODE, afterSyscall));
        assertThat(data(48) & 3).as("cs says user").isEqualTo(3);
        assertThat(data(56)).as("on the kernel stack").isEqualTo(guest.address(STACK, 4096) - 56);
    }

    @Test
    void anEventIsDeliveredWhenItIsUnmasked() {
        // bind_ipi(vcpu 0), unmask upcalls by sched_op(block) while the event is pending.
        guest.write(HANDLERS, 0, new Code().increment(at(24)).powerOff(at(0)).forever().build());
        run(new Code().hypercall(32, 7, at(64)).hypercall(32, 4, at(68)).hypercall(29, 1).increment(at(32)).forever(),
                context().put(VcpuGuestContext.EVENT_CALLBACK_EIP, guest.address(HANDLERS, 0)));
        assertPoweredOff();
        assertThat(data(24)).isEqualTo(1);
        assertThat(data(32)).as("the callback came first").isZero();
    }

    @Test
    void timersWakeABlockedKernel() {
        guest.write(HANDLERS, 0, new Code().powerOff(at(0)).forever().build());
        // bind_virq(VIRQ_TIMER 0, vcpu 0), set_timer_op(100 ms), block.
        run(new Code().hypercall(32, 1, at(64)).hypercall(15, 100_000_000).hypercall(29, 1).forever(),
                context().put(VcpuGuestContext.EVENT_CALLBACK_EIP, guest.address(HANDLERS, 0)));
        assertPoweredOff();
        assertThat(guest.domain.clock.at(machine.clock.now())).isBetween(100_000_000L, 101_000_000L);
    }

    @Test
    void aRunningKernelHasATickOfTenMilliseconds() {
        Code handler = new Code().zero(guest.address(Guest.SHARED_INFO, Xen.VcpuInfo.EVTCHN_UPCALL_PENDING))
                .zero(guest.address(Guest.SHARED_INFO, Xen.VcpuInfo.EVTCHN_PENDING_SEL))
                .zero(guest.address(Guest.SHARED_INFO, Xen.SharedInfo.EVTCHN_PENDING)).increment(at(24)).iret();
        guest.write(HANDLERS, 0, handler.build());
        guest.write(1, 0, new Code().forever().build());
        run(new Code().hypercall(32, 1, at(64)).enter(0xe030, guest.address(1, 0), 0x202, ArchX86.FLAT_RING3_SS32,
                guest.address(STACK, 2048)),
                context().put(VcpuGuestContext.EVENT_CALLBACK_EIP, guest.address(HANDLERS, 0)), SECOND / 10);
        assertThat(machine.console).isEmpty();
        assertThat(data(24)).as("ticks in 100 ms").isBetween(9L, 11L);
    }

    @Test
    void returningToABadSegmentFaultsInTheContextItWentTo() {
        guest.write(HANDLERS, 0, new Code().storeStackWord(16, at(32)).storeStackWord(24, at(40))
                .storeStackWord(32, at(48)).powerOff(at(0)).forever().build());
        run(new Code().enter(0x1230, 0x5678, 0x202, ArchX86.FLAT_RING3_SS32, guest.address(STACK, 2048)),
                context().trap(13, guest.address(HANDLERS, 0), 0));
        assertPoweredOff();
        assertThat(data(32)).as("error code").isEqualTo(0x1230);
        assertThat(data(40)).as("rip").isEqualTo(0x5678);
        assertThat(data(48) & 0xffff).as("cs, of the kernel").isEqualTo(0x1230);
    }

    @Test
    void aMissingHandlerCrashesOnlyThatDomain() {
        run(new Code().bytes(0x0f, 0x0b), context());
        assertThat(guest.domain.shutdownCode()).isEqualTo(Sched.SHUTDOWN_CRASH);
        assertThat(machine.console).anyMatch(l -> l.contains("unhandled trap 6"))
                .anyMatch(l -> l.contains("RIP:    e033:[<ffffffff80000000>]"))
                .anyMatch(l -> l.contains("Guest stack trace from rsp=ffffffff8000a000"));
    }

    @Test
    void anUnmappedKernelStackCrashesTheDomain() {
        run(new Code().set(Code.RSP, 0x1000).bytes(0x0f, 0x0b),
                context().trap(6, guest.address(HANDLERS, 0), 0));
        assertThat(guest.domain.shutdownCode()).isEqualTo(Sched.SHUTDOWN_CRASH);
        assertThat(machine.console).anyMatch(l -> l.contains("page fault on the kernel stack"));
    }

    @Test
    void privilegedInstructionsAreEmulated() {
        long base = 0x1234_5678_9000L;
        run(new Code().set(Code.RCX, 0xc000_0101L).set(Code.RAX, base & 0xffff_ffffL).set(Code.RDX, base >>> 32)
                .bytes(0x0f, 0x30) // wrmsr GS_BASE
                .bytes(0x0f, 0x32) // rdmsr
                .bytes(0x48, 0xc1, 0xe2, 0x20, 0x48, 0x09, 0xd0) // shl $32,%rdx; or %rdx,%rax
                .store(Code.RAX, at(16))
                .bytes(0x0f, 0x20, 0xe0).store(Code.RAX, at(24)) // mov %cr4,%rax
                .bytes(0x0f, 0x20, 0xd8).store(Code.RAX, at(32)) // mov %cr3,%rax
                .bytes(0x0f, 0x06).bytes(0xfa, 0xfb) // clts, cli, sti
                .set(Code.RDX, 0x3f8).bytes(0xec).store(Code.RAX, at(40)) // in %dx,%al
                .set(Code.RAX, 0x4000_0000).bytes(0x0f, 0x0b, 0x78, 0x65, 0x6e, 0x0f, 0xa2) // forced cpuid
                .store(Code.RBX, at(48)).set(Code.RAX, 0x4000_0001).bytes(0x0f, 0xa2) // cpuid
                .store(Code.RAX, at(56)).set(Code.RAX, 7).set(Code.RCX, 0).bytes(0x0f, 0xa2).store(Code.RBX, at(64))
                .powerOff(at(0)).forever(), context().register(UserRegs.RFLAGS, 0x1202)); // IOPL 1: kernels may
        assertPoweredOff();
        assertThat(data(64) & 2).as("TSC_ADJUST is an MSR that PV guests do not have").isZero();
        assertThat(data(16)).isEqualTo(base);
        assertThat(data(24) & 0x20).as("CR4.PAE").isEqualTo(0x20);
        assertThat(data(32)).isEqualTo((long) guest.kernelRoot() << 12);
        assertThat(data(40) & 0xff).isEqualTo(0xff);
        assertThat(data(48)).isEqualTo(0x566e_6558);
        assertThat(data(56)).isEqualTo(0x0004_0011);
    }

    @Test
    void haltFaultsInTheGuest() {
        guest.write(HANDLERS, 0, new Code().storeStackWord(16, at(32)).powerOff(at(0)).forever().build());
        guest.write(DATA, 32, new byte[]{-1, -1, -1, -1, -1, -1, -1, -1});
        run(new Code().bytes(0xf4), context().trap(13, guest.address(HANDLERS, 0), 0));
        assertPoweredOff();
        assertThat(data(32)).isZero();
    }

    @Test
    void softwareInterruptsGoThroughTheTrapTable() {
        guest.write(HANDLERS, 0, new Code().storeStackWord(16, at(32)).powerOff(at(0)).forever().build());
        Code kernel = new Code().bytes(0xcd, 0x20);
        run(kernel.forever(), context().trap(0x20, guest.address(HANDLERS, 0), 3));
        assertPoweredOff();
        assertThat(data(32)).as("rip after the instruction").isEqualTo(guest.address(0, 2));
    }

    @Test
    void anNmiInterruptsTheKernelOnceAndOneDomainOnly() {
        guest.write(HANDLERS, 0, new Code().increment(at(32)).iret().build());
        run(new Code().forever(), context().trap(2, guest.address(HANDLERS, 0), 0), SECOND / 100);
        assertThat(data(32)).isZero();
        for (int i = 1; i <= 3; i++) {
            assertThat(machine.domains.sendNmi(guest.vcpu(0))).isZero();
            machine.run(SECOND / 100);
            assertThat(data(32)).isEqualTo(i);
        }
        assertThat(machine.console).isEmpty();
    }

    @Test
    void aSuspendThatIsCancelledReturnsOneAndTimeGoesOn() {
        // Three times: sched_op(shutdown, suspend), and what it has returned is added up.
        guest.write(DATA, 8, new byte[]{Sched.SHUTDOWN_SUSPEND});
        Code kernel = new Code();
        for (int i = 0; i < 3; i++) {
            kernel.hypercall(29, 2, at(8)).store(Code.RAX, at(32 + 8 * i)).bytes(0x0f, 0x31) // rdtsc
                    .store(Code.RAX, at(64 + 8 * i));
        }
        run(kernel.powerOff(at(0)).forever(), context());
        for (int i = 0; i < 3; i++) {
            assertThat(guest.domain.shutdownCode()).isEqualTo(Sched.SHUTDOWN_SUSPEND);
            assertThat(data(64 + 8 * i)).as("nothing runs").isZero();
            assertThat(machine.domains.resume(guest.domain, true)).isZero();
            assertThat(guest.domain.isShutDown()).isFalse();
            machine.run(SECOND);
            assertThat(data(32 + 8 * i)).isEqualTo(1);
        }
        assertPoweredOff();
        assertThat(data(64)).isPositive().isLessThan(data(72));
        assertThat(data(72)).isLessThan(data(80));
        assertThat(machine.domains.resume(guest.domain, true)).as("it was not to suspend").isEqualTo(-22);
        assertThat(guest.domain.shutdownCode()).isEqualTo(Sched.SHUTDOWN_POWEROFF);
        assertThat(machine.domains.resume(guest.domain, false)).isZero();
        assertThat(machine.domains.resume(guest.domain, false)).as("it runs").isEqualTo(-22);
    }

    @Test
    void hypercallsKeepTheirOldForms() {
        // evtchn_op {cmd bind_ipi (7), vcpu 0}, physdev_op {cmd set_iopl (6), iopl 1}, and commands that are younger.
        guest.write(DATA, 16, new byte[]{7});
        guest.write(DATA, 32, new byte[]{6, 0, 0, 0, 0, 0, 0, 0, 1});
        guest.write(DATA, 48, new byte[]{10});
        run(new Code().hypercall(16, at(16)).store(Code.RAX, at(128)).hypercall(19, at(32)).store(Code.RAX, at(136))
                .hypercall(16, at(48)).store(Code.RAX, at(144)).hypercall(16, 0x10).store(Code.RAX, at(152))
                .hypercall(6, 3).store(Code.RAX, at(160)).hypercall(6, 2, 77).store(Code.RAX, at(168))
                .hypercall(6, 0).store(Code.RAX, at(176)).hypercall(6, 2, Sched.SHUTDOWN_REBOOT).forever(), context());
        assertThat(data(128)).isZero();
        assertThat(data(16) >>> 32 & 0xffff_ffffL).as("vCPU").isZero();
        assertThat(data(24) & 0xffff_ffffL).as("port").isPositive();
        assertThat(data(136)).isZero();
        assertThat(guest.vcpu(0).pv().iopl).isEqualTo(1);
        assertThat(data(144)).as("reset").isEqualTo(-38);
        assertThat(data(152)).as("no structure").isEqualTo(-14);
        assertThat(data(160)).as("poll").isEqualTo(-38);
        assertThat(data(168)).as("reason 77").isEqualTo(-22);
        assertThat(data(176)).as("yield").isZero();
        assertThat(guest.domain.shutdownCode()).isEqualTo(Sched.SHUTDOWN_REBOOT);
    }
}
