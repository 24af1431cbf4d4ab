package dev.xenolith.device.storage;

import dev.xenolith.device.Saveable;
import dev.xenolith.device.StateException;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;
import org.jspecify.annotations.Nullable;

/**
 * One place for a request to a {@link Medium}: a drive has as many of these as it has requests on their way. A request that is
 * cancelled is not heard of again; one that is restored is asked for again.
 */
public final class MediumRequest implements Saveable {
    private enum Operation {
        NONE, READ, WRITE, FLUSH, DISCARD
    }

    private final String name;
    private final Medium.Answer ended;
    private Operation operation = Operation.NONE;
    private long due;
    private long offset;
    private long length;
    /** Number of the request that is on its way; an answer to another one is none. */
    private long asked;

    /**
     * @param name of the section of its state
     * @param ended is told of the answers to requests that have not been cancelled
     */
    public MediumRequest(String name, Medium.Answer ended) {
        this.name = name;
        this.ended = ended;
    }

    /** Whether a request is on its way. */
    public boolean isBusy() { return operation != Operation.NONE; }

    /** Whether the medium is filling the buffer, so that what is in it is not the drive's to look at. */
    public boolean isReading() {
        return operation == Operation.READ;
    }

    /** Reads {@code bytes} bytes at {@code from} to the beginning of {@code buffer}. */
    public void read(Medium medium, long moment, long from, byte[] buffer, int bytes) {
        begin(Operation.READ, moment, from, bytes);
        submit(medium, buffer);
    }

    /** Writes {@code bytes} bytes of the beginning of {@code buffer} at {@code to}. */
    public void write(Medium medium, long moment, long to, byte[] buffer, int bytes) {
        begin(Operation.WRITE, moment, to, bytes);
        submit(medium, buffer);
    }

    /** Flushes. */
    public void flush(Medium medium, long moment) {
        begin(Operation.FLUSH, moment, 0, 0);
        submit(medium, new byte[0]);
    }

    /** Discards a range. */
    public void discard(Medium medium, long moment, long from, long bytes) {
        begin(Operation.DISCARD, moment, from, bytes);
        submit(medium, new byte[0]);
    }

    private void begin(Operation wanted, long moment, long from, long bytes) {
        if (isBusy()) {
            throw new IllegalStateException(name + ": a request before the last one has ended");
        }
        operation = wanted;
        due = moment;
        offset = from;
        length = bytes;
    }

    private void submit(Medium medium, byte[] buffer) {
        long number = ++asked;
        Medium.Answer answer = failure -> answered(number, failure);
        switch (operation) {
            case READ -> medium.read(due, offset, buffer, 0, (int) length, answer);
            case WRITE -> medium.write(due, offset, buffer, 0, (int) length, answer);
            case FLUSH -> medium.flush(due, answer);
            case DISCARD -> medium.discard(due, offset, length, answer);
            case NONE -> {
                // Nothing to ask for.
            }
        }
    }

    private void answered(long number, @Nullable Exception failure) {
        if (number == asked && isBusy()) {
            operation = Operation.NONE;
            ended.ended(failure);
        }
    }

    /**
     * Forgets the request. Returns whether there was one: then the buffer that it was given belongs to the medium until the answer that
     * nobody hears, and its owner must take another one.
     */
    public boolean cancel() {
        boolean was = isBusy();
        operation = Operation.NONE;
        asked++;
        return was;
    }

    /** Asks again for what {@link #restore} found, with the {@code buffer} that has been restored. */
    public void resume(Medium medium, byte[] buffer) throws StateException {
        if (!isBusy()) {
            return;
        }
        boolean moves = operation == Operation.READ || operation == Operation.WRITE;
        if (offset > medium.size() - length || moves && (length == 0 || length > buffer.length)) {
            throw new StateException(name + ": " + length + " bytes at " + offset + " are not within the medium");
        }
        submit(medium, buffer);
    }

    @Override
    public String stateName() {
        return name;
    }

    @Override
    public void save(StateWriter out) {
        boolean busy = isBusy();
        out.put("operation", operation.ordinal()).put("due", busy ? due : 0).put("offset", busy ? offset : 0);
        out.put("length", busy ? length : 0);
    }

    @Override
    public void restore(StateReader in) throws StateException {
        cancel();
        operation = Operation.values()[in.getInt("operation", 0, Operation.values().length - 1)];
        due = in.getLong("due");
        offset = in.getLong("offset");
        length = in.getLong("length");
        if (offset < 0 || length < 0 || due < 0 || offset % Medium.SECTOR_BYTES != 0
                || length % Medium.SECTOR_BYTES != 0) {
            throw new StateException(name + ": a request of " + length + " bytes at " + offset);
        }
    }
}
