package dev.xenolith.device.boot;

import dev.xenolith.cpu.processor.OperatingMode;
import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.device.display.Vga;
import dev.xenolith.device.firmware.E820;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Map;

/** Multiboot Specification 0.6.96 ("Multiboot 1"): ELF32 kernels and those that say themselves where they go, with modules. */
final class MultibootLoader {
    private static final int HEADER_MAGIC = 0x1bad_b002;
    private static final int LOADER_MAGIC = 0x2bad_b002;
    private static final int SEARCH = 8192;
    private static final int HEADER_SIZE = 12;
    private static final int ADDRESS_FIELDS_SIZE = 32;
    private static final int VIDEO_MODE = 1 << 2;
    private static final int REQUIRED = 0xffff;
    /** Of these a video mode is a wish: a boot loader may set a text mode whatever the kernel would like (3.1.4). */
    private static final int UNDERSTOOD = 0x3 | VIDEO_MODE;
    private static final int ADDRESS_FIELDS = 1 << 16;

    /** Fields of the information that are valid: memory, command line, modules, memory map, loader's name, framebuffer. */
    private static final int INFO_FLAGS = 1 | 1 << 2 | 1 << 3 | 1 << 6 | 1 << 9;
    private static final int INFO_FRAMEBUFFER = 1 << 12;
    private static final int INFO_SIZE = 116;
    private static final int EGA_TEXT = 2;
    private static final int MODULE_SIZE = 16;
    private static final int MMAP_ENTRY = 24;

    private final BootRequest request;
    private final BootMemory memory;
    private final String name;
    private final byte[] image;
    private final ByteBuffer bytes;

    MultibootLoader(BootRequest request, BootMemory memory) {
        this.request = request;
        this.memory = memory;
        name = request.kernel().name();
        image = request.kernel().content();
        bytes = ByteBuffer.wrap(image).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Offset of a header whose checksum is right, -1 if there is none. */
    static int findHeader(byte[] image) {
        return find(image, true);
    }

    /** Whether there is a header all the same, with another checksum. */
    static boolean hasCorruptHeader(byte[] image) {
        return findHeader(image) < 0 && find(image, false) >= 0;
    }

    private static int find(byte[] image, boolean whole) {
        ByteBuffer bytes = ByteBuffer.wrap(image).order(ByteOrder.LITTLE_ENDIAN);
        for (int at = 0; at + HEADER_SIZE <= Math.min(image.length, SEARCH); at += 4) {
            if (bytes.getInt(at) == HEADER_MAGIC
                    && (!whole || bytes.getInt(at) + bytes.getInt(at + 4) + bytes.getInt(at + 8) == 0)) {
                return at;
            }
        }
        return -1;
    }

    BootEntry load(int header) throws BootException {
        int flags = bytes.getInt(header + 4);
        if ((flags & REQUIRED & ~UNDERSTOOD) != 0) {
            throw new BootException(String.format("%s: the Multiboot kernel requires unknown features 0x%x", name,
                    flags & REQUIRED & ~UNDERSTOOD));
        }
        long entry;
        long end;
        if ((flags & ADDRESS_FIELDS) != 0) {
            end = loadByAddressFields(header);
            entry = bytes.getInt(header + 28) & 0xffff_ffffL;
        } else if (ElfImage.isElf(image)) {
            ElfImage elf = new ElfImage(request.kernel());
            if (elf.is64()) {
                throw new BootException(name + ": a Multiboot kernel in ELF64 must have address fields in its header");
            }
            end = elf.load(memory);
            entry = elf.entry();
            elf.requireEntry(entry);
        } else {
            throw new BootException(name + ": the Multiboot kernel is neither ELF nor has address fields");
        }
        long information = putInformation(end);
        memory.putGdt(false);
        return new BootEntry("Multiboot", OperatingMode.PROTECTED, entry, 0, BootMemory.GDT, Map.of(Processor.RAX,
                (long) LOADER_MAGIC, Processor.RBX, information, Processor.RSP, BootMemory.STACK), true);
    }

    /** Loads as header_addr, load_addr, load_end_addr and bss_end_addr say (3.1.3). */
    private long loadByAddressFields(int header) throws BootException {
        if (header + ADDRESS_FIELDS_SIZE > image.length) {
            throw new BootException(name + ": the Multiboot header is truncated");
        }
        long headerAddress = bytes.getInt(header + 12) & 0xffff_ffffL;
        long loadAddress = bytes.getInt(header + 16) & 0xffff_ffffL;
        long loadEnd = bytes.getInt(header + 20) & 0xffff_ffffL;
        long bssEnd = bytes.getInt(header + 24) & 0xffff_ffffL;
        long offset = header - (headerAddress - loadAddress);
        if (offset < 0 || offset > image.length || loadAddress > headerAddress) {
            throw new BootException(name + ": the Multiboot address fields do not fit the file");
        }
        long length = loadEnd == 0 ? image.length - offset : loadEnd - loadAddress;
        if (length < 0 || length > image.length - offset) {
            throw new BootException(name + ": the Multiboot kernel is truncated");
        }
        memory.put(name, image, (int) offset, loadAddress, (int) length);
        long end = loadAddress + length;
        if (bssEnd > end) {
            memory.zero(name, end, bssEnd - end);
            end = bssEnd;
        }
        return end;
    }

    private long putInformation(long end) throws BootException {
        InformationWriter writer = new InformationWriter(name, memory);
        long commandLine = memory.putCommandLine(name, request.commandLine(), Integer.MAX_VALUE);
        List<BootRequest.Module> modules = request.allModules();
        ByteBuffer list = InformationWriter.structure(modules.size() * MODULE_SIZE);
        long next = Math.max(end, BootMemory.IMAGES);
        for (BootRequest.Module module : modules) {
            long start = writer.load(module.file(), next);
            next = start + module.file().content().length;
            list.putInt((int) start).putInt((int) next).putInt((int) writer.add(module.commandLine())).putInt(0);
        }
        ByteBuffer map = InformationWriter.structure(memory.map().entries().size() * MMAP_ENTRY);
        for (E820.Entry entry : memory.map().entries()) {
            // The size does not count itself.
            map.putInt(MMAP_ENTRY - 4).putLong(entry.start()).putLong(entry.length()).putInt(entry.type());
        }
        ByteBuffer info = InformationWriter.structure(INFO_SIZE);
        info.putInt(0, INFO_FLAGS).putInt(4, kibibytesFrom(0)).putInt(8, kibibytesFrom(BootMemory.IMAGES));
        info.putInt(16, (int) commandLine).putInt(20, modules.size()).putInt(24, (int) writer.add(list));
        info.putInt(44, map.capacity()).putInt(48, (int) writer.add(map)).putInt(64, (int) writer.add("Xenolith"));
        if (memory.hasDisplay()) {
            info.putInt(0, INFO_FLAGS | INFO_FRAMEBUFFER).putLong(88, Vga.TEXT_MEMORY).putInt(96, 2 * Vga.COLUMNS);
            info.putInt(100, Vga.COLUMNS).putInt(104, Vga.ROWS).put(108, (byte) 16).put(109, (byte) EGA_TEXT);
        }
        return writer.add(info);
    }

    /** KiB of RAM that begin at {@code start}. */
    private int kibibytesFrom(long start) {
        return memory.map().entries().stream().filter(e -> e.type() == E820.RAM && e.start() == start)
                .mapToInt(e -> (int) Math.min(e.length() >>> 10, Integer.MAX_VALUE)).findFirst().orElse(0);
    }
}
