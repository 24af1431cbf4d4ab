package dev.xenolith.device.storage.atapi;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * What a drive tells of itself and its disc: each method puts a page at the beginning of the buffer and returns its length, or a
 * negative number if there is no such page. Numbers are big-endian.
 */
final class DiscPages {
    private static final int INQUIRY_BYTES = 36;
    private static final int LEAD_OUT = 0xaa;
    /** ADR 1, and a data track that may not be copied. */
    private static final int DATA_TRACK = 0x14;
    private static final int FRAMES = 75;
    private static final int SECONDS = 60;
    /** The address 0 is two seconds into the disc. */
    private static final int PREGAP = 2 * FRAMES;
    private static final int PROFILE_CD_ROM = 0x08;
    private static final int PROFILE_DVD_ROM = 0x10;
    /** Blocks beyond which a disc is taken for a DVD: 99 minutes, the most that a CD's times can tell. */
    private static final int CD_BLOCKS = 99 * SECONDS * FRAMES;
    private static final int PAGE_ERROR_RECOVERY = 0x01;
    private static final int PAGE_CAPABILITIES = 0x2a;
    private static final int ALL_PAGES = 0x3f;
    private static final int MODE_HEADER = 8;
    /** Reading at 16 times the speed of a DVD, in kB/s, and the buffer in KiB. */
    private static final int SPEED = 22_160;
    private static final int BUFFER_KIB = 128;

    private final Tray tray;
    private byte[] page = {};
    private int length;

    DiscPages(Tray tray) {
        this.tray = tray;
    }

    private void begin(byte[] buffer) {
        page = buffer;
        length = 0;
        Arrays.fill(page, 0, 512, (byte) 0);
    }

    private DiscPages put(int... bytes) {
        for (int each : bytes) {
            page[length++] = (byte) each;
        }
        return this;
    }

    private DiscPages put32(int value) {
        return put(value >>> 24, value >>> 16, value >>> 8, value);
    }

    /** Puts the number of bytes that follow it in the 16 bits at the beginning. */
    private int counted() {
        page[0] = (byte) (length - 2 >>> 8);
        page[1] = (byte) (length - 2);
        return length;
    }

    int inquiry(byte[] buffer) {
        begin(buffer);
        // CD-ROM, removable, MMC-3 by an ATAPI transport.
        put(0x05, 0x80, 0x05, 0x32, INQUIRY_BYTES - 5, 0, 0, 0);
        byte[] names = "XENOLITHVirtual CD/DVD  1.0 ".getBytes(StandardCharsets.US_ASCII);
        System.arraycopy(names, 0, page, length, names.length);
        return INQUIRY_BYTES;
    }

    int capacity(byte[] buffer) {
        begin(buffer);
        put32(Math.max(tray.blocks() - 1, 0)).put32(Tray.BLOCK);
        return length;
    }

    // ---- table of contents -------------------------------------------------------------------------------------------

    private DiscPages address(int block, boolean asTime) {
        if (!asTime) {
            return put32(block);
        }
        int frames = block + PREGAP;
        return put(0, frames / FRAMES / SECONDS, frames / FRAMES % SECONDS, frames % FRAMES);
    }

    /**
     * READ TOC/PMA/ATIP (MMC-3, 6.25), formats 0, 1 and 2.
     *
     * @param from first track that is told of, or first session
     */
    int tableOfContents(byte[] buffer, int format, boolean asTime, int from) {
        begin(buffer);
        put(0, 0, 1, 1);
        switch (format) {
            case 0 -> {
                if (from > 1 && from != LEAD_OUT) {
                    return -1;
                }
                if (from <= 1) {
                    put(0, DATA_TRACK, 1, 0).address(0, asTime);
                }
                put(0, DATA_TRACK, LEAD_OUT, 0).address(tray.blocks(), asTime);
            }
            case 1 -> put(0, DATA_TRACK, 1, 0).address(0, asTime);
            case 2 -> {
                put(1, DATA_TRACK, 0, 0xa0, 0, 0, 0, 0, 1, 0, 0);
                put(1, DATA_TRACK, 0, 0xa1, 0, 0, 0, 0, 1, 0, 0);
                put(1, DATA_TRACK, 0, 0xa2, 0, 0, 0).address(tray.blocks(), true);
                put(1, DATA_TRACK, 0, 1, 0, 0, 0).address(0, true);
            }
            default -> {
                return -1;
            }
        }
        return counted();
    }

    int discInformation(byte[] buffer) {
        begin(buffer);
        // A complete disc of one complete session with one track, for unrestricted use.
        put(0, 0, 0x0e, 1, 1, 1, 1, 0x20);
        length = 34;
        return counted();
    }

    // ---- modes -------------------------------------------------------------------------------------------------------

    /**
     * MODE SENSE(10).
     *
     * @param changeable whether it is asked what may be changed, which is nothing
     */
    int modes(byte[] buffer, int code, boolean changeable) {
        begin(buffer);
        length = MODE_HEADER;
        if (code == PAGE_ERROR_RECOVERY || code == ALL_PAGES) {
            put(PAGE_ERROR_RECOVERY, 10);
            put(changeable ? new int[10] : new int[]{0, 5, 0, 0, 0, 0, 0, 0, 0, 0});
        }
        if (code == PAGE_CAPABILITIES || code == ALL_PAGES) {
            put(PAGE_CAPABILITIES, 20);
            // Reads CD-R, CD-RW, DVD-ROM; modes 2 of a CD; a tray that locks and ejects.
            int tray8 = 0x29 | (tray.isLocked() ? 0x02 : 0);
            put(changeable
                    ? new int[20]
                    : new int[]{0x0b, 0, 0x30, 0, tray8, 0, SPEED >>> 8, SPEED, 0, 0, 0, BUFFER_KIB, SPEED >>> 8,
                        SPEED, 0, 0, 0, 0, 0, 0});
        }
        return length == MODE_HEADER ? -1 : counted();
    }

    // ---- configuration and events ------------------------------------------------------------------------------------

    /**
     * GET CONFIGURATION (MMC-3, 6.6).
     *
     * @param kind 0 for all features, 1 for those that are current, 2 for the one {@code from}
     */
    int configuration(byte[] buffer, int kind, int from) {
        begin(buffer);
        boolean present = tray.disc() != null;
        boolean dvd = tray.blocks() > CD_BLOCKS;
        put32(0).put(0, 0, 0, present ? dvd ? PROFILE_DVD_ROM : PROFILE_CD_ROM : 0);
        feature(kind, from, 0x0000, 0, true, 0, PROFILE_DVD_ROM, present && dvd ? 1 : 0, 0, 0, PROFILE_CD_ROM,
                present && !dvd ? 1 : 0, 0);
        // ATAPI.
        feature(kind, from, 0x0001, 0, true, 0, 0, 0, 2);
        // A tray that ejects and locks.
        feature(kind, from, 0x0003, 0, true, 0x29, 0, 0, 0);
        feature(kind, from, 0x0010, 0, present, 0, 0, Tray.BLOCK >>> 8, 0, 0, 1, 0, 0);
        feature(kind, from, 0x001e, 0, present && !dvd, 0, 0, 0, 0);
        feature(kind, from, 0x001f, 0, present && dvd);
        feature(kind, from, 0x0100, 0, true);
        int rest = length - 4;
        page[2] = (byte) (rest >>> 8);
        page[3] = (byte) rest;
        return length;
    }

    private void feature(int kind, int from, int code, int version, boolean current, int... data) {
        boolean wanted = kind == 2 ? code == from : code >= from && (kind == 0 || current);
        if (wanted) {
            // Features that are always current are persistent.
            boolean persistent = current && code < 0x10;
            put(code >>> 8, code, version << 2 | (persistent ? 2 : 0) | (current ? 1 : 0), data.length).put(data);
        }
    }

    /**
     * GET EVENT STATUS NOTIFICATION (MMC-3, 6.7).
     *
     * @param classes a bit for each class that is asked for
     */
    int event(byte[] buffer, int classes) {
        begin(buffer);
        int media = 4;
        if ((classes >>> media & 1) == 0) {
            put(0, 2, 0x80, 1 << media);
        } else {
            int status = (tray.isOpen() ? 1 : 0) | (tray.disc() != null ? 2 : 0);
            put(0, 6, media, 1 << media, tray.takeEvent(), status, 0, 0);
        }
        return length;
    }

    int mechanism(byte[] buffer) {
        begin(buffer);
        put(0, tray.isOpen() ? 0x10 : 0, 0, 0, 0, 1, 0, 0);
        return length;
    }
}
