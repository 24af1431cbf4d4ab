package dev.xenolith.dom0.xl;

import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** A command of xl. Its options are fields that picocli fills; what it prints as help stands in {@link XlCommandTable}. */
abstract class XlCommand {
    @Option(names = {"-h", "--help"})
    boolean help;

    @Parameters(arity = "0..*")
    List<String> arguments = new ArrayList<>();

    /**
     * Runs the command.
     *
     * @return the exit code
     * @throws ToolstackException to end with a line on standard error and its exit code
     * @throws InterruptedException the client has gone
     */
    abstract int run(CommandContext context) throws InterruptedException;

    /** Returns how many arguments it needs. */
    int leastArguments() {
        return 0;
    }

    /** Returns the domain that an argument names. */
    static DomainInfo find(CommandContext context, String nameOrId) {
        return DomainSelector.find(context.toolstack(), nameOrId);
    }

    /** Returns the virtual CPUs of a domain that is being listed: none if it has gone meanwhile. */
    static List<VcpuInfo> vcpus(CommandContext context, DomainInfo domain) {
        try {
            return context.toolstack().vcpus(domain.domid());
        } catch (NoSuchDomainException e) {
            return List.of();
        }
    }
}
