package dev.xenolith.cpu.translate;

import com.sun.jna.Native;
import com.sun.jna.Platform;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;

/**
 * The threads of HotSpot's compilers, which are not to take the processor from the one that executes guests: it knows nothing better to do
 * than to go on in the interpreter until they are done. On a host with two processors and both compilers at work it would otherwise get
 * two thirds of one. Only on Linux, where a thread has a nice value of its own (setpriority(2)); elsewhere nothing is done.
 */
final class CompilerThreads {
    private static final int NICE = 10;
    private static final int PRIO_PROCESS = 0;
    private static final Path TASKS = Path.of("/proc/self/task");

    /** libc, by JNA's direct mapping. */
    private static final class Libc {
        static {
            Native.register(Libc.class, Platform.C_LIBRARY_NAME);
        }

        private Libc() {}

        static native int setpriority(int which, int who, int priority);
    }

    private final Set<String> known = new HashSet<>();

    /** Has those that there are by now yield to others. HotSpot starts more when it has much to do: to be called now and then. */
    void yieldToGuests() {
        if (!Platform.isLinux()) {
            return;
        }
        try (DirectoryStream<Path> tasks = Files.newDirectoryStream(TASKS)) {
            for (Path task : tasks) {
                String id = task.getFileName().toString();
                if (known.add(id) && isCompiler(task)) {
                    // If the host refuses, boots are slower and nothing else.
                    Libc.setpriority(PRIO_PROCESS, Integer.parseInt(id), NICE);
                }
            }
        } catch (IOException e) {
            // The same: /proc need not be there.
            known.clear();
        }
    }

    /** Names of threads are cut off after 15 bytes: "C2 CompilerThre". */
    private static boolean isCompiler(Path task) throws IOException {
        try {
            String name = Files.readString(task.resolve("comm"));
            return name.startsWith("C1 Compiler") || name.startsWith("C2 Compiler");
        } catch (NoSuchFileException e) {
            // It has ended meanwhile.
            return false;
        }
    }
}
