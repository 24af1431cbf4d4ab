package dev.xenolith.guest;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * Finds the bundled guest images and sample configurations in a Xenolith directory.
 */
public final class GuestImages {
    /** Names the directory that holds {@code guest-images}; the launchers and the build set it. */
    public static final String HOME_PROPERTY = "xenolith.home";

    private static final String IMAGE_SUFFIX = ".elf";
    private static final String BARE_IMAGES = "images/bare";
    private static final String PAE_IMAGES = "images/pae";

    private final Path directory;

    /**
     * @param home
     *            the Xenolith directory, the one that {@code guest-images} is in
     */
    public GuestImages(Path home) {
        directory = home.resolve("guest-images").toAbsolutePath().normalize();
    }

    /**
     * The guests of the Xenolith directory that this JVM was started for.
     *
     * @throws IllegalStateException
     *             if the system property {@value #HOME_PROPERTY} is not set
     */
    public static GuestImages ofHome() {
        String home = System.getProperty(HOME_PROPERTY);
        if (home == null) {
            throw new IllegalStateException("System property " + HOME_PROPERTY
                    + " is not set: start with the launchers, or pass -D" + HOME_PROPERTY + "=DIRECTORY");
        }
        return new GuestImages(Path.of(home));
    }

    /** The directory with {@code images}, {@code configs} and the sources. */
    public Path directory() {
        return directory;
    }

    /** Names of all 64-bit PV guests, sorted. */
    public List<String> names() {
        return names(directory.resolve("images"));
    }

    /** Names of all 32-bit PV guests, sorted. */
    public List<String> paeNames() {
        return names(directory.resolve(PAE_IMAGES));
    }

    /** Names of all guests for a bare machine, sorted. */
    public List<String> bareNames() {
        return names(directory.resolve(BARE_IMAGES));
    }

    private static List<String> names(Path images) {
        try (Stream<Path> files = Files.list(images)) {
            return files.map(file -> file.getFileName().toString()).filter(name -> name.endsWith(IMAGE_SUFFIX))
                    .map(name -> name.substring(0, name.length() - IMAGE_SUFFIX.length())).sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot list the guest images", e);
        }
    }

    /**
     * A Multiboot ELF image for a bare machine.
     *
     * @param name
     *            of the guest, such as {@code task-switch}
     * @throws NoSuchFileException
     *             if there is no such guest
     */
    public Path bareImage(String name) throws NoSuchFileException {
        return existing(directory.resolve(BARE_IMAGES).resolve(name + IMAGE_SUFFIX));
    }

    /**
     * A 64-bit PV ELF image.
     *
     * @param name
     *            of the guest, such as {@code minishell}
     * @throws NoSuchFileException
     *             if there is no such guest
     */
    public Path image(String name) throws NoSuchFileException {
        return existing(directory.resolve("images").resolve(name + IMAGE_SUFFIX));
    }

    /**
     * A 32-bit PV ELF image, of a kernel with PAE.
     *
     * @param name
     *            of the guest, such as {@code minishell}
     * @throws NoSuchFileException
     *             if there is no such guest
     */
    public Path paeImage(String name) throws NoSuchFileException {
        return existing(directory.resolve(PAE_IMAGES).resolve(name + IMAGE_SUFFIX));
    }

    /**
     * A sample xl.cfg file.
     *
     * @param name
     *            of the guest, with {@code -pae} behind it for the 32-bit one
     * @throws NoSuchFileException
     *             if there is none for this guest
     */
    public Path config(String name) throws NoSuchFileException {
        return existing(directory.resolve("configs").resolve(name + ".cfg"));
    }

    private static Path existing(Path file) throws NoSuchFileException {
        if (!Files.isRegularFile(file)) {
            throw new NoSuchFileException(file.toString());
        }
        return file;
    }
}
