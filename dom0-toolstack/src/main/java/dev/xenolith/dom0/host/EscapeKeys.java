package dev.xenolith.dom0.host;

/**
 * Finds commands in what is typed at a machine's serial port: Ctrl-A x ends the machine, Ctrl-A s shows the screen, Ctrl-A h
 * the commands, Ctrl-A Ctrl-A or Ctrl-A a is one Ctrl-A, and Ctrl-A before anything else is passed on with it.
 */
final class EscapeKeys {
    /** What is to be done with a byte. */
    interface Sink {
        void pass(byte value) throws InterruptedException;

        void end();

        void showScreen() throws InterruptedException;

        void help();
    }

    private static final byte CTRL_A = 1;

    private final Sink sink;
    private boolean escaped;

    EscapeKeys(Sink sink) {
        this.sink = sink;
    }

    void typed(byte value) throws InterruptedException {
        if (!escaped) {
            escaped = value == CTRL_A;
            if (!escaped) {
                sink.pass(value);
            }
            return;
        }
        escaped = false;
        switch (value) {
            case 'x', 'X' -> sink.end();
            case 's' -> sink.showScreen();
            case 'h', '?' -> sink.help();
            case CTRL_A, 'a' -> sink.pass(CTRL_A);
            default -> {
                sink.pass(CTRL_A);
                sink.pass(value);
            }
        }
    }
}
