package dev.xenolith.dom0.image;

import dev.xenolith.dom0.xl.Progress;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/**
 * The image {@code linux}: the distribution's kernel, and an initial RAM file system with its statically linked busybox and an
 * {@code init} of ours, which gives a shell on the first serial port.
 */
final class LinuxRecipe implements ImageStore.Recipe {
    /** Packages that depend on the present kernel, the smallest first: Debian's, then those of its relatives. */
    private static final List<String> KERNELS = List.of("linux-image-cloud-amd64", "linux-image-amd64",
            "linux-image-virtual", "linux-image-generic");
    private static final String BUSYBOX = "busybox-static";
    private static final Set<String> BUSYBOX_FILES = Set.of("bin/busybox", "usr/bin/busybox");
    private static final String KERNEL_FILE = "boot/vmlinuz-";
    private static final String COMMAND_LINE = "console=ttyS0";

    private final PackageClient packages;
    private final Progress progress;

    LinuxRecipe(PackageClient packages, Progress progress) {
        this.packages = packages;
        this.progress = progress;
    }

    @Override
    public ImageStore.Parts make(Path downloads) throws IOException, InterruptedException {
        progress.step("asking for the distribution's kernel");
        String kernelPackage = packages.kernelBehind(KERNELS);
        Path kernel = packages.download(kernelPackage, downloads, progress);
        Path busybox = packages.download(BUSYBOX, downloads, progress);
        progress.step("unpacking");
        return new ImageStore.Parts(new DebianPackage(kernel).read(path -> path.startsWith(KERNEL_FILE)),
                initramfs(new DebianPackage(busybox).read(BUSYBOX_FILES::contains)), COMMAND_LINE);
    }

    private static byte[] initramfs(byte[] busybox) throws IOException {
        try (InputStream init = Objects.requireNonNull(LinuxRecipe.class.getResourceAsStream("linux-init"))) {
            return new Initramfs().directory("bin").directory("dev").directory("proc").directory("root")
                    .directory("sys").directory("tmp").device("dev/console", 5, 1).device("dev/null", 1, 3)
                    .executable("bin/busybox", busybox).executable("init", init.readAllBytes()).finish();
        }
    }
}
