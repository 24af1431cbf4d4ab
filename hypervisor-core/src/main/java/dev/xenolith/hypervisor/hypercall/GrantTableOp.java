package dev.xenolith.hypervisor.hypercall;

import static dev.xenolith.hypervisor.abi.Errno.EFAULT;
import static dev.xenolith.hypervisor.abi.Errno.EINVAL;
import static dev.xenolith.hypervisor.abi.Errno.ENOSYS;
import static dev.xenolith.hypervisor.abi.Errno.EOPNOTSUPP;
import static dev.xenolith.hypervisor.abi.Errno.EPERM;
import static dev.xenolith.hypervisor.abi.Errno.ESRCH;

import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.hypervisor.abi.Bytes;
import dev.xenolith.hypervisor.abi.Grant;
import dev.xenolith.hypervisor.abi.Struct;
import dev.xenolith.hypervisor.domain.Access;
import dev.xenolith.hypervisor.domain.Domain;
import dev.xenolith.hypervisor.domain.DomainGrants;
import dev.xenolith.hypervisor.domain.Domains;
import dev.xenolith.hypervisor.grant.GrantOperations;
import dev.xenolith.hypervisor.grant.GrantTable;

/**
 * grant_table_op: command in argument 0, address of an array of operations in 1, their number in 2. Each operation of a batch has a
 * status of its own.
 */
public final class GrantTableOp implements Handler {
    private final Domains domains;
    private final DomainGrants grants;
    private final GrantOperations operations;
    // Made once, so that calls make no garbage.
    private final Element map = this::map;
    private final Element unmap = this::unmap;
    private final Element unmapAndReplace = this::unmapAndReplace;
    private final Element transfer = this::transfer;
    private final Element copy = this::copy;
    private final Element swap = this::swap;

    public GrantTableOp(Domains domains, DomainGrants grants) {
        this.domains = domains;
        this.grants = grants;
        operations = grants.operations;
    }

    /** One operation of a batch: the structure is in the call's buffer, and its results go back through {@code handle}. */
    @FunctionalInterface
    private interface Element {
        /** Returns false if results cannot be written. */
        boolean perform(Call call, long handle);
    }

    @Override
    public long call(Call call) {
        int command = (int) call.argument(0);
        long handle = call.argument(1);
        int count = (int) call.argument(2);
        int opaque = command & ~Grant.GNTTABOP_CMD_MASK;
        command &= Grant.GNTTABOP_CMD_MASK;
        if (count < 0 || (opaque != 0 && command != Grant.GNTTABOP_CACHE_FLUSH)) {
            return -EINVAL;
        }
        return switch (command) {
            case Grant.GNTTABOP_MAP_GRANT_REF -> batch(call, Grant.Map.LAYOUT, map);
            case Grant.GNTTABOP_UNMAP_GRANT_REF -> batch(call, Grant.Unmap.LAYOUT, unmap);
            case Grant.GNTTABOP_UNMAP_AND_REPLACE -> batch(call, Grant.UnmapAndReplace.LAYOUT, unmapAndReplace);
            case Grant.GNTTABOP_TRANSFER -> batch(call, Grant.Transfer.LAYOUT, transfer);
            case Grant.GNTTABOP_COPY -> batch(call, Grant.Copy.LAYOUT, copy);
            case Grant.GNTTABOP_SWAP_GRANT_REF -> batch(call, Grant.SwapGrantRef.LAYOUT, swap);
            case Grant.GNTTABOP_CACHE_FLUSH -> cacheFlush(call, handle, count);
            case Grant.GNTTABOP_SETUP_TABLE -> count != 1 ? -EINVAL : setup(call, handle);
            case Grant.GNTTABOP_QUERY_SIZE -> count != 1 ? -EINVAL : querySize(call, handle);
            case Grant.GNTTABOP_SET_VERSION -> setVersion(call, handle);
            case Grant.GNTTABOP_GET_STATUS_FRAMES -> count != 1 ? -EINVAL : statusFrames(call, handle);
            case Grant.GNTTABOP_GET_VERSION -> getVersion(call, handle);
            default -> -ENOSYS;
        };
    }

    private long batch(Call call, Struct layout, Element element) {
        long handle = call.argument(1);
        int count = (int) call.argument(2);
        if (!call.isGuestAddress(handle)) {
            return -EFAULT;
        }
        int size = call.sizeOf(layout);
        long rc = 0;
        int i = 0;
        for (; i < count; i++) {
            if (i > 0 && call.preempt.check()) {
                rc = Call.RESTART;
                break;
            }
            long at = handle + (long) i * size;
            if (!call.read(at, layout) || !element.perform(call, at)) {
                rc = -EFAULT;
                break;
            }
        }
        operations.finishUnmaps();
        if (rc == Call.RESTART) {
            call.arguments[1] = handle + (long) i * size;
            call.arguments[2] = count - i;
        }
        return rc;
    }

    private boolean map(Call call, long handle) {
        int rc = operations.map(grants.of(call.domain), call.vcpu.tables(), call.get64(Grant.Map.HOST_ADDR),
                call.get32(Grant.Map.FLAGS), call.get32(Grant.Map.REF), call.get16(Grant.Map.DOM));
        if (rc == Grant.GNTST_OKAY) {
            call.put32(Grant.Map.HANDLE, operations.mappedHandle());
            call.put64(Grant.Map.DEV_BUS_ADDR, operations.mappedAddress());
        }
        Bytes.put16(call.buffer, Grant.Map.STATUS, rc);
        return call.write(handle, Grant.Map.LAYOUT);
    }

    private boolean unmap(Call call, long handle) {
        return call.writeBack16(handle, Grant.Unmap.LAYOUT, Grant.Unmap.STATUS,
                operations.unmap(grants.of(call.domain), call.vcpu.tables(), call.get32(Grant.Unmap.HANDLE),
                        call.get64(Grant.Unmap.HOST_ADDR), call.get64(Grant.Unmap.DEV_BUS_ADDR), 0,
                        PagingCalls.processorsOf(call.domain)));
    }

    private boolean unmapAndReplace(Call call, long handle) {
        return call.writeBack16(handle, Grant.UnmapAndReplace.LAYOUT, Grant.UnmapAndReplace.STATUS,
                operations.unmap(grants.of(call.domain), call.vcpu.tables(), call.get32(Grant.UnmapAndReplace.HANDLE),
                        call.get64(Grant.UnmapAndReplace.HOST_ADDR), 0, call.get64(Grant.UnmapAndReplace.NEW_ADDR),
                        PagingCalls.processorsOf(call.domain)));
    }

    private boolean transfer(Call call, long handle) {
        return call.writeBack16(handle, Grant.Transfer.LAYOUT, Grant.Transfer.STATUS,
                operations.transfer(grants.of(call.domain), call.get64(Grant.Transfer.MFN),
                        call.get16(Grant.Transfer.DOMID), call.get32(Grant.Transfer.REF),
                        PagingCalls.processorsOf(call.domain)));
    }

    private boolean copy(Call call, long handle) {
        int flags = call.get16(Grant.Copy.FLAGS);
        long source = call.get64(Grant.Copy.SOURCE_REF);
        long target = call.get64(Grant.Copy.DEST_REF);
        return call.writeBack16(handle, Grant.Copy.LAYOUT, Grant.Copy.STATUS, grants.copies.copy(grants.of(call.domain),
                (flags & Grant.GNTCOPY_SOURCE_GREF) != 0 ? source & 0xffff_ffffL : source,
                call.get16(Grant.Copy.SOURCE_DOMID), call.get16(Grant.Copy.SOURCE_OFFSET),
                (flags & Grant.GNTCOPY_DEST_GREF) != 0 ? target & 0xffff_ffffL : target,
                call.get16(Grant.Copy.DEST_DOMID), call.get16(Grant.Copy.DEST_OFFSET), call.get16(Grant.Copy.LEN),
                flags));
    }

    private boolean swap(Call call, long handle) {
        return call.writeBack16(handle, Grant.SwapGrantRef.LAYOUT, Grant.SwapGrantRef.STATUS,
                grants.of(call.domain).swap(
                        call.get32(Grant.SwapGrantRef.REF_A), call.get32(Grant.SwapGrantRef.REF_B)));
    }

    // ---- single operations -------------------------------------------------------------------------------------------

    private long setup(Call call, long handle) {
        if (!call.read(handle, Grant.Setup.LAYOUT)) {
            return -EFAULT;
        }
        int frames = call.get32(Grant.Setup.NR_FRAMES);
        long list = call.get64(Grant.Setup.FRAME_LIST);
        Domain domain = domains.table.resolve(call.domain, call.get16(Grant.Setup.DOM));
        int rc;
        if (domain == null) {
            rc = Grant.GNTST_BAD_DOMAIN;
        } else if (!Access.toTarget(call.domain, domain)) {
            rc = Grant.GNTST_PERMISSION_DENIED;
        } else {
            GrantTable table = grants.of(domain);
            rc = table.setup(frames);
            for (int i = 0; rc == Grant.GNTST_OKAY && i < frames; i++) {
                if (!call.writeWord(list + (long) i * call.wordBytes(), table.sharedFrame(i))) {
                    rc = Grant.GNTST_BAD_VIRT_ADDR;
                }
            }
        }
        return call.writeBack16(handle, Grant.Setup.LAYOUT, Grant.Setup.STATUS, rc) ? 0 : -EFAULT;
    }

    private long querySize(Call call, long handle) {
        if (!call.read(handle, Grant.QuerySize.LAYOUT)) {
            return -EFAULT;
        }
        Domain domain = domains.table.resolve(call.domain, call.get16(Grant.QuerySize.DOM));
        int rc;
        if (domain == null) {
            rc = Grant.GNTST_BAD_DOMAIN;
        } else if (!Access.toTarget(call.domain, domain)) {
            rc = Grant.GNTST_PERMISSION_DENIED;
        } else {
            call.put32(Grant.QuerySize.NR_FRAMES, grants.of(domain).frames());
            call.put32(Grant.QuerySize.MAX_NR_FRAMES, grants.of(domain).maxFrames());
            rc = Grant.GNTST_OKAY;
        }
        Bytes.put16(call.buffer, Grant.QuerySize.STATUS, rc);
        return call.write(handle, Grant.QuerySize.LAYOUT) ? 0 : -EFAULT;
    }

    private long setVersion(Call call, long handle) {
        if (!call.read(handle, Grant.SetVersion.LAYOUT)) {
            return -EFAULT;
        }
        GrantTable table = grants.of(call.domain);
        int rc = table.setVersion(call.get32(Grant.SetVersion.VERSION));
        return call.writeBack32(handle, Grant.SetVersion.LAYOUT, Grant.SetVersion.VERSION, table.version())
                ? rc
                : -EFAULT;
    }

    private long statusFrames(Call call, long handle) {
        if (!call.read(handle, Grant.GetStatusFrames.LAYOUT)) {
            return -EFAULT;
        }
        int frames = call.get32(Grant.GetStatusFrames.NR_FRAMES);
        long list = call.get64(Grant.GetStatusFrames.FRAME_LIST);
        Domain domain = domains.table.resolve(call.domain, call.get16(Grant.GetStatusFrames.DOM));
        int rc;
        if (domain == null) {
            rc = Grant.GNTST_BAD_DOMAIN;
        } else if (!Access.toTarget(call.domain, domain)) {
            rc = Grant.GNTST_PERMISSION_DENIED;
        } else {
            GrantTable table = grants.of(domain);
            rc = Integer.compareUnsigned(frames, table.statusFrames()) <= 0
                    ? Grant.GNTST_OKAY
                    : Grant.GNTST_GENERAL_ERROR;
            for (int i = 0; rc == Grant.GNTST_OKAY && i < frames; i++) {
                if (!call.writeWord(list + (long) i * call.wordBytes(), table.statusFrame(i))) {
                    rc = Grant.GNTST_BAD_VIRT_ADDR;
                }
            }
        }
        return call.writeBack16(handle, Grant.GetStatusFrames.LAYOUT, Grant.GetStatusFrames.STATUS, rc) ? 0 : -EFAULT;
    }

    private long getVersion(Call call, long handle) {
        if (!call.read(handle, Grant.GetVersion.LAYOUT)) {
            return -EFAULT;
        }
        Domain domain = domains.table.resolve(call.domain, call.get16(Grant.GetVersion.DOM));
        if (domain == null) {
            return -ESRCH;
        }
        if (!Access.toTarget(call.domain, domain)) {
            return -EPERM;
        }
        return call.writeBack32(handle, Grant.GetVersion.LAYOUT, Grant.GetVersion.VERSION, grants.of(domain).version())
                ? 0
                : -EFAULT;
    }

    /** There are no caches to flush; whether the caller might is checked all the same. */
    private long cacheFlush(Call call, long handle, int count) {
        if (!call.isGuestAddress(handle)) {
            return -EFAULT;
        }
        for (int i = 0; i < count; i++) {
            if (i > 0 && call.preempt.check()) {
                call.arguments[1] = handle + (long) i * call.sizeOf(Grant.CacheFlush.LAYOUT);
                call.arguments[2] = count - i;
                return Call.RESTART;
            }
            if (!call.read(handle + (long) i * call.sizeOf(Grant.CacheFlush.LAYOUT), Grant.CacheFlush.LAYOUT)) {
                return -EFAULT;
            }
            long rc = cacheFlush(call);
            if (rc != 0) {
                return rc;
            }
        }
        return 0;
    }

    private long cacheFlush(Call call) {
        int offset = call.get16(Grant.CacheFlush.OFFSET);
        int length = call.get16(Grant.CacheFlush.LENGTH);
        int what = call.get32(Grant.CacheFlush.OP);
        if (offset >= PhysicalMemory.FRAME_SIZE || offset + length > PhysicalMemory.FRAME_SIZE) {
            return -EINVAL;
        }
        if (length == 0 || what == 0) {
            return 0;
        }
        if ((what & Grant.GNTTAB_CACHE_SOURCE_GREF) != 0) {
            // Nobody has it: Xen says so too.
            return -EOPNOTSUPP;
        }
        if ((what & ~(Grant.GNTTAB_CACHE_CLEAN | Grant.GNTTAB_CACHE_INVAL)) != 0) {
            return -EINVAL;
        }
        long mfn = call.get64(Grant.CacheFlush.ADDRESS) >>> PhysicalMemory.FRAME_SHIFT;
        if (!domains.memory.frames().isRam(mfn)) {
            return -EINVAL;
        }
        if (!operations.maps(grants.of(call.domain), mfn)) {
            return -EPERM;
        }
        // Xen on x86 cannot invalidate without writing back.
        return what == Grant.GNTTAB_CACHE_INVAL ? -EOPNOTSUPP : 0;
    }
}
