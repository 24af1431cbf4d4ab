package dev.xenolith.dom0.disk;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** A file on a disk with a cache: after a power cut, of what was done since the last force some is there, sector by sector. */
final class PowerCutStore implements Store {
    private static final int SECTOR = DiskImage.SECTOR_BYTES;

    private final MemoryStore current;
    private final MemoryStore stable;
    private final List<Change> cached = new ArrayList<>();
    private final boolean forces;
    private int lives = Integer.MAX_VALUE;

    /** Something that was done. */
    private interface Change {
        void apply(Store store, Random random, double kept) throws IOException;
    }

    /** The moment has come. */
    static final class PowerCut extends IOException {
        private static final long serialVersionUID = 1L;

        PowerCut() {
            super("the power is gone");
        }
    }

    /**
     * On a disk that holds {@code content}.
     *
     * @param forces whether a force does what it promises
     */
    PowerCutStore(MemoryStore content, boolean forces) {
        current = content.copy();
        stable = content.copy();
        this.forces = forces;
    }

    /** Lets so many more changes and forces be done. */
    void cutAfter(int changes) {
        lives = changes;
    }

    /** Returns what is found when power is back. */
    MemoryStore afterwards(Random random) throws IOException {
        MemoryStore found = stable.copy();
        double kept = switch (random.nextInt(4)) {
            case 0 -> 0;
            case 1 -> 0.1;
            case 2 -> 0.5;
            default -> 0.9;
        };
        for (Change change : cached) {
            change.apply(found, random, kept);
        }
        return found;
    }

    /** The file system has room for so many bytes more. */
    void leaveRoom(long bytes) {
        current.leaveRoom(bytes);
    }

    void leaveAllRoom() {
        current.leaveAllRoom();
    }

    private void live() throws PowerCut {
        if (lives-- <= 0) {
            lives = 0;
            throw new PowerCut();
        }
    }

    @Override
    public String name() {
        return current.name();
    }

    @Override
    public long size() throws IOException {
        return current.size();
    }

    @Override
    public void read(long position, ByteBuffer target) throws IOException {
        current.read(position, target);
    }

    @Override
    public void write(long position, ByteBuffer source) throws IOException {
        live();
        long end = position + source.remaining();
        current.write(position, source);
        cacheSectors(position, end);
    }

    /** A disk writes whole sectors. */
    private void cacheSectors(long from, long to) throws IOException {
        long position = from & -SECTOR;
        byte[] bytes = new byte[(int) (Math.min(current.size(), to + SECTOR - 1 & -SECTOR) - position)];
        current.read(position, ByteBuffer.wrap(bytes));
        cached.add((store, random, kept) -> {
            for (int at = 0; at < bytes.length; at += SECTOR) {
                if (random.nextDouble() < kept) {
                    store.write(position + at, ByteBuffer.wrap(bytes, at, Math.min(SECTOR, bytes.length - at)));
                }
            }
        });
    }

    @Override
    public void resize(long size) throws IOException {
        live();
        current.resize(size);
        cached.add((store, random, kept) -> {
            if (random.nextDouble() < kept) {
                store.resize(size);
            }
        });
    }

    @Override
    public boolean punch(long position, long length) throws IOException {
        live();
        long end = Math.min(position + length, current.size());
        long first = position + SECTOR - 1 & -SECTOR;
        long last = Math.max(first, end & -SECTOR);
        current.punch(position, length);
        cached.add((store, random, kept) -> {
            if (random.nextDouble() < kept) {
                store.punch(first, last - first);
            }
        });
        if (position < Math.min(first, end)) {
            cacheSectors(position, Math.min(first, end));
        }
        if (last < end) {
            cacheSectors(last, end);
        }
        return true;
    }

    @Override
    public void force() throws IOException {
        live();
        if (forces) {
            Random unused = new Random(0);
            for (Change change : cached) {
                change.apply(stable, unused, 2);
            }
            cached.clear();
        }
    }

    @Override
    public long nextData(long position) throws IOException {
        return current.nextData(position);
    }

    @Override
    public long nextHole(long position) throws IOException {
        return current.nextHole(position);
    }

    @Override
    public void close() throws IOException {
        // Nothing that power would be needed for.
    }
}
