package dev.xenolith.device.boot;

import dev.xenolith.cpu.processor.OperatingMode;
import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.device.firmware.E820;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/** The PVH boot protocol (Xen, docs/misc/pvh.pandoc and public/arch-x86/hvm/start_info.h): an ELF kernel with a 32-bit entry. */
final class PvhLoader {
    private static final int XEN_ELFNOTE_PHYS32_ENTRY = 18;
    private static final int XEN_HVM_START_MAGIC_VALUE = 0x336e_c578;
    private static final int VERSION = 1;
    private static final int START_INFO_SIZE = 56;
    private static final int MODULE_SIZE = 32;
    private static final int MEMMAP_ENTRY = 24;

    private PvhLoader() {}

    static BootEntry load(BootRequest request, BootMemory memory) throws BootException {
        String name = request.kernel().name();
        ElfImage elf = new ElfImage(request.kernel());
        OptionalLong entry = elf.note("Xen", XEN_ELFNOTE_PHYS32_ENTRY);
        if (entry.isEmpty()) {
            if (MultibootLoader.hasCorruptHeader(request.kernel().content())) {
                throw new BootException(name + ": the checksum of its Multiboot header is wrong");
            }
            throw new BootException(name + ": the ELF kernel has neither a Multiboot header nor a PVH entry");
        }
        if (entry.getAsLong() >>> 32 != 0) {
            throw new BootException(name + ": the PVH entry is not below 4 GiB");
        }
        long next = elf.load(memory);
        elf.requireEntry(entry.getAsLong());
        InformationWriter writer = new InformationWriter(name, memory);
        List<BootRequest.Module> modules = request.allModules();
        ByteBuffer list = InformationWriter.structure(modules.size() * MODULE_SIZE);
        for (BootRequest.Module module : modules) {
            long start = writer.load(module.file(), next);
            next = start + module.file().content().length;
            list.putLong(start).putLong(module.file().content().length).putLong(writer.add(module.commandLine()))
                    .putLong(0);
        }
        ByteBuffer map = InformationWriter.structure(memory.map().entries().size() * MEMMAP_ENTRY);
        for (E820.Entry range : memory.map().entries()) {
            map.putLong(range.start()).putLong(range.length()).putInt(range.type()).putInt(0);
        }
        ByteBuffer info = InformationWriter.structure(START_INFO_SIZE);
        info.putInt(XEN_HVM_START_MAGIC_VALUE).putInt(VERSION).putInt(0).putInt(modules.size());
        info.putLong(modules.isEmpty() ? 0 : writer.add(list));
        info.putLong(memory.putCommandLine(name, request.commandLine(), Integer.MAX_VALUE)).putLong(memory.rsdp());
        info.putLong(writer.add(map)).putInt(memory.map().entries().size()).putInt(0);
        long startInfo = writer.add(info);
        memory.putGdt(false);
        return new BootEntry("PVH", OperatingMode.PROTECTED, entry.getAsLong(), 0, BootMemory.GDT,
                Map.of(Processor.RBX, startInfo, Processor.RSP, BootMemory.STACK), false);
    }
}
