package dev.xenolith.dom0.disk;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;

/** A file in memory, of which only pages that were written to take space, and not more than it is allowed. */
class MemoryStore implements Store {
    private static final int PAGE = 4096;

    private final TreeMap<Long, byte[]> pages = new TreeMap<>();
    private final String name;
    private long size;
    private int mostPages = Integer.MAX_VALUE;

    MemoryStore(String name) {
        this.name = name;
    }

    MemoryStore copy() {
        MemoryStore copy = new MemoryStore(name);
        copy.size = size;
        pages.forEach((index, page) -> copy.pages.put(index, page.clone()));
        return copy;
    }

    /** The file system has room for so many bytes more. */
    void leaveRoom(long bytes) {
        mostPages = pages.size() + (int) (bytes / PAGE);
    }

    void leaveAllRoom() {
        mostPages = Integer.MAX_VALUE;
    }

    /** Returns how many bytes take space. */
    long taken() {
        return (long) pages.size() * PAGE;
    }

    byte[] bytes(int length) throws IOException {
        byte[] bytes = new byte[length];
        read(0, ByteBuffer.wrap(bytes));
        return bytes;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public long size() throws IOException {
        return size;
    }

    @Override
    public void read(long position, ByteBuffer target) throws IOException {
        long at = position;
        while (target.hasRemaining()) {
            int within = (int) (at % PAGE);
            int length = Math.min(target.remaining(), PAGE - within);
            byte[] page = at < size ? pages.get(at / PAGE) : null;
            int stored = page == null ? 0 : Math.clamp(size - at, 0, length);
            if (stored > 0) {
                target.put(page, within, stored);
            }
            target.put(new byte[length - stored]);
            at += length;
        }
    }

    @Override
    public void write(long position, ByteBuffer source) throws IOException {
        long at = position;
        while (source.hasRemaining()) {
            int within = (int) (at % PAGE);
            int length = Math.min(source.remaining(), PAGE - within);
            byte[] page = pages.get(at / PAGE);
            if (page == null) {
                if (pages.size() >= mostPages) {
                    throw new DiskException(name, "No space left on device");
                }
                page = new byte[PAGE];
                pages.put(at / PAGE, page);
            }
            source.get(page, within, length);
            at += length;
            size = Math.max(size, at);
        }
    }

    @Override
    public void resize(long bytes) throws IOException {
        if (bytes < size) {
            pages.tailMap((bytes + PAGE - 1) / PAGE).clear();
            byte[] last = pages.get(bytes / PAGE);
            if (last != null) {
                Arrays.fill(last, (int) (bytes % PAGE), PAGE, (byte) 0);
            }
        }
        size = bytes;
    }

    @Override
    public void force() throws IOException {
        // Everything is where it is to be.
    }

    @Override
    public boolean punch(long position, long length) throws IOException {
        long end = Math.min(size, position + length);
        for (long at = position; at < end;) {
            int within = (int) (at % PAGE);
            int part = (int) Math.min(PAGE - within, end - at);
            byte[] page = pages.get(at / PAGE);
            if (page != null && part == PAGE) {
                pages.remove(at / PAGE);
            } else if (page != null) {
                Arrays.fill(page, within, within + part, (byte) 0);
            }
            at += part;
        }
        return true;
    }

    @Override
    public long nextData(long position) throws IOException {
        Map.Entry<Long, byte[]> next = pages.ceilingEntry(position / PAGE);
        return next == null ? size : Math.min(size, Math.max(position, next.getKey() * PAGE));
    }

    @Override
    public long nextHole(long position) throws IOException {
        long page = position / PAGE;
        while (pages.containsKey(page)) {
            page++;
        }
        return Math.min(size, Math.max(position, page * PAGE));
    }

    @Override
    public void close() throws IOException {
        // Stays for whoever opens it next.
    }
}
