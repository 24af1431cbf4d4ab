package dev.xenolith.dom0.console;

import org.jspecify.annotations.Nullable;

/** Where consoles are logged ({@code xenconsoled --log=guest}). Called on the machine thread; the files are written elsewhere. */
@FunctionalInterface
public interface ConsoleLogs {
    /** No logs. */
    ConsoleLogs NONE = (domid, name) -> null;

    /**
     * Opens the log of a domain.
     *
     * @param name the domain's name
     * @return null if it is not to be logged
     */
    @Nullable
    Log open(int domid, String name);

    /** The log of one domain. */
    interface Log {
        /** Takes output as it came, in pieces of any length. The array is reused afterwards. */
        void append(byte[] bytes, int offset, int length);

        void close();
    }
}
