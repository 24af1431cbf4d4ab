package dev.xenolith.dom0.disk;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What all formats have in common: one caller at a time, ranges within the disk, no writes where there are to be none. */
abstract class CheckedImage implements DiskImage {
    private final Path file;
    private final DiskFormat format;
    private final boolean readOnly;
    private final Store store;
    private boolean closed;

    CheckedImage(Path file, DiskFormat format, OpenMode mode, Store store) {
        this.file = file;
        this.format = format;
        this.store = store;
        readOnly = mode == OpenMode.READ_ONLY;
    }

    // What a format does; the range is within the disk and not empty, and for what writes the image is not read-only.

    abstract void readRange(long offset, ByteBuffer target) throws IOException;

    abstract void writeRange(long offset, ByteBuffer source) throws IOException;

    abstract void zeroRange(long offset, long length) throws IOException;

    abstract void discardRange(long offset, long length) throws IOException;

    abstract Extent extentOf(long offset, long length) throws IOException;

    abstract void flushAll() throws IOException;

    /** Puts what is particular to the format into a listing. */
    void describe(Map<String, Object> details) throws IOException {
        // Nothing to add.
    }

    /** Returns the image below this one, as its header has it; null if there is none. */
    @Nullable
    String backingName() {
        return null;
    }

    @Nullable
    DiskImage backing() {
        return null;
    }

    /** Brings the file into the form in which it is to lie around, before it is closed. */
    void finish() throws IOException {
        flushAll();
    }

    final Store store() {
        return store;
    }

    /** Makes the error {@code cause} of this image. */
    final DiskException problem(String cause) {
        return new DiskException(store.name(), cause);
    }

    @Override
    public final Path file() {
        return file;
    }

    @Override
    public final DiskFormat format() {
        return format;
    }

    @Override
    public final boolean readOnly() {
        return readOnly;
    }

    @Override
    public final synchronized void read(long offset, ByteBuffer target) throws IOException {
        if (within(offset, target.remaining())) {
            readRange(offset, target);
        }
    }

    @Override
    public final synchronized void write(long offset, ByteBuffer source) throws IOException {
        mustBeWritable();
        if (within(offset, source.remaining())) {
            writeRange(offset, source);
        }
    }

    @Override
    public final synchronized void writeZeroes(long offset, long length) throws IOException {
        mustBeWritable();
        if (within(offset, length)) {
            zeroRange(offset, length);
        }
    }

    @Override
    public final synchronized void discard(long offset, long length) throws IOException {
        mustBeWritable();
        if (within(offset, length)) {
            discardRange(offset, length);
        }
    }

    @Override
    public final synchronized void flush() throws IOException {
        mustBeOpen();
        if (!readOnly) {
            flushAll();
        }
    }

    @Override
    public final synchronized Extent extent(long offset, long length) throws IOException {
        if (!within(offset, length)) {
            throw problem("no extent of 0 bytes");
        }
        return extentOf(offset, length);
    }

    @Override
    public final synchronized DiskInfo info() throws IOException {
        mustBeOpen();
        Map<String, Object> details = new LinkedHashMap<>();
        describe(details);
        DiskImage backing = backing();
        return new DiskInfo(file, format, size(), store.size(), allocated(), details, backingName(),
                backing == null ? null : backing.info());
    }

    @Override
    public final synchronized void close() throws IOException {
        if (closed) {
            return;
        }
        DiskImage below = backing();
        try (store; below) {
            if (!readOnly) {
                finish();
            }
        } finally {
            closed = true;
        }
    }

    private long allocated() throws IOException {
        long size = store.size();
        long sum = 0;
        for (long at = store.nextData(0); at < size; at = store.nextData(at)) {
            long end = store.nextHole(at);
            if (end <= at) {
                break; // The file changes under us.
            }
            sum += end - at;
            at = end;
        }
        return sum;
    }

    /** Writes zeroes into the store, as a hole where that can be. */
    static void zero(Store store, long position, long length) throws IOException {
        if (store.punch(position, length)) {
            // Behind the end of the file there was nothing to punch.
            if (store.size() < position + length) {
                store.resize(position + length);
            }
            return;
        }
        ByteBuffer zeroes = ByteBuffer.allocate((int) Math.min(length, 1 << 16));
        long at = position;
        while (at < position + length) {
            zeroes.clear().limit((int) Math.min(zeroes.capacity(), position + length - at));
            at += zeroes.remaining();
            store.write(at - zeroes.remaining(), zeroes);
        }
    }

    /** Gives space back at {@code places} of {@code length} bytes each, those in a row at once. */
    static void punchAll(Store store, Collection<Long> places, int length) throws IOException {
        long start = 0;
        long end = 0;
        for (long place : places.stream().sorted().toList()) {
            if (place != end) {
                boolean unused = end > start && store.punch(start, end - start);
                start = place;
            }
            end = place + length;
        }
        boolean unused = end > start && store.punch(start, end - start);
    }

    private boolean within(long offset, long length) throws DiskException {
        mustBeOpen();
        if (offset < 0 || length < 0 || offset > size() || length > size() - offset) {
            throw problem(length + " bytes at " + offset + " are not within the disk's " + size());
        }
        return length > 0;
    }

    private void mustBeOpen() throws DiskException {
        if (closed) {
            throw problem("the image is closed");
        }
    }

    private void mustBeWritable() throws DiskException {
        mustBeOpen();
        if (readOnly) {
            throw problem("the image is open for reading only");
        }
    }
}
