package dev.xenolith.cpu.translate;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordedMethod;
import jdk.jfr.consumer.RecordingStream;

/** What HotSpot reports of its compilations of units by C2, as events of the JDK's flight recorder. */
final class CompilationEvents implements AutoCloseable {
    private static final String EVENT = "jdk.Compilation";

    private final RecordingStream stream = new RecordingStream();
    private final Set<String> classes = ConcurrentHashMap.newKeySet();

    private CompilationEvents() {}

    /** Records from now on. */
    static CompilationEvents record() {
        CompilationEvents events = new CompilationEvents();
        events.stream.enable(EVENT).withoutThreshold();
        events.stream.onEvent(EVENT, events::note);
        events.stream.startAsync();
        return events;
    }

    private void note(RecordedEvent event) {
        RecordedMethod method = event.getValue("method");
        if (method != null && method.getName().equals("run") && event.getShort("compileLevel") == HotSpot.C2
                && event.getBoolean("succeded")) {
            classes.add(method.getType().getName());
        }
    }

    /** Records no more. */
    void finish() {
        stream.stop();
    }

    /** Whether there was one of {@code type}'s unit. */
    boolean has(Class<?> type) {
        // The recorder writes the number in a hidden class's name as if it were a package's part.
        return classes.contains(type.getName().replace('/', '.'));
    }

    @Override
    public void close() {
        stream.close();
    }
}
