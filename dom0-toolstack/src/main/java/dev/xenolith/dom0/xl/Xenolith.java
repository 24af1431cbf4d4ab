package dev.xenolith.dom0.xl;

import dev.xenolith.dom0.xl.CommandContext.GlobalOptions;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Option;

/** The xenolith command line: everything that xl has no command for. */
public final class Xenolith {
    private Xenolith() {
    }

    /** The root of the tree. */
    @Command(name = "xenolith", mixinStandardHelpOptions = true, versionProvider = VersionProvider.class, description = "An x86-64 computer and a Xen-compatible hypervisor. Domains are controlled by xl.", synopsisSubcommandLabel = "COMMAND")
    static final class Root {
        private final CommandContext context;

        Root(CommandContext context) {
            this.context = context;
        }

        CommandContext context() {
            return context;
        }
    }

    /** A node of the tree that only has children. */
    @Command(mixinStandardHelpOptions = true, synopsisSubcommandLabel = "COMMAND")
    static final class Group {
    }

    /**
     * Runs a command line on the calling thread; an interrupt of it cancels the command.
     *
     * @param arguments without the word xenolith
     * @param client who runs it
     * @param toolstack gives the host when a command asks for it, or throws
     * @param local further commands by name, such as host and demo, which need no host or run one themselves
     * @return the exit code
     */
    public static int run(List<String> arguments, Client client, Supplier<Toolstack> toolstack,
            Map<String, Object> local) {
        CommandContext context = new CommandContext(client, toolstack, GlobalOptions.NONE);
        CommandLine root = tree(context, local, arguments.isEmpty() ? "" : arguments.getFirst());
        boolean colour = client.outIsTerminal() && !client.environment().containsKey("NO_COLOR");
        root.setOut(new PrintWriter(new OutputStreamWriter(client.out(), StandardCharsets.UTF_8), true));
        root.setErr(new PrintWriter(new OutputStreamWriter(client.err(), StandardCharsets.UTF_8), true));
        root.setColorScheme(CommandLine.Help.defaultColorScheme(colour ? Ansi.ON : Ansi.OFF));
        root.setUsageHelpWidth(Math.clamp(client.columns(), 60, 120));
        root.setExpandAtFiles(false);
        root.setParameterExceptionHandler((e, args) -> {
            context.message("xenolith: " + String.valueOf(e.getMessage()).lines().findFirst().orElse("") + "; see '"
                    + e.getCommandLine().getCommandSpec().qualifiedName() + " --help'");
            return ToolstackException.USAGE;
        });
        return Failures.guard(context, "xenolith", () -> execute(root, arguments));
    }

    /** Lets the exceptions of commands through, for {@link Failures}. */
    private static int execute(CommandLine root, List<String> arguments) throws InterruptedException {
        Throwable[] thrown = new Throwable[1];
        root.setExecutionExceptionHandler((e, command, result) -> {
            thrown[0] = e;
            return ToolstackException.FAILURE;
        });
        int exitCode = root.execute(arguments.toArray(String[]::new));
        switch (thrown[0]) {
            case null -> {
                return exitCode;
            }
            case RuntimeException e -> throw e;
            case InterruptedException e -> throw e;
            case IOException e -> throw new ToolstackException(ToolstackException.FAILURE, e.toString(), e);
            default -> throw new IllegalStateException(thrown[0]);
        }
    }

    /** The commands; only the one that is {@code wanted} if there is such, for describing all of them takes half a second. */
    private static CommandLine tree(CommandContext context, Map<String, Object> local, String wanted) {
        Map<String, Supplier<Object>> commands = new LinkedHashMap<>();
        local.forEach((name, command) -> commands.put(name, () -> command));
        commands.put("xenstore", Xenolith::xenstore);
        commands.put("net", Xenolith::net);
        commands.put("trace", Trace::new);
        commands.put("gdb", GdbCommand::new);
        CommandLine root = new CommandLine(new Root(context));
        commands.forEach((name, command) -> {
            if (name.equals(wanted) || !commands.containsKey(wanted)) {
                root.addSubcommand(name, command.get());
            }
        });
        return root;
    }

    private static CommandLine xenstore() {
        CommandLine xenstore = new CommandLine(new Group());
        xenstore.getCommandSpec().usageMessage().description("Look into xenstore and change it.");
        Map<String, Object> leaves = new LinkedHashMap<>();
        leaves.put("ls", new XenstoreCommands.Ls());
        leaves.put("list", new XenstoreCommands.ListChildren());
        leaves.put("read", new XenstoreCommands.Read());
        leaves.put("write", new XenstoreCommands.Write());
        leaves.put("rm", new XenstoreCommands.Remove());
        leaves.put("exists", new XenstoreCommands.Exists());
        leaves.put("chmod", new XenstoreCommands.Chmod());
        leaves.put("watch", new XenstoreCommands.Watch());
        leaves.forEach(xenstore::addSubcommand);
        return xenstore;
    }

    private static CommandLine net() {
        CommandLine net = new CommandLine(new Group());
        net.getCommandSpec().usageMessage().description("Look at the host's network.");
        net.addSubcommand("list", new NetCommands.ListPorts());
        net.addSubcommand("capture", new NetCommands.Capture());
        return net;
    }

    /** {@code xenolith trace}. */
    @Command(name = "trace", description = "Print the hypervisor's trace records.")
    static final class Trace extends XenolithCommand {
        @Option(names = {"-c",
            "--class"}, split = ",", paramLabel = "CLASS", description = "Only these: hypercall, trap, exit, schedule, event, grant, xenstore.")
        private Set<String> classes = new TreeSet<>();

        @Option(names = {"-d", "--domain"}, paramLabel = "DOMAIN", description = "Only about this domain.")
        private String domain = "";

        @Option(names = {"-f", "--follow"}, description = "Go on with new records until interrupted.")
        private boolean follow;

        @Override
        int run(CommandContext context) throws InterruptedException {
            OptionalInt domid = domain.isEmpty()
                    ? OptionalInt.empty()
                    : OptionalInt.of(DomainSelector.find(context.toolstack(), domain).domid());
            context.toolstack().trace(new TraceOptions(classes, domid, follow), new TraceOutput() {
                @Override
                public void line(String text) {
                    context.line("%s", text);
                }

                @Override
                public void note(String text) {
                    context.message("xenolith: trace: " + text);
                }

                @Override
                public void flush() {
                    context.flush();
                }
            });
            return 0;
        }
    }
}
