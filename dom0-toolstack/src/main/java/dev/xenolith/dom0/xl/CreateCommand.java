package dev.xenolith.dom0.xl;

import dev.xenolith.dom0.config.DomainConfig;
import dev.xenolith.dom0.config.DomainConfigJson;
import dev.xenolith.dom0.config.DomainConfigReader;
import dev.xenolith.dom0.config.LifecycleAction;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** {@code xl create}. */
final class CreateCommand extends XlCommand {
    @Option(names = "-c")
    private boolean console;

    @Option(names = "-d")
    private boolean debug;

    @Option(names = "-e")
    private boolean unattended;

    @Option(names = "-F")
    private boolean foreground;

    @Option(names = {"-f", "--defconfig"}, paramLabel = "FILE")
    private @Nullable String file;

    @Option(names = {"-n", "--dryrun"})
    private boolean dryRun;

    @Option(names = "-p")
    private boolean paused;

    @Option(names = {"-q", "--quiet"})
    private boolean quiet;

    @Option(names = {"-V", "--vncviewer", "-A", "--vncviewer-autopass"})
    private boolean viewer;

    /** There are no global masks to ignore. */
    @Option(names = "--ignore-global-affinity-masks")
    private boolean ignoreMasks;

    @Override
    int run(CommandContext context) throws InterruptedException {
        List<String> overrides = new ArrayList<>();
        for (String argument : arguments) {
            if (argument.indexOf('=') >= 0) {
                overrides.add(argument);
            } else if (file == null) {
                file = argument;
            } else {
                XlCommandTable.printHelp(context, "create");
                return ToolstackException.USAGE;
            }
        }
        if (file == null) {
            throw new ToolstackException(ToolstackException.CREATE_INVALID,
                    "create: expected a config file, found none; see 'xl create --help'");
        }
        if (viewer) {
            throw ToolstackException.failure("create: -V and -A are not supported yet");
        }
        if (unattended) {
            throw ToolstackException.failure("create: -e is not supported yet");
        }
        DomainConfigReader.Result result = read(context, file, overrides);
        boolean onlyPrint = dryRun || context.options().dryRun();
        if (onlyPrint || debug) {
            print(context, result.config(), onlyPrint);
        }
        if (onlyPrint) {
            return 0;
        }
        if (!result.missing().isEmpty()) {
            throw new ToolstackException(ToolstackException.CREATE_FAILED, result.missing().getFirst());
        }
        create(context, result.config());
        return 0;
    }

    private DomainConfigReader.Result read(CommandContext context, String name, List<String> overrides) {
        Path directory = context.client().directory();
        DomainConfigReader.Result result;
        try {
            Path path = directory.resolve(name);
            ConfigFile.requireFile(path);
            if (!quiet) {
                context.message("Parsing config from " + name);
            }
            result = ConfigFile.read(name, path, overrides, directory, context.client().environment(),
                    UUID::randomUUID);
        } catch (IOException | InvalidPathException e) {
            throw new ToolstackException(ToolstackException.CREATE_FAILED,
                    "failed to read config file: " + name + ": " + FileProblem.of(e), e);
        }
        result.warnings().forEach(context::message);
        return result;
    }

    /** Prints the result on standard output for a dry run, on standard error for {@code -d}. */
    private static void print(CommandContext context, DomainConfig config, boolean toOut) {
        StringWriter text = new StringWriter();
        try (DomainConfigJson json = new DomainConfigJson(text)) {
            json.writeRead(config);
        }
        if (toOut) {
            context.out().print(text);
        } else {
            context.message(text.toString().stripTrailing());
        }
    }

    private void create(CommandContext context, DomainConfig config) throws InterruptedException {
        Toolstack toolstack = context.toolstack();
        try (DomainEvents events = toolstack.events()) {
            int domid = toolstack.create(config);
            AtomicBoolean started = new AtomicBoolean(paused);
            Runnable start = () -> {
                if (!started.getAndSet(true)) {
                    toolstack.unpause(domid);
                }
            };
            try {
                if (console) {
                    // Attached before the first instruction, so that no output is missed.
                    new ConsoleSession(context, ConsoleSession.DEFAULT_ESCAPE).run(domid, start);
                }
            } finally {
                start.run();
            }
            if (foreground) {
                awaitDeath(context, events, config, domid);
            }
        }
    }

    /** Follows the domain through its restarts until it is gone or kept dead. */
    private static void awaitDeath(CommandContext context, DomainEvents events, DomainConfig config, int created)
            throws InterruptedException {
        int current = created;
        context.message("Waiting for domain " + config.name() + " (domid " + current + ") to die");
        while (true) {
            DomainEvent event = events.take();
            if (event.domid() != current) {
                continue;
            }
            switch (event) {
                case DomainEvent.ShutDown(int domid, ShutdownReason reason) -> {
                    LifecycleAction action = action(config.lifecycle(), reason);
                    context.message("Domain " + domid + " has shut down, reason code " + reason.code() + " 0x"
                            + Integer.toHexString(reason.code()));
                    context.message("Action for shutdown reason code " + reason.code() + " is " + action.key());
                    if (action == LifecycleAction.PRESERVE) {
                        context.message("Done. Exiting now");
                        return;
                    }
                }
                case DomainEvent.Restarted(int domid, int newDomid) -> {
                    context.message("Domain " + domid + " has been restarted as domain " + newDomid);
                    current = newDomid;
                }
                case DomainEvent.Destroyed(int domid) -> {
                    context.message("Domain " + domid + " has been destroyed.");
                    return;
                }
                case DomainEvent.Created _ -> {
                    // We know.
                }
            }
        }
    }

    private static LifecycleAction action(DomainConfig.Lifecycle lifecycle, ShutdownReason reason) {
        return switch (reason) {
            case POWEROFF -> lifecycle.onPoweroff();
            case REBOOT -> lifecycle.onReboot();
            case SUSPEND -> LifecycleAction.PRESERVE;
            case CRASH -> lifecycle.onCrash();
            case WATCHDOG -> lifecycle.onWatchdog();
            case SOFT_RESET -> lifecycle.onSoftReset();
        };
    }
}
