package dev.xenolith.dom0.disk;

import java.util.Map;
import java.util.TreeMap;

/** How often each cluster of a file is really in use: counts in memory, which are only there around clusters that are. */
final class Qcow2References {
    private static final int CHUNK = 256;
    /** 256 MiB of counts: of an image of 4 TiB with the usual clusters. */
    private static final int MAX_CHUNKS = 1 << 18;

    private final String name;
    private final TreeMap<Long, int[]> chunks = new TreeMap<>();

    /** Called for each cluster that is in use. */
    @FunctionalInterface
    interface Visitor {
        void cluster(long cluster, int uses) throws DiskException;
    }

    Qcow2References(String name) {
        this.name = name;
    }

    int get(long cluster) {
        int[] chunk = chunks.get(cluster / CHUNK);
        return chunk == null ? 0 : chunk[(int) (cluster % CHUNK)];
    }

    void add(long cluster, int uses) throws DiskException {
        int[] chunk = chunks.get(cluster / CHUNK);
        if (chunk == null) {
            if (chunks.size() == MAX_CHUNKS) {
                throw new DiskException(name, "the image has too many clusters to be checked in memory");
            }
            chunk = new int[CHUNK];
            chunks.put(cluster / CHUNK, chunk);
        }
        int index = (int) (cluster % CHUNK);
        chunk[index] = (int) Math.min(Integer.MAX_VALUE, (long) chunk[index] + uses);
    }

    void forEach(Visitor visitor) throws DiskException {
        for (Map.Entry<Long, int[]> chunk : chunks.entrySet()) {
            for (int i = 0; i < CHUNK; i++) {
                if (chunk.getValue()[i] != 0) {
                    visitor.cluster(chunk.getKey() * CHUNK + i, chunk.getValue()[i]);
                }
            }
        }
    }

    Qcow2References copy() {
        Qcow2References copy = new Qcow2References(name);
        chunks.forEach((index, chunk) -> copy.chunks.put(index, chunk.clone()));
        return copy;
    }
}
