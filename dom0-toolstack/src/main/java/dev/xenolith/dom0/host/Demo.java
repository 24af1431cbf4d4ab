package dev.xenolith.dom0.host;

import dev.xenolith.dom0.xenstore.XenstoreException;
import dev.xenolith.dom0.xl.Client;
import dev.xenolith.dom0.xl.ConsoleConnection;
import dev.xenolith.dom0.xl.DomainEvent;
import dev.xenolith.dom0.xl.DomainEvents;
import dev.xenolith.dom0.xl.Toolstack;
import dev.xenolith.dom0.xl.ToolstackException;
import dev.xenolith.dom0.xl.Xenstore;
import dev.xenolith.dom0.xl.Xl;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * {@code xenolith demo}: a host in this process, two guests on it that exchange a message through xenstore, and an orderly end. Each
 * step says what it does; anything unexpected ends it with exit code 1.
 */
final class Demo {
    private static final int PATIENCE_SECONDS = 60;
    private static final String CONFIG = "guest-images/configs/minishell.cfg";
    private static final String BANNER = "Type help.";

    /** A step and how long it took, for the summary. */
    private record Step(String name, long nanos) {
    }

    /** One guest of the demo. */
    private record Guest(String name, int domid, DemoConsole console, ConsoleConnection connection) {
        void type(String line) throws InterruptedException {
            byte[] bytes = (line + "\r").getBytes(StandardCharsets.UTF_8);
            connection.input(bytes, 0, bytes.length);
        }
    }

    private final List<Step> steps = new ArrayList<>();
    private long stepStarted;

    /** Runs it; returns the exit code, or throws when something is not as it should be. */
    int run(Client client) throws InterruptedException {
        PrintStream out = new PrintStream(client.out(), true, StandardCharsets.UTF_8);
        long started = System.nanoTime();
        Path config = home().resolve(CONFIG);
        if (!Files.isRegularFile(config)) {
            throw ToolstackException.failure("demo: " + config + " is missing; run it from a complete checkout");
        }
        stepStarted = started;
        say(out, "Booting a host: one processor, 256 MiB, real clock");
        HostOptions options = new HostOptions(1, 256, HostOptions.DEFAULT.cpuModel(), HostOptions.DEFAULT.clock(),
                HostOptions.DEFAULT.seed(), "sched=credit2 loglvl=all");
        try (RunningHost host = Host.boot(options)) {
            Toolstack toolstack = host.toolstack();
            out.print(toolstack.consoleRing(false));
            done("boot the host");

            say(out, "Creating two guests");
            Guest ping = create(toolstack, client, config, "ping", out);
            Guest pong = create(toolstack, client, config, "pong", out);
            ping.console().await(BANNER, PATIENCE_SECONDS);
            pong.console().await(BANNER, PATIENCE_SECONDS);
            done("create two guests");

            say(out, "xl list");
            xl(toolstack, client, List.of("list"));
            done("list domains");

            say(out, "A message from ping to pong, through xenstore");
            ping.type("write data/message hello-from-ping");
            try (Xenstore store = toolstack.xenstore()) {
                String message = awaitValue(store, "/local/domain/" + ping.domid() + "/data/message");
                store.writeText("/local/domain/" + pong.domid() + "/data/message", message);
                out.println(
                        "dom0 carried \"" + message + "\" from domain " + ping.domid() + " to domain " + pong.domid());
            } catch (XenstoreException e) {
                throw new ToolstackException(ToolstackException.FAILURE, "demo: xenstore: " + e.getMessage(), e);
            }
            pong.type("read data/message");
            pong.console().await("hello-from-ping", PATIENCE_SECONDS);
            ping.type("uptime");
            ping.console().await("uptime", PATIENCE_SECONDS);
            done("exchange a message");

            say(out, "Shutting down");
            try (DomainEvents events = toolstack.events()) {
                toolstack.requestShutdown(ping.domid(), Toolstack.ShutdownRequest.POWEROFF);
                toolstack.requestShutdown(pong.domid(), Toolstack.ShutdownRequest.POWEROFF);
                awaitEnd(events, Set.of(ping.domid(), pong.domid()));
            }
            done("shut both down");
        }
        done("stop the host");
        out.println();
        for (Step step : steps) {
            out.printf("%-22s %6d ms%n", step.name(), step.nanos() / 1_000_000);
        }
        out.printf("%-22s %6d ms%n", "in all", (System.nanoTime() - started) / 1_000_000);
        return 0;
    }

    private static Path home() {
        return Path.of(System.getProperty("xenolith.home", "."));
    }

    private static void say(PrintStream out, String what) {
        out.println();
        out.println("== " + what);
    }

    private void done(String step) {
        long now = System.nanoTime();
        steps.add(new Step(step, now - stepStarted));
        stepStarted = now;
    }

    private static Guest create(Toolstack toolstack, Client client, Path config, String name, PrintStream out) {
        xl(toolstack, client, List.of("create", "-q", "-p", config.toString(), "name=\"" + name + "\""));
        int domid = toolstack.domains().stream().filter(d -> d.name().equals(name)).findFirst()
                .orElseThrow(() -> ToolstackException.failure("demo: '" + name + "' was created and is not there"))
                .domid();
        DemoConsole console = new DemoConsole(name, out);
        ConsoleConnection connection = toolstack.attachConsole(domid, console);
        toolstack.unpause(domid);
        return new Guest(name, domid, console, connection);
    }

    private static void xl(Toolstack toolstack, Client client, List<String> arguments) {
        int code = Xl.run(arguments, client, () -> toolstack);
        if (code != 0) {
            throw ToolstackException.failure("demo: xl " + String.join(" ", arguments) + " ended with " + code);
        }
        try {
            client.out().flush();
        } catch (IOException e) {
            throw new ToolstackException(ToolstackException.FAILURE, "demo: standard output is gone", e);
        }
    }

    private static String awaitValue(Xenstore store, String path) throws XenstoreException, InterruptedException {
        try (Xenstore.Watch watch = store.watch(List.of(path))) {
            while (true) {
                watch.take();
                String value = store.findText(path);
                if (value != null) {
                    return value;
                } // Not there yet: the watch fires when it is.
            }
        }
    }

    private static void awaitEnd(DomainEvents events, Set<Integer> domids) throws InterruptedException {
        Set<Integer> left = new HashSet<>(domids);
        while (!left.isEmpty()) {
            if (events.take() instanceof DomainEvent.Destroyed destroyed) {
                left.remove(destroyed.domid());
            }
        }
    }
}
