package dev.xenolith.device.storage;

import dev.xenolith.device.Clock;
import dev.xenolith.device.TestTime;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Set;

/** A medium in memory that answers when requests are due, and has sectors that fail. */
public final class TestMedium implements Medium {
    private record Request(long due, long number, Runnable action) {
    }

    public final byte[] bytes;
    /** Sectors that can be neither read nor written. */
    public final Set<Long> broken = new HashSet<>();
    public boolean readOnly;
    /** What has been asked for: "read 0+8" in sectors. */
    public final List<String> asked = new ArrayList<>();
    private final TestTime time;
    private final Clock.Timer timer;
    private final PriorityQueue<Request> requests = new PriorityQueue<>(
            Comparator.comparingLong(Request::due).thenComparingLong(Request::number));
    private long number;

    public TestMedium(TestTime time, int sectors) {
        this(time, new byte[sectors * SECTOR_BYTES]);
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) (i / SECTOR_BYTES * 31 + i * 7 + (i >>> 8));
        }
    }

    public TestMedium(TestTime time, byte[] bytes) {
        this.time = time;
        this.bytes = bytes;
        timer = time.timer(this::expired);
    }

    private void expired() {
        while (!requests.isEmpty() && requests.element().due <= time.now()) {
            requests.remove().action.run();
        }
        timer.set(requests.isEmpty() ? Clock.NEVER : requests.element().due);
    }

    private void add(String what, long due, long offset, long length, Runnable action, Answer answer) {
        asked.add(what + " " + offset / SECTOR_BYTES + "+" + length / SECTOR_BYTES);
        requests.add(new Request(due, number++, () -> {
            for (long sector = offset / SECTOR_BYTES; sector < (offset + length) / SECTOR_BYTES; sector++) {
                if (broken.contains(sector)) {
                    answer.ended(new IOException("sector " + sector));
                    return;
                }
            }
            action.run();
            answer.ended(null);
        }));
        timer.set(requests.element().due);
    }

    @Override
    public long size() {
        return bytes.length;
    }

    @Override
    public boolean readOnly() {
        return readOnly;
    }

    @Override
    public void read(long due, long offset, byte[] destination, int at, int length, Answer answer) {
        add("read", due, offset, length, () -> System.arraycopy(bytes, (int) offset, destination, at, length), answer);
    }

    @Override
    public void write(long due, long offset, byte[] source, int at, int length, Answer answer) {
        add("write", due, offset, length, () -> System.arraycopy(source, at, bytes, (int) offset, length), answer);
    }

    @Override
    public void flush(long due, Answer answer) {
        add("flush", due, 0, 0, () -> {}, answer);
    }

    @Override
    public void discard(long due, long offset, long length, Answer answer) {
        add("discard", due, offset, length, () -> {}, answer);
    }
}
