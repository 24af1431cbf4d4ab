package dev.xenolith.dom0.xl;

/** The domain that an operation names does not exist, or no longer does. */
public final class NoSuchDomainException extends ToolstackException {
    private static final long serialVersionUID = 1L;

    private final int domid;

    /** Makes the failure for one domid. */
    public NoSuchDomainException(int domid) {
        super(FAILURE, "domain " + domid + " does not exist");
        this.domid = domid;
    }

    /** Returns the domid that names no domain. */
    public int domid() {
        return domid;
    }
}
