package dev.xenolith.dom0.image;

import dev.xenolith.dom0.xl.Progress;
import java.nio.file.Path;
import java.util.List;

/**
 * A distribution's package client. What cannot be done throws {@link dev.xenolith.dom0.xl.ToolstackException} with the cause; an
 * interrupt of the calling thread ends the client.
 */
interface PackageClient {
    /**
     * The kernel package that the first known of these packages depends on, such as the one with a version in its name behind
     * {@code linux-image-amd64}.
     */
    String kernelBehind(List<String> metaPackages) throws InterruptedException;

    /**
     * Downloads a package and returns its file. What a download that was cut off has left in {@code directory} is gone on with.
     */
    Path download(String name, Path directory, Progress progress) throws InterruptedException;
}
