package dev.xenolith.dom0.xl;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.PrintStream;

/**
 * One attachment of a client to a console: copies output until the console closes, and input until its end or the escape
 * character. The end of input alone does not end the session: in a script the output goes on until the domain ends.
 */
final class ConsoleSession implements ConsoleOutput {
    /** Ctrl-]. */
    static final char DEFAULT_ESCAPE = 0x1d;

    private static final int BUFFER_SIZE = 1 << 16;

    private final CommandContext context;
    private final char escape;

    /** Guarded by this, like the four below: a ring of output on its way from the machine thread to the client. */
    private final byte[] buffer = new byte[BUFFER_SIZE];
    private int first;
    private int count;
    private boolean closed;
    private boolean detached;

    ConsoleSession(CommandContext context, char escape) {
        this.context = context;
        this.escape = escape;
    }

    /**
     * Attaches and copies until the console closes or the user detaches.
     *
     * @param attached runs once the console is attached, before anything is copied
     */
    void run(int domid, Runnable attached) throws InterruptedException {
        run(domid, 0, attached);
    }

    /** As {@link #run(int, Runnable)}, for one of the domain's consoles. */
    void run(int domid, int number, Runnable attached) throws InterruptedException {
        Toolstack toolstack = context.toolstack();
        context.flush();
        try (ConsoleConnection console = toolstack.attachConsole(domid, number, this)) {
            attached.run();
            context.client().rawMode(true);
            Thread input = Thread.ofVirtual().name("console-input-" + domid).start(() -> copyInput(console));
            try {
                copyOutput(console);
            } finally {
                input.interrupt();
                context.client().rawMode(false);
            }
        }
    }

    @Override
    public synchronized int offer(byte[] bytes, int offset, int length) {
        int taken = detached ? length : Math.min(length, BUFFER_SIZE - count);
        if (!detached) {
            int at = (first + count) % BUFFER_SIZE;
            int unwrapped = Math.min(taken, BUFFER_SIZE - at);
            System.arraycopy(bytes, offset, buffer, at, unwrapped);
            System.arraycopy(bytes, offset + unwrapped, buffer, 0, taken - unwrapped);
            count += taken;
        }
        notifyAll();
        return taken;
    }

    @Override
    public synchronized void closed() {
        closed = true;
        notifyAll();
    }

    private synchronized void detach() {
        detached = true;
        notifyAll();
    }

    private void copyOutput(ConsoleConnection console) throws InterruptedException {
        byte[] piece = new byte[BUFFER_SIZE];
        PrintStream out = context.out();
        while (true) {
            int length = takeOutput(piece);
            if (length < 0) {
                return;
            }
            console.outputHasRoom();
            out.write(piece, 0, length);
            out.flush();
            if (out.checkError()) {
                return; // The client cannot print any more.
            }
        }
    }

    /** Waits for output; returns how much there is, or -1 at the end. */
    private synchronized int takeOutput(byte[] piece) throws InterruptedException {
        while (count == 0 && !closed && !detached) {
            wait();
        }
        if (count == 0) {
            return -1; // What came before the end or the escape character is still printed.
        }
        int length = Math.min(count, BUFFER_SIZE - first);
        System.arraycopy(buffer, first, piece, 0, length);
        first = (first + length) % BUFFER_SIZE;
        count -= length;
        return length;
    }

    private void copyInput(ConsoleConnection console) {
        byte[] piece = new byte[4096];
        InputStream in = context.client().in();
        try {
            while (true) {
                int length = in.read(piece);
                if (length < 0) {
                    return;
                }
                int end = 0;
                while (end < length && piece[end] != (byte) escape) {
                    end++;
                }
                console.input(piece, 0, end);
                if (end < length) {
                    detach();
                    return;
                }
            }
        } catch (InterruptedException | InterruptedIOException e) {
            // The session is over.
        } catch (IOException | ToolstackException e) {
            // No more input; output tells its own end.
        }
    }
}
