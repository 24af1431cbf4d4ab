package dev.xenolith.dom0.xl;

import java.time.LocalTime;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Option;

/** {@code xl uptime}. */
final class UptimeCommand extends XlCommand {
    private static final DateTimeFormatter CLOCK = DateTimeFormatter.ofPattern("HH:mm:ss", Locale.ROOT);

    @Option(names = "-s")
    private boolean brief;

    @Override
    int run(CommandContext context) {
        List<DomainInfo> domains = arguments.isEmpty()
                ? context.toolstack().domains()
                : arguments.stream().map(argument -> find(context, argument)).toList();
        if (!brief) {
            context.line("%-33s %4s %s", "Name", "ID", "Uptime");
        }
        LocalTime now = LocalTime.ofInstant(context.toolstack().wallClock(), context.zone());
        for (DomainInfo domain : domains) {
            String uptime = format(domain.uptimeNanos() / 1_000_000_000);
            if (brief) {
                context.line(" %s up %s, %s (%d)", CLOCK.format(now), uptime, domain.name(), domain.domid());
            } else {
                context.line("%-33s %4d %s", domain.name(), domain.domid(), uptime);
            }
        }
        return 0;
    }

    private String format(long seconds) {
        long days = seconds / 86400;
        String day = days == 0 ? "" : days == 1 ? "1 day, " : days + " days, ";
        long hours = seconds / 3600 % 24;
        long minutes = seconds / 60 % 60;
        return day + (brief
                ? String.format(Locale.ROOT, "%2d:%02d", hours, minutes)
                : String.format(Locale.ROOT, "%2d:%02d:%02d", hours, minutes, seconds % 60));
    }
}
