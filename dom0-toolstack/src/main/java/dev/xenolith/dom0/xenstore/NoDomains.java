package dev.xenolith.dom0.xenstore;

/** The management of domains where there is no daemon to manage any. */
final class NoDomains implements DomainManagement {
    private static XenstoreException refusal() {
        return new XenstoreException(XenstoreError.ENOSYS, "no daemon");
    }

    @Override
    public void introduce(int domid, int port) throws XenstoreException {
        throw refusal();
    }

    @Override
    public void release(int domid) throws XenstoreException {
        throw refusal();
    }

    @Override
    public boolean isIntroduced(int domid) {
        return false;
    }

    @Override
    public void resume(int domid) throws XenstoreException {
        throw refusal();
    }

    @Override
    public void setTarget(int domid, int target) throws XenstoreException {
        throw refusal();
    }
}
