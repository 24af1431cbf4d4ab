package dev.xenolith.dom0.host;

import static java.util.Map.entry;

import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** How often each operation of the hostile guest ended how, summed over runs. */
final class Outcomes {
    /** Operation, calls, then codes with their counts. */
    private static final Pattern ROW = Pattern.compile("(?m)^(\\S.{45}) +(\\d+) ((?: \\S+:\\d+)*)\\s*$");
    private static final Pattern CODE = Pattern.compile(" (\\S+):(\\d+)");

    private static final String PRIVILEGED = "only for a privileged domain";
    private static final String ABSENT = "not there in this configuration of Xen, or of Xenolith; see docs/quirks.md";
    private static final String TRANSLATED = "only for domains with a physical map of their own";
    private static final String UNKNOWN = "no such operation";
    private static final String HARMLESS = "the guest makes only forms that are refused: success would be its end";

    /** Operations that an unprivileged PV domain can call, but never with success, and why. */
    static final Map<String, String> CANNOT_SUCCEED = Map.ofEntries(entry("(no hypercall)", UNKNOWN),
            entry("argo_op", ABSENT), entry("callback_op (unknown)", UNKNOWN),
            entry("callback_op.unregister", "but for the NMI callback, which nmi_op takes away"),
            entry("console_io (unknown)", UNKNOWN), entry("console_io.read", PRIVILEGED),
            entry("dm_op", PRIVILEGED), entry("domctl", PRIVILEGED), entry("event_channel_op (unknown)", UNKNOWN),
            entry("event_channel_op.bind_pirq", PRIVILEGED), entry("event_channel_op.expand_array", ABSENT),
            entry("event_channel_op.init_control", HARMLESS), entry("event_channel_op.reset", HARMLESS),
            entry("event_channel_op.set_priority", ABSENT), entry("grant_table_op (unknown)", UNKNOWN),
            entry("grant_table_op.dump_table", ABSENT), entry("hvm_op", TRANSLATED), entry("hypfs_op", PRIVILEGED),
            entry("kexec_op", PRIVILEGED), entry("mca", PRIVILEGED),
            entry("memory_op.acquire_resource", PRIVILEGED), entry("memory_op.add_to_physmap", TRANSLATED),
            entry("memory_op.add_to_physmap_batch", TRANSLATED), entry("memory_op.claim_pages", PRIVILEGED),
            entry("memory_op.get_vnumainfo", "no virtual NUMA"), entry("memory_op.machine_memory_map", PRIVILEGED),
            entry("memory_op.machphys_compat_mfn_list", "only for 32-bit domains"),
            entry("memory_op.paging/access/sharing_op", ABSENT),
            entry("memory_op.remove_from_physmap", TRANSLATED),
            entry("memory_op.set/get_pod_target", TRANSLATED), entry("mmuext_op (unknown)", UNKNOWN),
            entry("mmuext_op.FLUSH_CACHE", "only for a domain with devices"), entry("platform_op", PRIVILEGED),
            entry("sched_op (unknown)", UNKNOWN), entry("sched_op.pin_override", PRIVILEGED),
            entry("sched_op.remote_shutdown", PRIVILEGED),
            entry("sched_op.shutdown (unreadable argument)", HARMLESS), entry("sysctl", PRIVILEGED),
            entry("vcpu_op (unknown)", UNKNOWN),
            entry("vcpu_op.get_physid", "only for a vCPU that is pinned by the hardware domain"),
            entry("xenoprof_op", ABSENT), entry("xenpmu_op", ABSENT), entry("xsm_op", ABSENT));

    private final Map<String, Map<String, Long>> rows = new TreeMap<>();

    /** Adds the table that the guest has printed. */
    void add(String said) {
        Matcher row = ROW.matcher(said.replace("\r", ""));
        while (row.find()) {
            Map<String, Long> codes = rows.computeIfAbsent(row.group(1).strip(), name -> new TreeMap<>());
            Matcher code = CODE.matcher(row.group(3));
            while (code.find()) {
                codes.merge(code.group(1), Long.parseLong(code.group(2)), Long::sum);
            }
        }
    }

    /** Calls of all operations; statuses of grant operations are part of their calls. */
    long calls() {
        return rows.entrySet().stream().filter(row -> !row.getKey().endsWith(" status"))
                .mapToLong(row -> row.getValue().values().stream().mapToLong(Long::longValue).sum()).sum();
    }

    /** Operations that never returned 0 or more. */
    Set<String> neverSucceeded() {
        Set<String> never = new TreeSet<>();
        rows.forEach((name, codes) -> {
            if (!codes.containsKey("0") && !codes.containsKey(">0")) {
                never.add(name);
            }
        });
        return never;
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        rows.forEach((name, codes) -> text.append(String.format("%-46s", name)).append(codes).append('\n'));
        return text.toString();
    }
}
