package dev.xenolith.dom0.xl;

import dev.xenolith.dom0.config.DomainConfigJson;
import dev.xenolith.dom0.config.VifSpec;
import java.io.StringWriter;
import java.util.List;

/** The commands about vifs (tools/xl/xl_nic.c). */
final class NetworkCommands {
    private NetworkCommands() {
    }

    /** {@code xl network-attach}. */
    static final class Attach extends XlCommand {
        @Override
        int leastArguments() {
            return 1;
        }

        @Override
        int run(CommandContext context) {
            VifSpec vif;
            try {
                vif = VifSpec.parse(String.join(",", arguments.subList(1, arguments.size())));
            } catch (VifSpec.Problem e) {
                throw new ToolstackException(ToolstackException.FAILURE, "network-attach: " + e.getMessage(), e);
            }
            vif.warnings().forEach(warning -> context.message("xl: warning: network-attach: " + warning));
            int domid = find(context, arguments.getFirst()).domid();
            if (context.options().dryRun()) {
                StringWriter text = new StringWriter();
                try (DomainConfigJson json = new DomainConfigJson(text)) {
                    json.writeVif(vif);
                }
                context.line("vif: %s", text);
                return 0;
            }
            context.toolstack().attachVif(domid, vif);
            return 0;
        }
    }

    /** {@code xl network-list}. */
    static final class ListVifs extends XlCommand {
        @Override
        int leastArguments() {
            return 1;
        }

        @Override
        int run(CommandContext context) {
            context.line("%-3s %-2s %-17s %-6s %-5s %-6s %5s/%-11s %-30s", "Idx", "BE", "Mac Addr.", "handle", "state",
                    "evt-ch", "tx-", "rx-ring-ref", "BE-path");
            for (String argument : arguments) {
                for (VifInfo vif : context.toolstack().vifs(find(context, argument).domid())) {
                    context.line("%-3d %-2d %s %6d %5d %6d %5d/%-11d %-30s", vif.number(), vif.backendDomid(),
                            vif.mac(), vif.number(), vif.state(), vif.eventChannel(), vif.transmitReference(),
                            vif.receiveReference(), vif.backend());
                }
            }
            return 0;
        }
    }

    /** {@code xl network-detach}. */
    static final class Detach extends XlCommand {
        @Override
        int leastArguments() {
            return 2;
        }

        @Override
        int run(CommandContext context) {
            int domid = find(context, arguments.getFirst()).domid();
            String which = arguments.get(1);
            List<VifInfo> vifs = context.toolstack().vifs(domid);
            // As xl tells them apart: anything with a colon is a MAC address.
            VifInfo vif = vifs.stream()
                    .filter(each -> which.indexOf(':') >= 0
                            ? each.mac().equalsIgnoreCase(which)
                            : DomainSelector.isNumber(which) && each.number() == DomainSelector.parse(which))
                    .findFirst()
                    .orElseThrow(() -> ToolstackException.failure("network-detach: unknown device '" + which + "'"));
            context.toolstack().detachVif(domid, vif.number());
            return 0;
        }
    }
}
