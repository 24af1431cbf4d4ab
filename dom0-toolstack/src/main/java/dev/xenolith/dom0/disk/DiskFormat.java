package dev.xenolith.dom0.disk;

import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Collectors;

/** How a disk is laid out in a file. */
public enum DiskFormat {
    /** The bytes of the disk as they are. */
    RAW("raw", "raw"),
    /** QEMU's copy-on-write format, versions 2 and 3 (docs/interop/qcow2.txt of QEMU). */
    QCOW2("qcow2", "qcow2"),
    /** Virtual PC's and Hyper-V's Virtual Hard Disk, fixed and dynamic (Virtual Hard Disk Image Format Specification 1.0). */
    VHD("vhd", "vpc");

    private final String key;
    private final String qemuName;

    DiskFormat(String key, String qemuName) {
        this.key = key;
        this.qemuName = qemuName;
    }

    /** Returns the name on command lines and, as xl-disk-configuration(5) has it, in xl.cfg. */
    public String key() {
        return key;
    }

    /** Returns the name that QEMU has for it, which is the one in headers that name another image's format. */
    String qemuName() {
        return qemuName;
    }

    /** Returns the format of the name {@code key}. */
    public static Optional<DiskFormat> ofKey(String key) {
        return Arrays.stream(values()).filter(format -> format.key.equals(key)).findFirst();
    }

    /** Returns the format that QEMU calls {@code name}. */
    static Optional<DiskFormat> ofQemuName(String name) {
        return Arrays.stream(values()).filter(format -> format.qemuName.equals(name)).findFirst();
    }

    /** Returns all names, for help and errors. */
    public static String keys() {
        return Arrays.stream(values()).map(DiskFormat::key).collect(Collectors.joining(", "));
    }
}
