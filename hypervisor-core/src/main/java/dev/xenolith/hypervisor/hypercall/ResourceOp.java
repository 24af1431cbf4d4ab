package dev.xenolith.hypervisor.hypercall;

import static dev.xenolith.hypervisor.abi.Errno.EFAULT;
import static dev.xenolith.hypervisor.abi.Errno.EINVAL;
import static dev.xenolith.hypervisor.abi.Errno.EPERM;
import static dev.xenolith.hypervisor.abi.Errno.ESRCH;

import dev.xenolith.hypervisor.abi.Bytes;
import dev.xenolith.hypervisor.abi.Xen;
import dev.xenolith.hypervisor.abi.Xenmem.AcquireResource;
import dev.xenolith.hypervisor.abi.Xenmem.Reservation;
import dev.xenolith.hypervisor.abi.Xenmem;
import dev.xenolith.hypervisor.domain.Access;
import dev.xenolith.hypervisor.domain.Domain;
import dev.xenolith.hypervisor.domain.Domains;
import dev.xenolith.hypervisor.operations.DomainControl;

/** The commands of memory_op by which a toolstack prepares another domain: acquire_resource and claim_pages. */
final class ResourceOp {
    /** Frames at a time. */
    private static final int STRIDE = 32;
    private static final long MOST_FRAMES = 0xffff_ffffL >>> Xenmem.MEMOP_EXTENT_SHIFT;

    private final Domains domains;
    private final Controls controls;

    ResourceOp(Domains domains, Controls controls) {
        this.domains = domains;
        this.controls = controls;
    }

    /**
     * acquire_resource: the machine frames of a domain's grant table, which the caller then maps as that domain's; other resources are
     * not there. {@code start} frames have been done by calls before.
     */
    long acquire(Call call, long start) {
        long handle = call.argument(1);
        if (!call.read(handle, AcquireResource.LAYOUT)) {
            return -EFAULT;
        }
        long frame = call.get64(AcquireResource.FRAME);
        long frames = call.get32(AcquireResource.NR_FRAMES) & 0xffff_ffffL;
        int type = call.get16(AcquireResource.TYPE);
        int id = call.get32(AcquireResource.ID);
        long list = call.get64(AcquireResource.FRAME_LIST);
        if (call.get32(AcquireResource.PAD) != 0 || frame >>> Integer.SIZE != 0
                || frame + frames >>> Integer.SIZE != 0) {
            return -EINVAL;
        }
        int domid = call.get16(AcquireResource.DOMID);
        if (domid == Xen.DOMID_SELF || domid == call.domain.domid) {
            return -EPERM;
        }
        if (domains.table.find(domid) == null) {
            return -ESRCH;
        }
        if (!Access.isPrivileged(call.domain)) {
            return -EPERM;
        }
        boolean table = type == AcquireResource.GRANT_TABLE
                && (id == AcquireResource.SHARED || id == AcquireResource.STATUS);
        if (!table) {
            return -EINVAL;
        }
        boolean status = id == AcquireResource.STATUS;
        DomainControl control = controls.domains().apply(call.domain);
        if (list == 0) {
            return frames != 0 || start != 0
                    ? -EINVAL
                    : call.writeBack32(handle, AcquireResource.LAYOUT, AcquireResource.NR_FRAMES,
                            control.maxGrantFrames(domid, status))
                                    ? 0
                                    : -EFAULT;
        }
        if (start >= frames || frames > MOST_FRAMES) {
            return -EINVAL;
        }
        for (long done = start; done < frames;) {
            if (done > start && call.preempt.check()) {
                call.arguments[0] = Xenmem.XENMEM_ACQUIRE_RESOURCE | done << Xenmem.MEMOP_EXTENT_SHIFT;
                return Call.RESTART;
            }
            long[] mfns = new long[(int) Math.min(STRIDE, frames - done)];
            int rc = control.grantFrames(domid, status, frame + done, mfns);
            if (rc != 0) {
                return rc;
            }
            for (long mfn : mfns) {
                if (!call.writeWord(list + done * call.wordBytes(), mfn)) {
                    return -EFAULT;
                }
                done++;
            }
        }
        return 0;
    }

    /** claim_pages: memory that is kept for a domain until it is populated. */
    long claim(Call call) {
        if (!call.read(call.argument(1), Reservation.LAYOUT)) {
            return -EFAULT;
        }
        if (call.get64(Reservation.EXTENT_START) != 0 || call.get32(Reservation.EXTENT_ORDER) != 0
                || call.get32(Reservation.MEM_FLAGS) != 0) {
            return -EINVAL;
        }
        Domain domain = domains.table.find(call.get16(Reservation.DOMID));
        if (domain == null) {
            return -EINVAL;
        }
        long pages = call.get64(Reservation.NR_EXTENTS);
        if (!Access.isPrivileged(call.domain)) {
            return -EPERM;
        }
        return controls.domains().apply(call.domain).claim(domain.domid, pages < 0 ? Long.MAX_VALUE : pages);
    }
}
