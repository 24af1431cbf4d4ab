package dev.xenolith.hypervisor.hypercall;

import static dev.xenolith.hypervisor.abi.Errno.EFAULT;
import static dev.xenolith.hypervisor.abi.Errno.EINVAL;
import static dev.xenolith.hypervisor.abi.Errno.EPERM;
import static dev.xenolith.hypervisor.abi.Errno.ESRCH;
import static dev.xenolith.hypervisor.abi.Mmu.MMU_UPDATE_PREEMPTED;

import dev.xenolith.hypervisor.abi.Mmu;
import dev.xenolith.hypervisor.domain.Domains;
import dev.xenolith.hypervisor.memory.MemoryOwner;
import dev.xenolith.hypervisor.paging.ExtendedOperations;
import dev.xenolith.hypervisor.paging.PagingContext;

/** mmuext_op: a list of operations (argument 0, count in 1), how many were made (address in 2), and whose pages (3). */
public final class MmuextOp implements Handler {
    private final Domains domains;
    private final ExtendedOperations operations;

    public MmuextOp(Domains domains) {
        this.domains = domains;
        operations = new ExtendedOperations(domains.types);
    }

    @Override
    public long call(Call call) {
        PagingContext context = call.vcpu.tables().context();
        if (domains.types.finishDeferred(context) != 0) {
            return Call.RESTART;
        }
        long list = call.argument(0);
        int count = (int) call.argument(1);
        if (count == MMU_UPDATE_PREEMPTED && list == 0) {
            // All was done but taking apart a table; the result was kept here.
            return (int) call.argument(3);
        }
        if (!call.isGuestAddress(list)) {
            return -EFAULT;
        }
        MemoryOwner owner = PagingCalls.pageOwner(domains, call.domain, (int) call.argument(3));
        if (owner == null) {
            return -ESRCH;
        }
        if (owner == domains.memory.io() || owner == domains.memory.xen()) {
            return -EINVAL;
        }
        return PagingCalls.mayTarget(call.domain, owner) ? operations(call, context, list, count, owner) : -EPERM;
    }

    private long operations(Call call, PagingContext context, long list, int countAndFlag, MemoryOwner owner) {
        int count = countAndFlag & ~MMU_UPDATE_PREEMPTED;
        long doneHandle = call.argument(2);
        int doneBefore = 0;
        if ((countAndFlag & MMU_UPDATE_PREEMPTED) != 0 && doneHandle != 0 && call.read(doneHandle, Integer.BYTES)) {
            doneBefore = call.get32(0);
        }
        long rc = 0;
        int i = 0;
        for (; i < count; i++) {
            if (context.hasDeferred() || (i > 0 && call.preempt.check())) {
                rc = Call.RESTART;
                break;
            }
            if (!call.read(list + (long) i * call.sizeOf(Mmu.MmuextOp.LAYOUT), Mmu.MmuextOp.LAYOUT)) {
                rc = -EFAULT;
                break;
            }
            rc = operation(call, owner, call.get32(Mmu.MmuextOp.CMD), call.get64(Mmu.MmuextOp.ARG1),
                    call.get64(Mmu.MmuextOp.ARG2));
            if (rc != 0) {
                break;
            }
        }
        if (doneHandle != 0) {
            call.writeBack32(doneHandle, doneBefore + i);
        }
        if (rc == Call.RESTART) {
            call.arguments[0] = list + (long) i * call.sizeOf(Mmu.MmuextOp.LAYOUT);
            call.arguments[1] = (count - i | MMU_UPDATE_PREEMPTED) & 0xffff_ffffL;
        } else if (context.hasDeferred()) {
            call.arguments[0] = 0;
            call.arguments[1] = MMU_UPDATE_PREEMPTED & 0xffff_ffffL;
            call.arguments[2] = 0;
            call.arguments[3] = rc & 0xffff_ffffL;
            rc = Call.RESTART;
        }
        return rc;
    }

    private long operation(Call call, MemoryOwner owner, int command, long arg1, long arg2) {
        long processors = 0;
        boolean multi = command == Mmu.MMUEXT_TLB_FLUSH_MULTI || command == Mmu.MMUEXT_INVLPG_MULTI;
        if (multi && owner == call.domain.memory) {
            processors = PagingCalls.readProcessors(call, arg2);
            if (processors == -1) {
                return -EINVAL;
            }
        }
        return operations.operate(call.vcpu.tables(), owner, command, arg1, arg2, processors,
                PagingCalls.processorsOf(call.domain), Math.max(0, call.vcpu.loadedOn));
    }
}
