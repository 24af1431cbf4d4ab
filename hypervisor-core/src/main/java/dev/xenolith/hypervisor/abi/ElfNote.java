package dev.xenolith.hypervisor.abi;

/** xen/include/public/elfnote.h: notes in a kernel image that say how to start it. */
public final class ElfNote {
    /** Owner name of the notes. */
    public static final String OWNER = "Xen";

    public static final int INFO = 0;
    public static final int ENTRY = 1;
    public static final int HYPERCALL_PAGE = 2;
    public static final int VIRT_BASE = 3;
    public static final int PADDR_OFFSET = 4;
    public static final int XEN_VERSION = 5;
    public static final int GUEST_OS = 6;
    public static final int GUEST_VERSION = 7;
    public static final int LOADER = 8;
    public static final int PAE_MODE = 9;
    public static final int FEATURES = 10;
    public static final int BSD_SYMTAB = 11;
    public static final int HV_START_LOW = 12;
    public static final int L1_MFN_VALID = 13;
    public static final int SUSPEND_CANCEL = 14;
    public static final int INIT_P2M = 15;
    public static final int MOD_START_PFN = 16;
    public static final int SUPPORTED_FEATURES = 17;
    public static final int PHYS32_ENTRY = 18;

    /** Notes of core dumps of domains. */
    public static final int DUMPCORE_NONE = 0x2000000;
    public static final int DUMPCORE_HEADER = 0x2000001;
    public static final int DUMPCORE_XEN_VERSION = 0x2000002;
    public static final int DUMPCORE_FORMAT_VERSION = 0x2000003;

    private ElfNote() {
    }
}
