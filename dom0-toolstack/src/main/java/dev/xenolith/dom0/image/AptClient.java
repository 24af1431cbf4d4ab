package dev.xenolith.dom0.image;

import dev.xenolith.dom0.xl.Progress;
import dev.xenolith.dom0.xl.ToolstackException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** APT, the package client of Debian and its relatives (apt-get(8), apt-cache(8)). It checks what it downloads by itself. */
final class AptClient implements PackageClient {
    private static final Pattern KERNEL = Pattern.compile("^(?:Pre-)?Depends:.*?\\b(linux-image-[0-9][^\\s,|(]*)");
    /** A line of {@code --print-uris}: the quoted address, the file's name, its size, its digest. */
    private static final Pattern FILE = Pattern.compile("^'[^']*' (\\S+) ([0-9]{1,15})\\b");
    private static final String ERROR = "E: ";

    private final Path get;
    private final Path cache;

    private AptClient(Path get, Path cache) {
        this.get = get;
        this.cache = cache;
    }

    /** The client that is on {@code PATH}, if it is. */
    static Optional<PackageClient> find(Map<String, String> environment) {
        Optional<Path> get = ExternalCommand.find("apt-get", environment);
        Optional<Path> cache = ExternalCommand.find("apt-cache", environment);
        return get.isEmpty() || cache.isEmpty() ? Optional.empty() : Optional.of(new AptClient(get.get(), cache.get()));
    }

    @Override
    public String kernelBehind(List<String> metaPackages) throws InterruptedException {
        for (String metaPackage : metaPackages) {
            ExternalCommand show = new ExternalCommand(cache, "show", "--no-all-versions", metaPackage);
            for (String line : show.run().output()) {
                Matcher kernel = KERNEL.matcher(line);
                if (kernel.find()) {
                    return kernel.group(1);
                }
            }
        }
        throw ToolstackException.failure("apt-cache knows no kernel package (asked for "
                + String.join(", ", metaPackages) + "); are its lists there? 'apt-get update' fetches them");
    }

    @Override
    public Path download(String name, Path directory, Progress progress) throws InterruptedException {
        ExternalCommand.Result found = new ExternalCommand(get, "download", "--print-uris", name).run();
        Matcher file = found.output().stream().map(FILE::matcher).filter(Matcher::find).findFirst()
                .orElseThrow(() -> ToolstackException.failure("apt-get cannot download " + name + reason(found)));
        Path target = directory.resolve(file.group(1));
        long size = Long.parseLong(file.group(2));
        progress.step("downloading " + name);
        ExternalCommand.Result result = new ExternalCommand(get, "download", "-q", name).in(directory)
                .meanwhile(() -> progress.bytes(Math.min(sizeOf(target), size), size)).run();
        if (result.exitCode() != 0 || !Files.isRegularFile(target)) {
            throw ToolstackException.failure("apt-get did not download " + name + reason(result));
        }
        progress.bytes(size, size);
        return target;
    }

    private static long sizeOf(Path file) {
        try {
            return Files.size(file);
        } catch (IOException e) {
            // Not begun yet.
            return 0;
        }
    }

    /** What APT gives as the cause of a failure. */
    private static String reason(ExternalCommand.Result result) {
        return result.errors().stream().filter(line -> line.startsWith(ERROR)).reduce((first, last) -> last)
                .map(line -> ": " + line.substring(ERROR.length())).orElse(": exit code " + result.exitCode());
    }
}
