package dev.xenolith.dom0.backend.block;

import dev.xenolith.dom0.backend.HostWork;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;

/** Threads of the host that do and report what they are told, in any order. */
final class HeldWork implements HostWork {
    private final List<Runnable> waiting = new ArrayList<>();
    private final List<Runnable> done = new ArrayList<>();

    @Override
    public <T> void submit(long latency, Callable<T> task, Completion<? super T> completion) {
        waiting.add(() -> {
            try {
                T result = task.call();
                done.add(() -> completion.completed(result, null));
            } catch (Exception e) {
                done.add(() -> completion.completed(null, e));
            }
        });
    }

    /** Pieces of work that have not been reported. */
    int size() {
        return waiting.size() + done.size();
    }

    /** Pieces of work that have not been done. */
    int undone() {
        return waiting.size();
    }

    /** Does one piece of work, without reporting it. */
    void doOne(Random random) {
        if (!waiting.isEmpty()) {
            waiting.remove(random.nextInt(waiting.size())).run();
        }
    }

    /** Does the piece that waits longest. */
    void doFirst() {
        waiting.removeFirst().run();
    }

    /** Reports one piece of work that has been done. */
    void reportOne(Random random) {
        if (!done.isEmpty()) {
            done.remove(random.nextInt(done.size())).run();
        }
    }

    /** Does all that there is, and reports the last first. Returns whether there was any. */
    boolean finishAll() {
        List<Runnable> work = List.copyOf(waiting);
        waiting.clear();
        work.reversed().forEach(Runnable::run);
        List<Runnable> reports = List.copyOf(done);
        done.clear();
        reports.forEach(Runnable::run);
        return !work.isEmpty() || !reports.isEmpty();
    }
}
