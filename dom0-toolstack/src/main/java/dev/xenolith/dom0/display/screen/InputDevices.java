package dev.xenolith.dom0.display.screen;

import dev.xenolith.device.input.Keyboard;
import dev.xenolith.device.input.Pointer;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * The keyboard and the pointer of a machine, at which several persons may sit, each in a {@link Seat}. What they do waits here in order
 * until the machine thread takes it.
 *
 * <p>It outlives the resets of the machine, after which there are other devices.
 */
public final class InputDevices {
    /** A seat with so much waiting should be given no more. */
    static final int MAX_WAITING = 256;

    private static final int USAGES = 256;
    private static final int CAPS_LOCK = 0x39;

    /** Something that somebody has done. */
    private record Event(Seat seat, Action action) {
    }

    private interface Action {
        void apply(Devices devices);
    }

    /** The devices of one machine; all but the executor belongs to its thread. */
    private static final class Devices {
        final Executor machine;
        final @Nullable Keyboard keyboard;
        final @Nullable Pointer pointer;
        /** How many seats hold each key. */
        final int[] holders = new int[USAGES];
        final AtomicBoolean asked = new AtomicBoolean();

        Devices(Executor machine, @Nullable Keyboard keyboard, @Nullable Pointer pointer) {
            this.machine = machine;
            this.keyboard = keyboard;
            this.pointer = pointer;
        }
    }

    private final Queue<Event> events = new ConcurrentLinkedQueue<>();
    private volatile @Nullable Devices devices;
    private volatile boolean absolute = true;
    private volatile boolean capsLock;

    /**
     * The machine has these from now on, with no key down.
     *
     * @param machine runs things on the machine thread; what it has been given when the machine ends may be lost
     */
    public void connect(Executor machine, @Nullable Keyboard keyboard, @Nullable Pointer pointer) {
        capsLock = false;
        devices = new Devices(machine, keyboard, pointer);
        ask();
    }

    /** There is no machine for now: what is typed is lost. */
    public void disconnect() {
        devices = null;
        drop();
    }

    /** Whether the pointer tells positions, as far as is known. */
    public boolean isAbsolute() { return absolute; }

    /** Whether the guest's keyboard is taken to have its caps lock on: what has gone through here says so, the guest does not. */
    boolean capsLock() {
        return capsLock;
    }

    /** Looks again whether the pointer tells positions. Machine thread. Returns whether that has changed. */
    boolean refresh() {
        Devices now = devices;
        boolean before = absolute;
        if (now != null && now.pointer != null) {
            absolute = now.pointer.isAbsolute();
        }
        return absolute != before;
    }

    /** A place for one more person. {@code roomAgain} is called by any thread when a seat that had no room has some. */
    public Seat seat(Runnable roomAgain) {
        return new Seat(this, roomAgain);
    }

    void key(Seat seat, int usage, boolean down) {
        submit(seat, now -> {
            int holding = now.holders[usage] + (down ? 1 : -1);
            if (holding < 0) {
                // It was pressed on the machine before the reset.
                return;
            }
            now.holders[usage] = holding;
            if (holding == (down ? 1 : 0)) {
                if (usage == CAPS_LOCK && down) {
                    capsLock = !capsLock;
                }
                if (now.keyboard != null) {
                    now.keyboard.key(usage, down);
                }
            }
        });
    }

    void moveTo(Seat seat, int x, int y, int wheel, int buttons) {
        submit(seat, now -> {
            if (now.pointer != null) {
                now.pointer.moveTo(x, y, wheel, buttons);
            }
        });
    }

    void moveBy(Seat seat, int dx, int dy, int wheel, int buttons) {
        submit(seat, now -> {
            if (now.pointer != null) {
                now.pointer.moveBy(dx, dy, wheel, buttons);
            }
        });
    }

    private void submit(Seat seat, Action action) {
        seat.waiting.increment();
        events.add(new Event(seat, action));
        ask();
    }

    private void ask() {
        Devices now = devices;
        if (now == null) {
            drop();
        } else if (now.asked.compareAndSet(false, true)) {
            now.machine.execute(() -> {
                now.asked.set(false);
                if (devices == now) {
                    drain(now);
                }
            });
        }
    }

    private void drain(Devices now) {
        Event event;
        while ((event = events.poll()) != null) {
            event.action.apply(now);
            event.seat.waiting.decrement();
        }
    }

    private void drop() {
        Event event;
        while ((event = events.poll()) != null) {
            event.seat.waiting.decrement();
        }
    }

    /** Counts what waits of a seat. */
    static final class Waiting {
        private final AtomicInteger count = new AtomicInteger();
        private final AtomicBoolean full = new AtomicBoolean();
        private final Runnable roomAgain;

        Waiting(Runnable roomAgain) {
            this.roomAgain = roomAgain;
        }

        void increment() {
            if (count.incrementAndGet() >= MAX_WAITING) {
                full.set(true);
            }
        }

        void decrement() {
            if (count.decrementAndGet() <= MAX_WAITING / 2 && full.compareAndSet(true, false)) {
                roomAgain.run();
            }
        }

        boolean hasRoom() {
            return !full.get();
        }
    }
}
