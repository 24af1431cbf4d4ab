package dev.xenolith.dom0.xenstore;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reading and writing xenstore, directly ({@link XenstoreClient}) or in a transaction ({@link XenstoreTransaction}). Paths are
 * absolute or relative to the caller's {@code /local/domain/<domid>}.
 */
public interface StoreAccess {
    byte[] read(String path) throws XenstoreException;

    /** Sets the value, making the node and what is missing above it. Path and value together are limited to 4 KiB. */
    void write(String path, byte[] value) throws XenstoreException;

    /** Makes the node, and what is missing above it, if it is not there. */
    void mkdir(String path) throws XenstoreException;

    /** Removes the node and all below it. It is no error if it is not there but the node above is. */
    void remove(String path) throws XenstoreException;

    /** The names of the children, sorted. */
    List<String> list(String path) throws XenstoreException;

    Permissions permissions(String path) throws XenstoreException;

    void setPermissions(String path, Permissions permissions) throws XenstoreException;

    /** The value as text (UTF-8). */
    default String readText(String path) throws XenstoreException {
        return new String(read(path), StandardCharsets.UTF_8);
    }

    /** The value as text, or null if there is no such node. */
    default @Nullable String findText(String path) throws XenstoreException {
        return exists(path) ? readText(path) : null;
    }

    default void writeText(String path, String value) throws XenstoreException {
        write(path, value.getBytes(StandardCharsets.UTF_8));
    }

    /** Whether there is such a node that the caller may read. */
    default boolean exists(String path) throws XenstoreException {
        try {
            read(path);
            return true;
        } catch (XenstoreException e) {
            if (e.error() == XenstoreError.ENOENT) {
                return false;
            }
            throw e;
        }
    }
}
