package dev.xenolith.dom0.xl;

/** {@code xl channel-list} (tools/xl/xl_console.c). The last column, which with xl is a terminal, is the path of a socket. */
final class ChannelListCommand extends XlCommand {
    @Override
    int leastArguments() {
        return 1;
    }

    @Override
    int run(CommandContext context) {
        context.line("%-3s %-2s %-5s %-6s %8s %-10s %-30s", "Idx", "BE", "state", "evt-ch", "ring-ref", "connection",
                "");
        for (String argument : arguments) {
            for (ChannelInfo channel : context.toolstack().channels(find(context, argument).domid())) {
                String path = channel.path();
                context.line("%-3d %-2d %-5d %-6d %-8d %-10s %-30s ", channel.number(), channel.backendDomid(),
                        channel.state(), channel.eventChannel(), channel.ringReference(), channel.connection(),
                        path == null ? "" : path);
            }
        }
        return 0;
    }
}
