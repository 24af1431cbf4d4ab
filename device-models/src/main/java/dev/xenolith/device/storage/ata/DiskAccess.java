package dev.xenolith.device.storage.ata;

import org.jspecify.annotations.Nullable;

/**
 * What a command that moves sectors asks for.
 *
 * @param way how the data go
 * @param wide whether its address has 48 bits
 * @param stable whether it ends only when what was written is safe: forced unit access
 */
record DiskAccess(Way way, boolean write, boolean wide, boolean stable) {
    /** How data go. */
    enum Way {
        /** Through the data register, one sector at a time, or as many as SET MULTIPLE MODE has said. */
        SECTORS, MULTIPLE, DMA,
        /** Nowhere. */
        VERIFY
    }

    /** What {@code command} asks for, null if it moves no sectors. */
    static @Nullable DiskAccess of(int command) {
        return switch (command) {
            case 0x20, 0x21 -> new DiskAccess(Way.SECTORS, false, false, false);
            case 0x24 -> new DiskAccess(Way.SECTORS, false, true, false);
            case 0x25 -> new DiskAccess(Way.DMA, false, true, false);
            case 0x29 -> new DiskAccess(Way.MULTIPLE, false, true, false);
            case 0x30, 0x31 -> new DiskAccess(Way.SECTORS, true, false, false);
            case 0x34 -> new DiskAccess(Way.SECTORS, true, true, false);
            case 0x35 -> new DiskAccess(Way.DMA, true, true, false);
            case 0x39 -> new DiskAccess(Way.MULTIPLE, true, true, false);
            case 0x3d -> new DiskAccess(Way.DMA, true, true, true);
            case 0x40, 0x41 -> new DiskAccess(Way.VERIFY, false, false, false);
            case 0x42 -> new DiskAccess(Way.VERIFY, false, true, false);
            case 0xc4 -> new DiskAccess(Way.MULTIPLE, false, false, false);
            case 0xc5 -> new DiskAccess(Way.MULTIPLE, true, false, false);
            case 0xc8, 0xc9 -> new DiskAccess(Way.DMA, false, false, false);
            case 0xca, 0xcb -> new DiskAccess(Way.DMA, true, false, false);
            case 0xce -> new DiskAccess(Way.MULTIPLE, true, true, true);
            default -> null;
        };
    }
}
