package dev.xenolith.dom0.display.screen;

import dev.xenolith.device.display.Display;
import dev.xenolith.device.display.Picture;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArraySet;
import java.util.concurrent.Executor;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * Shows viewers what a machine's display draws. While somebody watches, the machine thread is asked to draw at most {@value #RATE} times a
 * second of host time, and not again before it has done so; all that happens there is that changed tiles are copied.
 *
 * <p>It outlives the resets of the machine, after which there is another {@link #display}.
 */
public final class ScreenSource implements AutoCloseable {
    /** Frames in a second, at most. */
    public static final int RATE = 30;
    /** What is shown before there is a picture: black, as large as a VGA's text. */
    private static final Frame NOTHING = Frame.black(720, 400);

    private final ScheduledExecutorService timer;
    private final InputDevices inputs;
    private final Set<Runnable> watchers = new CopyOnWriteArraySet<>();
    private volatile Frame latest = NOTHING;
    private volatile @Nullable Drawing drawing;
    private @Nullable Future<?> ticks;

    /**
     * @param timer says when it is time to draw
     * @param inputs whose kind of pointer is looked at now and then
     */
    public ScreenSource(ScheduledExecutorService timer, InputDevices inputs) {
        this.timer = timer;
        this.inputs = inputs;
    }

    /**
     * The machine has this display from now on.
     *
     * @param machine runs things on the machine thread; what it has been given when the machine ends may be lost
     * @param display null if the machine has none
     */
    public void display(Executor machine, @Nullable Display display) {
        drawing = display == null ? null : new Drawing(machine, display);
        if (display == null) {
            show(NOTHING);
        }
    }

    /** There is no machine for now; what it has drawn last stays. */
    public void pause() {
        drawing = null;
    }

    /** The newest frame. */
    public Frame latest() {
        return latest;
    }

    /** {@code changed} is called, by any thread, whenever there is another frame or another kind of pointer; it must not take long. */
    public synchronized void watch(Runnable changed) {
        watchers.add(changed);
        if (ticks == null) {
            ticks = timer.scheduleAtFixedRate(this::tick, 0, TimeUnit.SECONDS.toNanos(1) / RATE, TimeUnit.NANOSECONDS);
        }
    }

    /** Ends {@link #watch}; the last one to go stops the drawing. */
    public synchronized void leave(Runnable changed) {
        watchers.remove(changed);
        Future<?> running = ticks;
        if (watchers.isEmpty() && running != null) {
            running.cancel(false);
            ticks = null;
        }
    }

    /** Whether somebody watches. */
    public boolean isWatched() { return !watchers.isEmpty(); }

    @Override
    public synchronized void close() {
        drawing = null;
        watchers.forEach(this::leave);
    }

    private void tick() {
        Drawing now = drawing;
        if (now != null) {
            now.request();
        }
    }

    private void show(Frame frame) {
        latest = frame;
        watchers.forEach(Runnable::run);
    }

    /** A display and the picture that it keeps up to date. */
    private final class Drawing {
        private final Executor machine;
        private final Display display;
        private final AtomicBoolean requested = new AtomicBoolean();
        /** Belong to the machine thread. */
        private final Picture picture = new Picture();
        private Frame frame = NOTHING;

        Drawing(Executor machine, Display display) {
            this.machine = machine;
            this.display = display;
        }

        void request() {
            if (requested.compareAndSet(false, true)) {
                machine.execute(this::draw);
            }
        }

        private void draw() {
            requested.set(false);
            if (drawing != this) {
                return;
            }
            boolean otherPointer = inputs.refresh();
            display.draw(picture);
            Frame next = picture.width() == 0 ? frame : frame.next(picture);
            picture.clean();
            if (next != frame || latest != frame || otherPointer) {
                frame = next;
                show(next);
            }
        }
    }
}
