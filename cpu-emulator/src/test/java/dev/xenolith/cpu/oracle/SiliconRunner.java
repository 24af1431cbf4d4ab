package dev.xenolith.cpu.oracle;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

import org.jspecify.annotations.Nullable;

/**
 * Runs snippets on the host's own processor, in a child process that dies with us (its standard input closes). Inputs and
 * outcomes pass through a file mapped by both, thousands of snippets in one round trip of eight bytes. A snippet that kills
 * the child is reported as {@link Outcome.Ending#CRASH} and the rest of its batch runs in a new child.
 */
final class SiliconRunner implements SnippetRunner {
    /** MXCSR bits of every SSE2 processor, for those that report 0 (SDM 1 11.6.6). */
    private static final int DEFAULT_MXCSR_MASK = 0xffbf;
    private static final int EXIT_REFUSED = 2;

    private final int capacity;
    private final Path executable;
    private @Nullable Child child;

    /** Why this machine cannot be an oracle; empty if it can. */
    static Optional<String> unavailable() {
        String system = System.getProperty("os.name") + " on " + System.getProperty("os.arch");
        if (!system.equals("Linux on amd64")) {
            return Optional.of("snippets run natively only under Linux on an x86-64 processor; this is " + system);
        }
        try {
            new SiliconRunner(1).close();
            return Optional.empty();
        } catch (RefusedException e) {
            return Optional.of(String.valueOf(e.getMessage()));
        }
    }

    /** The host does not allow what the runner needs. */
    private static final class RefusedException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        RefusedException(String why) {
            super(why);
        }
    }

    /** @param capacity snippets in a batch, at least 1; each costs 16 KB of shared memory */
    SiliconRunner(int capacity) {
        this.capacity = capacity;
        try {
            // Beside the classes: a temporary directory may be mounted noexec.
            executable = Files.createTempFile(Path.of("target").toAbsolutePath(), RunnerImage.NAME, "");
            try (InputStream image = RunnerImage.open()) {
                Files.copy(image, executable, StandardCopyOption.REPLACE_EXISTING);
            }
            Files.setPosixFilePermissions(executable, PosixFilePermissions.fromString("rwx------"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        try {
            child = new Child();
        } catch (IOException e) {
            deleteExecutable();
            throw new UncheckedIOException(e);
        } catch (RefusedException e) {
            deleteExecutable();
            throw e;
        }
    }

    private void deleteExecutable() {
        try {
            Files.deleteIfExists(executable);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Path directoryForSharedMemory() {
        Path memory = Path.of("/dev/shm");
        return Files.isWritable(memory) ? memory : Path.of(System.getProperty("java.io.tmpdir"));
    }

    int capacity() {
        return capacity;
    }

    /** MXCSR bits that may be set without #GP. */
    int mxcsrMask() {
        int mask = child().shared.headerInt(SharedLayout.HEADER_MXCSR_MASK);
        return mask == 0 ? DEFAULT_MXCSR_MASK : mask;
    }

    @Override
    public void run(List<Snippet> snippets, List<Outcome> outcomes) {
        for (int from = 0; from < snippets.size(); from += capacity) {
            int to = Math.min(from + capacity, snippets.size());
            runBatch(snippets.subList(from, to), outcomes.subList(from, to));
        }
    }

    private void runBatch(List<Snippet> snippets, List<Outcome> outcomes) {
        int next = 0;
        while (next < snippets.size()) {
            int count = snippets.size() - next;
            SharedLayout shared = child().shared;
            for (int i = 0; i < count; i++) {
                shared.put(i, snippets.get(next + i));
            }
            boolean finished = child().run(count);
            int done = finished ? count : shared.headerInt(SharedLayout.HEADER_CURRENT);
            for (int i = 0; i < done; i++) {
                shared.get(i, outcomes.get(next + i));
            }
            next += done;
            if (!finished) {
                outcomes.get(next++).ending = Outcome.Ending.CRASH;
                restart();
            }
        }
    }

    private Child child() {
        if (child == null) {
            throw new IllegalStateException("closed");
        }
        return child;
    }

    private void restart() {
        child().close();
        try {
            child = new Child();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        if (child != null) {
            child.close();
            child = null;
            deleteExecutable();
        }
    }

    /** One running process and the file it shares with us, which has no name any more once both have mapped it. */
    private final class Child {
        final SharedLayout shared;
        private final Arena arena = Arena.ofShared();
        private final Process process;
        private final ByteBuffer message = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN);

        Child() throws IOException {
            Path path = Files.createTempFile(directoryForSharedMemory(), "xenolith-snippets-", "");
            MemorySegment file;
            try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
                file = channel.map(FileChannel.MapMode.READ_WRITE, 0, SharedLayout.fileBytes(capacity), arena);
            }
            shared = new SharedLayout(file);
            shared.putHeader(SharedLayout.HEADER_CAPACITY, capacity);
            shared.putBytes(SharedLayout.READ_ONLY_LOW_CONTENTS,
                    AddressMap.readOnlyContents(AddressMap.READ_ONLY_LOW));
            shared.putBytes(SharedLayout.READ_ONLY_HIGH_CONTENTS,
                    AddressMap.readOnlyContents(AddressMap.READ_ONLY_HIGH));
            process = new ProcessBuilder(executable.toString(), path.toString()).start();
            boolean ready = awaitAnswer();
            Files.delete(path);
            if (!ready) {
                String why = new String(process.getErrorStream().readAllBytes(),
                        StandardCharsets.UTF_8);
                close();
                if (process.exitValue() == EXIT_REFUSED) {
                    throw new RefusedException(why.strip());
                }
                throw new IOException("the silicon runner did not start: " + why.strip());
            }
            if (shared.headerLong(SharedLayout.HEADER_MAGIC) != SharedLayout.MAGIC
                    || shared.headerInt(SharedLayout.HEADER_SLOT_BYTES) != SharedLayout.SLOT_BYTES
                    || shared.headerInt(SharedLayout.HEADER_REGISTERS_BYTES) != SharedLayout.REGISTERS_BYTES) {
                close();
                throw new IOException("the silicon runner is of another version; run src/test/native/oracle/build.sh");
            }
        }

        /** Returns whether all snippets ran; otherwise the child has died. */
        boolean run(int count) {
            try {
                process.getOutputStream().write(message.putInt(0, count).array());
                process.getOutputStream().flush();
                return awaitAnswer();
            } catch (IOException e) {
                return false;
            }
        }

        private boolean awaitAnswer() throws IOException {
            return process.getInputStream().readNBytes(4).length == 4;
        }

        void close() {
            try {
                process.getOutputStream().close();
                if (!process.waitFor(5, TimeUnit.SECONDS)) {
                    process.destroyForcibly();
                }
            } catch (IOException e) {
                process.destroyForcibly();
            } catch (InterruptedException e) {
                process.destroyForcibly();
                Thread.currentThread().interrupt();
            }
            arena.close();
        }
    }
}
