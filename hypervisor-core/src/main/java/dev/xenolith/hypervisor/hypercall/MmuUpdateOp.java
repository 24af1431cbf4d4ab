package dev.xenolith.hypervisor.hypercall;

import static dev.xenolith.hypervisor.abi.Errno.EFAULT;
import static dev.xenolith.hypervisor.abi.Errno.EINVAL;
import static dev.xenolith.hypervisor.abi.Errno.ENOSYS;
import static dev.xenolith.hypervisor.abi.Errno.EPERM;
import static dev.xenolith.hypervisor.abi.Errno.ESRCH;
import static dev.xenolith.hypervisor.abi.Mmu.MMU_UPDATE_PREEMPTED;

import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.hypervisor.abi.Mmu;
import dev.xenolith.hypervisor.domain.Domain;
import dev.xenolith.hypervisor.domain.Domains;
import dev.xenolith.hypervisor.memory.MemoryOwner;
import dev.xenolith.hypervisor.paging.PagingContext;
import dev.xenolith.hypervisor.paging.TableUpdates;
import org.jspecify.annotations.Nullable;

/**
 * mmu_update: a list of page table updates (argument 0, count in 1), how many were made (address in 2), and in argument 3 whose
 * pages are mapped (low 16 bits) and whose tables are changed (high 16 bits, domid plus 1, 0 for the caller's).
 */
public final class MmuUpdateOp implements Handler {
    private final Domains domains;

    public MmuUpdateOp(Domains domains) {
        this.domains = domains;
    }

    @Override
    public long call(Call call) {
        PagingContext context = call.vcpu.tables().context();
        if (domains.types.finishDeferred(context) != 0) {
            return Call.RESTART;
        }
        long list = call.argument(0);
        int count = (int) call.argument(1);
        int foreign = (int) call.argument(3);
        if (count == MMU_UPDATE_PREEMPTED && list == 0) {
            // All was done but taking apart what the last update replaced; its result was kept here.
            return foreign;
        }
        if (!call.isGuestAddress(list)) {
            return -EFAULT;
        }
        Domain tables = tableOwner(call.domain, foreign >>> 16);
        MemoryOwner pages = PagingCalls.pageOwner(domains, call.domain, foreign & 0xffff);
        if (tables == null || pages == null) {
            return -ESRCH;
        }
        if (tables.kind != Domain.Kind.PV) {
            return -EINVAL;
        }
        return updates(call, context, list, count, tables, pages);
    }

    private @Nullable Domain tableOwner(Domain caller, int domidPlusOne) {
        return domidPlusOne == 0 ? caller : domains.table.find(domidPlusOne - 1);
    }

    private long updates(Call call, PagingContext context, long list, int countAndFlag, Domain tables,
            MemoryOwner pages) {
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
            if (!call.read(list + (long) i * Mmu.MmuUpdate.SIZE, Mmu.MmuUpdate.LAYOUT)) {
                rc = -EFAULT;
                break;
            }
            rc = update(call, context, tables, pages, call.get64(Mmu.MmuUpdate.PTR), call.get64(Mmu.MmuUpdate.VAL));
            if (rc != 0) {
                break;
            }
        }
        if (TableUpdates.takeFlushNeeded(context)) {
            domains.memory.tlb().flushMask(PagingCalls.processorsOf(tables));
        }
        if (doneHandle != 0) {
            call.writeBack32(doneHandle, doneBefore + i);
        }
        if (rc == Call.RESTART) {
            call.arguments[0] = list + (long) i * Mmu.MmuUpdate.SIZE;
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

    private int update(Call call, PagingContext context, Domain tables, MemoryOwner pages, long pointer, long value) {
        int command = (int) pointer & 7;
        if (command > Mmu.MMU_PT_UPDATE_NO_TRANSLATE) {
            return -ENOSYS;
        }
        boolean allowed = pages == domains.memory.io() || PagingCalls.mayTarget(call.domain, pages);
        if (!allowed || !PagingCalls.mayTarget(call.domain, tables.memory)) {
            return -EPERM;
        }
        if (command == Mmu.MMU_MACHPHYS_UPDATE) {
            return tables == call.domain
                    ? domains.updates.setMachineToPhysical(pages, pointer >>> PhysicalMemory.FRAME_SHIFT, value)
                    : -EPERM;
        }
        return domains.updates.update(context, tables.memory, pages, pointer, value,
                command == Mmu.MMU_PT_UPDATE_PRESERVE_AD);
    }
}
