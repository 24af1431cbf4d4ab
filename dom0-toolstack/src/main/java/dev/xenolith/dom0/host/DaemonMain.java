package dev.xenolith.dom0.host;

import dev.xenolith.dom0.protocol.Places;
import dev.xenolith.dom0.xl.ToolstackException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;

/**
 * The process of the daemon. Standard output is a pipe to the process that started it: one line, {@link #READY} or what went
 * wrong, then nothing more.
 */
public final class DaemonMain {
    /** The line that says that clients may come. */
    static final String READY = "ready";

    private static final Logger LOG = LoggerFactory.getLogger(DaemonMain.class);

    private DaemonMain() {
    }

    /** Runs the daemon until it is asked to stop. Takes the options of {@code xenolith host start}. */
    public static void main(String[] args) throws InterruptedException {
        PrintStream starter = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        System.setOut(new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8));
        Places places = Places.find(System.getenv(), System.getProperty("user.home"));
        Daemon daemon;
        try {
            HostStartOptions options = CommandLine.populateCommand(new HostStartOptions(), args);
            LOG.info("starting at {} with {}", places.socket(), options.toOptions());
            daemon = Daemon.start(host -> boot(host, places.dumps()), options.toOptions(), places);
        } catch (ToolstackException e) {
            LOG.error("not started: {}", e.line(), e);
            starter.println(e.line());
            System.exit(ToolstackException.FAILURE);
            return;
        } catch (RuntimeException | Error e) {
            LOG.error("BUG: not started", e);
            starter.println("BUG: " + e + "; see " + places.log());
            System.exit(ToolstackException.FAILURE);
            return;
        }
        Runtime.getRuntime().addShutdownHook(new Thread(daemon::close, "stop"));
        LOG.info("listening at {}", places.socket());
        starter.println(READY);
        starter.close();
        daemon.awaitStopRequest();
        daemon.close();
        LOG.info("stopped");
        System.exit(0);
    }

    private static Host boot(HostOptions options, Path dumps) {
        Host host = Host.boot(options, dumps);
        HeapTrim.watch(host);
        return host;
    }
}
