package dev.xenolith.device.boot;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What is to be booted.
 *
 * @param kernel the kernel's image
 * @param initrd the initial RAM disk, null for none; with Multiboot and PVH it is the first module
 * @param commandLine for the kernel
 * @param modules further modules
 */
public record BootRequest(File kernel, @Nullable File initrd, String commandLine, List<Module> modules) {
    /** A file's content and the name by which messages call it. */
    public record File(String name, byte[] content) {
    }

    /** A boot module and its command line. */
    public record Module(File file, String commandLine) {
    }

    public BootRequest {
        modules = List.copyOf(modules);
    }

    /** The initial RAM disk, if there is one, and the modules. */
    List<Module> allModules() {
        File disk = initrd;
        if (disk == null) {
            return modules;
        }
        List<Module> all = new ArrayList<>(modules);
        all.addFirst(new Module(disk, disk.name()));
        return all;
    }
}
