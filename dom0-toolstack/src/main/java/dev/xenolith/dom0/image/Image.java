package dev.xenolith.dom0.image;

import java.nio.file.Path;

/**
 * An image that can be booted.
 *
 * @param commandLine of the kernel, to which users may add
 */
public record Image(Path kernel, Path initrd, String commandLine) {
}
