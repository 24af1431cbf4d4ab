package dev.xenolith.dom0.xl;

import picocli.CommandLine.Option;

/** {@code xl dmesg}. */
final class DmesgCommand extends XlCommand {
    @Option(names = {"-c", "--clear"})
    private boolean clear;

    @Override
    int run(CommandContext context) {
        context.out().print(context.toolstack().consoleRing(clear));
        return 0;
    }
}
