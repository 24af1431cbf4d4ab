package dev.xenolith.hypervisor.pv;

import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.cpu.paging.Mmu;
import dev.xenolith.cpu.time.MachineClock;
import dev.xenolith.hypervisor.abi.Bytes;
import dev.xenolith.hypervisor.abi.VcpuOp;
import dev.xenolith.hypervisor.abi.Xen;
import dev.xenolith.hypervisor.domain.Vcpu;
import dev.xenolith.hypervisor.memory.GuestLinear;
import dev.xenolith.hypervisor.paging.VcpuTables;
import dev.xenolith.hypervisor.time.PvClock;

/**
 * Keeps what PV guests read of time up to date: vcpu_time_info, the registered copy of it, and the runstate area. They are
 * written when a vCPU gets a processor, so they are right whenever it can look.
 */
public final class PvTime {
    private static final int PAGE_MASK = PhysicalMemory.FRAME_SIZE - 1;
    private static final long NANOS = 1_000_000_000L;

    private final MachineClock clock;
    private final PhysicalMemory ram;
    private final PvClock pvClock;
    private final byte[] runstate = new byte[VcpuOp.RunstateInfo.SIZE];
    private final byte[] compatRunstate = new byte[VcpuOp.RunstateInfo.LAYOUT.compatSize()];
    private final byte[] timeInfo = new byte[Xen.VcpuTimeInfo.SIZE];
    /** Translates addresses of the guest's kernel whatever mode it is in. */
    private final Mmu mmu;

    public PvTime(MachineClock clock, PhysicalMemory ram, PvClock pvClock, Mmu mmu) {
        this.clock = clock;
        this.ram = ram;
        this.pvClock = pvClock;
        this.mmu = mmu;
    }

    /** The vCPU has got a processor. */
    void entered(Vcpu vcpu) {
        updateTime(vcpu);
        updateRunstate(vcpu);
    }

    /** Writes the vCPU's clock, where it has changed. */
    public void updateTime(Vcpu vcpu) {
        long offset = vcpu.domain.clock.offset();
        long wallClock = offset + vcpu.domain.timeOffsetSeconds * NANOS;
        if (vcpu.domain.wallClockOffset != wallClock) {
            vcpu.domain.wallClockOffset = wallClock;
            pvClock.updateWallClock(ram, (long) vcpu.domain.sharedInfoFrame << PhysicalMemory.FRAME_SHIFT,
                    vcpu.domain.memory.sharedLayout(), wallClock);
        }
        if (vcpu.infoAddress >= 0) {
            pvClock.update(ram, vcpu.infoAddress + Xen.VcpuInfo.TIME, offset);
        }
        long area = vcpu.pv().timeArea;
        if (area != 0) {
            pvClock.fill(timeInfo, offset);
            int current = version(vcpu, area);
            Bytes.put32(timeInfo, Xen.VcpuTimeInfo.VERSION, current | 1);
            if (current < 0 || !copyOut(vcpu, area, timeInfo, timeInfo.length)) {
                return;
            }
            Bytes.put32(timeInfo, Xen.VcpuTimeInfo.VERSION, (current | 1) + 1);
            copyOut(vcpu, area, timeInfo, timeInfo.length);
        }
    }

    private int version(Vcpu vcpu, long area) {
        long at = translate(vcpu, area, Mmu.READ);
        return at < 0 || (area & PAGE_MASK) > PhysicalMemory.FRAME_SIZE - 4 ? -1 : ram.read32(at) & Integer.MAX_VALUE;
    }

    /** Writes the vCPU's runstate area, if it has registered one. */
    public void updateRunstate(Vcpu vcpu) {
        long area = vcpu.pv().runstateArea;
        if (area == 0) {
            return;
        }
        long now = clock.now();
        boolean announced = (vcpu.domain.vmAssist & 1L << Xen.VMASST_TYPE_RUNSTATE_UPDATE_FLAG) != 0;
        fillRunstate(vcpu, now, runstate);
        if (announced) {
            long entered = Bytes.get64(runstate, VcpuOp.RunstateInfo.STATE_ENTRY_TIME);
            Bytes.put64(runstate, VcpuOp.RunstateInfo.STATE_ENTRY_TIME, entered | VcpuOp.RUNSTATE_UPDATE);
            writeRunstate(vcpu, area);
            Bytes.put64(runstate, VcpuOp.RunstateInfo.STATE_ENTRY_TIME, entered);
        }
        writeRunstate(vcpu, area);
    }

    /** The vcpu_runstate_info of a vCPU. */
    public static void fillRunstate(Vcpu vcpu, long now, byte[] target) {
        Bytes.put32(target, VcpuOp.RunstateInfo.STATE, vcpu.runstate());
        Bytes.put64(target, VcpuOp.RunstateInfo.STATE_ENTRY_TIME, vcpu.domain.clock.at(vcpu.runstateSince()));
        for (int state = 0; state < 4; state++) {
            Bytes.put64(target, VcpuOp.RunstateInfo.TIME + 8 * state, vcpu.runstateTime(state, now));
        }
    }

    private void writeRunstate(Vcpu vcpu, long area) {
        if (vcpu.domain.memory.isCompat()) {
            VcpuOp.RunstateInfo.LAYOUT.translation().narrow(runstate, compatRunstate);
            copyOut(vcpu, area, compatRunstate, compatRunstate.length);
        } else {
            copyOut(vcpu, area, runstate, runstate.length);
        }
    }

    private boolean copyOut(Vcpu vcpu, long linear, byte[] source, int length) {
        for (int done = 0; done < length;) {
            long at = linear + done;
            int chunk = Math.min(length - done, PhysicalMemory.FRAME_SIZE - (int) (at & PAGE_MASK));
            long physical = translate(vcpu, at, Mmu.WRITE);
            if (physical < 0) {
                return false;
            }
            ram.copyIn(source, done, physical, chunk);
            done += chunk;
        }
        return true;
    }

    private long translate(Vcpu vcpu, long linear, int access) {
        if (!GuestLinear.isGuestAddress(linear) || vcpu.tables().kernelRoot() == VcpuTables.NO_TABLE) {
            return -1;
        }
        long root = (long) vcpu.tables().walkRoot() << PhysicalMemory.FRAME_SHIFT;
        long physical = mmu.translate(root, linear, access, Mmu.SUPERVISOR);
        return physical >= 0 && ram.isMemory(physical >>> PhysicalMemory.FRAME_SHIFT) ? physical : -1;
    }
}
