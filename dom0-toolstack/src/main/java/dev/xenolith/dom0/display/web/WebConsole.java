package dev.xenolith.dom0.display.web;

/** A console of which browsers show a copy. All of it may be called by any thread, and nothing of it blocks. */
public interface WebConsole {
    /** A browser is there: it is given what the console keeps of its past, and what comes. */
    Attachment attach(Client client);

    /** A browser, as the console sees it. */
    interface Client {
        /** There is output to {@link Attachment#read}. */
        void outputReady();
    }

    /** The console, as a browser sees it. */
    interface Attachment {
        /** Copies the next of the output to the start of {@code bytes}; returns how many bytes, 0 if there is no more now. */
        int read(byte[] bytes);

        /** Gives the console input; returns how many bytes it has taken. */
        int feed(byte[] bytes, int offset, int length);

        void detach();
    }
}
