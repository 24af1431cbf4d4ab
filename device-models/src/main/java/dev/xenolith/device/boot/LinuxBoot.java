package dev.xenolith.device.boot;

import dev.xenolith.cpu.processor.OperatingMode;
import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.device.display.Vga;
import dev.xenolith.device.firmware.E820;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;

/**
 * The Linux boot protocol (Documentation/x86/boot.rst and zero-page.rst) without its real-mode part: boot_params are filled in here,
 * and the kernel is entered at its 64-bit entry point, or at its 32-bit one if it has no other.
 */
final class LinuxBoot {
    /** Fields of the setup header, at the same offsets in boot_params. */
    private static final int SETUP_HEADER = 0x1f1;
    private static final int SETUP_SECTS = 0x1f1;
    private static final int SYSSIZE = 0x1f4;
    private static final int BOOT_FLAG = 0x1fe;
    private static final int JUMP_OFFSET = 0x201;
    private static final int HEADER = 0x202;
    private static final int VERSION = 0x206;
    private static final int TYPE_OF_LOADER = 0x210;
    private static final int LOADFLAGS = 0x211;
    private static final int CODE32_START = 0x214;
    private static final int RAMDISK_IMAGE = 0x218;
    private static final int RAMDISK_SIZE = 0x21c;
    private static final int CMD_LINE_PTR = 0x228;
    private static final int INITRD_ADDR_MAX = 0x22c;
    private static final int RELOCATABLE_KERNEL = 0x234;
    private static final int XLOADFLAGS = 0x236;
    private static final int CMDLINE_SIZE = 0x238;
    private static final int PREF_ADDRESS = 0x258;
    private static final int INIT_SIZE = 0x260;
    /** Other fields of boot_params; screen_info is at its start. */
    private static final int ORIG_VIDEO_MODE = 0x06;
    private static final int ORIG_VIDEO_COLS = 0x07;
    private static final int ORIG_VIDEO_LINES = 0x0e;
    private static final int ORIG_VIDEO_IS_VGA = 0x0f;
    private static final int ORIG_VIDEO_POINTS = 0x10;
    private static final int ACPI_RSDP_ADDR = 0x070;
    private static final int E820_ENTRIES = 0x1e8;
    private static final int E820_TABLE = 0x2d0;
    private static final int E820_MAX_ENTRIES = 128;
    private static final int BOOT_PARAMS_SIZE = 4096;

    private static final short BOOT_FLAG_VALUE = (short) 0xaa55;
    private static final int MAGIC = 0x5372_6448;
    private static final int SECTOR = 512;
    private static final int PARAGRAPH = 16;
    private static final int DEFAULT_SETUP_SECTS = 4;
    private static final int LOADED_HIGH = 1;
    private static final int XLF_KERNEL_64 = 1;
    private static final int UNKNOWN_LOADER = 0xff;
    private static final int ENTRY_64 = 0x200;
    private static final int LEAST_HEADER = 0x268;
    private static final int VERSION_SYSSIZE = 0x204;
    private static final int VERSION_CMDLINE_SIZE = 0x206;
    private static final int VERSION_PREF_ADDRESS = 0x20a;
    private static final int VERSION_XLOADFLAGS = 0x20c;
    private static final int VERSION_RSDP = 0x20e;
    private static final int OLD_CMDLINE_SIZE = 255;
    private static final long OLD_INITRD_MAX = 0x37ff_ffff;

    private final BootRequest request;
    private final BootMemory memory;
    private final String name;
    private final byte[] image;
    private final ByteBuffer header;

    LinuxBoot(BootRequest request, BootMemory memory) {
        this.request = request;
        this.memory = memory;
        name = request.kernel().name();
        image = request.kernel().content();
        header = ByteBuffer.wrap(image).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Whether there is a boot sector with a setup header. */
    static boolean isLinux(byte[] image) {
        ByteBuffer bytes = ByteBuffer.wrap(image).order(ByteOrder.LITTLE_ENDIAN);
        return image.length >= HEADER + 4 && bytes.getShort(BOOT_FLAG) == BOOT_FLAG_VALUE
                && bytes.getInt(HEADER) == MAGIC;
    }

    private int version() {
        return header.getShort(VERSION) & 0xffff;
    }

    BootEntry load() throws BootException {
        if (image.length < LEAST_HEADER) {
            throw new BootException(name + ": the bzImage is truncated in its header");
        }
        if (version() < 0x200) {
            throw new BootException(
                    String.format("%s: boot protocol %d.%02d is too old", name, version() >>> 8, version() & 0xff));
        }
        if ((header.get(LOADFLAGS) & LOADED_HIGH) == 0) {
            throw new BootException(name + ": a zImage, loaded low; only a bzImage can be booted");
        }
        if (!request.modules().isEmpty()) {
            throw new BootException(name + ": the Linux boot protocol knows no modules");
        }
        int sectors = header.get(SETUP_SECTS) & 0xff;
        int setup = ((sectors == 0 ? DEFAULT_SETUP_SECTS : sectors) + 1) * SECTOR;
        if (setup >= image.length) {
            throw new BootException(name + ": the bzImage is truncated: nothing follows its setup code");
        }
        // Of the last paragraph the file need not have all.
        long expected = version() >= VERSION_SYSSIZE ? (header.getInt(SYSSIZE) & 0xffff_ffffL) * PARAGRAPH : 0;
        if (image.length - setup <= expected - PARAGRAPH) {
            throw new BootException(
                    String.format("%s: the bzImage is truncated: %d bytes follow its setup code, not %d",
                            name, image.length - setup, expected));
        }
        boolean hasPreference = version() >= VERSION_PREF_ADDRESS;
        long address = hasPreference && header.get(RELOCATABLE_KERNEL) != 0
                ? header.getLong(PREF_ADDRESS)
                : header.getInt(CODE32_START) & 0xffff_ffffL;
        int length = image.length - setup;
        long initSize = hasPreference ? Math.max(header.getInt(INIT_SIZE) & 0xffff_ffffL, length) : length;
        memory.require(name, address, initSize);
        memory.put(name, image, setup, address, length);

        ByteBuffer params = parameters();
        placeInitrd(params, BootMemory.pageUp(address + initSize));
        params.putInt(CODE32_START, (int) address);
        memory.memory().copyIn(params.array(), 0, BootMemory.INFORMATION, BOOT_PARAMS_SIZE);
        return entry(address);
    }

    private BootEntry entry(long address) {
        boolean has64 = version() >= VERSION_XLOADFLAGS && (header.getShort(XLOADFLAGS) & XLF_KERNEL_64) != 0;
        memory.putGdt(has64);
        Map<Integer, Long> registers = Map.of(Processor.RSI, BootMemory.INFORMATION, Processor.RSP, BootMemory.STACK);
        return has64
                ? new BootEntry("Linux 64-bit", OperatingMode.LONG, address + ENTRY_64, memory.putIdentityTables(),
                        BootMemory.GDT, registers, false)
                : new BootEntry("Linux 32-bit", OperatingMode.PROTECTED, address, 0, BootMemory.GDT, registers, false);
    }

    /** boot_params with the kernel's setup header, the command line, the address map and the root pointer. */
    private ByteBuffer parameters() throws BootException {
        ByteBuffer params = ByteBuffer.allocate(BOOT_PARAMS_SIZE).order(ByteOrder.LITTLE_ENDIAN);
        int end = HEADER + (image[JUMP_OFFSET] & 0xff);
        if (end > image.length) {
            throw new BootException(name + ": the bzImage is truncated in its header");
        }
        params.put(SETUP_HEADER, image, SETUP_HEADER, end - SETUP_HEADER);
        params.put(TYPE_OF_LOADER, (byte) UNKNOWN_LOADER);
        if (memory.hasDisplay()) {
            params.put(ORIG_VIDEO_MODE, (byte) Vga.MODE).put(ORIG_VIDEO_COLS, (byte) Vga.COLUMNS);
            params.put(ORIG_VIDEO_LINES, (byte) Vga.ROWS);
            params.put(ORIG_VIDEO_IS_VGA, (byte) 1).putShort(ORIG_VIDEO_POINTS, (short) Vga.CHARACTER_LINES);
        }
        int limit = version() >= VERSION_CMDLINE_SIZE ? header.getInt(CMDLINE_SIZE) : OLD_CMDLINE_SIZE;
        params.putInt(CMD_LINE_PTR,
                (int) memory.putCommandLine(name, request.commandLine(), limit < 0 ? Integer.MAX_VALUE : limit));
        if (version() >= VERSION_RSDP) {
            params.putLong(ACPI_RSDP_ADDR, memory.rsdp());
        }
        int count = memory.map().entries().size();
        if (count > E820_MAX_ENTRIES) {
            throw new BootException(name + ": the address map has " + count + " entries, at most 128 are possible");
        }
        params.put(E820_ENTRIES, (byte) count);
        params.put(E820_TABLE, memory.map().encode(), 0, count * E820.ENTRY_SIZE);
        return params;
    }

    private void placeInitrd(ByteBuffer params, long kernelEnd) throws BootException {
        BootRequest.File initrd = request.initrd();
        if (initrd == null) {
            return;
        }
        long most = version() >= 0x203 ? header.getInt(INITRD_ADDR_MAX) & 0xffff_ffffL : OLD_INITRD_MAX;
        long address = memory.findHighest(initrd.content().length, kernelEnd, Math.min(most, 0xffff_ffffL) + 1);
        if (address < 0) {
            throw new BootException(initrd.name() + ": " + initrd.content().length
                    + " bytes do not fit into RAM behind the kernel; more memory is needed");
        }
        memory.put(initrd.name(), initrd.content(), 0, address, initrd.content().length);
        params.putInt(RAMDISK_IMAGE, (int) address);
        params.putInt(RAMDISK_SIZE, initrd.content().length);
    }
}
