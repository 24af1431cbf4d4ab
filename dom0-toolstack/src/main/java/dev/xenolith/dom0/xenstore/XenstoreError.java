package dev.xenolith.dom0.xenstore;

/** The errors of the protocol, which travel by name (xen/include/public/io/xs_wire.h, xsd_errors). */
public enum XenstoreError {
    EINVAL, EACCES, EEXIST, EISDIR, ENOENT, ENOMEM, ENOSPC, EIO, ENOTEMPTY, ENOSYS, EROFS, EBUSY, EAGAIN, EISCONN, E2BIG, EPERM;

    /** What strerror(3) says of it, for tools that print that. */
    public String text() {
        return switch (this) {
            case EINVAL -> "Invalid argument";
            case EACCES -> "Permission denied";
            case EEXIST -> "File exists";
            case EISDIR -> "Is a directory";
            case ENOENT -> "No such file or directory";
            case ENOMEM -> "Cannot allocate memory";
            case ENOSPC -> "No space left on device";
            case EIO -> "Input/output error";
            case ENOTEMPTY -> "Directory not empty";
            case ENOSYS -> "Function not implemented";
            case EROFS -> "Read-only file system";
            case EBUSY -> "Device or resource busy";
            case EAGAIN -> "Resource temporarily unavailable";
            case EISCONN -> "Transport endpoint is already connected";
            case E2BIG -> "Argument list too long";
            case EPERM -> "Operation not permitted";
        };
    }
}
