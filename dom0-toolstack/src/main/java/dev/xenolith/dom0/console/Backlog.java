package dev.xenolith.dom0.console;

/**
 * Output that is still to be read: the last bytes of a stream, each known by its position since the stream began. At the limit
 * the oldest lines make room.
 */
final class Backlog {
    private static final int INITIAL_CAPACITY = 4096;

    private byte[] bytes = {};
    private int limit;
    private long start;
    private long end;
    private long droppedLines;
    private long droppedBytes;

    /** @param limit bytes that are kept at most, positive */
    Backlog(int limit) {
        this.limit = limit;
    }

    /** Position of the oldest byte that is there. */
    long start() {
        return start;
    }

    /** Position after the newest byte. */
    long end() {
        return end;
    }

    /** Bytes that can be appended before something is dropped. */
    int room() {
        return limit - size();
    }

    private int size() {
        return (int) (end - start);
    }

    /** Changes the limit; what is over it is dropped with the next append. */
    void setLimit(int newLimit) {
        limit = newLimit;
    }

    /** Lines (ends of lines) and bytes dropped so far without having been read by all. */
    long droppedLines() {
        return droppedLines;
    }

    long droppedBytes() {
        return droppedBytes;
    }

    void append(byte[] source, int offset, int length) {
        int count = Math.min(length, limit);
        makeRoom(count);
        int skipped = length - count;
        if (skipped > 0) {
            for (int i = 0; i < skipped; i++) {
                droppedLines += source[offset + i] == '\n' ? 1 : 0;
            }
            droppedBytes += skipped;
            end += skipped;
            start = end;
        }
        reserve(size() + count);
        for (int done = 0; done < count;) {
            int at = (int) ((end + done) % bytes.length);
            int piece = Math.min(count - done, bytes.length - at);
            System.arraycopy(source, offset + skipped + done, bytes, at, piece);
            done += piece;
        }
        end += count;
    }

    private void makeRoom(int count) {
        while (room() < count) {
            boolean lineEnds = false;
            while (!lineEnds && start < end) {
                lineEnds = bytes[(int) (start % bytes.length)] == '\n';
                start++;
                droppedBytes++;
            }
            droppedLines += lineEnds ? 1 : 0;
        }
    }

    private void reserve(int size) {
        if (size > bytes.length) {
            byte[] larger = new byte[Math.max(size, Math.min(limit, Math.max(INITIAL_CAPACITY, 2 * bytes.length)))];
            for (long position = start; position < end;) {
                int from = (int) (position % bytes.length);
                int to = (int) (position % larger.length);
                int piece = (int) Math.min(end - position, Math.min(bytes.length - from, larger.length - to));
                System.arraycopy(bytes, from, larger, to, piece);
                position += piece;
            }
            bytes = larger;
        }
    }

    /** Copies bytes from a position, which must not be before {@link #start}. Returns how many there were. */
    int copy(long position, byte[] target) {
        int count = (int) Math.min(end - position, target.length);
        for (int done = 0; done < count;) {
            int from = (int) ((position + done) % bytes.length);
            int piece = Math.min(count - done, bytes.length - from);
            System.arraycopy(bytes, from, target, done, piece);
            done += piece;
        }
        return count;
    }

    /** Forgets what is before a position: all have read it. */
    void discardBefore(long position) {
        start = Math.max(start, Math.min(position, end));
        if (start == end && bytes.length > INITIAL_CAPACITY) {
            bytes = new byte[0];
        }
    }
}
