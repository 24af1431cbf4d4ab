package dev.xenolith.cpu.memory;

import java.util.ArrayList;
import java.util.List;

/**
 * Where memory stands in the physical address space, as data: regions in ascending order that do not overlap, each a multiple
 * of 4 KiB. What is in no region is a hole, for devices.
 *
 * @param end first address after all memory, that of devices included: a multiple of 4 KiB
 */
public record MemoryLayout(List<Region> regions, long end) {
    /** First byte that low RAM never covers: PCI devices, the APICs and firmware live from here to 4 GiB. */
    public static final long LOW_TOP_MAX = 0xf000_0000L;
    /** End of conventional memory; the video window and option ROMs follow up to 1 MiB. */
    public static final long CONVENTIONAL_TOP = 640 << 10;

    private static final long MIB = 1 << 20;
    private static final long GIB4 = 1L << 32;

    /** What a region is made of. */
    public enum Kind {
        RAM,
        /** Readable memory that ignores a guest's writes. */
        ROM
    }

    /** Memory at {@code start}, {@code length} bytes long. */
    public record Region(long start, long length, Kind kind) {
        public Region {
            if (start < 0 || length <= 0 || ((start | length) & 0xfff) != 0 || start + length < 0) {
                throw new IllegalArgumentException(
                        "region 0x" + Long.toHexString(start) + ", length 0x" + Long.toHexString(length)
                                + " is not a range of 4 KiB frames");
            }
        }

        public long end() {
            return start + length;
        }
    }

    public MemoryLayout {
        regions = List.copyOf(regions);
        long reached = 0;
        for (Region region : regions) {
            if (region.start() < reached) {
                throw new IllegalArgumentException(
                        "regions overlap or descend at 0x" + Long.toHexString(region.start()));
            }
            reached = region.end();
        }
        if (regions.isEmpty()) {
            throw new IllegalArgumentException("no memory");
        }
        if (end < reached || (end & 0xfff) != 0) {
            throw new IllegalArgumentException("memory ends before 0x" + Long.toHexString(end));
        }
    }

    /** A layout that ends with its last region. */
    public MemoryLayout(List<Region> regions) {
        this(regions, regions.isEmpty() ? 0 : regions.getLast().end());
    }

    /** One region of RAM from address 0. */
    public static MemoryLayout flat(long bytes) {
        return new MemoryLayout(List.of(new Region(0, bytes, Kind.RAM)));
    }

    /**
     * The layout of a PC with {@code bytes} (at least 2 MiB, a multiple of 4 KiB) of memory: 0 to 640 KiB, 1 MiB to at most
     * {@link #LOW_TOP_MAX}, the rest from 4 GiB; as on a PC the 384 KiB between are lost.
     */
    public static MemoryLayout pc(long bytes) {
        if (bytes < 2 * MIB) {
            throw new IllegalArgumentException("a PC has at least 2 MiB of memory, not " + bytes + " bytes");
        }
        long low = Math.min(bytes, LOW_TOP_MAX);
        List<Region> regions = new ArrayList<>();
        regions.add(new Region(0, CONVENTIONAL_TOP, Kind.RAM));
        regions.add(new Region(MIB, low - MIB, Kind.RAM));
        if (bytes > low) {
            regions.add(new Region(GIB4, bytes - low, Kind.RAM));
        }
        return new MemoryLayout(regions);
    }

    /** Bytes of RAM. */
    public long ramBytes() {
        return regions.stream().filter(region -> region.kind() == Kind.RAM).mapToLong(Region::length).sum();
    }
}
