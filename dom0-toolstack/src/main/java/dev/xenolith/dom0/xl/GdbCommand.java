package dev.xenolith.dom0.xl;

import dev.xenolith.dom0.gdb.GdbAddress;
import java.net.InetSocketAddress;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code xenolith gdb}. */
@Command(name = "gdb", description = "Stop a domain and wait for gdb, whose threads are its vCPUs. The domain runs on when gdb has gone.")
final class GdbCommand extends XenolithCommand {
    @Option(names = "--destroy-on-kill", description = "gdb's kill destroys the domain (default: it lets go of it).")
    private boolean destroys;

    @Parameters(index = "0", paramLabel = "DOMAIN", description = "The domain, by name or number.")
    private String domain = "";

    @Parameters(index = "1", arity = "0..1", defaultValue = "127.0.0.1:0", paramLabel = "[HOST]:PORT", description = "Where to listen (default: a free port of the loopback interface).")
    private String address = "";

    @Override
    int run(CommandContext context) {
        InetSocketAddress where;
        try {
            where = GdbAddress.parse(address);
        } catch (IllegalArgumentException e) {
            throw new ToolstackException(ToolstackException.USAGE, "gdb: " + e.getMessage(), e);
        }
        int domid = DomainSelector.find(context.toolstack(), domain).domid();
        try (DomainDebugger debugger = context.toolstack().debug(domid, where, destroys)) {
            InetSocketAddress listening = debugger.address();
            context.line("domain %d has stopped; in gdb: target remote %s:%d", domid,
                    listening.getAddress().getHostAddress(), listening.getPort());
            context.flush();
            debugger.await();
        } catch (InterruptedException e) {
            // That is how somebody says that gdb is not wanted any more.
            context.message("xenolith: gdb: detached");
        }
        return 0;
    }
}
