package dev.xenolith.hypervisor.operations;

/** An operation that returns an object could not: carries the negative Xen errno or grant status. Never thrown on hot paths. */
public final class OperationException extends Exception {
    private static final long serialVersionUID = 1L;
    private final int error;

    public OperationException(int error, String message) {
        super(message);
        this.error = error;
    }

    /** The negative errno (abi.Errno) or GNTST_* status. */
    public int error() {
        return error;
    }
}
