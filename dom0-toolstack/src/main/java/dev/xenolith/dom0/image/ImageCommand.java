package dev.xenolith.dom0.image;

import dev.xenolith.dom0.xl.Client;
import dev.xenolith.dom0.xl.Progress;
import dev.xenolith.dom0.xl.TerminalProgress;
import dev.xenolith.dom0.xl.ToolstackException;
import dev.xenolith.dom0.xl.VersionProvider;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code xenolith image ...}: what there is to boot, in the client's own process. */
@Command(name = "image", description = "Fetch kernels to boot.", mixinStandardHelpOptions = true, versionProvider = VersionProvider.class, synopsisSubcommandLabel = "COMMAND")
public final class ImageCommand {
    private static final String LINUX = "linux";
    private static final String DEBIAN = "debian";
    private static final String DEBIAN_GENERIC = "debian-generic";
    private static final List<String> NAMES = List.of(LINUX, DEBIAN, DEBIAN_GENERIC);

    private final Client client;

    public ImageCommand(Client client) {
        this.client = client;
    }

    /** {@code xenolith image pull}. */
    @Command(name = "pull", description = "Fetch an image with the distribution's package client into the user's cache.", mixinStandardHelpOptions = true, footer = {
        "",
        "Images: linux, the distribution's kernel with busybox.",
        "'xenolith machine run --image linux' boots it to a shell,",
        "with --append '-- COMMAND' to that command, and powers off when it ends.",
        "debian and debian-generic, the same for PV domains, with the cloud and the",
        "generic kernel, drivers for disks and network, DHCP and network tools;",
        "kernel=\"image:debian\" in a domain's configuration starts it.",
        "A pull that was cut off goes on where it was.",
        "Ends with 0, or with 1 if the image could not be fetched; an image that",
        "was there before stays."})
    int pull(@Parameters(paramLabel = "IMAGE", description = "Name of the image.") String name)
            throws InterruptedException {
        if (!NAMES.contains(name)) {
            throw new ToolstackException(ToolstackException.USAGE,
                    "no image '" + name + "'; there are " + String.join(", ", NAMES));
        }
        PackageClient packages = AptClient.find(client.environment()).orElseThrow(() -> ToolstackException.failure(
                "no package client found on PATH (looked for apt-get and apt-cache); run 'xenolith machine run'"
                        + " with --kernel, an x86-64 Linux bzImage, and --initrd, an initial RAM file system for it"));
        boolean shows = client.outIsTerminal();
        TerminalProgress progress = new TerminalProgress(new PrintStream(
                shows ? client.err() : OutputStream.nullOutputStream(), true, StandardCharsets.UTF_8));
        Image image;
        try {
            image = ImageStore.of(client.environment()).make(name, recipe(name, packages, progress));
        } finally {
            progress.close();
        }
        new PrintStream(client.out(), true, StandardCharsets.UTF_8).println("image " + name + " is in "
                + image.kernel().getParent());
        return 0;
    }

    private static ImageStore.Recipe recipe(String name, PackageClient packages, Progress progress) {
        return switch (name) {
            case DEBIAN ->
                new DebianRecipe(List.of("linux-image-cloud-amd64", "linux-image-amd64", "linux-image-virtual"),
                        packages, progress);
            case DEBIAN_GENERIC ->
                new DebianRecipe(List.of("linux-image-amd64", "linux-image-generic"), packages, progress);
            default -> new LinuxRecipe(packages, progress);
        };
    }
}
