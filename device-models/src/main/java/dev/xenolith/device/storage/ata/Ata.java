package dev.xenolith.device.storage.ata;

/** Registers, their bits, and commands (ATA/ATAPI-6, 7 and 8). */
public final class Ata {
    /** Registers of the command block by their offsets; the first and the last have other names when they are read. */
    public static final int DATA = 0;
    public static final int FEATURES = 1;
    public static final int ERROR = 1;
    public static final int COUNT = 2;
    public static final int LBA_LOW = 3;
    public static final int LBA_MID = 4;
    public static final int LBA_HIGH = 5;
    public static final int DEVICE = 6;
    public static final int COMMAND = 7;
    public static final int STATUS = 7;
    public static final int REGISTERS = 8;

    /** Status. */
    public static final int BSY = 0x80;
    public static final int DRDY = 0x40;
    public static final int DF = 0x20;
    /** Seek complete, in later standards reserved; software of old looks at it. */
    public static final int DSC = 0x10;
    public static final int DRQ = 0x08;
    public static final int ERR = 0x01;

    /** Error. */
    public static final int UNC = 0x40;
    public static final int IDNF = 0x10;
    public static final int ABRT = 0x04;
    /** What EXECUTE DEVICE DIAGNOSTIC and resets leave there: device 0 passed, device 1 passed or is not there. */
    static final int DIAGNOSTIC_PASSED = 0x01;

    /** Device register: LBA, which of two devices, and for queued commands forced unit access. */
    public static final int DEVICE_LBA = 0x40;
    public static final int DEVICE_1 = 0x10;
    static final int DEVICE_FUA = 0x80;

    /** Device control register. */
    public static final int CONTROL_HOB = 0x80;
    public static final int CONTROL_SRST = 0x04;
    public static final int CONTROL_NIEN = 0x02;

    /** Commands that controllers look at. */
    public static final int DEVICE_RESET = 0x08;
    public static final int READ_FPDMA_QUEUED = 0x60;
    public static final int WRITE_FPDMA_QUEUED = 0x61;
    public static final int EXECUTE_DEVICE_DIAGNOSTIC = 0x90;

    static final int DATA_SET_MANAGEMENT = 0x06;
    static final int READ_NATIVE_MAX_EXT = 0x27;
    static final int READ_LOG_EXT = 0x2f;
    static final int INITIALIZE_DEVICE_PARAMETERS = 0x91;
    static final int STANDBY_IMMEDIATE_OLD = 0x94;
    static final int IDLE_IMMEDIATE_OLD = 0x95;
    static final int STANDBY_OLD = 0x96;
    static final int IDLE_OLD = 0x97;
    static final int CHECK_POWER_MODE_OLD = 0x98;
    static final int SLEEP_OLD = 0x99;
    static final int SET_MULTIPLE_MODE = 0xc6;
    static final int STANDBY_IMMEDIATE = 0xe0;
    static final int IDLE_IMMEDIATE = 0xe1;
    static final int STANDBY = 0xe2;
    static final int IDLE = 0xe3;
    static final int CHECK_POWER_MODE = 0xe5;
    static final int SLEEP = 0xe6;
    static final int FLUSH_CACHE = 0xe7;
    static final int FLUSH_CACHE_EXT = 0xea;
    static final int IDENTIFY_DEVICE = 0xec;
    static final int SET_FEATURES = 0xef;
    static final int READ_NATIVE_MAX = 0xf8;

    private Ata() {
    }
}
