package dev.xenolith.dom0.xl;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** A leaf of {@code xenolith}'s tree of commands. */
@Command(mixinStandardHelpOptions = true, versionProvider = VersionProvider.class)
abstract class XenolithCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Override
    public Integer call() throws InterruptedException {
        return run(((Xenolith.Root) spec.root().userObject()).context());
    }

    /** Runs the command; as {@link XlCommand#run}. */
    abstract int run(CommandContext context) throws InterruptedException;
}
