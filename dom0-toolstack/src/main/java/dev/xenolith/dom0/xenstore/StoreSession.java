package dev.xenolith.dom0.xenstore;

/** Access to xenstore that can also start transactions. */
public interface StoreSession extends StoreAccess {
    StoreTransaction begin() throws XenstoreException;
}
