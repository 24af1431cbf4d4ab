package dev.xenolith.dom0.console;

/** Somebody attached to a domain's console. Called on the machine thread; neither blocks nor throws. */
public interface ConsoleClient {
    /** Offers output of the domain. Returns how many bytes from {@code offset} were taken: fewer means that there is no room. */
    int offer(byte[] bytes, int offset, int length);

    /** Says that {@link ConsoleAttachment#input} takes more, after it took less than it was given. */
    void inputHasRoom();

    /** Says that no more output will come: the domain has ended. */
    void closed();
}
