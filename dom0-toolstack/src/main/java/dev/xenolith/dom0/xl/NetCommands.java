package dev.xenolith.dom0.xl;

import dev.xenolith.dom0.net.pcap.PcapCapture;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code xenolith net ...}: the host's bridges. */
final class NetCommands {
    private NetCommands() {
    }

    /** {@code xenolith net list}. */
    @Command(name = "list", description = "List the ports of all bridges, and what has passed them.")
    static final class ListPorts extends XenolithCommand {
        @Override
        int run(CommandContext context) {
            String format = "%-15s %-15s %10s %14s %10s %10s %14s %10s";
            context.line(format, "Bridge", "Port", "Sent", "Bytes", "Malformed", "Received", "Bytes", "Dropped");
            for (NetworkPortInfo port : context.toolstack().networkPorts()) {
                context.line(format, port.bridge(), port.port(), port.sentFrames(), port.sentBytes(), port.malformed(),
                        port.deliveredFrames(), port.deliveredBytes(), port.dropped());
            }
            return 0;
        }
    }

    /** {@code xenolith net capture}. */
    @Command(name = "capture", description = "Write what passes a port to a file for tcpdump and Wireshark, until interrupted or the port is gone.")
    static final class Capture extends XenolithCommand {
        @Option(names = {"-s",
            "--snap-length"}, paramLabel = "BYTES", description = "So much of each frame is kept (default: all).")
        private int snapLength = PcapCapture.DEFAULT_SNAP_LENGTH;

        @Parameters(index = "0", paramLabel = "PORT", description = "The port, as 'xenolith net list' shows it, such as vif1.0.")
        private String port = "";

        @Parameters(index = "1", paramLabel = "FILE", description = "The file; one that is there is replaced.")
        private String file = "";

        @Override
        int run(CommandContext context) {
            Path path;
            try {
                path = context.client().directory().resolve(file).toAbsolutePath().normalize();
            } catch (InvalidPathException e) {
                throw new ToolstackException(ToolstackException.FAILURE,
                        "net capture: expected a file, found \"" + file + "\": " + e.getReason(), e);
            }
            NetworkCapture capture = context.toolstack().capture(port, path, snapLength);
            try (capture) {
                context.message("xenolith: net capture: capturing " + port + " to " + path);
                capture.await();
            } catch (InterruptedException e) {
                // That is how a capture ends, as tcpdump's does.
            }
            context.message("xenolith: net capture: " + capture.written() + " frames captured, " + capture.dropped()
                    + " left out");
            return 0;
        }
    }
}
