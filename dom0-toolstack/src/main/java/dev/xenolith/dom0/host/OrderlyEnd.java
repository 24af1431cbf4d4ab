package dev.xenolith.dom0.host;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Lets what runs in this process come to an end in order when the process is told to end, by SIGINT, SIGTERM or SIGHUP: files are written
 * to their end, results printed. Then the process ends as the signal wants.
 */
final class OrderlyEnd {
    private static final long PATIENCE_SECONDS = 10;

    private final CountDownLatch ended = new CountDownLatch(1);
    private final Thread hook;

    /** @param end brings what runs to its end, soon; any thread */
    OrderlyEnd(Runnable end) {
        hook = new Thread(() -> {
            end.run();
            try {
                ended.await(PATIENCE_SECONDS, TimeUnit.SECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }, "orderly-end");
        Runtime.getRuntime().addShutdownHook(hook);
    }

    /** Everything has come to its end. Does not return if the process has been told to end: its exit code is the signal's. */
    void done() throws InterruptedException {
        ended.countDown();
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            new CountDownLatch(1).await();
        }
    }
}
