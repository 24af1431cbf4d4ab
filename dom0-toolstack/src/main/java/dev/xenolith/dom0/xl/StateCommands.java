package dev.xenolith.dom0.xl;

import picocli.CommandLine.Option;

/** The commands that change the state of one domain and print nothing. */
final class StateCommands {
    private StateCommands() {
    }

    /** {@code xl pause}. */
    static final class Pause extends XlCommand {
        @Override
        int leastArguments() {
            return 1;
        }

        @Override
        int run(CommandContext context) {
            context.toolstack().pause(find(context, arguments.getFirst()).domid());
            return 0;
        }
    }

    /** {@code xl unpause}. */
    static final class Unpause extends XlCommand {
        @Override
        int leastArguments() {
            return 1;
        }

        @Override
        int run(CommandContext context) {
            context.toolstack().unpause(find(context, arguments.getFirst()).domid());
            return 0;
        }
    }

    /** {@code xl destroy}. */
    static final class Destroy extends XlCommand {
        @Option(names = "-f")
        private boolean force;

        @Override
        int leastArguments() {
            return 1;
        }

        @Override
        int run(CommandContext context) {
            int domid = find(context, arguments.getFirst()).domid();
            if (domid == 0 && !force) {
                throw ToolstackException.failure("not destroying domain 0, which runs this toolstack; "
                        + "'xenolith host stop' stops everything");
            }
            context.toolstack().destroy(domid);
            return 0;
        }
    }
}
