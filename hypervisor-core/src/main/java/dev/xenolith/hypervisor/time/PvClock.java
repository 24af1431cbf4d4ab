package dev.xenolith.hypervisor.time;

import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.cpu.time.TimeScale;
import dev.xenolith.hypervisor.abi.Bytes;
import dev.xenolith.hypervisor.abi.Xen.VcpuTimeInfo;
import dev.xenolith.hypervisor.memory.SharedLayout;

/**
 * The paravirtual clock: turns TSC values into a domain's time by a multiplication and a shift, the same for all vCPUs of a
 * domain, so that no two of them can disagree about what came first.
 */
public final class PvClock {
    private static final long GIGA = 1_000_000_000L;

    private final int multiplier;
    private final int shift;
    private final long wallClockAtBoot;

    /**
     * @param tsc the processors' time stamp counters
     * @param wallClockAtBoot nanoseconds from the epoch to the start of the machine
     */
    public PvClock(TimeScale tsc, long wallClockAtBoot) {
        long ticks = tsc.kilohertz() * 1000;
        int s = 0;
        while (ticks > 2 * GIGA) {
            ticks >>= 1;
            s--;
        }
        while (ticks <= GIGA) {
            ticks <<= 1;
            s++;
        }
        multiplier = (int) ((GIGA << 32) / ticks);
        shift = s;
        this.wallClockAtBoot = wallClockAtBoot;
    }

    /** Nanoseconds since boot that a guest computes from {@code tsc}, before its domain's offset. */
    public long nanoseconds(long tsc) {
        long scaled = shift >= 0 ? tsc << shift : tsc >>> -shift;
        return Math.unsignedMultiplyHigh(scaled, multiplier & 0xffff_ffffL) << 32
                | scaled * (multiplier & 0xffff_ffffL) >>> 32;
    }

    /** A vcpu_time_info, but for the version, for a domain whose clock is {@code offset} ns behind the machine's. */
    public void fill(byte[] target, long offset) {
        Bytes.put64(target, VcpuTimeInfo.TSC_TIMESTAMP, 0);
        Bytes.put64(target, VcpuTimeInfo.SYSTEM_TIME, -offset);
        Bytes.put32(target, VcpuTimeInfo.TSC_TO_SYSTEM_MUL, multiplier);
        Bytes.put8(target, VcpuTimeInfo.TSC_SHIFT, shift);
        Bytes.put8(target, VcpuTimeInfo.FLAGS, VcpuTimeInfo.TSC_STABLE_BIT);
    }

    /** Writes the vcpu_time_info at physical {@code address}, unless it says the same already. Versions are odd while it changes. */
    public void update(PhysicalMemory ram, long address, long offset) {
        if (ram.read64(address + VcpuTimeInfo.SYSTEM_TIME) == -offset
                && ram.read32(address + VcpuTimeInfo.TSC_TO_SYSTEM_MUL) == multiplier) {
            return;
        }
        int version = ram.read32(address + VcpuTimeInfo.VERSION) | 1;
        ram.write32(address + VcpuTimeInfo.VERSION, version);
        ram.write64(address + VcpuTimeInfo.TSC_TIMESTAMP, 0);
        ram.write64(address + VcpuTimeInfo.SYSTEM_TIME, -offset);
        ram.write32(address + VcpuTimeInfo.TSC_TO_SYSTEM_MUL, multiplier);
        ram.write8(address + VcpuTimeInfo.TSC_SHIFT, shift);
        ram.write8(address + VcpuTimeInfo.FLAGS, VcpuTimeInfo.TSC_STABLE_BIT);
        ram.write32(address + VcpuTimeInfo.VERSION, version + 1);
    }

    /** Writes the wall clock of the shared_info at physical {@code address}: the epoch time at which the domain's time was 0. */
    public void updateWallClock(PhysicalMemory ram, long address, SharedLayout layout, long offset) {
        long nanoseconds = wallClockAtBoot + offset;
        long seconds = Math.floorDiv(nanoseconds, GIGA);
        int version = ram.read32(address + layout.wallClockVersion) | 1;
        ram.write32(address + layout.wallClockVersion, version);
        ram.write32(address + layout.wallClockSeconds, (int) seconds);
        ram.write32(address + layout.wallClockSecondsHigh, (int) (seconds >>> 32));
        ram.write32(address + layout.wallClockNanoseconds, (int) Math.floorMod(nanoseconds, GIGA));
        ram.write32(address + layout.wallClockVersion, version + 1);
    }
}
