package dev.xenolith.device.boot;

/** Tells what kind of image a kernel is, and loads it. */
public final class BootImage {
    private BootImage() {}

    /**
     * Loads what {@code request} asks for into {@code memory}: a Linux bzImage, a Multiboot kernel or an ELF kernel with a PVH entry,
     * in that order. Throws {@link BootException} if it is none of them or cannot be loaded; memory then holds leftovers.
     */
    public static BootEntry load(BootRequest request, BootMemory memory) throws BootException {
        byte[] kernel = request.kernel().content();
        if (LinuxBoot.isLinux(kernel)) {
            return new LinuxBoot(request, memory).load();
        }
        int multiboot = MultibootLoader.findHeader(kernel);
        if (multiboot >= 0) {
            return new MultibootLoader(request, memory).load(multiboot);
        }
        if (ElfImage.isElf(kernel)) {
            return PvhLoader.load(request, memory);
        }
        if (MultibootLoader.hasCorruptHeader(kernel)) {
            throw new BootException(request.kernel().name() + ": the checksum of its Multiboot header is wrong");
        }
        throw new BootException(request.kernel().name()
                + ": neither a Linux bzImage, a Multiboot kernel, nor an ELF kernel with a PVH entry");
    }
}
