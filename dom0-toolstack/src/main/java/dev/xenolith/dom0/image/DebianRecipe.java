package dev.xenolith.dom0.image;

import dev.xenolith.dom0.xl.Progress;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * The images {@code debian} and {@code debian-generic}, for PV domains: a kernel of the distribution, the modules for Xen's disks and
 * network and for ext4, and a statically linked busybox with tools for both. The shell is on the first PV console, addresses come by DHCP,
 * and what the toolstack asks for (shutdown, reboot) is done.
 */
final class DebianRecipe implements ImageStore.Recipe {
    private static final String BUSYBOX = "busybox-static";
    private static final Set<String> BUSYBOX_FILES = Set.of("bin/busybox", "usr/bin/busybox");
    private static final String KERNEL_FILE = "boot/vmlinuz-";
    private static final String MODULES = "lib/modules/";
    /** What is loaded at the start, with all that it needs; ext4 asks for CRC32C by itself, which works only with a module loader. */
    private static final List<String> WANTED = List.of("xen-blkfront", "xen-netfront", "crc32c_generic", "ext4");
    private static final String COMMAND_LINE = "console=hvc0";

    private final List<String> kernels;
    private final PackageClient packages;
    private final Progress progress;

    /**
     * @param kernels packages that depend on the kernel that is wanted, in order of preference
     */
    DebianRecipe(List<String> kernels, PackageClient packages, Progress progress) {
        this.kernels = kernels;
        this.packages = packages;
        this.progress = progress;
    }

    @Override
    public ImageStore.Parts make(Path downloads) throws IOException, InterruptedException {
        progress.step("asking for the distribution's kernel");
        DebianPackage kernel = new DebianPackage(
                packages.download(packages.kernelBehind(kernels), downloads, progress));
        Path busybox = packages.download(BUSYBOX, downloads, progress);
        progress.step("unpacking");
        KernelModules modules = new KernelModules();
        byte[][] vmlinuz = new byte[1][];
        kernel.forEach(path -> path.startsWith(KERNEL_FILE) || path.contains(MODULES) && isWanted(path),
                (path, content) -> {
                    if (path.startsWith(KERNEL_FILE)) {
                        vmlinuz[0] = content;
                    } else {
                        modules.add(path, content);
                    }
                });
        if (vmlinuz[0] == null) {
            throw new IOException("the kernel's package has no " + KERNEL_FILE + "*");
        }
        return new ImageStore.Parts(vmlinuz[0],
                initramfs(new DebianPackage(busybox).read(BUSYBOX_FILES::contains), modules.closure(WANTED)),
                COMMAND_LINE);
    }

    /** Directories with modules that can be needed: the others are many. */
    private static boolean isWanted(String path) {
        return path.endsWith(".ko") && (path.contains("/drivers/block/xen-") || path.contains("/drivers/net/xen-")
                || path.contains("/crypto/crc") || path.contains("/fs/ext4/") || path.contains("/fs/jbd2/")
                || path.contains("/fs/mbcache") || path.contains("/lib/"));
    }

    private static byte[] initramfs(byte[] busybox, Map<String, byte[]> modules) throws IOException {
        Initramfs files = new Initramfs().directory("bin").directory("dev").directory("etc").directory("lib")
                .directory("lib/modules").directory("mnt").directory("proc").directory("root").directory("sbin")
                .directory("sys").directory("tmp").device("dev/console", 5, 1).device("dev/null", 1, 3)
                .executable("bin/busybox", busybox).executable("init", resource("debian-init"))
                .executable("sbin/poweroff", resource("debian-poweroff"))
                .executable("sbin/reboot", resource("debian-poweroff"))
                .executable("sbin/dhcp-script", resource("debian-dhcp-script"));
        StringBuilder order = new StringBuilder();
        modules.forEach((name, content) -> {
            files.file("lib/modules/" + name + ".ko", content);
            order.append(name).append('\n');
        });
        return files.file("lib/modules/order", order.toString().getBytes(StandardCharsets.US_ASCII)).finish();
    }

    private static byte[] resource(String name) throws IOException {
        try (InputStream in = Objects.requireNonNull(DebianRecipe.class.getResourceAsStream(name))) {
            return in.readAllBytes();
        }
    }
}
