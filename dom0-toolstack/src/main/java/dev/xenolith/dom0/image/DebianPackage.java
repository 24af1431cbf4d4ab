package dev.xenolith.dom0.image;

import java.io.BufferedInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.BiConsumer;
import java.util.function.Predicate;
import java.util.zip.GZIPInputStream;
import org.apache.commons.compress.archivers.ar.ArArchiveEntry;
import org.apache.commons.compress.archivers.ar.ArArchiveInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.compressors.xz.XZCompressorInputStream;
import org.apache.commons.compress.compressors.zstandard.ZstdCompressorInputStream;

/** A package file of Debian's (deb(5)): an ar archive, in it a compressed tar archive of the files to be installed. */
final class DebianPackage {
    private static final String DATA = "data.tar";

    private final Path file;

    DebianPackage(Path file) {
        this.file = file;
    }

    /**
     * The content of the first regular file whose path below the root, without a leading slash, is {@code wanted}; throws if there
     * is none, or what there is cannot be read.
     */
    byte[] read(Predicate<String> wanted) throws IOException {
        byte[][] found = new byte[1][];
        forEach(path -> found[0] == null && wanted.test(path), (path, content) -> found[0] = content);
        if (found[0] == null) {
            throw new IOException(file.getFileName() + ": the file that is wanted is not in it");
        }
        return found[0];
    }

    /** Hands each regular file whose path is {@code wanted} to {@code visitor}, with its content, in the package's order. */
    void forEach(Predicate<String> wanted, BiConsumer<String, byte[]> visitor) throws IOException {
        try (ArArchiveInputStream members = new ArArchiveInputStream(
                new BufferedInputStream(Files.newInputStream(file)))) {
            for (ArArchiveEntry member = members.getNextEntry(); member != null; member = members.getNextEntry()) {
                if (member.getName().startsWith(DATA)) {
                    visit(decompress(member.getName(), members), wanted, visitor);
                    return;
                }
            }
        }
        throw new IOException(file.getFileName() + ": not a Debian package: it has no " + DATA);
    }

    private InputStream decompress(String name, InputStream members) throws IOException {
        // Closing what reads a member must not close the archive.
        InputStream member = new FilterInputStream(members) {
            @Override
            public void close() {
                // The archive is closed by whoever opened it.
            }
        };
        return switch (name.substring(DATA.length())) {
            case ".xz" -> new XZCompressorInputStream(member);
            case ".gz" -> new GZIPInputStream(member);
            case ".zst" -> new ZstdCompressorInputStream(member);
            case "" -> member;
            default ->
                throw new IOException(file.getFileName() + ": " + name + ": a compression that is not supported");
        };
    }

    private static void visit(InputStream data, Predicate<String> wanted, BiConsumer<String, byte[]> visitor)
            throws IOException {
        try (TarArchiveInputStream entries = new TarArchiveInputStream(data)) {
            for (TarArchiveEntry entry = entries.getNextEntry(); entry != null; entry = entries.getNextEntry()) {
                String path = entry.getName().replaceFirst("^(\\./|/)+", "");
                if (entry.isFile() && wanted.test(path)) {
                    visitor.accept(path, entries.readAllBytes());
                }
            }
        }
    }
}
