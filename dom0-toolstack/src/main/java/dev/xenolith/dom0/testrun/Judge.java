package dev.xenolith.dom0.testrun;

import dev.xenolith.dom0.config.DomainConfig;
import dev.xenolith.dom0.config.LifecycleAction;
import dev.xenolith.dom0.xl.DomainEvent;
import dev.xenolith.dom0.xl.ShutdownReason;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Follows a domain through its restarts and says whether it did what was expected of it. Not thread-safe.
 *
 * <p>A reboot whose action is a restart is not the end, unless a reboot is what is expected; a crash always is.
 */
final class Judge {
    /** A test guest's last line. */
    static final Pattern VERDICT = Pattern.compile("VERDICT (\\S+) (PASS|FAIL)(?: (.*))?");

    private final Expectation expectation;
    private final DomainConfig.Lifecycle lifecycle;
    private final ConsoleCapture console = new ConsoleCapture();
    private int domid = -1;
    private boolean found;
    private @Nullable ShutdownReason end;
    private boolean restarting;
    private boolean vanished;

    Judge(Expectation expectation, DomainConfig.Lifecycle lifecycle) {
        this.expectation = expectation;
        this.lifecycle = lifecycle;
    }

    void said(byte[] bytes, int offset, int length) {
        console.add(bytes, offset, length);
        if (!found && expectation instanceof Expectation.Says says) {
            found = console.finds(says.pattern());
        }
    }

    void happened(DomainEvent event) {
        switch (event) {
            case DomainEvent.Created created -> {
                if (domid < 0) {
                    domid = created.domid();
                }
            }
            case DomainEvent.Restarted(int old, int newDomid) -> {
                if (old == domid && end == null) {
                    domid = newDomid;
                    restarting = false;
                }
            }
            case DomainEvent.ShutDown(int who, ShutdownReason reason) -> {
                if (who == domid && end == null) {
                    restarting = goesOn(reason);
                    end = restarting ? null : reason;
                }
            }
            case DomainEvent.Destroyed(int who) -> vanished |= who == domid && end == null && !restarting;
        }
    }

    private boolean goesOn(ShutdownReason reason) {
        return reason == ShutdownReason.REBOOT && !(expectation instanceof Expectation.Ends)
                && (lifecycle.onReboot() == LifecycleAction.RESTART
                        || lifecycle.onReboot() == LifecycleAction.RENAME_RESTART);
    }

    /** The domain that is followed, or -1 while there is none. */
    int domid() {
        return domid;
    }

    /** Whether nothing that comes can change the judgement but output that is under way. */
    boolean isOver() {
        return found || end != null || vanished;
    }

    /** Why the domain fails, one line; empty if it passes. To be asked when it {@link #isOver} and its console is closed. */
    String failure() {
        ShutdownReason reason = end;
        return switch (expectation) {
            case Expectation.Says says -> found ? "" : "no line with '" + says.pattern() + "'; " + howItEnded();
            case Expectation.Ends ends -> reason == ends.reason()
                    ? ""
                    : howItEnded() + ", expected " + Expectation.word(ends.reason());
            case Expectation.Skip skip -> throw new IllegalStateException(skip.words());
            case Expectation.Verdict _ -> verdict(reason);
        };
    }

    private String verdict(@Nullable ShutdownReason reason) {
        String last = console.lastLine();
        Matcher verdict = VERDICT.matcher(last);
        if (!verdict.matches()) {
            return "no verdict; " + howItEnded() + (last.isEmpty() ? "; it said nothing" : "; it said last: " + last);
        }
        if (verdict.group(2).equals("FAIL")) {
            return verdict.group(3) == null ? "the guest says FAIL" : verdict.group(3);
        }
        return reason == ShutdownReason.POWEROFF ? "" : "the guest says PASS, but " + howItEnded();
    }

    private String howItEnded() {
        ShutdownReason reason = end;
        return reason == null
                ? vanished ? "the domain is gone" : "the domain did not end"
                : "the domain ended by " + Expectation.word(reason);
    }

    ConsoleCapture console() {
        return console;
    }
}
