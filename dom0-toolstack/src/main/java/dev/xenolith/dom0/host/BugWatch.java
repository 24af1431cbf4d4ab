package dev.xenolith.dom0.host;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.slf4j.ILoggerFactory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Hears of the defects that hosts of this process log, lines that begin with BUG, and tells the host whose machine thread says so, or
 * every host if another thread does.
 */
final class BugWatch extends AppenderBase<ILoggingEvent> implements AutoCloseable {
    private static final String MARK = "BUG";

    private final Map<Thread, Consumer<String>> hosts = new ConcurrentHashMap<>();

    /** Begins to listen, if the log is one that can be listened to. */
    static BugWatch listen() {
        BugWatch watch = new BugWatch();
        ILoggerFactory factory = LoggerFactory.getILoggerFactory();
        if (factory instanceof LoggerContext context) {
            watch.setContext(context);
            watch.start();
            context.getLogger(Logger.ROOT_LOGGER_NAME).addAppender(watch);
        }
        return watch;
    }

    /** Tells {@code listener} of the defects of a host from now on. */
    void add(Thread machine, Consumer<String> listener) {
        hosts.put(machine, listener);
    }

    void remove(Thread machine) {
        hosts.remove(machine);
    }

    @Override
    protected void append(ILoggingEvent event) {
        String message = event.getFormattedMessage();
        if (event.getLevel() != Level.ERROR || message == null || !message.startsWith(MARK)) {
            return;
        }
        String thrown = event.getThrowableProxy() == null
                ? ""
                : ": " + event.getThrowableProxy().getClassName() + ": " + event.getThrowableProxy().getMessage();
        Consumer<String> host = hosts.get(Thread.currentThread());
        if (host != null) {
            host.accept(message + thrown);
        } else {
            hosts.values().forEach(each -> each.accept(message + thrown));
        }
    }

    /** Listens no more. */
    @Override
    public void close() {
        if (getContext() instanceof LoggerContext context) {
            context.getLogger(Logger.ROOT_LOGGER_NAME).detachAppender(this);
        }
        stop();
    }
}
