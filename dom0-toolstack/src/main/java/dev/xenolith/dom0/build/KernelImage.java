package dev.xenolith.dom0.build;

import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;

/**
 * A PV kernel, read and checked: its unpacked bytes, its ELF headers and its Xen notes. Reading is host I/O and belongs off the
 * machine thread.
 *
 * @param name what messages call it: the path it came from
 */
record KernelImage(String name, byte[] bytes, ElfFile elf, XenNotes notes) {
    /** Longest file of any kind; also a bound against decompression bombs. */
    private static final long MAX_BYTES = 1 << 30;
    /** A file is held whole on the heap, for a moment twice, beside those of other creations: this part of it is for one. */
    private static final int HEAP_SHARE = 4;

    static KernelImage read(Path path) throws BuildException {
        String name = path.toString();
        return of(name, readFile(path, "kernel"));
    }

    static byte[] readFile(Path path, String what) throws BuildException {
        try {
            if (Files.isDirectory(path)) {
                throw new BuildException(what + " " + path + ": is a directory");
            }
            if (Files.exists(path) && !Files.isRegularFile(path)) {
                throw new BuildException(what + " " + path + ": is a device or a pipe, not a file");
            }
            if (Files.size(path) > limit()) {
                throw new BuildException(what + " " + path + ": larger than " + limitText());
            }
            return Files.readAllBytes(path);
        } catch (NoSuchFileException e) {
            throw new BuildException(what + " " + path + ": no such file", e);
        } catch (IOException e) {
            throw new BuildException(what + " " + path + ": cannot be read: " + e.getMessage(), e);
        }
    }

    /** Bytes that a file may have, packed or not. */
    private static int limit() {
        return (int) Math.min(MAX_BYTES, Runtime.getRuntime().maxMemory() / HEAP_SHARE);
    }

    private static String limitText() {
        return (limit() >> 20) + " MiB, the most that this host's process takes";
    }

    static KernelImage of(String name, byte[] file) throws BuildException {
        byte[] image = isGzip(file) ? gunzip(name, file) : file;
        if (!ElfFile.recognises(image)) {
            throw new BuildException(name + ": " + describe(image));
        }
        ElfFile elf = ElfFile.parse(image, name);
        return new KernelImage(name, image, elf, XenNotes.of(elf, name));
    }

    private static boolean isGzip(byte[] file) {
        return file.length > 2 && (file[0] & 0xff) == 0x1f && (file[1] & 0xff) == 0x8b;
    }

    private static byte[] gunzip(String name, byte[] file) throws BuildException {
        try (InputStream in = new GZIPInputStream(new ByteArrayInputStream(file), 65536)) {
            byte[] image = in.readNBytes(limit() + 1);
            if (image.length > limit()) {
                throw new BuildException(name + ": unpacks to more than " + limitText());
            }
            return image;
        } catch (EOFException e) {
            throw new BuildException(name + ": damaged gzip data: it ends early", e);
        } catch (IOException e) {
            throw new BuildException(name + ": damaged gzip data: " + e.getMessage(), e);
        }
    }

    private static String describe(byte[] image) {
        if (image.length >= 0x206 && image[0x202] == 'H' && image[0x203] == 'd' && image[0x204] == 'r'
                && image[0x205] == 'S') {
            return "a Linux bzImage; its payload cannot be unpacked yet, give the vmlinux (ELF) instead";
        }
        return "not a kernel: neither ELF nor gzip'd ELF";
    }
}
