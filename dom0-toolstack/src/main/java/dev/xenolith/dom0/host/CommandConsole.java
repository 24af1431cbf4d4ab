package dev.xenolith.dom0.host;

import dev.xenolith.dom0.console.ConsoleAttachment;
import dev.xenolith.dom0.console.ConsoleClient;
import dev.xenolith.dom0.console.ConsoleDaemon;
import dev.xenolith.dom0.xl.ConsoleConnection;
import dev.xenolith.dom0.xl.ConsoleOutput;
import dev.xenolith.dom0.xl.NoSuchDomainException;
import dev.xenolith.dom0.xl.ToolstackException;
import java.util.Objects;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A command's hold on a domain's console: the command's thread on one side, the console daemon in dom0 on the other. */
final class CommandConsole implements ConsoleConnection, ConsoleClient {
    private final HostToolstack toolstack;
    private final ConsoleOutput output;
    /** Set on the machine thread before anybody can use it. */
    private @Nullable ConsoleAttachment attachment;
    /** Released when the daemon takes input again. */
    private final Semaphore inputRoom = new Semaphore(0);

    private CommandConsole(HostToolstack toolstack, ConsoleOutput output) {
        this.toolstack = toolstack;
        this.output = output;
    }

    static CommandConsole attach(HostToolstack toolstack, ConsoleDaemon daemon, int domid, int number,
            ConsoleOutput output) {
        CommandConsole console = new CommandConsole(toolstack, output);
        toolstack.ask(() -> {
            ConsoleAttachment attached = daemon.attach(domid, number, console);
            if (attached == null && number != 0) {
                throw ToolstackException.failure("domain " + domid + " has no console " + number);
            }
            if (attached == null) {
                throw new NoSuchDomainException(domid);
            }
            console.attachment = attached;
            return true;
        });
        return console;
    }

    private ConsoleAttachment attachment() {
        return Objects.requireNonNull(attachment);
    }

    // ---- the command's side ----

    @Override
    public void input(byte[] bytes, int offset, int length) throws InterruptedException {
        int done = 0;
        while (done < length) {
            inputRoom.drainPermits();
            int from = offset + done;
            int left = length - done;
            done += toolstack.ask(() -> attachment().input(bytes, from, left));
            while (done < length && !inputRoom.tryAcquire(1, TimeUnit.SECONDS)) {
                toolstack.requireRunning();
            }
        }
    }

    @Override
    public void outputHasRoom() {
        toolstack.tell(() -> attachment().outputHasRoom());
    }

    @Override
    public void close() {
        toolstack.tell(() -> attachment().detach());
    }

    // ---- the daemon's side, on the machine thread ----

    @Override
    public int offer(byte[] bytes, int offset, int length) {
        return output.offer(bytes, offset, length);
    }

    @Override
    public void inputHasRoom() {
        inputRoom.release();
    }

    @Override
    public void closed() {
        output.closed();
        inputRoom.release();
    }
}
