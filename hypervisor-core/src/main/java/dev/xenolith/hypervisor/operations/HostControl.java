package dev.xenolith.hypervisor.operations;

/** The host as a privileged domain sees it (xen/include/public/sysctl.h, version.h). */
public interface HostControl {
    /** What {@code xen_version} and {@code xl info} report, from one place. */
    record Version(int major, int minor, String extra, String changeset, String capabilities, String commandLine,
            String compiler,
            String compileBy, String compileDomain, String compileDate, long virtStart, int pageSize, String buildId) {
    }

    /** XEN_SYSCTL_physinfo. Pages are 4 KiB. {@code hardwareCapabilities} are the eight words that {@code xl info} prints. */
    record PhysicalInfo(int processors, int maxCpuId, int coresPerSocket, int threadsPerCore, int nodes, long cpuKhz,
            long totalPages,
            long freePages, long scrubPages, long outstandingPages, String capabilities, int[] hardwareCapabilities,
            String scheduler) {
    }

    Version version();

    PhysicalInfo physicalInfo();

    /** How long a vCPU runs at least before another takes its processor, in microseconds; 0 for no limit. XEN_SYSCTL_scheduler_op. */
    int ratelimitMicros();

    /** Changes {@link #ratelimitMicros}: 0, or 100 to 500000; else -EINVAL. */
    int setRatelimitMicros(int micros);

    /** The console ring's contents, oldest first (what {@code xl dmesg} prints); empties it if {@code clear}. */
    String consoleRing(boolean clear);

    /**
     * A part of the console ring.
     *
     * @param bytes as they were written
     * @param next position after them, modulo 2^32
     */
    record ConsoleChunk(byte[] bytes, int next) {
    }

    /**
     * Bytes of the console ring, oldest first, from position {@code from} on if that is in it, else all. XEN_SYSCTL_readconsole.
     *
     * @param incremental whether {@code from}, modulo 2^32, counts
     * @param most how many bytes at most, not negative
     * @param clear forget what comes before the end of what is returned
     */
    ConsoleChunk readConsole(boolean incremental, int from, int most, boolean clear);

    /** Nanoseconds that each processor has been idle. XEN_SYSCTL_getcpuinfo. */
    long[] idleTimes();

    /** What CPUID tells. XEN_SYSCTL_get_cpu_policy, XEN_DOMCTL_get_cpu_policy. */
    CpuPolicy cpuPolicy(CpuPolicy.Kind kind);

    /** Writes a line to the hypervisor's log, as dom0's console_io does: guarded by the log level, prefixed with the domain. */
    void log(String line);

    /** A copy of trace records since {@code position}; {@link TraceChunk#next} is where to go on. Tracing is off until a mask is set. */
    TraceChunk trace(long position, int maxRecords);

    /** Chooses the traced classes (bits as in {@code trace.TraceClass}); 0 switches tracing off. */
    void setTraceMask(int mask);

    /** The traced classes. */
    int traceMask();

    /** Records in the binary form documented in package {@code trace}. {@code lost} were overwritten before they could be read. */
    record TraceChunk(byte[] records, long next, long lost) {
    }
}
