package dev.xenolith.dom0.image;

import dev.xenolith.dom0.config.PulledImages;
import dev.xenolith.dom0.protocol.Places;
import dev.xenolith.dom0.xl.ToolstackException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The images of a user, each a directory in the cache. An image is there as a whole or not at all: it is made beside its place and
 * moved there, under a lock that lets one process work here at a time.
 */
public final class ImageStore {
    private static final String LOCK = ".lock";
    private static final String DOWNLOADS = ".downloads";
    private static final String STAGING = ".new";
    private static final String REPLACED = ".old";

    /** Parts of an image that is being made. */
    record Parts(byte[] kernel, byte[] initrd, String commandLine) {
    }

    /** Makes the parts of an image; what it downloads it keeps in the directory, so that it can go on if it is cut off. */
    @FunctionalInterface
    interface Recipe {
        Parts make(Path downloads) throws IOException, InterruptedException;
    }

    private final Path root;

    /** Images in the directory {@code root}, which need not exist. */
    public ImageStore(Path root) {
        this.root = root;
    }

    /** The images of the user whose {@code environment} this is. */
    public static ImageStore of(Map<String, String> environment) {
        return new ImageStore(Places.images(environment, System.getProperty("user.home")));
    }

    /** The image {@code name}; throws {@link ToolstackException} if it has not been pulled. */
    public Image get(String name) {
        if (!PulledImages.isName(name)) {
            throw new ToolstackException(ToolstackException.USAGE, "'" + name + "' is no name of an image");
        }
        Path directory = root.resolve(name);
        try {
            return new Image(directory.resolve(PulledImages.KERNEL), directory.resolve(PulledImages.INITRD),
                    Files.readString(directory.resolve(PulledImages.COMMAND_LINE)));
        } catch (NoSuchFileException e) {
            throw ToolstackException.failure("there is no image '" + name + "' in " + root + "; 'xenolith image pull "
                    + name + "' fetches it");
        } catch (IOException e) {
            throw new ToolstackException(ToolstackException.FAILURE, "image '" + name + "': " + e, e);
        }
    }

    /** Makes the image {@code name}, or makes it anew, and returns it. */
    Image make(String name, Recipe recipe) throws InterruptedException {
        try {
            Files.createDirectories(root);
            try (FileChannel file = FileChannel.open(root.resolve(LOCK), StandardOpenOption.CREATE,
                    StandardOpenOption.WRITE); FileLock lock = lock(file)) {
                if (lock == null) {
                    throw ToolstackException.failure("another process makes an image in " + root);
                }
                make(root.resolve(name), recipe);
            }
        } catch (IOException e) {
            throw new ToolstackException(ToolstackException.FAILURE, "image '" + name + "': " + e.getMessage(), e);
        }
        return get(name);
    }

    private static @Nullable FileLock lock(FileChannel file) throws IOException {
        try {
            return file.tryLock();
        } catch (OverlappingFileLockException e) {
            return null;
        }
    }

    private void make(Path place, Recipe recipe) throws IOException, InterruptedException {
        Path staging = place.resolveSibling(place.getFileName() + STAGING);
        Path replaced = place.resolveSibling(place.getFileName() + REPLACED);
        Path downloads = root.resolve(DOWNLOADS);
        // What a process that was killed has left.
        delete(staging);
        delete(replaced);
        Files.createDirectories(downloads);
        Parts parts = recipe.make(downloads);
        Files.createDirectory(staging);
        write(staging.resolve(PulledImages.KERNEL), parts.kernel);
        write(staging.resolve(PulledImages.INITRD), parts.initrd);
        write(staging.resolve(PulledImages.COMMAND_LINE), parts.commandLine.getBytes(StandardCharsets.UTF_8));
        if (Files.exists(place)) {
            Files.move(place, replaced, StandardCopyOption.ATOMIC_MOVE);
        }
        Files.move(staging, place, StandardCopyOption.ATOMIC_MOVE);
        delete(replaced);
        delete(downloads);
    }

    /** Writes a file and has it on the disk: a move must not be there before what it moves. */
    private static void write(Path file, byte[] content) throws IOException {
        Files.write(file, content, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE, StandardOpenOption.SYNC);
    }

    private static void delete(Path directory) throws IOException {
        if (!Files.exists(directory)) {
            return;
        }
        List<Path> contents;
        try (Stream<Path> walk = Files.walk(directory)) {
            contents = walk.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path each : contents) {
            Files.delete(each);
        }
    }
}
