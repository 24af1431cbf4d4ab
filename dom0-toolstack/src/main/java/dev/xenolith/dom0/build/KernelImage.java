package dev.xenolith.dom0.build;

import dev.xenolith.dom0.pv.PvAbi;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

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

    /** What it is written for. */
    PvAbi abi() { return elf.abi(); }

    /** Whether the root of its page tables may be at and above 4 GiB. */
    boolean rootAnywhere() {
        return abi() == PvAbi.X86_64 || notes.paeMode() == PaeMode.ANYWHERE;
    }

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
        byte[] image = unpack(name, unpack(name, file));
        if (!ElfFile.recognises(image)) {
            throw new BuildException(
                    name + ": not a kernel: neither ELF nor a Linux bzImage, nor either of them compressed");
        }
        ElfFile elf = ElfFile.parse(image, name);
        return new KernelImage(name, image, elf, XenNotes.of(elf));
    }

    /** Takes one layer of packing off, if there is one: a file may be a compressed kernel or bzImage, a bzImage's payload a compressed kernel. */
    private static byte[] unpack(String name, byte[] file) throws BuildException {
        byte[] content = BzImage.recognises(file) ? BzImage.payload(file, name) : file;
        Compression compression = Compression.of(content);
        return compression == null ? content : compression.unpack(content, name, limit());
    }
}
