package dev.xenolith.dom0.config;

import dev.xenolith.dom0.disk.DiskFormat;
import org.jspecify.annotations.Nullable;

/**
 * A disk of a domain, as {@code disk=} and {@code xl block-attach} describe it (xl-disk-configuration(5)).
 *
 * @param target the image, as it was written; null for an empty drive
 * @param format of the image
 * @param device what the guest calls it
 * @param readOnly whether the guest may only read it
 * @param cdrom whether it is a CD-ROM
 * @param backend the domain that serves it, by name or number; null for Domain-0
 * @param backendType the kind of backend that is asked for; null for the one that goes with the format
 * @param discard whether the guest may give space back
 * @param trusted whether the guest may trust the backend, and so need not copy all that it exchanges with it
 */
public record DiskSpec(@Nullable String target, DiskFormat format, VirtualDevice device, boolean readOnly,
        boolean cdrom, @Nullable String backend, @Nullable BackendType backendType, boolean discard, boolean trusted) {
    /** The kinds of backends that libxl knows: one of the kernel's, for raw files and devices, and QEMU's, for all formats. */
    public enum BackendType {
        PHY, QDISK
    }

    /** Whether its backend is of the kind that is told the format. A drive's is: media of all formats may be put into it. */
    public boolean isQdisk() {
        return backendType == BackendType.QDISK || backendType == null && (cdrom || format != DiskFormat.RAW);
    }

    /** The same disk with another target, such as an absolute path. */
    public DiskSpec withTarget(String newTarget) {
        return new DiskSpec(newTarget, format, device, readOnly, cdrom, backend, backendType, discard, trusted);
    }

    /** The same drive with another image in it, or none. */
    public DiskSpec withMedium(@Nullable String newTarget, DiskFormat newFormat) {
        return new DiskSpec(newTarget, newFormat, device, readOnly, cdrom, backend, backendType, discard, trusted);
    }

    /**
     * Reads a specification.
     *
     * @throws IllegalArgumentException with the position, what was expected and found
     */
    public static DiskSpec parse(String text) {
        return new DiskSpecParser(text).parse();
    }
}
