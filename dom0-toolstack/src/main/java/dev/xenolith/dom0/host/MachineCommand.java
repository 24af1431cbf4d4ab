package dev.xenolith.dom0.host;

import dev.xenolith.dom0.image.ImageStore;
import dev.xenolith.dom0.xl.Client;
import dev.xenolith.dom0.xl.VersionProvider;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code xenolith machine ...}: a bare machine, without the hypervisor, in the client's own process. */
@Command(name = "machine", description = "Run software on a bare machine, without the hypervisor.", mixinStandardHelpOptions = true, versionProvider = VersionProvider.class, synopsisSubcommandLabel = "COMMAND")
final class MachineCommand {
    private final Client client;

    MachineCommand(Client client) {
        this.client = client;
    }

    /** {@code xenolith machine run}. */
    @Command(name = "run", description = "Boot a kernel or firmware; its first serial port is the terminal, where Ctrl-A x ends the machine.", mixinStandardHelpOptions = true, footer = {
        "",
        "Ends with 0 after power-off, (value << 1) | 1 after a write to the debug-exit port, 4 after a triple fault,",
        "6 when --max-instructions are used up, 8 if --translate lockstep has found a difference; with 1 if something fails, 2 if the command line is wrong. A reset boots anew.",
        "A signal such as SIGTERM switches the machine off, and gives 128 + its number."})
    int run(@Mixin MachineRunOptions options) throws InterruptedException {
        return new MachineRun(client, options.toSettings(client.directory(), ImageStore.of(client.environment())))
                .run();
    }
}
