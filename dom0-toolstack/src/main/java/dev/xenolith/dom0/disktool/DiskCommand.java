package dev.xenolith.dom0.disktool;

import dev.xenolith.dom0.disk.CheckReport;
import dev.xenolith.dom0.disk.CheckReport.Repair;
import dev.xenolith.dom0.disk.DiskCopy;
import dev.xenolith.dom0.disk.DiskFormat;
import dev.xenolith.dom0.disk.DiskImage;
import dev.xenolith.dom0.disk.DiskImages;
import dev.xenolith.dom0.disk.DiskInfo;
import dev.xenolith.dom0.disk.ImageLocks;
import dev.xenolith.dom0.disk.NewDisk;
import dev.xenolith.dom0.disk.OpenMode;
import dev.xenolith.dom0.xl.Client;
import dev.xenolith.dom0.xl.TerminalProgress;
import dev.xenolith.dom0.xl.ToolstackException;
import dev.xenolith.dom0.xl.VersionProvider;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.TypeConversionException;

/** {@code xenolith disk ...}: images of disks, in the client's own process. */
@Command(name = "disk", description = "Make, show, convert, check and resize disk images.", mixinStandardHelpOptions = true, versionProvider = VersionProvider.class, synopsisSubcommandLabel = "COMMAND", footer = {
    "",
    "Formats are raw, qcow2 and vhd. Where none is given, a file's name tells: .raw,",
    ".img, .qcow2, .vhd. Sizes are in bytes, or with K, M, G, T in units of 1024."})
public final class DiskCommand {
    private static final int EXIT_LEAKS = 3;
    private static final int EXIT_ERRORS = 4;
    private static final String FORMAT = "Format of the image: raw, qcow2 or vhd.";

    private final Client client;
    private final ImageLocks locks = new ImageLocks();

    public DiskCommand(Client client) {
        this.client = client;
    }

    /** Work on images, which fails with a file's name. */
    @FunctionalInterface
    private interface Work {
        int run() throws IOException;
    }

    /** {@code xenolith disk create}. */
    @Command(name = "create", description = "Make an image.", mixinStandardHelpOptions = true, footer = {"",
        "With --backing the size may be left out; it is then that of the image below.",
        "Ends with 0, or with 1 if there is no new image."})
    int create(@Mixin NewDiskOptions options,
            @Option(names = "--backing", paramLabel = "FILE[,FORMAT]", description = "Image that a qcow2 image shows where nothing was written; a relative name is relative to the new image's directory.") @Nullable String backing,
            @Parameters(index = "0", paramLabel = "FILE", description = "The image.") String name,
            @Parameters(index = "1", arity = "0..1", paramLabel = "SIZE", description = "Size of the disk.", converter = DiskSize.class) @Nullable Long size)
            throws InterruptedException {
        Path file = file(name);
        NewDisk disk = options.toDisk(formatOf(options.format(), name), size == null ? -1 : size);
        if (backing != null) {
            int comma = backing.lastIndexOf(',');
            String below = comma < 0 ? backing : backing.substring(0, comma);
            disk = disk.on(below, formatOf(comma < 0 ? null : backing.substring(comma + 1), below));
        } else if (size == null) {
            throw usage("a size is needed, such as 10G");
        }
        NewDisk wanted = disk;
        return run(() -> {
            DiskImages.create(file, wanted, options.force(), locks);
            return 0;
        });
    }

    /** {@code xenolith disk info}. */
    @Command(name = "info", description = "Show what an image and those below it are.", mixinStandardHelpOptions = true, footer = {
        "", "Without --format the format is guessed from the contents, which a guest may have written.",
        "Ends with 0, or with 1 if the image cannot be read."})
    int info(@Option(names = "--format", paramLabel = "FORMAT", description = FORMAT) @Nullable String format,
            @Option(names = "--json", description = "Print JSON.") boolean json,
            @Parameters(paramLabel = "FILE", description = "The image.") String name) throws InterruptedException {
        Path file = file(name);
        return run(() -> {
            DiskFormat known = format == null ? DiskImages.probe(file, locks) : formatOf(format, name);
            DiskInfo info;
            try (DiskImage image = DiskImages.open(file, known, OpenMode.READ_ONLY, locks)) {
                info = image.info();
            }
            if (json) {
                InfoPrinter.printJson(info, out());
            } else {
                InfoPrinter.print(info, out());
            }
            return 0;
        });
    }

    /** {@code xenolith disk convert}. */
    @Command(name = "convert", description = "Copy what an image and those below it hold to a new image.", mixinStandardHelpOptions = true, footer = {
        "", "What is zero takes no space in the new image.",
        "Ends with 0, or with 1 if there is no new image."})
    int convert(@Mixin NewDiskOptions options,
            @Option(names = "--from", paramLabel = "FORMAT", description = "Format of the image that is read: raw, qcow2 or vhd.") @Nullable String from,
            @Parameters(index = "0", paramLabel = "SOURCE", description = "The image that is read.") String source,
            @Parameters(index = "1", paramLabel = "TARGET", description = "The new image.") String target)
            throws InterruptedException {
        DiskFormat sourceFormat = formatOf(from, source);
        DiskFormat targetFormat = formatOf(options.format(), target);
        Path targetFile = file(target);
        TerminalProgress progress = new TerminalProgress(new PrintStream(
                client.outIsTerminal() ? client.err() : OutputStream.nullOutputStream(), true,
                StandardCharsets.UTF_8));
        return run(() -> {
            try (DiskImage image = DiskImages.open(file(source), sourceFormat, OpenMode.READ_ONLY, locks)) {
                DiskImages.create(targetFile, options.toDisk(targetFormat, image.size()), options.force(), locks);
                progress.step("converting " + source);
                boolean whole = false;
                try (DiskImage copy = DiskImages.open(targetFile, targetFormat, OpenMode.READ_WRITE, locks)) {
                    long[] shown = new long[1];
                    DiskCopy.copy(image, copy, done -> {
                        // A line per MiB is more than anybody reads.
                        if (done - shown[0] >= image.size() / 200 || done == image.size()) {
                            shown[0] = done;
                            progress.bytes(done, image.size());
                        }
                    });
                    whole = true;
                } finally {
                    if (!whole) {
                        Files.deleteIfExists(targetFile);
                    }
                }
            } finally {
                progress.close();
            }
            return 0;
        });
    }

    /** {@code xenolith disk check}. */
    @Command(name = "check", description = "Check an image's metadata.", mixinStandardHelpOptions = true, footer = {"",
        "--repair leaks gives back what is counted and not used; --repair all mends errors, too.",
        "Ends with 0 if nothing is wrong or all was repaired, 3 if there are leaks, 4 if there",
        "are errors; with 1 if the image cannot be checked."})
    int check(@Option(names = "--format", paramLabel = "FORMAT", description = FORMAT) @Nullable String format,
            @Option(names = "--repair", paramLabel = "WHAT", description = "What to repair: leaks or all.") @Nullable String repair,
            @Parameters(paramLabel = "FILE", description = "The image.") String name) throws InterruptedException {
        Repair what = switch (repair) {
            case null -> Repair.NONE;
            case "leaks" -> Repair.LEAKS;
            case "all" -> Repair.ALL;
            default -> throw usage("--repair: expected leaks or all, found '" + repair + "'");
        };
        DiskFormat known = formatOf(format, name);
        return run(() -> {
            CheckReport report = DiskImages.check(file(name), known, what, locks);
            PrintStream out = out();
            report.errors().forEach(error -> out.println("error: " + error));
            report.notes().forEach(note -> out.println("note: " + note));
            if (report.repairedErrors() + report.repairedLeaks() > 0) {
                out.println("repaired: " + report.repairedErrors() + " errors, " + report.repairedLeaks() + " leaks");
            }
            out.println(report.clean()
                    ? "no errors"
                    : report.errorCount() + " errors, " + report.leaks() + " leaked clusters");
            return report.errorCount() > 0 ? EXIT_ERRORS : report.leaks() > 0 ? EXIT_LEAKS : 0;
        });
    }

    /** {@code xenolith disk resize}. */
    @Command(name = "resize", description = "Make a disk longer, or with --shrink shorter.", mixinStandardHelpOptions = true, footer = {
        "", "Ends with 0, or with 1 if the size is not the new one."})
    int resize(@Option(names = "--format", paramLabel = "FORMAT", description = FORMAT) @Nullable String format,
            @Option(names = "--shrink", description = "Allow that what is behind the new end is lost.") boolean shrink,
            @Parameters(index = "0", paramLabel = "FILE", description = "The image.") String name,
            @Parameters(index = "1", paramLabel = "[+]SIZE", description = "The new size, or with + what is added.") String size)
            throws InterruptedException {
        DiskFormat known = formatOf(format, name);
        boolean adds = size.startsWith("+");
        long bytes;
        try {
            bytes = new DiskSize().convert(adds ? size.substring(1) : size);
        } catch (TypeConversionException e) {
            throw usage(String.valueOf(e.getMessage()));
        }
        return run(() -> {
            long present;
            try (DiskImage image = DiskImages.open(file(name), known, OpenMode.READ_ONLY, locks)) {
                present = image.size();
            }
            if (adds && bytes > Long.MAX_VALUE - present) {
                throw usage("'" + size + "' is too much");
            }
            long wanted = adds ? present + bytes : bytes;
            if (wanted < present && !shrink) {
                throw ToolstackException.failure(name + ": the disk of " + present
                        + " bytes would become smaller, and lose what is at its end; --shrink allows that");
            }
            DiskImages.resize(file(name), known, wanted, locks);
            return 0;
        });
    }

    private int run(Work work) throws InterruptedException {
        try {
            return work.run();
        } catch (InterruptedIOException e) {
            throw new InterruptedException(e.getMessage());
        } catch (IOException e) {
            throw new ToolstackException(ToolstackException.FAILURE, String.valueOf(e.getMessage()), e);
        }
    }

    private Path file(String name) {
        try {
            return client.directory().resolve(name);
        } catch (InvalidPathException e) {
            throw usage("'" + name + "' is no name of a file");
        }
    }

    private PrintStream out() {
        return new PrintStream(client.out(), true, StandardCharsets.UTF_8);
    }

    /** The format that is given, or else the one that the file's name tells; never what a guest may have written. */
    private static DiskFormat formatOf(@Nullable String given, String name) {
        if (given != null) {
            return DiskFormat.ofKey(given.toLowerCase(Locale.ROOT)).orElseThrow(() -> usage("no format '" + given
                    + "'; there are " + DiskFormat.keys()));
        }
        String suffix = name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
        return switch (suffix) {
            case "img" -> DiskFormat.RAW;
            case "vpc" -> DiskFormat.VHD;
            default -> DiskFormat.ofKey(suffix).orElseThrow(() -> usage(name
                    + ": give its format, for its name does not tell: " + DiskFormat.keys()));
        };
    }

    private static ToolstackException usage(String problem) {
        return new ToolstackException(ToolstackException.USAGE, problem);
    }
}
