package dev.xenolith.dom0.host;

import dev.xenolith.dom0.protocol.Places;
import dev.xenolith.dom0.xl.Client;
import dev.xenolith.dom0.xl.ToolstackException;
import dev.xenolith.dom0.xl.VersionProvider;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.OptionalLong;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code xenolith host ...}, which runs in the client's own process. */
@Command(name = "host", description = "Start, stop and look at the host.", mixinStandardHelpOptions = true, versionProvider = VersionProvider.class, synopsisSubcommandLabel = "COMMAND")
final class HostCommand {
    /** What {@code status} ends with when there is no host, as init scripts do. */
    static final int NOT_RUNNING = 3;

    private static final long STOP_SECONDS = 30;
    private static final long STOPPING_SECONDS = 5;

    private final Client client;
    private final Places places;
    private final HostControl control;

    HostCommand(Client client, Places places) {
        this.client = client;
        this.places = places;
        control = new HostControl(places);
    }

    private void print(String line) throws IOException {
        client.out().write((line + "\n").getBytes(StandardCharsets.UTF_8));
    }

    /** {@code xenolith host start}. */
    @Command(name = "start", description = "Start the host in the background.", mixinStandardHelpOptions = true)
    int start(@Mixin HostStartOptions options) throws Exception {
        options.toOptions();
        OptionalLong pid = DaemonLock.holder(places);
        if (pid.isPresent()) {
            throw ToolstackException.failure("a host is running already, with pid " + pid.getAsLong());
        }
        DaemonProcess.start(places, options);
        print("host started, pid " + DaemonLock.holder(places).orElse(0));
        return 0;
    }

    /** {@code xenolith host stop}. */
    @Command(name = "stop", description = "Destroy all domains and stop the host.", mixinStandardHelpOptions = true)
    int stop() throws Exception {
        OptionalLong pid = DaemonLock.holder(places);
        if (pid.isEmpty()) {
            throw ToolstackException.failure("no host is running at " + places.socket());
        }
        int exitCode = 0;
        try {
            exitCode = control.request(client, "stop");
        } catch (ToolstackException e) {
            // Somebody else may have asked just before: then it listens no more, and ends.
            if (!endsWithin(pid.getAsLong(), STOPPING_SECONDS)) {
                throw e;
            }
        }
        awaitEnd(pid.getAsLong());
        print("host stopped");
        return exitCode;
    }

    /** {@code xenolith host status}. */
    @Command(name = "status", description = "Say whether the host runs: exit code 0 if it does, 3 if not.", mixinStandardHelpOptions = true)
    int status() throws Exception {
        if (DaemonLock.holder(places).isEmpty()) {
            print("state    : stopped");
            return NOT_RUNNING;
        }
        return control.request(client, "status");
    }

    private static void awaitEnd(long pid) throws InterruptedException {
        if (!endsWithin(pid, STOP_SECONDS)) {
            ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
            throw ToolstackException.failure("the host did not end within " + STOP_SECONDS + " s and was killed");
        }
    }

    private static boolean endsWithin(long pid, long seconds) throws InterruptedException {
        ProcessHandle process = ProcessHandle.of(pid).orElse(null);
        if (process == null) {
            return true;
        }
        try {
            process.onExit().get(seconds, TimeUnit.SECONDS);
            return true;
        } catch (TimeoutException e) {
            return false;
        } catch (ExecutionException e) {
            throw new IllegalStateException(e);
        }
    }
}
