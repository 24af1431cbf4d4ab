package dev.xenolith.hypervisor.console;

import dev.xenolith.hypervisor.operations.HostControl;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The hypervisor's log. Each line goes to the console ring and to the sink (COM1, as it were) with Xen's prefix. Lines of the
 * hypervisor itself obey {@code loglvl=}, lines that a guest can cause obey {@code guest_loglvl=}; between a threshold's two levels a
 * line is printed only while the rate limit lets it through, so that no guest can flood the console.
 */
public final class Log {
    private static final String PREFIX = "(XEN) ";
    /** printk_ratelimit_ms and printk_ratelimit_burst of xen/drivers/char/console.c: 10 lines, one more each 5 s. */
    private static final long RATE_INTERVAL = 5_000_000_000L;
    private static final int RATE_BURST = 10;
    /** No line is longer; a guest's text is cut. */
    private static final int MAX_LINE = 1024;

    private final ConsoleRing ring;
    private final LogThreshold standard;
    private final LogThreshold guest;
    private final LongSupplier clock;
    private final Consumer<String> sink;
    private long tokens = RATE_BURST * RATE_INTERVAL;
    private long lastRefill;
    private long suppressed;
    private long bugs;

    /**
     * @param ringSize bytes, a power of two
     * @param clock machine time in ns
     * @param sink takes each line without its newline, on the machine thread; must not block
     */
    public Log(int ringSize, LogThreshold standard, LogThreshold guest, LongSupplier clock, Consumer<String> sink) {
        this.ring = new ConsoleRing(ringSize);
        this.standard = standard;
        this.guest = guest;
        this.clock = clock;
        this.sink = sink;
    }

    /** A line that is printed whatever the level: the boot log, the register dump of a crash. */
    public void print(String line) {
        String clean = sanitize(line);
        ring.write(PREFIX + clean + '\n');
        sink.accept(PREFIX + clean);
    }

    public void error(String line) {
        log(standard, LogLevel.ERROR, line);
    }

    public void warning(String line) {
        log(standard, LogLevel.WARNING, line);
    }

    public void info(String line) {
        log(standard, LogLevel.INFO, line);
    }

    public void debug(String line) {
        log(standard, LogLevel.DEBUG, line);
    }

    /** A line that a guest has caused, such as {@code d3v0 bad hypercall}. */
    public void guest(LogLevel level, String line) {
        log(guest, level, line);
    }

    /** Whether a guest's line of this level could be printed: saves making it. */
    public boolean wantsGuest(LogLevel level) {
        return guest.rateLimited(level);
    }

    /** Our own defect: always printed, with its trace, and counted. */
    public void bug(String what, Throwable trace) {
        bugs++;
        print("BUG: " + what);
        for (@Nullable
        Throwable t = trace; t != null; t = t.getCause()) {
            print("  " + t);
            StackTraceElement[] frames = t.getStackTrace();
            for (int i = 0; i < Math.min(frames.length, 24); i++) {
                print("    at " + frames[i]);
            }
        }
    }

    /** How many times {@link #bug} was called; a healthy hypervisor has none. */
    public long bugs() {
        return bugs;
    }

    /** The ring's contents (XEN_SYSCTL_readconsole). */
    public String read(boolean clear) {
        return ring.read(clear);
    }

    /** As {@code HostControl.readConsole}. */
    public HostControl.ConsoleChunk read(boolean incremental, int from, int most, boolean clear) {
        return ring.read(incremental, from, most, clear);
    }

    public int ringSize() {
        return ring.size();
    }

    /** Says what the thresholds are, as Xen's boot log does. */
    public void printLevels() {
        print("Std. Loglevel: " + standard.describe());
        print("Guest Loglevel: " + guest.describe());
    }

    private void log(LogThreshold threshold, LogLevel level, String line) {
        if (threshold.always(level) || threshold.rateLimited(level) && takeToken()) {
            print(line);
        }
    }

    private boolean takeToken() {
        long now = clock.getAsLong();
        tokens = Math.min(RATE_BURST * RATE_INTERVAL, tokens + now - lastRefill);
        lastRefill = now;
        if (tokens < RATE_INTERVAL) {
            suppressed++;
            return false;
        }
        tokens -= RATE_INTERVAL;
        if (suppressed > 0) {
            print("printk: " + suppressed + " messages suppressed.");
            suppressed = 0;
        }
        return true;
    }

    /** A guest's bytes must not play tricks on the terminal that shows the log. */
    private static String sanitize(String line) {
        StringBuilder clean = new StringBuilder(Math.min(line.length(), MAX_LINE));
        for (int i = 0; i < Math.min(line.length(), MAX_LINE); i++) {
            char c = line.charAt(i);
            clean.append(c >= ' ' && c != 0x7f && !(c >= 0x80 && c < 0xa0) || c == '\t' ? c : '.');
        }
        return clean.toString();
    }
}
