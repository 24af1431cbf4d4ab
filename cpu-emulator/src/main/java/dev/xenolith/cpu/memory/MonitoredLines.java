package dev.xenolith.cpu.memory;

import java.util.ArrayList;
import java.util.List;

/**
 * The lines of memory that MONITOR has armed, one for each processor at most: told of any write to their frames, whoever makes it. A
 * frame is watched only as long as a line in it is armed.
 */
public final class MonitoredLines implements FrameListener {
    /** Bytes of a line. */
    public static final int SIZE = 64;

    private static final long NONE = -1;

    /** One processor's monitor. */
    public final class Monitor {
        private final Runnable written;
        private long line = NONE;

        private Monitor(Runnable written) {
            this.written = written;
        }

        /** Arms the line of the physical address {@code address}, which is memory, in place of the one before. */
        public void arm(long address) {
            long before = line;
            line = address & -SIZE;
            memory.watch(frame(line), true);
            if (before != NONE && frame(before) != frame(line)) {
                unwatch(frame(before));
            }
        }

        /** Forgets the line, if there is one. */
        public void disarm() {
            long before = line;
            line = NONE;
            if (before != NONE) {
                unwatch(frame(before));
            }
        }

        /** Whether a line is armed and has not been written since. */
        public boolean isArmed() { return line != NONE; }
    }

    private final PhysicalMemory memory;
    private final List<Monitor> monitors = new ArrayList<>();

    MonitoredLines(PhysicalMemory memory) {
        this.memory = memory;
    }

    /** A monitor that calls {@code written} when its line is about to be written, and is then no longer armed. */
    public Monitor monitor(Runnable written) {
        Monitor monitor = new Monitor(written);
        monitors.add(monitor);
        return monitor;
    }

    private static long frame(long address) {
        return address >>> PhysicalMemory.FRAME_SHIFT;
    }

    private void unwatch(long frame) {
        for (Monitor monitor : monitors) {
            if (monitor.line != NONE && frame(monitor.line) == frame) {
                return;
            }
        }
        memory.watch(frame, false);
    }

    @Override
    public void watchedWrite(long address, int length) {
        for (int i = 0; i < monitors.size(); i++) {
            Monitor monitor = monitors.get(i);
            if (monitor.line != NONE && address < monitor.line + SIZE && address + length > monitor.line) {
                monitor.disarm();
                monitor.written.run();
            }
        }
    }
}
