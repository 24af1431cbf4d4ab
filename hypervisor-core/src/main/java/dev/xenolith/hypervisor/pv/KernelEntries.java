package dev.xenolith.hypervisor.pv;

import static dev.xenolith.hypervisor.abi.ArchX86.FLAT_COMPAT_RING1_CS;
import static dev.xenolith.hypervisor.abi.ArchX86.FLAT_RING3_CS64;
import static dev.xenolith.hypervisor.abi.Errno.EFAULT;
import static dev.xenolith.hypervisor.abi.Errno.EINVAL;
import static dev.xenolith.hypervisor.abi.Errno.ENOSYS;

import dev.xenolith.cpu.processor.Vector;
import dev.xenolith.hypervisor.abi.ArchX86.TrapInfo;
import dev.xenolith.hypervisor.abi.Callback;
import dev.xenolith.hypervisor.domain.PvContext;
import dev.xenolith.hypervisor.hypercall.Call;
import dev.xenolith.hypervisor.paging.SegmentDescriptors;
import java.util.Arrays;

/** Where a guest's kernel wants to be entered: trap table, callbacks, kernel stack (xen/arch/x86/pv/callback.c). */
final class KernelEntries {

    /** set_trap_table(table): entries until one whose address is 0; no table at all forgets every handler. */
    long setTrapTable(Call call) {
        PvContext context = call.vcpu.pv();
        long handle = call.argument(0);
        if (handle == 0) {
            Arrays.fill(context.trapAddress, 0);
            Arrays.fill(context.trapSelector, '\0');
            Arrays.fill(context.trapFlags, (byte) 0);
            return 0;
        }
        while (true) {
            if (!call.read(handle, TrapInfo.LAYOUT)) {
                return -EFAULT;
            }
            long address = call.get64(TrapInfo.ADDRESS);
            if (address == 0) {
                return 0;
            }
            if (!isCanonical(address)) {
                return -EINVAL;
            }
            int vector = call.get8(TrapInfo.VECTOR);
            context.trapAddress[vector] = address;
            context.trapSelector[vector] = (char) SegmentDescriptors.guestSelector(call.get16(TrapInfo.CS),
                    call.compat);
            context.trapFlags[vector] = (byte) call.get8(TrapInfo.FLAGS);
            handle += call.sizeOf(TrapInfo.LAYOUT);
            if (call.preempt.check()) {
                call.arguments[0] = handle;
                return Call.RESTART;
            }
        }
    }

    /** set_callbacks(event, failsafe, syscall): the older way to register the three. */
    long setCallbacks(Call call) {
        register(call, Callback.CALLBACKTYPE_EVENT, FLAT_RING3_CS64, call.argument(0), false);
        register(call, Callback.CALLBACKTYPE_FAILSAFE, FLAT_RING3_CS64, call.argument(1), false);
        register(call, Callback.CALLBACKTYPE_SYSCALL, FLAT_RING3_CS64, call.argument(2), false);
        return 0;
    }

    /** set_callbacks(event selector, event, failsafe selector, failsafe) of 32-bit guests. */
    long setCompatCallbacks(Call call) {
        register(call, Callback.CALLBACKTYPE_EVENT, (int) call.argument(0), call.argument(1), false);
        register(call, Callback.CALLBACKTYPE_FAILSAFE, (int) call.argument(2), call.argument(3), false);
        return 0;
    }

    /** callback_op(command, argument). */
    long callbackOp(Call call) {
        switch ((int) call.argument(0)) {
            case Callback.CALLBACKOP_REGISTER -> {
                return call.compat ? registerCompat(call) : registerNative(call);
            }
            case Callback.CALLBACKOP_UNREGISTER -> {
                return call.read(call.argument(1), Callback.Unregister.LAYOUT)
                        ? unregister(call, call.get16(Callback.Unregister.TYPE))
                        : -EFAULT;
            }
            default -> {
                return -ENOSYS;
            }
        }
    }

    private static long registerNative(Call call) {
        return call.read(call.argument(1), Callback.Register.LAYOUT)
                ? register(call, call.get16(Callback.Register.TYPE), FLAT_RING3_CS64,
                        call.get64(Callback.Register.ADDRESS), masksEvents(call.get16(Callback.Register.FLAGS)))
                : -EFAULT;
    }

    /** As for 64-bit guests, but there is no callback for SYSCALL in 64-bit mode. */
    private static long registerCompat(Call call) {
        if (!call.read(call.argument(1), Callback.CompatRegister.SIZE)) {
            return -EFAULT;
        }
        int type = call.get16(Callback.CompatRegister.TYPE);
        return type == Callback.CALLBACKTYPE_SYSCALL
                ? -ENOSYS
                : register(call, type, call.get32(Callback.CompatRegister.CS),
                        call.get32(Callback.CompatRegister.EIP) & 0xffff_ffffL,
                        masksEvents(call.get16(Callback.CompatRegister.FLAGS)));
    }

    private static boolean masksEvents(int flags) {
        return (flags & Callback.CALLBACKF_MASK_EVENTS) != 0;
    }

    /** {@code selector} is what a 32-bit kernel gives, and the flat segment of a 64-bit one. */
    private static long register(Call call, int type, int selector, long address, boolean masksEvents) {
        PvContext context = call.vcpu.pv();
        if (!isCanonical(address)) {
            return -EINVAL;
        }
        int code = SegmentDescriptors.guestSelector(selector & 0xffff, call.compat);
        switch (type) {
            case Callback.CALLBACKTYPE_EVENT -> {
                context.eventSelector = code;
                context.eventCallback = address;
            }
            case Callback.CALLBACKTYPE_FAILSAFE -> {
                context.failsafeSelector = code;
                context.failsafeCallback = address;
                context.failsafeMasksEvents = masksEvents;
            }
            case Callback.CALLBACKTYPE_SYSCALL -> {
                context.syscallCallback = address;
                context.syscallMasksEvents = masksEvents;
            }
            case Callback.CALLBACKTYPE_SYSCALL32 -> {
                context.syscall32Selector = code;
                context.syscall32Callback = address;
                context.syscall32MasksEvents = masksEvents;
            }
            case Callback.CALLBACKTYPE_SYSENTER -> {
                context.sysenterSelector = code;
                context.sysenterCallback = address;
                context.sysenterMasksEvents = masksEvents;
            }
            case Callback.CALLBACKTYPE_NMI -> setNmiHandler(call, address);
            default -> {
                return -ENOSYS;
            }
        }
        return 0;
    }

    private static long unregister(Call call, int type) {
        switch (type) {
            case Callback.CALLBACKTYPE_EVENT, Callback.CALLBACKTYPE_FAILSAFE, Callback.CALLBACKTYPE_SYSCALL,
                    Callback.CALLBACKTYPE_SYSENTER -> {
                // A kernel cannot do without these.
                return -EINVAL;
            }
            case Callback.CALLBACKTYPE_NMI -> {
                setNmiHandler(call, 0);
                return 0;
            }
            default -> {
                return -ENOSYS;
            }
        }
    }

    private static void setNmiHandler(Call call, long address) {
        PvContext context = call.vcpu.pv();
        context.trapAddress[Vector.NMI] = address;
        context.trapSelector[Vector.NMI] = (char) (call.compat ? FLAT_COMPAT_RING1_CS : FLAT_RING3_CS64);
        context.trapFlags[Vector.NMI] = 0;
    }

    /** nmi_op(command, argument). */
    long nmiOp(Call call) {
        switch ((int) call.argument(0)) {
            case Callback.XENNMI_REGISTER_CALLBACK -> {
                return call.read(call.argument(1), Callback.NmiCallback.LAYOUT)
                        ? register(call, Callback.CALLBACKTYPE_NMI, FLAT_RING3_CS64,
                                call.get64(Callback.NmiCallback.HANDLER_ADDRESS), false)
                        : -EFAULT;
            }
            case Callback.XENNMI_UNREGISTER_CALLBACK -> {
                setNmiHandler(call, 0);
                return 0;
            }
            default -> {
                return -ENOSYS;
            }
        }
    }

    /** stack_switch(ss, sp): where frames go when user mode is interrupted. */
    long stackSwitch(Call call) {
        PvContext context = call.vcpu.pv();
        context.kernelSs = SegmentDescriptors.guestSelector((int) call.argument(0) & 0xffff, call.compat);
        context.kernelSp = call.argument(1);
        return 0;
    }

    private static boolean isCanonical(long address) {
        return address << 16 >> 16 == address;
    }
}
