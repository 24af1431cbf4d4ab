package dev.xenolith.dom0.xl;

/** Where a domain's console output goes while somebody is attached. Called on the machine thread only. */
public interface ConsoleOutput {
    /**
     * Offers output of the domain. Never blocks and never throws; takes what it has room for. The console daemon keeps
     * the rest, stops consuming the domain's ring, and offers it again after
     * {@link ConsoleConnection#outputHasRoom()}.
     *
     * @return how many bytes from {@code offset} were taken, 0..{@code length}
     */
    int offer(byte[] bytes, int offset, int length);

    /** Says that no more output will come: the domain has ended, or the console was taken away. */
    void closed();
}
