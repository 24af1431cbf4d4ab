package dev.xenolith.dom0.disktool;

import dev.xenolith.dom0.disk.DiskFormat;
import dev.xenolith.dom0.disk.NewDisk;
import dev.xenolith.dom0.disk.NewDisk.Preallocation;
import dev.xenolith.dom0.xl.ToolstackException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options of an image that is to be made. */
final class NewDiskOptions {
    @Option(names = "--format", paramLabel = "FORMAT", description = "Format of the new image: raw, qcow2 or vhd.")
    private @Nullable String format;

    @Option(names = "--subformat", paramLabel = "KIND", description = "Of a VHD: fixed or dynamic (default: dynamic).")
    private @Nullable String subformat;

    @Option(names = "--cluster-size", paramLabel = "SIZE", description = "Of a qcow2 image: 512 to 2M (default: 64K).", converter = DiskSize.class)
    private @Nullable Long clusterSize;

    @Option(names = "--compat", paramLabel = "VERSION", description = "Of a qcow2 image: version 2 or 3 (default: 3).")
    private @Nullable Integer version;

    @Option(names = "--preallocation", paramLabel = "WHAT", description = "What takes space from the start: off, metadata or full (default: off).")
    private String preallocation = "off";

    @Option(names = "--force", description = "Replace a file that is there.")
    private boolean force;

    @Nullable
    String format() {
        return format;
    }

    boolean force() {
        return force;
    }

    /** Checks what belongs to which format, and makes a disk of it. */
    NewDisk toDisk(DiskFormat known, long size) {
        boolean isQcow2 = known == DiskFormat.QCOW2;
        if (!isQcow2 && clusterSize != null) {
            throw usage("--cluster-size is for qcow2 images");
        }
        if (!isQcow2 && version != null) {
            throw usage("--compat is for qcow2 images");
        }
        if (known != DiskFormat.VHD && subformat != null) {
            throw usage("--subformat is for VHDs");
        }
        boolean fixed = switch (subformat) {
            case null -> false;
            case "dynamic" -> false;
            case "fixed" -> true;
            default -> throw usage("--subformat: expected fixed or dynamic, found '" + subformat + "'");
        };
        Preallocation what = switch (preallocation) {
            case "off" -> Preallocation.OFF;
            case "metadata" -> Preallocation.METADATA;
            case "full" -> Preallocation.FULL;
            default -> throw usage("--preallocation: expected off, metadata or full, found '" + preallocation + "'");
        };
        long cluster = clusterSize == null ? NewDisk.DEFAULT_CLUSTER : clusterSize;
        return new NewDisk(known, size, (int) Math.min(cluster, Integer.MAX_VALUE), version == null ? 3 : version,
                what, fixed, null);
    }

    private static ToolstackException usage(String problem) {
        return new ToolstackException(ToolstackException.USAGE, problem);
    }
}
