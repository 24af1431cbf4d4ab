package dev.xenolith.dom0.backend;

import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;

/** Where backends have work done that would hold up the machine thread: files, sockets. */
public interface HostWork {
    /** Told of a result, on the machine thread; of result and failure one is null, or both. */
    @FunctionalInterface
    interface Completion<T> {
        void completed(@Nullable T result, @Nullable Exception failure);
    }

    /**
     * Has {@code work} done by another thread.
     *
     * @param latency with a virtual clock, how much later its result is there, in ns of machine time
     */
    <T> void submit(long latency, Callable<T> work, Completion<? super T> completion);
}
