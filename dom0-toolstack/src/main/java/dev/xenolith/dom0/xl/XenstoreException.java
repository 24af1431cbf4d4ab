package dev.xenolith.dom0.xl;

/** A refusal by xenstored. */
public final class XenstoreException extends ToolstackException {
    private static final long serialVersionUID = 1L;

    private final String error;

    /**
     * Makes a refusal.
     *
     * @param error the name that the daemon answered, such as ENOENT or EACCES (io/xs_wire.h, xsd_errors)
     * @param path the path of the request
     */
    public XenstoreException(String error, String path) {
        super(FAILURE, "xenstore: " + path + ": " + error);
        this.error = error;
    }

    /** Returns the name of the error, such as ENOENT. */
    public String error() {
        return error;
    }
}
