package dev.xenolith.hypervisor.pv;

import static dev.xenolith.hypervisor.abi.Errno.EINVAL;
import static dev.xenolith.hypervisor.abi.Errno.ENODEV;
import static dev.xenolith.hypervisor.abi.Errno.EPERM;

import dev.xenolith.cpu.processor.Bits;
import dev.xenolith.hypervisor.domain.PvContext;
import dev.xenolith.hypervisor.memory.GuestLinear;

/** A PV guest's debug registers (xen/arch/x86/pv/misc-hypercalls.c): what it may write to them. */
public final class DebugRegisters {
    private static final long DR6_WRITABLE = 0xf | Bits.DR6_BD | Bits.DR6_BS | 1 << 15;
    private static final long DR7_RESERVED_ZERO = 0xffff_ffff_0000_0000L | 0xd800;

    private DebugRegisters() {
    }

    /** Writes register {@code number}, any value, of a vCPU that may be loaded nowhere. 0, -EPERM, -EINVAL or -ENODEV. */
    static int write(PvContext context, long number, long value) {
        switch (Math.clamp(number, -1, 8)) {
            case 0, 1, 2, 3 -> {
                if (!GuestLinear.isGuestAddress(value)) {
                    return -EPERM;
                }
                context.debug[(int) number] = value;
            }
            case 4, 6 -> {
                if (number == 4 && (context.cr4 & Bits.CR4_DE) != 0) {
                    return -ENODEV;
                }
                context.debug[6] = value & DR6_WRITABLE | Bits.DR6_FIXED & ~(Bits.DR6_BD | Bits.DR6_BS);
            }
            case 5, 7 -> {
                if (number == 5 && (context.cr4 & Bits.CR4_DE) != 0) {
                    return -ENODEV;
                }
                return writeControl(context, value);
            }
            default -> {
                return -ENODEV;
            }
        }
        return 0;
    }

    private static int writeControl(PvContext context, long value) {
        long control = value & ~DR7_RESERVED_ZERO | Bits.DR7_FIXED;
        if ((control & Bits.DR7_GD) != 0) {
            // General detect would trap the hypervisor's own accesses.
            return -EPERM;
        }
        for (int i = 0; i < 4; i++) {
            long condition = control >>> 16 + 4 * i & 0xf;
            boolean enabled = (control >>> 2 * i & 3) != 0;
            boolean io = (condition & 3) == 2;
            boolean execute = (condition & 3) == 0;
            if (enabled && (io && (context.cr4 & Bits.CR4_DE) == 0 || execute && condition >>> 2 != 0)) {
                return -EINVAL;
            }
        }
        context.debug[7] = control;
        return 0;
    }

    /** Value of register {@code number}, any value; -EINVAL if there is none. */
    static long read(PvContext context, long number) {
        return switch (Math.clamp(number, -1, 8)) {
            case 0, 1, 2, 3 -> context.debug[(int) number];
            case 4, 6 -> context.debug[6];
            case 5, 7 -> context.debug[7];
            default -> -EINVAL;
        };
    }
}
