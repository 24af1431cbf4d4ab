package dev.xenolith.dom0.xenstore;

/** Access to xenstore inside a transaction, which is over when committed or closed. */
public interface StoreTransaction extends StoreAccess, AutoCloseable {
    /**
     * Makes the changes, if nothing that the transaction has looked at was changed by others.
     *
     * @return false if something was: nothing is done, start again
     */
    boolean commit() throws XenstoreException;

    /** Aborts unless committed. */
    @Override
    void close();
}
