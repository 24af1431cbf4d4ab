package dev.xenolith.dom0.xl;

import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;

/** What is wrong with a file, in the words of strerror(3) and without names of Java's. */
public final class FileProblem {
    private FileProblem() {
    }

    /** Returns the reason of {@code e}, one line without the file's name. */
    public static String of(Exception e) {
        return switch (e) {
            case NoSuchFileException _ -> "No such file or directory";
            case AccessDeniedException _ -> "Permission denied";
            case FileSystemException problem when problem.getReason() != null -> problem.getReason();
            default -> e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
        };
    }
}
