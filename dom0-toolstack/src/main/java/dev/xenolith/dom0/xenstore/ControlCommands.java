package dev.xenolith.dom0.xenstore;

import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The commands of CONTROL, for {@code xenstore-control}: those of C xenstored that need no second daemon and no files. */
final class ControlCommands {
    private static final Logger LOG = LoggerFactory.getLogger(ControlCommands.class);

    private static final String HELP = """
            check\t
            log\ton|off
            print\t<string>
            quota\t[set <name> <val>|<domid>]
            quota-soft\t[set <name> <val>]
            help\t
            """;

    private final XenStore store;

    ControlCommands(XenStore store) {
        this.store = store;
    }

    /** Carries out a command, the first argument being its name. Returns what to print, or OK. */
    String execute(List<String> arguments) throws XenstoreException {
        List<String> rest = arguments.subList(1, arguments.size());
        return switch (arguments.getFirst()) {
            case "check" -> check(rest);
            case "log" -> log(rest);
            case "print" -> print(rest);
            case "quota" -> quota(rest, false);
            case "quota-soft" -> quota(rest, true);
            case "help" -> {
                require(rest.isEmpty());
                yield HELP;
            }
            default -> throw invalid(arguments.getFirst());
        };
    }

    private String check(List<String> arguments) throws XenstoreException {
        require(arguments.isEmpty());
        store.audit().forEach(line -> LOG.error("check: {}", line));
        return "OK";
    }

    private String log(List<String> arguments) throws XenstoreException {
        require(arguments.equals(List.of("on")) || arguments.equals(List.of("off")));
        store.logRequests(arguments.getFirst().equals("on"));
        return "OK";
    }

    private static String print(List<String> arguments) throws XenstoreException {
        require(arguments.size() == 1);
        LOG.info("control: {}", arguments.getFirst());
        return "OK";
    }

    private String quota(List<String> arguments, boolean soft) throws XenstoreException {
        if (arguments.isEmpty()) {
            return settings(soft);
        }
        if (arguments.getFirst().equals("set")) {
            return set(arguments.subList(1, arguments.size()), soft);
        }
        require(!soft && arguments.size() == 1);
        return usage(CNumbers.atoi(arguments.getFirst()));
    }

    private String settings(boolean soft) {
        StringBuilder text = new StringBuilder("Quota settings:\n");
        for (Quotas.Item item : Quotas.Item.values()) {
            if (item.isSoft() == soft) {
                text.append("%-17s: %8d %s\n".formatted(item.quotaName, store.quotas.get(item), item.description));
            }
        }
        return text.toString();
    }

    private String set(List<String> arguments, boolean soft) throws XenstoreException {
        require(arguments.size() == 2);
        Quotas.Item item = Quotas.Item.named(arguments.getFirst(), soft);
        int limit = CNumbers.atoi(arguments.getLast());
        if (item == null || limit < 1) {
            throw invalid(arguments.toString());
        }
        store.quotas.set(item, limit);
        return "OK";
    }

    private String usage(int domid) throws XenstoreException {
        DomainRecord record = store.domains.find(domid);
        if (record == null) {
            throw new XenstoreException(XenstoreError.ENOENT, "domain " + domid);
        }
        String line = "%-16s: %8d\n";
        return "Domain %d:\n".formatted(domid) + line.formatted("nodes", record.nodes)
                + line.formatted("watches", record.watches) + line.formatted("transactions", record.transactions)
                + line.formatted("outstanding", record.outstanding) + line.formatted("memory", record.memory());
    }

    private static void require(boolean valid) throws XenstoreException {
        if (!valid) {
            throw invalid("arguments");
        }
    }

    private static XenstoreException invalid(String what) {
        return new XenstoreException(XenstoreError.EINVAL, what);
    }
}
