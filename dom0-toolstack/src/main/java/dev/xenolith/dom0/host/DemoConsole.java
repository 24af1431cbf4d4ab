package dev.xenolith.dom0.host;

import dev.xenolith.dom0.xl.ConsoleOutput;
import dev.xenolith.dom0.xl.ToolstackException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;

/** Prints a guest's console line by line with the guest's name in front, and lets the demo wait for what it says. */
final class DemoConsole implements ConsoleOutput {
    private final String name;
    private final PrintStream out;
    private final StringBuilder line = new StringBuilder();
    private final StringBuilder everything = new StringBuilder();

    DemoConsole(String name, PrintStream out) {
        this.name = name;
        this.out = out;
    }

    @Override
    public synchronized int offer(byte[] bytes, int offset, int length) {
        String text = new String(bytes, offset, length, StandardCharsets.ISO_8859_1);
        everything.append(text);
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '\n') {
                flush();
            } else if (c >= ' ') {
                line.append(c);
            }
        }
        notifyAll();
        return length;
    }

    @Override
    public synchronized void closed() {
        flush();
        notifyAll();
    }

    private void flush() {
        if (!line.isEmpty()) {
            out.println(name + " | " + line);
            line.setLength(0);
        }
    }

    /** Waits until the guest has said {@code text}. */
    synchronized void await(String text, int seconds) throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
        while (everything.indexOf(text) < 0) {
            long left = deadline - System.nanoTime();
            if (left <= 0) {
                throw ToolstackException
                        .failure("demo: '" + name + "' did not say \"" + text + "\" within " + seconds + " s");
            }
            TimeUnit.NANOSECONDS.timedWait(this, left);
        }
    }
}
