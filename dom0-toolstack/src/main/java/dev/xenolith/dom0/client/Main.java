package dev.xenolith.dom0.client;

import dev.xenolith.dom0.protocol.Connection;
import dev.xenolith.dom0.protocol.Frames;
import dev.xenolith.dom0.protocol.Hello;
import dev.xenolith.dom0.protocol.Places;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The process behind the launchers {@code xl} and {@code xenolith}: sends its command line to the daemon, copies input and
 * output, and ends with the exit code that the daemon gives. Written for a quick start: no lambdas, no streams, no
 * concatenation on the way of an ordinary command.
 */
public final class Main {
    /** Set by the launchers: three digits, 1 if standard input, output, error is a terminal. */
    private static final String TERMINALS = "xenolith.tty";

    private static final String LARGE_JAR = "xenolith.jar";
    private static final int SIGINT = 2;
    private static final int EXIT_FAILURE = 1;
    private static final int EXIT_INTERRUPTED = 130;
    private static final int START_ATTEMPTS = 200;
    private static final int START_PAUSE_MILLIS = 50;

    private final String program;
    private final List<String> arguments;
    private final Places places;
    private final boolean inIsTerminal;
    private final boolean outIsTerminal;
    private final FileInputStream in = new FileInputStream(FileDescriptor.in);
    private final FileOutputStream out = new FileOutputStream(FileDescriptor.out);
    private final FileOutputStream err = new FileOutputStream(FileDescriptor.err);
    private final RawTerminal terminal = new RawTerminal();

    private @Nullable Fallback fallback;

    /** Guarded by this: how many bytes of input the daemon waits for. */
    private int inputWanted;

    private boolean inputStarted;

    private Main(String program, List<String> arguments, Places places, String terminals) {
        this.program = program;
        this.arguments = arguments;
        this.places = places;
        inIsTerminal = terminals.startsWith("1");
        outIsTerminal = terminals.startsWith("1", 1);
    }

    /** Runs a command line, whose first word is the program, xl or xenolith. */
    public static void main(String[] args) {
        Main client = new Main(args[0], List.of(Arrays.copyOfRange(args, 1, args.length)),
                Places.find(System.getenv(), System.getProperty("user.home")), System.getProperty(TERMINALS, "000"));
        int exitCode;
        try {
            exitCode = client.run();
        } catch (IOException e) {
            client.complain(String.valueOf(e.getMessage()));
            exitCode = EXIT_FAILURE;
        } catch (InterruptedException e) {
            exitCode = EXIT_INTERRUPTED;
        }
        client.terminal.restore();
        // Not exit: threads may still wait for input, and there is nothing left to be done in order.
        Runtime.getRuntime().halt(exitCode);
    }

    private int run() throws IOException, InterruptedException {
        boolean isXl = program.equals("xl");
        if (!isXl && !isForHost(arguments)) {
            return fallback().runXenolith(arguments);
        }
        Connection connection = connect();
        if (connection == null && fallback().daemonLives()) {
            connection = await();
        }
        if (connection == null) {
            if (!isXl) {
                return fallback().runXenolith(arguments);
            }
            int exitCode = fallback().runXl(arguments, isCreate(arguments));
            if (exitCode != Fallback.ASK_HOST) {
                return exitCode;
            }
            connection = await();
            if (connection == null) {
                complain("the host was started but does not answer; see " + places.log());
                return EXIT_FAILURE;
            }
        }
        return talk(connection);
    }

    /** Returns whether xenolith's command is one that the daemon runs. */
    private static boolean isForHost(List<String> arguments) {
        return !arguments.isEmpty()
                && (arguments.getFirst().equals("xenstore") || arguments.getFirst().equals("trace")
                        || arguments.getFirst().equals("net") || arguments.getFirst().equals("gdb"));
    }

    /** Returns whether xl's command is create, or an abbreviation of it that is no other's. */
    private static boolean isCreate(List<String> arguments) {
        for (String argument : arguments) {
            if (!argument.startsWith("-")) {
                return argument.length() > 1 && "create".startsWith(argument);
            }
        }
        return false;
    }

    /** Loads what the client's own small jar leaves out from the large one beside it, unless it is on the class path. */
    private Fallback fallback() throws IOException {
        Fallback known = fallback;
        if (known == null) {
            try {
                ClassLoader loader = Main.class.getClassLoader();
                Path jar = Path.of(System.getProperty("java.class.path")).resolveSibling(LARGE_JAR);
                if (Main.class.getResource("/dev/xenolith/dom0/host/Standalone.class") == null) {
                    loader = new URLClassLoader(new URL[]{jar.toUri().toURL()}, loader);
                    Thread.currentThread().setContextClassLoader(loader);
                }
                known = (Fallback) Class.forName("dev.xenolith.dom0.host.Standalone", true, loader)
                        .getConstructor(Places.class, boolean.class, boolean.class)
                        .newInstance(places, inIsTerminal, outIsTerminal);
            } catch (ReflectiveOperationException e) {
                throw new IOException("the installation is damaged: " + e, e);
            }
            fallback = known;
        }
        return known;
    }

    private @Nullable Connection connect() {
        try {
            return Connection.open(places);
        } catch (IOException e) {
            return null;
        }
    }

    /** Waits for a daemon that is about to listen; null if it ends or takes too long. */
    private @Nullable Connection await() throws IOException, InterruptedException {
        for (int attempt = 0; attempt < START_ATTEMPTS; attempt++) {
            Connection connection = connect();
            if (connection != null) {
                return connection;
            }
            if (!fallback().daemonLives()) {
                return null;
            }
            Thread.sleep(START_PAUSE_MILLIS);
        }
        return null;
    }

    private int talk(Connection connection) throws IOException {
        Map<String, String> environment = new HashMap<>();
        for (String name : Hello.VARIABLES) {
            String value = System.getenv(name);
            if (value != null) {
                environment.put(name, value);
            }
        }
        byte[] hello = new Hello(program, arguments, System.getProperty("user.dir"), environment, inIsTerminal,
                outIsTerminal, columns(), 0).encode();
        if (hello.length > Frames.MAX_PAYLOAD) {
            complain("the command line is too long");
            return EXIT_FAILURE;
        }
        // An interrupt ends this process; the daemon hears of it first, and cancels the command. Before there is a command, for
        // once an interrupt has come there can be no more hooks.
        Runtime.getRuntime().addShutdownHook(new Interrupter(connection));
        connection.send(Frames.HELLO, hello, 0, hello.length);
        while (true) {
            switch (connection.receive()) {
                case Frames.STDOUT -> {
                    try {
                        out.write(connection.payload(), 0, connection.length());
                    } catch (IOException e) {
                        return EXIT_FAILURE; // As head(1) does to us: there is nobody to tell.
                    }
                }
                case Frames.STDERR -> err.write(connection.payload(), 0, connection.length());
                case Frames.WANT_STDIN -> wantInput(connection, connection.number());
                case Frames.RAW -> {
                    if (connection.number() != 0) {
                        terminal.raw();
                    } else {
                        terminal.restore();
                    }
                }
                case Frames.EXIT -> {
                    return connection.number();
                }
                case -1 -> {
                    complain("the host ended before the command did");
                    return EXIT_FAILURE;
                }
                default -> {
                    // From a later version of the same protocol; nothing that output depends on.
                }
            }
        }
    }

    private static int columns() {
        String columns = System.getenv("COLUMNS");
        if (columns == null || columns.isEmpty() || columns.length() > 4) {
            return 0;
        }
        int value = 0;
        for (int i = 0; i < columns.length(); i++) {
            int digit = columns.charAt(i) - '0';
            if (digit < 0 || digit > 9) {
                return 0;
            }
            value = value * 10 + digit;
        }
        return value;
    }

    private synchronized void wantInput(Connection connection, int count) {
        inputWanted += count;
        if (!inputStarted) {
            inputStarted = true;
            Thread thread = new Thread(new InputCopier(connection), "input");
            thread.setDaemon(true);
            thread.start();
        }
        notifyAll();
    }

    private synchronized int awaitWanted(int done) throws InterruptedException {
        inputWanted -= done;
        while (inputWanted == 0) {
            wait();
        }
        return inputWanted;
    }

    private void complain(String text) {
        try {
            // In raw mode the cursor is somewhere in the guest's line, and would stay in this column.
            String start = terminal.restore() ? "\n" : "";
            err.write(start.concat(program).concat(": ").concat(text).concat("\n").getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            // Nobody to tell.
        }
    }

    /** Reads input when the daemon wants some. */
    private final class InputCopier implements Runnable {
        private final Connection connection;

        InputCopier(Connection connection) {
            this.connection = connection;
        }

        @Override
        public void run() {
            byte[] buffer = new byte[4096];
            try {
                int wanted = awaitWanted(0);
                while (true) {
                    int length = in.read(buffer, 0, Math.min(wanted, buffer.length));
                    if (length < 0) {
                        connection.send(Frames.STDIN_END, buffer, 0, 0);
                        return;
                    }
                    connection.send(Frames.STDIN, buffer, 0, length);
                    wanted = awaitWanted(length);
                }
            } catch (IOException | InterruptedException e) {
                // The main thread sees the end of the connection, and ends the process.
            }
        }
    }

    /** Tells the daemon that this process was interrupted. */
    private static final class Interrupter extends Thread {
        private final Connection connection;

        Interrupter(Connection connection) {
            super("interrupt");
            this.connection = connection;
        }

        @Override
        public void run() {
            try {
                connection.send(Frames.SIGNAL, new byte[]{SIGINT}, 0, 1);
            } catch (IOException e) {
                // The connection ends with this process, which says the same.
            }
        }
    }
}
