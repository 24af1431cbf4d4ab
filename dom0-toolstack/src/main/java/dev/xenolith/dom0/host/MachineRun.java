package dev.xenolith.dom0.host;

import dev.xenolith.cpu.interpret.Lockstep;
import dev.xenolith.cpu.interpret.LockstepDifference;
import dev.xenolith.device.board.Outcome;
import dev.xenolith.device.board.PcBoard;
import dev.xenolith.device.boot.BootException;
import dev.xenolith.device.boot.BootRequest;
import dev.xenolith.device.boot.FirmwareImage;
import dev.xenolith.device.pci.PciFunction;
import dev.xenolith.device.pci.PciSlot;
import dev.xenolith.device.boot.OptionRom;
import dev.xenolith.device.display.Display;
import dev.xenolith.device.display.Picture;
import dev.xenolith.device.display.PictureWriter;
import dev.xenolith.device.serial.StreamBackend;
import dev.xenolith.dom0.display.VncServer;
import dev.xenolith.dom0.display.web.SerialConsole;
import dev.xenolith.dom0.gdb.BoardTarget;
import dev.xenolith.dom0.gdb.GdbServer;
import dev.xenolith.dom0.machinedisk.ImageWork;
import dev.xenolith.dom0.machinedisk.MachineDisks;
import dev.xenolith.dom0.monitor.MachineStatistics;
import dev.xenolith.dom0.monitor.MachineTrace;
import dev.xenolith.dom0.monitor.Monitors;
import dev.xenolith.dom0.monitor.TraceSettings;
import dev.xenolith.dom0.xl.Client;
import dev.xenolith.dom0.xl.FileProblem;
import dev.xenolith.dom0.xl.ToolstackException;
import java.io.BufferedOutputStream;
import java.io.BufferedWriter;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Runs a bare machine in the foreground, until it ends by itself or somebody types Ctrl-A x. */
final class MachineRun {
    /** What the command ends with after a triple fault; even, so that no debug-exit can give it. */
    static final int TRIPLE_FAULT = 4;
    /** What it ends with when the instructions allowed are used up. */
    static final int INSTRUCTION_LIMIT = 6;
    /** What it ends with when a unit of the translator has not done what the interpreter does. */
    static final int LOCKSTEP_DIFFERENCE = 8;

    private static final int EXIT_CODE_MASK = 0xff;
    private static final String HELP = """
            Ctrl-A h  this help
            Ctrl-A s  show the screen
            Ctrl-A x  end the machine
            Ctrl-A a  send Ctrl-A
            """;

    /** The board that runs now and its serial line's end; another pair after a reset. */
    private record Running(PcBoard board, StreamBackend serial) {
    }

    private final Client client;
    private final MachineSettings settings;
    private final AtomicReference<@Nullable Running> running = new AtomicReference<>();
    private long instructions;
    private long machineTime;
    private Lockstep.@Nullable Statistics compared;
    private boolean readsInput;
    private final MachineStatistics statistics = new MachineStatistics();
    private boolean isFirst = true;
    private volatile boolean ending;
    private volatile @Nullable IOException serialFailure;
    private final AtomicReference<@Nullable ToolstackException> networkFailure = new AtomicReference<>();
    private List<String> screen = List.of();
    private final Picture picture = new Picture();
    private @Nullable MachineTrace trace;
    private @Nullable VncServer vnc;
    private final SerialConsole webConsole = new SerialConsole(value -> {
        Running now = running.get();
        return now == null || now.serial.offer(value);
    });
    private PcBoard.@Nullable Vga vga;

    MachineRun(Client client, MachineSettings settings) {
        this.client = client;
        this.settings = settings;
    }

    /** Returns the exit code. */
    int run() throws InterruptedException {
        BootRequest request = request();
        FirmwareImage firmware = firmware();
        vga = vga();
        OrderlyEnd orderlyEnd = new OrderlyEnd(this::end);
        try (MachineDisks disks = MachineDisks.open(settings.devices().drives())) {
            return run(request, firmware, disks);
        } catch (IOException e) {
            throw new ToolstackException(ToolstackException.FAILURE, String.valueOf(e.getMessage()), e);
        } finally {
            orderlyEnd.done();
        }
    }

    private int run(@Nullable BootRequest request, @Nullable FirmwareImage firmware, MachineDisks disks)
            throws InterruptedException {
        long start = System.nanoTime();
        try (OutputStream file = serialFile();
                Writer traceOut = traceWriter();
                GdbServer debugger = debugger();
                VncServer viewers = viewers()) {
            vnc = viewers;
            trace = trace(traceOut);
            client.rawMode(file == null);
            Outcome outcome;
            do {
                // The serial line's end flushes what a turn has written.
                outcome = power(request, firmware, new BufferedOutputStream(
                        webConsole.copying(file == null ? client.out() : file)), debugger, disks);
            } while (outcome.kind() == Outcome.Kind.RESET && !ending);
            client.rawMode(false);
            checkTrace(traceOut);
            writeScreenshot();
            if (settings.screen()) {
                client.out().write(text(screen).getBytes(StandardCharsets.UTF_8));
                client.out().flush();
            }
            if (compared != null) {
                print(String.format(Locale.ROOT,
                        "xenolith: lockstep: %,d units in %,d runs of %,d instructions do what the interpreter does\n",
                        compared.units(), compared.runs(), compared.instructions()));
            }
            if (settings.stats()) {
                printStats(System.nanoTime() - start);
            }
            int exitCode = exitCode(outcome);
            if (debugger != null) {
                debugger.exited(exitCode);
            }
            return exitCode;
        } catch (IOException e) {
            throw new ToolstackException(ToolstackException.FAILURE, e.toString(), e);
        } finally {
            client.rawMode(false);
        }
    }

    /** Starts to listen for a debugger, if one is wanted, and says where. */
    private @Nullable GdbServer debugger() throws IOException {
        MachineSettings.Debugging debugging = settings.debugging();
        if (debugging == null) {
            return null;
        }
        GdbServer server;
        try {
            server = new GdbServer(debugging.address(), debugging.architecture(), settings.model().has("avx"));
        } catch (IOException e) {
            throw ToolstackException.failure("--gdb: " + e.getMessage());
        }
        print("xenolith: waiting for gdb: target remote " + server.address().getAddress().getHostAddress() + ":"
                + server.address().getPort() + "\n");
        return server;
    }

    /** Begins to show the screen, if that is wanted, and says where. */
    private @Nullable VncServer viewers() throws IOException {
        if (settings.devices().vnc() == null) {
            return null;
        }
        VncServer server;
        try {
            server = new VncServer(settings.devices().vnc(), "Xenolith", webConsole);
        } catch (IOException e) {
            throw ToolstackException.failure("--vnc: " + e.getMessage());
        }
        for (String line : server.announcements()) {
            print("xenolith: " + line + "\n");
        }
        return server;
    }

    private void show(VncServer viewers, PcBoard board) throws IOException {
        if (isFirst && board.display() == null) {
            print("xenolith: --vnc: this machine has no graphics: the screen stays black\n");
        }
        viewers.connect(board.machine()::post, board.display(), board.keyboard(), board.pointer());
    }

    // ---- trace -------------------------------------------------------------------------------------------------------

    private @Nullable Writer traceWriter() throws IOException {
        TraceSettings wanted = settings.trace();
        if (wanted == null) {
            return null;
        }
        try {
            // Standard error is not ours to close.
            OutputStream out = wanted.file() == null
                    ? new FilterOutputStream(client.err()) {
                        @Override
                        public void write(byte[] bytes, int offset, int length) throws IOException {
                            out.write(bytes, offset, length);
                        }

                        @Override
                        public void close() throws IOException {
                            flush();
                        }
                    }
                    : Files.newOutputStream(wanted.file());
            return new BufferedWriter(new OutputStreamWriter(out, StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw failure("--trace-file", Objects.requireNonNull(wanted.file()), e);
        }
    }

    private @Nullable MachineTrace trace(@Nullable Writer out) {
        TraceSettings wanted = settings.trace();
        if (wanted == null || out == null) {
            return null;
        }
        // A terminal in raw mode does not return at the end of a line.
        boolean raw = wanted.file() == null && settings.serialFile() == null && client.inIsTerminal();
        return new MachineTrace(wanted, out, raw ? "\r\n" : "\n");
    }

    private void checkTrace(@Nullable Writer out) throws IOException {
        if (trace != null && out != null) {
            IOException failure = trace.failure();
            try {
                out.flush();
            } catch (IOException e) {
                failure = e;
            }
            if (failure != null) {
                throw new ToolstackException(ToolstackException.FAILURE, "--trace-file: " + FileProblem.of(failure),
                        failure);
            }
        }
    }

    private @Nullable OutputStream serialFile() {
        Path file = settings.serialFile();
        try {
            return file == null ? null : Files.newOutputStream(file);
        } catch (IOException e) {
            throw failure("--serial", file, e);
        }
    }

    /** Serial output can go nowhere any more. */
    private void serialFailed(IOException e) {
        serialFailure = e;
        end();
    }

    /** A port of this host could not be bound. Any thread. */
    private <T> @Nullable T networkFailed(Throwable failure) {
        Throwable cause = failure instanceof CompletionException && failure.getCause() != null
                ? failure.getCause()
                : failure;
        networkFailure.set(ToolstackException.failure(String.valueOf(cause.getMessage())));
        end();
        return null;
    }

    /** Switches the machine off for good. Any thread. */
    private void end() {
        ending = true;
        Running now = running.get();
        if (now != null) {
            now.board.stop();
        }
    }

    /** Builds a machine, boots it and waits for its end. */
    private Outcome power(@Nullable BootRequest request, @Nullable FirmwareImage firmware, OutputStream out,
            @Nullable GdbServer debugger, MachineDisks disks) throws InterruptedException {
        StreamBackend[] serial = new StreamBackend[1];
        MachineNetwork network = new MachineNetwork(settings.devices().nics(), settings.devices().network());
        List<Function<PciSlot, ? extends PciFunction>> cards = new ArrayList<>(disks.cards());
        cards.addAll(network.cards());
        Long seconds = settings.seconds();
        PcBoard.Options options = new PcBoard.Options(settings.memoryBytes(), settings.processors(), settings.model(),
                settings.machine(), machine -> serial[0] = new StreamBackend(out, machine, this::serialFailed),
                seconds == null ? System.currentTimeMillis() / 1000 : seconds, firmware, settings.debugExit(),
                settings.testDevice(), settings.maxInstructions() - instructions,
                new PcBoard.Peripherals(vga, cards, disks.ideDrives(), settings.devices().bootOrder()));
        try (network; PcBoard board = new PcBoard(options); ImageWork work = new ImageWork(board.machine())) {
            disks.attach(work);
            network.attach(board.machine()).exceptionally(this::networkFailed);
            if (request == null) {
                board.bootFirmware();
            } else {
                board.boot(request);
            }
            running.set(new Running(board, serial[0]));
            if (ending) {
                board.stop();
            }
            readInput();
            Monitors monitors = new Monitors(board.machine().processors());
            if (settings.stats()) {
                statistics.attach(board, monitors);
            }
            if (trace != null) {
                trace.attach(board, instructions, monitors);
            }
            if (debugger != null) {
                if (isFirst && settings.debugging() != null && settings.debugging().freeze()) {
                    board.control().stop();
                }
                debugger.target(new BoardTarget(board));
            }
            if (vnc != null) {
                show(vnc, board);
            }
            isFirst = false;
            board.start();
            Outcome outcome = outcome(board);
            running.set(null);
            if (vnc != null) {
                vnc.disconnect();
            }
            statistics.detach();
            instructions += board.retired();
            count(board.machine().interpreter().lockstep());
            machineTime += board.machine().clock().now();
            screen = board.screen();
            Display display = board.display();
            if (display != null && screenshot() != null) {
                display.draw(picture);
            }
            out.flush();
            ToolstackException unbound = networkFailure.get();
            if (unbound != null) {
                throw unbound;
            }
            IOException failure = serialFailure;
            if (failure != null) {
                throw failure;
            }
            return outcome;
        } catch (BootException e) {
            throw ToolstackException.failure(String.valueOf(e.getMessage()));
        } catch (IOException e) {
            throw new ToolstackException(ToolstackException.FAILURE, "--serial: " + FileProblem.of(e), e);
        } catch (OutOfMemoryError e) {
            throw ToolstackException.failure("--memory: there is no room for " + (settings.memoryBytes() >> 20)
                    + " MiB: " + e.getMessage());
        } catch (ExecutionException e) {
            throw new ToolstackException(ToolstackException.FAILURE, "BUG: the machine ended by " + e.getCause(), e);
        }
    }

    /** Waits for the end of {@code board}. */
    private Outcome outcome(PcBoard board) throws InterruptedException, ExecutionException, IOException {
        try {
            return board.outcome().get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof LockstepDifference difference) {
                client.rawMode(false);
                print("xenolith: lockstep: " + difference.getMessage() + "\n");
                throw new ToolstackException(LOCKSTEP_DIFFERENCE,
                        "BUG: translated code does not do what the interpreter does", e);
            }
            throw e;
        }
    }

    private void count(@Nullable Lockstep lockstep) {
        if (lockstep != null) {
            Lockstep.Statistics latest = lockstep.statistics();
            compared = compared == null ? latest : compared.plus(latest);
        }
    }

    // ---- input -------------------------------------------------------------------------------------------------------

    /** Starts the thread that reads what is typed, once; it ends with the process or with its input. */
    private void readInput() {
        if (readsInput || settings.serialFile() != null) {
            return;
        }
        readsInput = true;
        EscapeKeys keys = new EscapeKeys(new EscapeKeys.Sink() {
            @Override
            public void pass(byte value) throws InterruptedException {
                Running now = running.get();
                if (now != null) {
                    now.serial.feed(value);
                }
            }

            @Override
            public void end() {
                MachineRun.this.end();
            }

            @Override
            public void showScreen() throws InterruptedException {
                Running now = running.get();
                if (now != null) {
                    MachineRun.this.showScreen(now.board);
                }
            }

            @Override
            public void help() {
                say(HELP);
            }
        });
        Thread.ofPlatform().name("serial-input").daemon().start(() -> {
            try (InputStream in = client.in()) {
                for (int value = in.read(); value >= 0; value = in.read()) {
                    keys.typed((byte) value);
                }
            } catch (IOException e) {
                // A terminal that has gone types nothing more.
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
    }

    /** Prints what is on the screen of a machine that runs. Any thread but the machine's. */
    private void showScreen(PcBoard board) throws InterruptedException {
        try {
            say(text(board.machine().call(board::screen).get()));
        } catch (ExecutionException e) {
            // The machine has just ended.
        }
    }

    /** Prints lines between those of the serial port, on a terminal that may be in raw mode. */
    private void say(String lines) {
        try {
            client.out().write(("\n" + lines).replace("\n", "\r\n").getBytes(StandardCharsets.UTF_8));
            client.out().flush();
        } catch (IOException e) {
            // Whoever asked has gone.
        }
    }

    /** The screen as lines of text, without the blank ones at its end. */
    private static String text(List<String> screen) {
        return String.join("\n", screen).stripTrailing() + "\n";
    }

    // ---- files -------------------------------------------------------------------------------------------------------

    private @Nullable BootRequest request() {
        Path kernel = settings.kernel();
        if (kernel == null) {
            return null;
        }
        Path initrd = settings.initrd();
        List<BootRequest.Module> modules = new ArrayList<>();
        for (MachineSettings.Module module : settings.modules()) {
            BootRequest.File file = read("--module", module.file());
            modules.add(new BootRequest.Module(file, (file.name() + " " + module.arguments()).strip()));
        }
        return new BootRequest(read("--kernel", kernel), initrd == null ? null : read("--initrd", initrd),
                settings.commandLine(), modules);
    }

    private @Nullable FirmwareImage firmware() {
        Path bios = settings.firmware();
        if (bios == null) {
            return null;
        }
        try {
            return FirmwareImage.of(read("--bios", bios));
        } catch (BootException e) {
            throw ToolstackException.failure(String.valueOf(e.getMessage()));
        }
    }

    private PcBoard.@Nullable Vga vga() {
        MachineDevices.Display display = settings.devices().display();
        if (display == null) {
            return null;
        }
        Path bios = display.bios();
        try {
            return new PcBoard.Vga(bios == null ? null : OptionRom.of(read("--vga-bios", bios)));
        } catch (BootException e) {
            throw ToolstackException.failure("--vga-bios: " + e.getMessage());
        }
    }

    private @Nullable Path screenshot() {
        MachineDevices.Display display = settings.devices().display();
        return display == null ? null : display.screenshot();
    }

    private void writeScreenshot() {
        Path file = screenshot();
        if (file != null) {
            try (OutputStream out = Files.newOutputStream(file)) {
                PictureWriter.png(picture, out);
            } catch (IOException e) {
                throw failure("--screenshot", file, e);
            }
        }
    }

    private static ToolstackException failure(String option, Path file, IOException e) {
        return new ToolstackException(ToolstackException.FAILURE, option + ": " + file + ": " + FileProblem.of(e), e);
    }

    private static BootRequest.File read(String option, Path file) {
        try {
            return new BootRequest.File(String.valueOf(file.getFileName()), Files.readAllBytes(file));
        } catch (IOException e) {
            throw failure(option, file, e);
        } catch (OutOfMemoryError e) {
            throw ToolstackException.failure(option + ": " + file + ": too large: an image is read into the heap of "
                    + (Runtime.getRuntime().maxMemory() >> 20) + " MiB first");
        }
    }

    // ---- end ---------------------------------------------------------------------------------------------------------

    private int exitCode(Outcome outcome) throws IOException {
        return switch (outcome.kind()) {
            case POWER_OFF, STOPPED, RESET -> 0;
            case DEBUG_EXIT -> outcome.code() & EXIT_CODE_MASK;
            case TRIPLE_FAULT -> {
                print("xenolith: triple fault\n" + outcome.details());
                yield TRIPLE_FAULT;
            }
            case INSTRUCTION_LIMIT -> {
                print("xenolith: --max-instructions are used up\n");
                yield INSTRUCTION_LIMIT;
            }
            case FAILED -> throw ToolstackException.failure(outcome.details());
        };
    }

    private void printStats(long hostTime) throws IOException {
        double seconds = hostTime / 1e9;
        print(String.format(Locale.ROOT,
                "instructions %,d\nmachine time %.6f s\nhost time    %.3f s\nspeed        %.1f MIPS\nseed         %d\n",
                instructions, machineTime / 1e9, seconds, instructions / seconds / 1e6, settings.machine().seed())
                + statistics.report(instructions));
    }

    private void print(String text) throws IOException {
        client.err().write(text.getBytes(StandardCharsets.UTF_8));
        client.err().flush();
    }
}
