package dev.xenolith.dom0.disk;

import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;

/** Something is wrong with an image. The message is one line: the file, a colon, and the cause. */
public final class DiskException extends IOException {
    private static final long serialVersionUID = 1L;

    /**
     * Makes one.
     *
     * @param file as the user named it
     * @param cause without a trailing period
     */
    public DiskException(String file, String cause) {
        super(file + ": " + cause);
    }

    private DiskException(String file, IOException cause) {
        super(file + ": " + reason(cause), cause);
    }

    /** Returns what went wrong with {@code file} as one of these, which it may be already. */
    static DiskException of(String file, IOException cause) {
        return cause instanceof DiskException named ? named : new DiskException(file, cause);
    }

    /** The words of strerror(3), without names of Java's. */
    private static String reason(IOException cause) {
        return switch (cause) {
            case NoSuchFileException _ -> "No such file or directory";
            case AccessDeniedException _ -> "Permission denied";
            case FileAlreadyExistsException _ -> "File exists";
            case FileSystemException problem when problem.getReason() != null -> problem.getReason();
            case ClosedByInterruptException _ -> "the file was closed by an interrupt";
            case ClosedChannelException _ -> "the image is closed";
            default -> cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
        };
    }
}
