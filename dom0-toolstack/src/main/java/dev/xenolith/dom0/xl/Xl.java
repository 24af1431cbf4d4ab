package dev.xenolith.dom0.xl;

import dev.xenolith.dom0.xl.CommandContext.GlobalOptions;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** The xl command line: options in front, the command, what goes wrong. */
public final class Xl {
    private Xl() {
    }

    /**
     * Runs a command line on the calling thread; an interrupt of it cancels the command.
     *
     * @param arguments without the word xl
     * @param client who runs it
     * @param toolstack gives the host when a command asks for it, or throws
     * @return the exit code
     */
    public static int run(List<String> arguments, Client client, Supplier<Toolstack> toolstack) {
        boolean verbose = false;
        boolean force = false;
        boolean dryRun = false;
        boolean progress = false;
        boolean timestamps = false;
        int at = 0;
        CommandContext plain = new CommandContext(client, toolstack, GlobalOptions.NONE);
        // As getopt with '+': clustered one-letter options up to the first word that is none.
        while (at < arguments.size() && arguments.get(at).startsWith("-") && arguments.get(at).length() > 1) {
            String word = arguments.get(at++);
            if (word.equals("--")) {
                break;
            }
            if (word.equals("-h") || word.equals("--help")) {
                XlCommandTable.printHelp(plain);
                plain.flush();
                return 0;
            }
            for (char option : word.substring(1).toCharArray()) {
                switch (option) {
                    case 'v' -> verbose = true;
                    case 'f' -> force = true;
                    case 'N' -> dryRun = true;
                    case 't' -> progress = true;
                    case 'T' -> timestamps = true;
                    default -> {
                        plain.message("xl: unknown global option '" + word + "'; known are -v -f -N -t -T");
                        return ToolstackException.FAILURE;
                    }
                }
            }
        }
        CommandContext context = new CommandContext(client, toolstack,
                new GlobalOptions(verbose, force, dryRun, progress, timestamps));
        if (at == arguments.size()) {
            XlCommandTable.printHelp(context);
            context.flush();
            return ToolstackException.FAILURE;
        }
        String word = arguments.get(at);
        List<String> rest = arguments.subList(at + 1, arguments.size());
        return Failures.guard(context, "xl", () -> dispatch(context, word, rest));
    }

    private static int dispatch(CommandContext context, String word, List<String> arguments)
            throws InterruptedException {
        if (word.equals("help")) {
            String about = arguments.stream().filter(argument -> !argument.equals("--long")).findFirst().orElse("help");
            if (about.equals("help")) {
                XlCommandTable.printHelp(context);
            } else {
                String name = XlCommandTable.resolve(about);
                XlCommandTable.printHelp(context, name == null ? about : name);
            }
            return 0;
        }
        String name = XlCommandTable.resolve(word);
        XlCommandTable.Entry entry = name == null ? null : XlCommandTable.find(name);
        if (entry == null) {
            throw ToolstackException.failure(XlCommandTable.problem(word));
        }
        if (context.options().dryRun() && !entry.canDryRun()) {
            throw ToolstackException.failure(entry.name() + ": has no dry run (-N)");
        }
        XlCommand command = parse(entry, arguments);
        if (command.help) {
            XlCommandTable.printHelp(context, entry.name());
            return 0;
        }
        int least = command.leastArguments();
        if (command.arguments.size() < least) {
            throw new ToolstackException(ToolstackException.USAGE, entry.name() + ": requires at least " + least
                    + (least == 1 ? " argument" : " arguments") + "; see 'xl " + entry.name() + " --help'");
        }
        return command.run(context);
    }

    private static XlCommand parse(XlCommandTable.Entry entry, List<String> arguments) {
        XlCommand command = entry.factory().get();
        try {
            new CommandLine(command).setAbbreviatedOptionsAllowed(true).setOverwrittenOptionsAllowed(true)
                    .setExpandAtFiles(false).parseArgs(arguments.toArray(String[]::new));
        } catch (ParameterException e) {
            throw new ToolstackException(ToolstackException.USAGE, entry.name() + ": " + problem(e), e);
        }
        return command;
    }

    private static @Nullable String problem(ParameterException e) {
        if (e instanceof UnmatchedArgumentException unmatched && unmatched.isUnknownOption()) {
            return "option '" + unmatched.getUnmatched().getFirst() + "' not supported";
        }
        String message = e.getMessage();
        return message == null ? null : message.lines().findFirst().orElse("");
    }
}
