package dev.xenolith.dom0.disk;

/** What an image is opened for. */
public enum OpenMode {
    /** Reads; others may read too, and none may write. */
    READ_ONLY,
    /** Reads and writes; nobody else may have it open. */
    READ_WRITE
}
