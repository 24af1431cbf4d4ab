package dev.xenolith.device.storage.atapi;

/**
 * Why a command has not been done (SPC, 7.23): sense key, additional sense code and its qualifier, all of eight bits.
 */
record Sense(int key, int code, int qualifier) {
    static final Sense NONE = new Sense(0, 0, 0);
    static final Sense NO_MEDIUM_CLOSED = new Sense(0x2, 0x3a, 0x01);
    static final Sense NO_MEDIUM_OPEN = new Sense(0x2, 0x3a, 0x02);
    static final Sense UNRECOVERED_READ = new Sense(0x3, 0x11, 0x00);
    static final Sense INVALID_COMMAND = new Sense(0x5, 0x20, 0x00);
    static final Sense OUT_OF_RANGE = new Sense(0x5, 0x21, 0x00);
    static final Sense INVALID_FIELD = new Sense(0x5, 0x24, 0x00);
    static final Sense INCOMPATIBLE_FORMAT = new Sense(0x5, 0x30, 0x02);
    static final Sense NOT_SAVED = new Sense(0x5, 0x39, 0x00);
    static final Sense REMOVAL_PREVENTED = new Sense(0x5, 0x53, 0x02);
    static final Sense ILLEGAL_TRACK_MODE = new Sense(0x5, 0x64, 0x00);
    static final Sense MEDIUM_CHANGED = new Sense(0x6, 0x28, 0x00);
    static final Sense RESET = new Sense(0x6, 0x29, 0x00);

    private static final int FIXED_FORMAT = 0x70;

    /** Bytes of what REQUEST SENSE sends. */
    static final int BYTES = 18;

    /** Puts it in the fixed format at the beginning of {@code page}. */
    void write(byte[] page) {
        page[0] = FIXED_FORMAT;
        page[2] = (byte) key;
        page[7] = BYTES - 8;
        page[12] = (byte) code;
        page[13] = (byte) qualifier;
    }

    int packed() {
        return key << 16 | code << 8 | qualifier;
    }

    static Sense of(int packed) {
        return new Sense(packed >>> 16 & 15, packed >>> 8 & 0xff, packed & 0xff);
    }
}
