package dev.xenolith.dom0.host;

import dev.xenolith.dom0.protocol.Places;
import dev.xenolith.dom0.xl.ToolstackException;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.CodeSource;
import java.util.ArrayList;
import java.util.List;

/** Starts the daemon as a process of its own, detached from terminal and session, and waits until it is ready. */
final class DaemonProcess {
    /**
     * Guest RAM is not on it: with metaspace, code cache and thread stacks, and 50 domains of 8 MiB, the process stays within
     * 1.5 GB. The young generation has one size, so that its share is the same from the first collection on; the old one grows
     * with what domains need and shrinks when they are gone: see {@link HeapTrim}. What the JIT compilers needed for one large
     * method goes back as well.
     */
    private static final List<String> HEAP = List.of("-Xms128m", "-Xmx512m", "-Xmn96m", "-XX:MinHeapFreeRatio=20",
            "-XX:MaxHeapFreeRatio=40", "-XX:MaxMetaspaceSize=192m", "-XX:TrimNativeHeapInterval=5000");

    private DaemonProcess() {
    }

    /**
     * Starts it.
     *
     * @param options of {@code xenolith host start}
     * @throws ToolstackException with the daemon's own line if it does not come up
     */
    static void start(Places places, HostStartOptions options) throws InterruptedException {
        List<String> command = new ArrayList<>(detached());
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        String home = System.getProperty("xenolith.home");
        if (home != null) {
            command.add("@" + Path.of(home, "cpu-emulator", "jvm.options"));
            command.add("-Dxenolith.home=" + home);
            // Of our classes and what is hot in them; one that does not fit this JVM is passed over without a word.
            command.add("-XX:AOTCache=" + Path.of(home, "dom0-toolstack", "target", "lib", "machine.aot"));
            command.add("-Xlog:disable");
        }
        command.addAll(HEAP);
        command.add("-Dlogback.configurationFile=logback-daemon.xml");
        command.add("-Dxenolith.log=" + places.log());
        command.add("-cp");
        command.add(classPath());
        command.add(DaemonMain.class.getName());
        command.addAll(options.toArguments());
        try {
            prepare(places.log());
            Process process = new ProcessBuilder(command).redirectInput(Redirect.from(new File("/dev/null")))
                    .redirectError(Redirect.to(places.errors().toFile())).start();
            try (BufferedReader out = process.inputReader(StandardCharsets.UTF_8)) {
                String line = out.readLine();
                if (!DaemonMain.READY.equals(line)) {
                    throw ToolstackException
                            .failure("the host did not start: " + (line != null ? line : lastError(places)));
                }
            }
        } catch (IOException e) {
            throw new ToolstackException(ToolstackException.FAILURE, "the host did not start: " + e, e);
        }
    }

    /** Our own jar, whose manifest names the others; in tests, the class path of this process. */
    private static String classPath() {
        CodeSource source = DaemonProcess.class.getProtectionDomain().getCodeSource();
        String location = source == null ? "" : source.getLocation().toString();
        return location.startsWith("file:") && location.endsWith(".jar")
                ? Path.of(URI.create(location)).toString()
                : System.getProperty("java.class.path");
    }

    private static void prepare(Path log) throws IOException {
        Path directory = log.toAbsolutePath().getParent();
        if (directory != null && !Files.isDirectory(directory)) {
            Files.createDirectories(directory,
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        }
    }

    /** A session of its own if there is a setsid, else at least deaf to hangups. */
    private static List<String> detached() {
        String path = System.getenv().getOrDefault("PATH", "/usr/bin:/bin");
        for (String directory : path.split(File.pathSeparator, -1)) {
            if (!directory.isEmpty() && Files.isExecutable(Path.of(directory, "setsid"))) {
                return List.of("setsid");
            }
        }
        return List.of("nohup");
    }

    /** The JVM itself failed: the last line that it wrote. */
    private static String lastError(Places places) {
        try {
            List<String> lines = Files.readAllLines(places.errors(), StandardCharsets.UTF_8);
            return lines.isEmpty() ? "its process ended without a word; see " + places.log() : lines.getLast();
        } catch (IOException e) {
            return "its process ended; see " + places.log();
        }
    }
}
