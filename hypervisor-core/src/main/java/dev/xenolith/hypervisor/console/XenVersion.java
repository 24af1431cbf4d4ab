package dev.xenolith.hypervisor.console;

import dev.xenolith.hypervisor.operations.HostControl.Version;

/**
 * What the hypervisor says of itself: the one place that {@code xen_version}, CPUID leaf 0x40000001, the boot log and {@code xl info}
 * read. The ABI is that of Xen 4.17; the rest is our own.
 */
public final class XenVersion {
    public static final int MAJOR = 4;
    public static final int MINOR = 17;
    /** First address of the range that guests must leave alone (HYPERVISOR_VIRT_START), XENVER_platform_parameters. */
    private static final long VIRT_START = 0xffff_8000_0000_0000L;
    private static final int PAGE_SIZE = 4096;

    private XenVersion() {
    }

    /** The version block of a host started with {@code commandLine}. */
    public static Version of(String commandLine) {
        return new Version(MAJOR, MINOR, "-xenolith", "", "xen-3.0-x86_64 xen-3.0-x86_32p ", commandLine,
                "javac " + Runtime.version().feature(),
                "xenolith", "", "reproducible", VIRT_START, PAGE_SIZE, "");
    }
}
