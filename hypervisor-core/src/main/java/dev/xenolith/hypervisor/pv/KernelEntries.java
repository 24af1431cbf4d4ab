package dev.xenolith.hypervisor.pv;

import static dev.xenolith.hypervisor.abi.Errno.EFAULT;
import static dev.xenolith.hypervisor.abi.Errno.EINVAL;
import static dev.xenolith.hypervisor.abi.Errno.ENOSYS;

import dev.xenolith.cpu.processor.Vector;
import dev.xenolith.hypervisor.abi.ArchX86;
import dev.xenolith.hypervisor.abi.ArchX86.TrapInfo;
import dev.xenolith.hypervisor.abi.Bytes;
import dev.xenolith.hypervisor.abi.Callback;
import dev.xenolith.hypervisor.domain.PvContext;
import dev.xenolith.hypervisor.hypercall.Call;
import java.util.Arrays;

/** Where a guest's kernel wants to be entered: trap table, callbacks, kernel stack (xen/arch/x86/pv/callback.c). */
final class KernelEntries {
    private static final int RING_3 = 3;

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
            if (!call.read(handle, TrapInfo.SIZE)) {
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
            context.trapSelector[vector] = (char) (call.get16(TrapInfo.CS) | RING_3);
            context.trapFlags[vector] = (byte) call.get8(TrapInfo.FLAGS);
            handle += TrapInfo.SIZE;
            if (call.preempt.check()) {
                call.arguments[0] = handle;
                return Call.RESTART;
            }
        }
    }

    /** set_callbacks(event, failsafe, syscall): the older way to register the three. */
    long setCallbacks(Call call) {
        register(call.vcpu.pv(), Callback.CALLBACKTYPE_EVENT, call.argument(0), false);
        register(call.vcpu.pv(), Callback.CALLBACKTYPE_FAILSAFE, call.argument(1), false);
        register(call.vcpu.pv(), Callback.CALLBACKTYPE_SYSCALL, call.argument(2), false);
        return 0;
    }

    /** callback_op(command, argument). */
    long callbackOp(Call call) {
        switch ((int) call.argument(0)) {
            case Callback.CALLBACKOP_REGISTER -> {
                return call.read(call.argument(1), Callback.Register.SIZE)
                        ? register(call.vcpu.pv(), call.get16(Callback.Register.TYPE),
                                call.get64(Callback.Register.ADDRESS),
                                (call.get16(Callback.Register.FLAGS) & Callback.CALLBACKF_MASK_EVENTS) != 0)
                        : -EFAULT;
            }
            case Callback.CALLBACKOP_UNREGISTER -> {
                return call.read(call.argument(1), Callback.Unregister.SIZE)
                        ? unregister(call.vcpu.pv(), call.get16(Callback.Unregister.TYPE))
                        : -EFAULT;
            }
            default -> {
                return -ENOSYS;
            }
        }
    }

    private long register(PvContext context, int type, long address, boolean masksEvents) {
        if (!isCanonical(address)) {
            return -EINVAL;
        }
        switch (type) {
            case Callback.CALLBACKTYPE_EVENT -> context.eventCallback = address;
            case Callback.CALLBACKTYPE_FAILSAFE -> {
                context.failsafeCallback = address;
                context.failsafeMasksEvents = masksEvents;
            }
            case Callback.CALLBACKTYPE_SYSCALL -> {
                context.syscallCallback = address;
                context.syscallMasksEvents = masksEvents;
            }
            case Callback.CALLBACKTYPE_SYSCALL32 -> {
                context.syscall32Callback = address;
                context.syscall32MasksEvents = masksEvents;
            }
            case Callback.CALLBACKTYPE_SYSENTER -> {
                context.sysenterCallback = address;
                context.sysenterMasksEvents = masksEvents;
            }
            case Callback.CALLBACKTYPE_NMI -> setNmiHandler(context, address);
            default -> {
                return -ENOSYS;
            }
        }
        return 0;
    }

    private static long unregister(PvContext context, int type) {
        switch (type) {
            case Callback.CALLBACKTYPE_EVENT, Callback.CALLBACKTYPE_FAILSAFE, Callback.CALLBACKTYPE_SYSCALL,
                    Callback.CALLBACKTYPE_SYSENTER -> {
                // A kernel cannot do without these.
                return -EINVAL;
            }
            case Callback.CALLBACKTYPE_NMI -> {
                setNmiHandler(context, 0);
                return 0;
            }
            default -> {
                return -ENOSYS;
            }
        }
    }

    private static void setNmiHandler(PvContext context, long address) {
        context.trapAddress[Vector.NMI] = address;
        context.trapSelector[Vector.NMI] = ArchX86.FLAT_RING3_CS64;
        context.trapFlags[Vector.NMI] = 0;
    }

    /** nmi_op(command, argument). */
    long nmiOp(Call call) {
        switch ((int) call.argument(0)) {
            case Callback.XENNMI_REGISTER_CALLBACK -> {
                return call.read(call.argument(1), Callback.NmiCallback.SIZE)
                        ? register(call.vcpu.pv(), Callback.CALLBACKTYPE_NMI,
                                Bytes.get64(call.buffer, Callback.NmiCallback.HANDLER_ADDRESS), false)
                        : -EFAULT;
            }
            case Callback.XENNMI_UNREGISTER_CALLBACK -> {
                setNmiHandler(call.vcpu.pv(), 0);
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
        context.kernelSs = (int) call.argument(0) & 0xffff | RING_3;
        context.kernelSp = call.argument(1);
        return 0;
    }

    private static boolean isCanonical(long address) {
        return address << 16 >> 16 == address;
    }
}
