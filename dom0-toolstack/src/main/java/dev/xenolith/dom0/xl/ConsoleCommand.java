package dev.xenolith.dom0.xl;

import picocli.CommandLine.Option;

/** {@code xl console}. */
final class ConsoleCommand extends XlCommand {
    @Option(names = "-t", paramLabel = "type")
    private String type = "pv";

    @Option(names = "-n", paramLabel = "number")
    private int number;

    @Option(names = "-e", paramLabel = "escape")
    private String escape = "^]";

    @Override
    int leastArguments() {
        return 1;
    }

    @Override
    int run(CommandContext context) throws InterruptedException {
        switch (type) {
            case "pv" -> {
                // What all consoles are.
            }
            case "serial", "vuart" -> throw ToolstackException
                    .failure("console: type '" + type + "' is not supported yet; 'pv' is");
            default ->
                throw ToolstackException.failure("console: expected type pv, serial or vuart, found '" + type + "'");
        }
        char character = escapeCharacter();
        DomainInfo domain = find(context, arguments.getFirst());
        if (number != 0
                && context.toolstack().channels(domain.domid()).stream().noneMatch(has -> has.number() == number)) {
            throw ToolstackException.failure("console: domain " + domain.name() + " has no console " + number);
        }
        new ConsoleSession(context, character).run(domain.domid(), number, () -> {});
        return 0;
    }

    private char escapeCharacter() {
        if (escape.length() == 1) {
            return escape.charAt(0);
        }
        if (escape.length() == 2 && escape.charAt(0) == '^') {
            return (char) (escape.charAt(1) & 0x1f);
        }
        throw ToolstackException
                .failure("console: expected an escape character such as ^] or x, found '" + escape + "'");
    }
}
