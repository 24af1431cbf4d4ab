package dev.xenolith.dom0.xl;

import java.util.List;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** {@code xl sched-credit2}: without options a list, with {@code -d} one domain, with {@code -s} the scheduler itself. */
final class SchedCredit2Command extends XlCommand {
    /** The only cpupool. */
    private static final String POOL = "Pool-0";

    @Option(names = {"-d", "--domain"})
    private @Nullable String domain;

    @Option(names = {"-w", "--weight"})
    private @Nullable Integer weight;

    @Option(names = {"-c", "--cap"})
    private @Nullable Integer cap;

    @Option(names = {"-s", "--schedparam"})
    private boolean scheduler;

    @Option(names = {"-r", "--ratelimit_us"})
    private @Nullable Integer ratelimit;

    @Option(names = {"-p", "--cpupool"})
    private @Nullable String pool;

    @Override
    int run(CommandContext context) {
        boolean changes = weight != null || cap != null;
        if (pool != null && (domain != null || changes)) {
            throw ToolstackException.failure("sched-credit2: -p does not go with options of a domain");
        }
        if (domain == null && changes) {
            throw ToolstackException.failure("sched-credit2: -w and -c need a domain, -d");
        }
        if (pool != null && !pool.equals(POOL) && !pool.equals("0")) {
            throw ToolstackException.failure("sched-credit2: unknown cpupool '" + pool + "'");
        }
        if (ratelimit != null && !scheduler) {
            throw ToolstackException.failure("sched-credit2: -r goes with -s");
        }
        Toolstack toolstack = context.toolstack();
        if (scheduler) {
            if (ratelimit == null) {
                printPool(context);
            } else {
                toolstack.resources().setRatelimitMicros(ratelimit);
            }
        } else if (domain == null) {
            printPool(context);
            printDomains(context, toolstack.domains());
        } else {
            DomainInfo found = find(context, domain);
            if (changes) {
                toolstack.resources().setScheduling(found.domid(), optional(weight), optional(cap));
            } else {
                printDomains(context, List.of(found));
            }
        }
        return 0;
    }

    private static OptionalInt optional(@Nullable Integer value) {
        return value == null ? OptionalInt.empty() : OptionalInt.of(value);
    }

    private static void printPool(CommandContext context) {
        context.line("Cpupool %s: ratelimit=%dus", POOL, context.toolstack().resources().ratelimitMicros());
    }

    private static void printDomains(CommandContext context, List<DomainInfo> domains) {
        context.line("%-33s %4s %6s %4s", "Name", "ID", "Weight", "Cap");
        for (DomainInfo domain : domains) {
            context.line("%-33s %4d %6d %4d", domain.name(), domain.domid(), domain.weight(), domain.cap());
        }
    }
}
