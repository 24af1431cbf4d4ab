/* hello: prints what start_info and xen_version tell, and powers off. */
#include "runtime.h"

static void print_flags(uint32_t flags)
{
    static const struct {
        uint32_t bit;
        const char *name;
    } names[] = {{SIF_PRIVILEGED, "PRIVILEGED"}, {SIF_INITDOMAIN, "INITDOMAIN"},
                 {SIF_MULTIBOOT_MOD, "MULTIBOOT_MOD"}, {SIF_MOD_START_PFN, "MOD_START_PFN"},
                 {SIF_VIRT_P2M_4TOOLS, "VIRT_P2M_4TOOLS"}};

    print("  flags          0x%x", flags);
    for (unsigned i = 0; i < ARRAY_LENGTH(names); i++) {
        if (flags & names[i].bit)
            print(" %s", names[i].name);
    }
    print("\n");
}

void guest_main(void)
{
    static xen_capabilities_info_t capabilities;
    xen_extraversion_t extra = "";
    long version = hypercall_xen_version(XENVER_version, NULL);

    hypercall_xen_version(XENVER_extraversion, extra);
    hypercall_xen_version(XENVER_capabilities, capabilities);

    print("Hello from a PV guest on Xen %ld.%ld%s\n", version >> 16, version & 0xffff, extra);
    print("  capabilities   %s\n", capabilities);
    print("start_info at %p\n", start_info);
    print("  magic          %.32s\n", start_info->magic);
    print("  nr_pages       %lu (%lu KiB)\n", start_info->nr_pages, start_info->nr_pages * 4);
    print("  shared_info    0x%lx\n", start_info->shared_info);
    print_flags(start_info->flags);
    print("  store          mfn 0x%lx, event channel %u\n", start_info->store_mfn, start_info->store_evtchn);
    print("  console        mfn 0x%lx, event channel %u\n", start_info->console_mfn, start_info->console_evtchn);
    print("  pt_base        0x%lx\n", start_info->pt_base);
    print("  nr_pt_frames   %lu\n", start_info->nr_pt_frames);
    print("  mfn_list       0x%lx\n", start_info->mfn_list);
    if (start_info->mod_len != 0)
        print("  mod            0x%lx, %lu bytes\n", start_info->mod_start, start_info->mod_len);
    print("  cmd_line       \"%s\"\n", start_info->cmd_line);
    print("Good-bye.\n");
}
