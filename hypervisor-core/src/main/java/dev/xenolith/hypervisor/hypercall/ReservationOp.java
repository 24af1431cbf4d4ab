package dev.xenolith.hypervisor.hypercall;

import static dev.xenolith.hypervisor.abi.Errno.EFAULT;
import static dev.xenolith.hypervisor.abi.Errno.EINVAL;
import static dev.xenolith.hypervisor.abi.Errno.ENOMEM;
import static dev.xenolith.hypervisor.abi.Errno.EPERM;
import static dev.xenolith.hypervisor.abi.Errno.ESRCH;

import dev.xenolith.hypervisor.abi.Xenmem.Exchange;
import dev.xenolith.hypervisor.abi.Xenmem.Reservation;
import dev.xenolith.hypervisor.abi.Xenmem;
import dev.xenolith.hypervisor.domain.Access;
import dev.xenolith.hypervisor.domain.Domain;
import dev.xenolith.hypervisor.domain.Domains;
import dev.xenolith.hypervisor.memory.MemoryOwner;
import dev.xenolith.hypervisor.paging.Reservations;

/**
 * The commands of memory_op that take and give pages: lists of extents of {@code 1 << order} pages. Contiguous extents are not
 * offered: asking for them ends like memory that is too fragmented, which callers must expect.
 */
final class ReservationOp {
    /** Largest order that a domain without devices may name (CONFIG_DOMU_MAX_ORDER). */
    private static final int MAX_ORDER = 9;
    private static final int PAGE_SHIFT = 12;
    /** Most extents whose number still fits above the command. */
    private static final long MAX_EXTENTS = 0xffff_ffffL >>> Xenmem.MEMOP_EXTENT_SHIFT;

    private final Domains domains;
    private final Reservations reservations;
    private final long[] chunk = new long[1 << MAX_ORDER];

    ReservationOp(Domains domains) {
        this.domains = domains;
        reservations = new Reservations(domains.memory);
    }

    /** increase_reservation, decrease_reservation, populate_physmap: the number of extents done, or RESTART. */
    long change(Call call, int command, long start) {
        if (!call.read(call.argument(1), Reservation.LAYOUT)) {
            return start;
        }
        long list = call.get64(Reservation.EXTENT_START);
        long count = call.get64(Reservation.NR_EXTENTS);
        int order = call.get32(Reservation.EXTENT_ORDER);
        int flags = call.get32(Reservation.MEM_FLAGS);
        Domain domain = domains.table.resolve(call.domain, call.get16(Reservation.DOMID));
        if (Long.compareUnsigned(count, MAX_EXTENTS) > 0 || start >= count || domain == null
                || !Access.toTarget(call.domain, domain) || !isUsable(call.domain, flags)
                || Integer.compareUnsigned(order, MAX_ORDER) > 0) {
            return start;
        }
        boolean silent = command == Xenmem.XENMEM_INCREASE_RESERVATION && list == 0;
        if (!silent && !call.isGuestAddress(list)) {
            return start;
        }
        for (long i = start; i < count; i++) {
            if (i > start && call.preempt.check()) {
                call.arguments[0] = command | i << Xenmem.MEMOP_EXTENT_SHIFT;
                return Call.RESTART;
            }
            boolean done = switch (command) {
                case Xenmem.XENMEM_INCREASE_RESERVATION ->
                    order == 0 && increase(call, domain.memory, silent ? 0 : list + i * call.wordBytes());
                case Xenmem.XENMEM_DECREASE_RESERVATION ->
                    decrease(call, domain.memory, list + i * call.wordBytes(), order);
                default -> order == 0 && (flags & Xenmem.XENMEMF_POPULATE_ON_DEMAND) == 0
                        && populate(call, domain.memory, list + i * call.wordBytes());
            };
            if (!done) {
                return i;
            }
        }
        return count;
    }

    /** Whether memory can be found as {@code flags} ask: any address will do, and there is one node. */
    private boolean isUsable(Domain caller, int flags) {
        int bits = flags & Xenmem.XENMEMF_ADDRESS_BITS_MASK;
        if (bits != 0 && bits < Long.SIZE
                && (bits <= PAGE_SHIFT || 1L << bits - PAGE_SHIFT < domains.memory.frames().size())) {
            return false;
        }
        return (flags & Xenmem.XENMEMF_EXACT_NODE_REQUEST) == 0 || Access.isPrivileged(caller);
    }

    private boolean increase(Call call, MemoryOwner owner, long handle) {
        int mfn = reservations.increase(owner);
        return mfn >= 0 && (handle == 0 || call.writeWord(handle, mfn));
    }

    private boolean populate(Call call, MemoryOwner owner, long handle) {
        if (!call.readWord(handle)) {
            return false;
        }
        int mfn = reservations.populate(owner, call.get64(0));
        return mfn >= 0 && call.writeWord(handle, mfn);
    }

    private boolean decrease(Call call, MemoryOwner owner, long handle, int order) {
        if (!call.readWord(handle)) {
            return false;
        }
        long mfn = call.get64(0);
        for (int i = 0; i < 1 << order; i++) {
            if (reservations.decrease(owner, mfn + i) != 0) {
                return false;
            }
        }
        return true;
    }

    /** exchange: gives up extents of the input list for those of the output list. */
    long exchange(Call call) {
        long handle = call.argument(1);
        if (!call.read(handle, Exchange.LAYOUT)) {
            return -EFAULT;
        }
        long in = call.get64(Exchange.IN + Reservation.EXTENT_START);
        long inCount = call.get64(Exchange.IN + Reservation.NR_EXTENTS);
        int inOrder = call.get32(Exchange.IN + Reservation.EXTENT_ORDER);
        int inDomid = call.get16(Exchange.IN + Reservation.DOMID);
        long out = call.get64(Exchange.OUT + Reservation.EXTENT_START);
        long outCount = call.get64(Exchange.OUT + Reservation.NR_EXTENTS);
        int outOrder = call.get32(Exchange.OUT + Reservation.EXTENT_ORDER);
        int outFlags = call.get32(Exchange.OUT + Reservation.MEM_FLAGS);
        int outDomid = call.get16(Exchange.OUT + Reservation.DOMID);
        long done = call.get64(Exchange.NR_EXCHANGED);
        if (Integer.compareUnsigned(inOrder, MAX_ORDER) > 0 || Integer.compareUnsigned(outOrder, MAX_ORDER) > 0) {
            return -EPERM;
        }
        boolean fits = Long.compareUnsigned(inCount, -1L >>> inOrder) <= 0
                && Long.compareUnsigned(outCount, -1L >>> outOrder) <= 0 && inCount << inOrder == outCount << outOrder;
        if (!fits || Long.compareUnsigned(done, inCount) > 0 || inDomid != outDomid) {
            return -EINVAL;
        }
        if (done == inCount) {
            return 0;
        }
        if (!call.isGuestAddress(in) || !call.isGuestAddress(out)) {
            return -EFAULT;
        }
        if (!isUsable(call.domain, outFlags)) {
            return -EINVAL;
        }
        Domain domain = domains.table.resolve(call.domain, inDomid);
        if (domain == null) {
            return -ESRCH;
        }
        if (!Access.toTarget(call.domain, domain)) {
            return -EPERM;
        }
        if (outOrder != 0) {
            return -ENOMEM;
        }
        return exchange(call, domain.memory, handle, in, inCount, inOrder, out, done);
    }

    private long exchange(Call call, MemoryOwner owner, long handle, long in, long inCount, int order, long out,
            long start) {
        int pages = 1 << order;
        long rc = 0;
        long i = start;
        for (; i < inCount; i++) {
            if (i > start && call.preempt.check()) {
                return call.writeBackWord(handle, Exchange.LAYOUT, Exchange.NR_EXCHANGED, i) ? Call.RESTART : -EFAULT;
            }
            if (!call.readWord(in + i * call.wordBytes())) {
                rc = -EFAULT;
                break;
            }
            long first = call.get64(0);
            for (int k = 0; k < pages; k++) {
                chunk[k] = first + k;
            }
            rc = reservations.exchange(owner, chunk, pages);
            if (rc == 0) {
                rc = deliver(call, pages, out + i * pages * call.wordBytes());
            }
            if (rc != 0) {
                break;
            }
        }
        return call.writeBackWord(handle, Exchange.LAYOUT, Exchange.NR_EXCHANGED, i) ? rc : -EFAULT;
    }

    /** Tells the guest, by way of its list at {@code out}, which frames it has got for which of its frame numbers. */
    private long deliver(Call call, int pages, long out) {
        long rc = 0;
        for (int k = 0; k < pages; k++) {
            long entry = out + (long) k * call.wordBytes();
            if (!call.readWord(entry)) {
                rc = -EFAULT;
                continue;
            }
            reservations.note((int) chunk[k], call.get64(0));
            if (!call.writeWord(entry, chunk[k])) {
                rc = -EFAULT;
            }
        }
        return rc;
    }
}
