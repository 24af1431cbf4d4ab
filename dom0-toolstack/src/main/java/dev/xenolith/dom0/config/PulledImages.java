package dev.xenolith.dom0.config;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;

/**
 * The images that {@code xenolith image pull} has put into a user's cache, each a directory of these files.
 *
 * @param root the directory of all images, which need not exist
 */
public record PulledImages(Path root) {
    public static final String KERNEL = "kernel";
    public static final String INITRD = "initrd";
    public static final String COMMAND_LINE = "cmdline";
    /** How {@code kernel=} names an image instead of a file. */
    static final String PREFIX = "image:";

    private static final Pattern NAME = Pattern.compile("[a-z0-9][a-z0-9-]*");

    /** Returns whether a name is one that an image can have. */
    public static boolean isName(String name) {
        return NAME.matcher(name).matches();
    }

    /**
     * What a domain boots from an image.
     *
     * @throws IllegalArgumentException if no image can have the name
     * @throws IOException if there is no such image, with what to do
     */
    DomainConfig.Boot boot(String name) throws IOException {
        DomainConfig.Boot files = files(name);
        try {
            return new DomainConfig.Boot(files.kernel(), files.ramdisk(),
                    Files.readString(root.resolve(name).resolve(COMMAND_LINE)));
        } catch (IOException e) {
            throw new IOException(
                    "there is no image '" + name + "' in " + root + "; 'xenolith image pull " + name + "' fetches it",
                    e);
        }
    }

    /** The files that an image has, or would have, with an empty command line. */
    DomainConfig.Boot files(String name) {
        if (!isName(name)) {
            throw new IllegalArgumentException("\"" + name + "\" is no name of an image");
        }
        Path directory = root.resolve(name);
        return new DomainConfig.Boot(directory.resolve(KERNEL), directory.resolve(INITRD), "");
    }
}
