package dev.xenolith.dom0.xl;

import java.util.List;

/**
 * Requests to xenstored (docs/misc/xenstore.txt), as Domain-0. Paths are absolute or relative to
 * /local/domain/0. A refusal is an {@link XenstoreException} with the daemon's error name.
 */
public interface XenstoreOperations {
    /** XS_DIRECTORY: the names of the children, in the order in which the daemon tells them. */
    List<String> directory(String path);

    /** XS_READ: the value, which may hold any byte. */
    byte[] read(String path);

    /** XS_WRITE: creates the node and its parents if need be. */
    void write(String path, byte[] value);

    /** XS_MKDIR. */
    void mkdir(String path);

    /** XS_RM: the node and everything below it. */
    void remove(String path);

    /** XS_GET_PERMS: such as n0, r5; the first names the owner. */
    List<String> permissions(String path);

    /** XS_SET_PERMS. */
    void setPermissions(String path, List<String> permissions);
}
