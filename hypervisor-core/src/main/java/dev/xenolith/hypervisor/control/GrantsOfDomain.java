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
        if (domain.isDying()) {
            throw new OperationException(-ESRCH, domain + " has ended");
        }
        GrantTable mine = grants.of(domain);
        int status = grants.operations.mapJava(mine, domid, reference, readOnly);
        if (status != Grant.GNTST_OKAY) {
            throw new OperationException(status, "grant " + Integer.toUnsignedString(reference) + " of d" + domid
                    + " cannot be mapped" + (readOnly ? "" : " for writing"));
        }
        int handle = grants.operations.mappedHandle();
        MappedFrames[] mapped = new MappedFrames[1];
        mapped[0] = new MappedFrames(grants.ram(), new long[]{grants.operations.mappedFrame()}, readOnly, () -> {
            held.remove(mapped[0]);
            grants.operations.unmapJava(mine, handle);
        });
        held.add(mapped[0]);
        return mapped[0];
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

    /** Writes grant entries of domains that are being built; {@link ControlOfDomain} has checked that it may. */
    static ControlOfDomain.GrantSeeds seeds(DomainGrants grants) {
        return (target, reference, grantee, frame) -> target.isDying()
                ? -ESRCH
                : grants.operations.seed(grants.of(target), reference, grantee, frame);
    }
}
