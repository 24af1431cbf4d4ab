package dev.xenolith.hypervisor.control;

import static dev.xenolith.hypervisor.abi.Errno.ESRCH;

import dev.xenolith.hypervisor.abi.Grant;
import dev.xenolith.hypervisor.domain.Domain;
import dev.xenolith.hypervisor.domain.DomainGrants;
import dev.xenolith.hypervisor.grant.GrantTable;
import dev.xenolith.hypervisor.operations.Grants;
import dev.xenolith.hypervisor.operations.OperationException;
import dev.xenolith.hypervisor.operations.SharedPage;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.Set;

/** Grant operations in the name of one Java domain. The entry says whether the domain may use it; there is no other check. */
final class GrantsOfDomain implements Grants {
    private final Domain domain;
    private final DomainGrants grants;
    private final Set<SharedPage> held = new LinkedHashSet<>();

    GrantsOfDomain(Domain domain, DomainGrants grants) {
        this.domain = domain;
        this.grants = grants;
    }

    @Override
    public SharedPage map(int domid, int reference, boolean readOnly) throws OperationException {
        return map(domid, new int[]{reference}, readOnly);
    }

    @Override
    public SharedPage map(int domid, int[] references, boolean readOnly) throws OperationException {
        if (domain.isDying()) {
            throw new OperationException(-ESRCH, domain + " has ended");
        }
        GrantTable mine = grants.of(domain);
        int[] handles = new int[references.length];
        long[] frames = new long[references.length];
        for (int i = 0; i < references.length; i++) {
            int status = grants.operations.mapJava(mine, domid, references[i], readOnly);
            if (status != Grant.GNTST_OKAY) {
                unmap(mine, handles, i);
                throw new OperationException(status, "grant " + Integer.toUnsignedString(references[i]) + " of d"
                        + domid + " cannot be mapped" + (readOnly ? "" : " for writing"));
            }
            handles[i] = grants.operations.mappedHandle();
            frames[i] = grants.operations.mappedFrame();
        }
        return new Mapping(mine, handles, frames, readOnly).page;
    }

    private void unmap(GrantTable mine, int[] handles, int count) {
        for (int i = 0; i < count; i++) {
            grants.operations.unmapJava(mine, handles[i]);
        }
    }

    /** What one range of mapped pages holds. */
    private final class Mapping implements Runnable {
        private final GrantTable mine;
        private final int[] handles;
        final MappedFrames page;

        Mapping(GrantTable mine, int[] handles, long[] frames, boolean readOnly) {
            this.mine = mine;
            this.handles = handles;
            page = new MappedFrames(grants.ram(), frames, readOnly, this);
            held.add(page);
        }

        @Override
        public void run() {
            held.remove(page);
            unmap(mine, handles, handles.length);
        }
    }

    @Override
    public int mapped() {
        return domain.isDying() ? 0 : grants.of(domain).mapped();
    }

    @Override
    public int copy(int sourceDomid, int sourceReference, int sourceOffset, int targetDomid, int targetReference,
            int targetOffset, int length) {
        return domain.isDying()
                ? Grant.GNTST_GENERAL_ERROR
                : grants.copies.copy(grants.of(domain), sourceReference & 0xffff_ffffL, sourceDomid, sourceOffset,
                        targetReference & 0xffff_ffffL, targetDomid, targetOffset, length,
                        Grant.GNTCOPY_SOURCE_GREF | Grant.GNTCOPY_DEST_GREF);
    }

    @Override
    public int copyFrom(int domid, int reference, int offset, byte[] target, int targetOffset, int length) {
        return domain.isDying()
                ? Grant.GNTST_GENERAL_ERROR
                : grants.copies.copyFrom(grants.of(domain), domid, reference, offset, target, targetOffset, length);
    }

    @Override
    public int copyTo(int domid, int reference, int offset, byte[] source, int sourceOffset, int length) {
        return domain.isDying()
                ? Grant.GNTST_GENERAL_ERROR
                : grants.copies.copyTo(grants.of(domain), domid, reference, offset, source, sourceOffset, length);
    }

    /** Gives back what is still mapped: the domain has ended. */
    void release() {
        new ArrayList<>(held).forEach(SharedPage::unmap);
    }
}
