package dev.xenolith.dom0.disk;

import org.jspecify.annotations.Nullable;

/**
 * What an image that is to be made is to be.
 *
 * @param size of the disk in bytes, rounded up to whole sectors; -1 for that of the backing image
 * @param clusterBytes the size of a qcow2 image's clusters, a power of two from 512 to 2 MiB
 * @param version of the qcow2 format, 2 or 3
 * @param preallocation what is to be stored from the start
 * @param fixed whether a VHD is to be fixed rather than dynamic
 * @param backing what a qcow2 image shows where nothing was written, null for zeroes
 */
public record NewDisk(DiskFormat format, long size, int clusterBytes, int version, Preallocation preallocation,
        boolean fixed, @Nullable Backing backing) {
    /** What is to be stored from the start. */
    public enum Preallocation {
        /** Nothing. */
        OFF,
        /** Where everything will be, in a sparse file (qcow2). */
        METADATA,
        /** Zeroes all over. */
        FULL
    }

    /**
     * An image below another.
     *
     * @param name as the header is to have it: a path, relative to the directory of the image above
     */
    public record Backing(String name, DiskFormat format) {
    }

    /** The usual size of a qcow2 image's clusters. */
    public static final int DEFAULT_CLUSTER = 1 << 16;

    /** A disk as it is made when nothing is said about it. */
    public static NewDisk of(DiskFormat format, long size) {
        return new NewDisk(format, size, DEFAULT_CLUSTER, 3, Preallocation.OFF, false, null);
    }

    /** This disk of another size. */
    public NewDisk ofSize(long bytes) {
        return new NewDisk(format, bytes, clusterBytes, version, preallocation, fixed, backing);
    }

    /** This disk based on another. */
    public NewDisk on(String name, DiskFormat backingFormat) {
        return new NewDisk(format, size, clusterBytes, version, preallocation, fixed,
                new Backing(name, backingFormat));
    }
}
