package dev.xenolith.dom0.xl;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Turns what goes wrong in a command into one line on standard error and an exit code. */
final class Failures {
    private static final Logger LOG = LoggerFactory.getLogger(Failures.class);

    /** The body of a command. */
    @FunctionalInterface
    interface Body {
        int run() throws InterruptedException;
    }

    private Failures() {
    }

    /** Runs the body and returns its exit code, or that of its failure. */
    static int guard(CommandContext context, String program, Body body) {
        try {
            int exitCode = body.run();
            context.flush();
            return exitCode;
        } catch (ToolstackException e) {
            context.message(program + ": " + e.line());
            if (context.options().verbose()) {
                for (Throwable cause = e.getCause(); cause != null; cause = cause.getCause()) {
                    context.message("  caused by " + cause);
                }
            }
            return e.exitCode();
        } catch (InterruptedException e) {
            context.flush();
            return ToolstackException.INTERRUPTED;
        } catch (RuntimeException | Error e) {
            LOG.error("BUG: a command of {} failed", program, e);
            context.message(program + ": BUG: " + e + "; the log of the host has the trace");
            return ToolstackException.FAILURE;
        }
    }
}
