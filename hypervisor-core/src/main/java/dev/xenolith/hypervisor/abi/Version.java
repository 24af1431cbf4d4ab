package dev.xenolith.hypervisor.abi;

import dev.xenolith.hypervisor.abi.Struct.Type;

/** xen/include/public/version.h and features.h: what a guest may ask about the hypervisor. */
public final class Version {
    public static final int XENVER_VERSION = 0;
    public static final int XENVER_EXTRAVERSION = 1;
    public static final int XENVER_COMPILE_INFO = 2;
    public static final int XENVER_CAPABILITIES = 3;
    public static final int XENVER_CHANGESET = 4;
    public static final int XENVER_PLATFORM_PARAMETERS = 5;
    public static final int XENVER_GET_FEATURES = 6;
    public static final int XENVER_PAGESIZE = 7;
    public static final int XENVER_GUEST_HANDLE = 8;
    public static final int XENVER_COMMANDLINE = 9;
    public static final int XENVER_BUILD_ID = 10;

    /** Lengths in bytes of the strings, NUL included. */
    public static final int EXTRAVERSION_LEN = 16;
    public static final int CAPABILITIES_LEN = 1024;
    public static final int CHANGESET_LEN = 64;
    public static final int COMMANDLINE_LEN = 1024;

    /** XENVER_compile_info. */
    public static final class CompileInfo {
        public static final Struct LAYOUT = Struct.of("xen_compile_info")
                .array(Type.U8, "compiler", 64).array(Type.U8, "compile_by", 16).array(Type.U8, "compile_domain", 32)
                .array(Type.U8, "compile_date", 32).build();
        public static final int SIZE = LAYOUT.size();
        public static final int COMPILER = LAYOUT.offset("compiler");
        public static final int COMPILE_BY = LAYOUT.offset("compile_by");
        public static final int COMPILE_DOMAIN = LAYOUT.offset("compile_domain");
        public static final int COMPILE_DATE = LAYOUT.offset("compile_date");

        private CompileInfo() {
        }
    }

    /** XENVER_get_features. */
    public static final class FeatureInfo {
        public static final Struct LAYOUT = Struct.of("xen_feature_info").u32("submap_idx").u32("submap").build();
        public static final int SIZE = LAYOUT.size();
        public static final int SUBMAP_IDX = LAYOUT.offset("submap_idx");
        public static final int SUBMAP = LAYOUT.offset("submap");

        private FeatureInfo() {
        }
    }

    /** Bits of feature submap 0 (features.h). */
    public static final int XENFEAT_WRITABLE_PAGE_TABLES = 0;
    public static final int XENFEAT_WRITABLE_DESCRIPTOR_TABLES = 1;
    public static final int XENFEAT_AUTO_TRANSLATED_PHYSMAP = 2;
    public static final int XENFEAT_SUPERVISOR_MODE_KERNEL = 3;
    public static final int XENFEAT_PAE_PGDIR_ABOVE_4GB = 4;
    public static final int XENFEAT_MMU_PT_UPDATE_PRESERVE_AD = 5;
    public static final int XENFEAT_HIGHMEM_ASSIST = 6;
    public static final int XENFEAT_GNTTAB_MAP_AVAIL_BITS = 7;
    public static final int XENFEAT_HVM_CALLBACK_VECTOR = 8;
    public static final int XENFEAT_HVM_SAFE_PVCLOCK = 9;
    public static final int XENFEAT_HVM_PIRQS = 10;
    public static final int XENFEAT_DOM0 = 11;
    public static final int XENFEAT_GRANT_MAP_IDENTITY = 12;
    public static final int XENFEAT_MEMORY_OP_VNODE_SUPPORTED = 13;
    public static final int XENFEAT_LINUX_RSDP_UNRESTRICTED = 15;
    public static final int XENFEAT_NOT_DIRECT_MAPPED = 16;
    public static final int XENFEAT_DIRECT_MAPPED = 17;

    private Version() {
    }
}
