package dev.xenolith.dom0.host;

import dev.xenolith.dom0.client.Fallback;
import dev.xenolith.dom0.disktool.DiskCommand;
import dev.xenolith.dom0.image.ImageCommand;
import dev.xenolith.dom0.protocol.Places;
import dev.xenolith.dom0.xl.Client;
import dev.xenolith.dom0.xl.ToolstackException;
import dev.xenolith.dom0.xl.Xenolith;
import dev.xenolith.dom0.xl.Xl;
import java.io.ByteArrayOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Command lines in a process without a host: help, mistakes, dry runs, and what has to do with the host itself. Only here
 * does the client load picocli and the rest.
 */
public final class Standalone implements Fallback {
    private static final String NO_HOST = "no host is running; start one with 'xenolith host start'";

    private final Places places;
    private final boolean inIsTerminal;
    private final boolean outIsTerminal;

    /** Makes one for the places where a host would be. */
    public Standalone(Places places, boolean inIsTerminal, boolean outIsTerminal) {
        this.places = places;
        this.inIsTerminal = inIsTerminal;
        this.outIsTerminal = outIsTerminal;
    }

    @Override
    public boolean daemonLives() {
        try {
            return DaemonLock.holder(places).isPresent();
        } catch (IOException e) {
            return false;
        }
    }

    @Override
    public int runXenolith(List<String> arguments) {
        OutputStream err = new FileOutputStream(FileDescriptor.err);
        Client client = new LocalClient(inIsTerminal, outIsTerminal, err);
        Map<String, Object> local = new LinkedHashMap<>();
        local.put("host", new HostCommand(client, places));
        local.put("demo", new DemoCommand(client));
        local.put("test", new TestCommand(client));
        local.put("machine", new MachineCommand(client));
        local.put("image", new ImageCommand(client));
        local.put("disk", new DiskCommand(client));
        return Xenolith.run(arguments, client, () -> {
            throw ToolstackException.failure(NO_HOST);
        }, local);
    }

    @Override
    public int runXl(List<String> arguments, boolean autoStart) throws IOException, InterruptedException {
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        boolean[] needed = new boolean[1];
        int exitCode = Xl.run(arguments, new LocalClient(inIsTerminal, outIsTerminal, err), () -> {
            needed[0] = true;
            throw ToolstackException.failure(NO_HOST);
        });
        if (!needed[0] || !autoStart) {
            new FileOutputStream(FileDescriptor.err).write(err.toByteArray());
            return exitCode;
        }
        try {
            DaemonProcess.start(places, new HostStartOptions());
        } catch (ToolstackException e) {
            // Somebody else may have been faster.
            if (!daemonLives()) {
                new FileOutputStream(FileDescriptor.err)
                        .write(("xl: " + e.line() + "\n").getBytes(StandardCharsets.UTF_8));
                return ToolstackException.FAILURE;
            }
        }
        return ASK_HOST;
    }
}
