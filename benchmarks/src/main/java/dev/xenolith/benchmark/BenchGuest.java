package dev.xenolith.benchmark;

import dev.xenolith.dom0.xl.ConsoleConnection;
import dev.xenolith.dom0.xl.ConsoleOutput;
import dev.xenolith.dom0.xl.Toolstack;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** A {@code bench} guest, seen through its console: takes a command, and says when it is done. */
final class BenchGuest implements ConsoleOutput {
    private static final int PATIENCE_SECONDS = 120;

    final int domid;
    private final ConsoleConnection console;
    private final StringBuilder line = new StringBuilder();
    private final BlockingQueue<String> lines = new LinkedBlockingQueue<>();

    BenchGuest(Toolstack toolstack, int domid) {
        this.domid = domid;
        console = toolstack.attachConsole(domid, this);
    }

    @Override
    public int offer(byte[] bytes, int offset, int length) {
        for (char c : new String(bytes, offset, length, StandardCharsets.ISO_8859_1).toCharArray()) {
            if (c == '\n') {
                lines.add(line.toString());
                line.setLength(0);
            } else {
                line.append(c);
            }
        }
        return length;
    }

    @Override
    public void closed() {
        lines.add("the console was closed");
    }

    /** Gives a command and waits until it is done. */
    void run(String command) {
        byte[] bytes = (command + "\n").getBytes(StandardCharsets.US_ASCII);
        try {
            console.input(bytes, 0, bytes.length);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
        String answer = await("done");
        if (!answer.contains("done 0")) {
            throw new IllegalStateException("domain " + domid + " says of '" + command + "': " + answer);
        }
    }

    /** Waits for a line with {@code text}. */
    String await(String text) {
        try {
            while (true) {
                String next = lines.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
                if (next == null) {
                    throw new IllegalStateException("domain " + domid + " does not say '" + text + "'");
                }
                if (next.contains(text)) {
                    return next;
                }
            }
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
