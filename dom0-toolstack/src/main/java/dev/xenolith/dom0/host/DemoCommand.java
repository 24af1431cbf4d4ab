package dev.xenolith.dom0.host;

import dev.xenolith.dom0.xl.Client;
import dev.xenolith.dom0.xl.VersionProvider;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/** {@code xenolith demo}, which runs in the client's own process. */
@Command(name = "demo", description = "Boot a host, run two guests on it, and end it.", mixinStandardHelpOptions = true, versionProvider = VersionProvider.class)
final class DemoCommand implements Callable<Integer> {
    private final Client client;

    DemoCommand(Client client) {
        this.client = client;
    }

    @Override
    public Integer call() throws InterruptedException {
        return new Demo().run(client);
    }
}
