package dev.xenolith.dom0.console;

/** A client's hold on a console. To be used on the machine thread. */
public interface ConsoleAttachment {
    /**
     * Sends input to the domain, after what others have sent. Returns how many bytes were taken; if fewer than given,
     * {@link ConsoleClient#inputHasRoom} tells when to go on. After the domain has ended all is taken and forgotten.
     */
    int input(byte[] bytes, int offset, int length);

    /** Says that {@link ConsoleClient#offer} takes more. */
    void outputHasRoom();

    /** Lets go. A second time does nothing. */
    void detach();
}
