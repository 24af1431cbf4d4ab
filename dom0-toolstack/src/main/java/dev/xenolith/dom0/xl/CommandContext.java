package dev.xenolith.dom0.xl;

import java.io.BufferedOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.function.Supplier;

/** What a command runs with: its client, the host, and the options in front of the command. */
public final class CommandContext {
    private static final DateTimeFormatter TIMESTAMP = DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss z ",
            Locale.ROOT);

    private final Client client;
    private final Supplier<Toolstack> toolstack;
    private final GlobalOptions options;
    private final PrintStream out;
    private final PrintStream err;

    /**
     * The options of xl itself.
     *
     * @param verbose {@code -v}: causes are printed below an error
     * @param force {@code -f}: accepted; there is no other toolstack to override
     * @param dryRun {@code -N}
     * @param progressByReturn {@code -t}: progress overwrites its line
     * @param timestamps {@code -T}: date and time before each line on standard error
     */
    record GlobalOptions(boolean verbose, boolean force, boolean dryRun, boolean progressByReturn, boolean timestamps) {
        static final GlobalOptions NONE = new GlobalOptions(false, false, false, false, false);
    }

    CommandContext(Client client, Supplier<Toolstack> toolstack, GlobalOptions options) {
        this.client = client;
        this.toolstack = toolstack;
        this.options = options;
        out = new PrintStream(new BufferedOutputStream(client.out(), 8192), false, StandardCharsets.UTF_8);
        err = new PrintStream(client.err(), false, StandardCharsets.UTF_8);
    }

    Client client() {
        return client;
    }

    GlobalOptions options() {
        return options;
    }

    /** Returns the host. */
    Toolstack toolstack() {
        return toolstack.get();
    }

    /** Returns standard output, buffered until {@link #flush}. */
    PrintStream out() {
        return out;
    }

    /** Prints a line of a table or the like, without blanks at its end. */
    void line(String format, Object... arguments) {
        out.print(String.format(Locale.ROOT, format, arguments).stripTrailing());
        out.print('\n');
    }

    /** Prints a line on standard error, after what is on its way to standard output. */
    void message(String text) {
        out.flush();
        String time = options.timestamps() ? TIMESTAMP.format(ZonedDateTime.now(ZoneOffset.UTC)) : "";
        err.print(time + text + '\n');
        err.flush();
    }

    /** Returns the client's time zone. */
    ZoneId zone() {
        String name = client.environment().get("TZ");
        try {
            return name == null || name.isEmpty() ? ZoneId.systemDefault() : ZoneId.of(name);
        } catch (DateTimeException e) {
            return ZoneOffset.UTC; // What libc does with a name it does not know.
        }
    }

    void flush() {
        out.flush();
        err.flush();
    }
}
