package dev.xenolith.device.storage.ata;

import dev.xenolith.device.Saveable;
import dev.xenolith.device.StateException;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;
import dev.xenolith.device.storage.Medium;
import dev.xenolith.device.storage.MediumRequest;
import org.jspecify.annotations.Nullable;

/**
 * The sectors of one command on their way between its buffer and the medium, a chunk at a time. A chunk that cannot be read is read
 * again sector by sector, so that the one at fault is known.
 */
final class SectorTransfer implements Saveable {
    /** Whose command it is. */
    interface Owner {
        Medium medium();

        /** Moment at which a request for {@code bytes} bytes ends; {@code first}: the command's first. */
        long due(int bytes, boolean first);

        /** Moment at which a flush ends. */
        long flushDue();

        byte[] buffer(SectorTransfer transfer);

        /** The chunk is in the buffer. */
        void fetched(SectorTransfer transfer);

        /** The chunk is in the medium. */
        void stored(SectorTransfer transfer);

        /** The sector {@link #lba} could not be read, or one from there on not be written. */
        void failed(SectorTransfer transfer);
    }

    private final String name;
    private final Owner owner;
    private final int mostSectors;
    private final MediumRequest request;
    private boolean write;
    private boolean stable;
    private boolean first;
    private boolean careful;
    private boolean flushing;
    private long lba;
    private int left;
    private int chunk;

    /** @param mostSectors of a chunk */
    SectorTransfer(String name, Owner owner, int mostSectors) {
        this.name = name;
        this.owner = owner;
        this.mostSectors = mostSectors;
        request = new MediumRequest("request", this::ended);
    }

    /** Begins with the {@code sectors} sectors from {@code address}, which are there. */
    void begin(long address, int sectors, boolean writes, boolean isStable) {
        lba = address;
        left = sectors;
        write = writes;
        stable = isStable;
        first = true;
        careful = false;
        flushing = false;
        plan();
    }

    private void plan() {
        chunk = Math.min(left, careful ? 1 : mostSectors);
    }

    boolean isWrite() { return write; }

    /** First sector of the chunk. */
    long lba() {
        return lba;
    }

    int chunkBytes() {
        return chunk * Medium.SECTOR_BYTES;
    }

    /** Whether nothing of the command has been done yet. */
    boolean isFirst() { return first; }

    /** Whether the medium is filling the buffer. */
    boolean isReading() { return request.isReading(); }

    void fetch() {
        int bytes = chunkBytes();
        request.read(owner.medium(), owner.due(bytes, first), lba * Medium.SECTOR_BYTES, owner.buffer(this), bytes);
    }

    void store() {
        int bytes = chunkBytes();
        request.write(owner.medium(), owner.due(bytes, first), lba * Medium.SECTOR_BYTES, owner.buffer(this), bytes);
    }

    /** Goes on to the next chunk. Returns whether there is one. */
    boolean advance() {
        first = false;
        lba += chunk;
        left -= chunk;
        plan();
        return left > 0;
    }

    private void ended(@Nullable Exception failure) {
        if (flushing || write) {
            if (failure != null) {
                flushing = false;
                owner.failed(this);
            } else if (stable && !flushing) {
                flushing = true;
                request.flush(owner.medium(), owner.flushDue());
            } else {
                flushing = false;
                owner.stored(this);
            }
        } else if (failure == null) {
            owner.fetched(this);
        } else if (chunk > 1) {
            careful = true;
            plan();
            fetch();
        } else {
            owner.failed(this);
        }
    }

    /** Forgets everything. Returns whether the buffer was lent to the medium. */
    boolean cancel() {
        left = 0;
        chunk = 0;
        flushing = false;
        return request.cancel();
    }

    @Override
    public String stateName() {
        return name;
    }

    @Override
    public void save(StateWriter out) {
        out.put("write", write).put("stable", stable).put("first", first).put("careful", careful);
        out.put("flushing", flushing).put("lba", lba).put("left", left).put("chunk", chunk).put(request);
    }

    @Override
    public void restore(StateReader in) throws StateException {
        write = in.getBoolean("write");
        stable = in.getBoolean("stable");
        first = in.getBoolean("first");
        careful = in.getBoolean("careful");
        flushing = in.getBoolean("flushing");
        left = in.getInt("left", 0, 1 << 16);
        chunk = in.getInt("chunk", 0, Math.min(left, mostSectors));
        lba = in.getLong("lba");
        long sectors = owner.medium().size() / Medium.SECTOR_BYTES;
        if (lba < 0 || lba > sectors - left || chunk == 0 && left > 0) {
            throw new StateException(name + ": " + left + " sectors at " + lba + " are not within the medium");
        }
        in.get(request);
    }

    /** Asks the medium again for what was on its way when the state was saved; the buffer has been restored. */
    void resume() throws StateException {
        if (request.isBusy() && chunk == 0) {
            throw new StateException(name + ": a request of no command");
        }
        request.resume(owner.medium(), owner.buffer(this));
    }
}
