package dev.xenolith.device.boot;

import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.device.firmware.E820;
import java.nio.charset.StandardCharsets;

/**
 * A machine's memory while something is loaded into it. What the loaders make themselves is in the first 640 KiB, at places of which
 * images leave {@link #OWN_LOW_END} to {@link #INFORMATION} and what follows {@link #OWN_END} free.
 *
 * @param memory where things go
 * @param map what of it is RAM
 * @param rsdp physical address of ACPI's root pointer
 * @param hasDisplay whether there is a VGA, in mode 3
 */
public record BootMemory(PhysicalMemory memory, E820 map, long rsdp, boolean hasDisplay) {
    static final long GDT = 0x1000;
    /** Top of a stack of 4 KiB. */
    static final long STACK = 0x3000;
    static final long OWN_LOW_END = STACK;
    /** boot_params, Multiboot information, or hvm_start_info, with what they point to. */
    static final long INFORMATION = 0x1_0000;
    static final int INFORMATION_SIZE = 0x1_0000;
    static final long COMMAND_LINE = 0x2_0000;
    static final int COMMAND_LINE_SIZE = 0x1_0000;
    static final long PAGE_TABLES = 0x3_0000;
    static final long OWN_END = 0x3_6000;
    /** Images that do not say where they belong are loaded from here on. */
    static final long IMAGES = 0x10_0000;

    private static final int PAGE = 4096;
    private static final int LEVEL_ENTRIES = 512;
    private static final int IDENTITY_GIB = 4;
    private static final long TABLE = 0x3;
    private static final long LARGE_PAGE = 0x83;
    private static final long CODE_64 = 0x00af_9b00_0000_ffffL;
    private static final long CODE_32 = 0x00cf_9b00_0000_ffffL;
    private static final long DATA = 0x00cf_9300_0000_ffffL;

    /** Fails unless all {@code length} bytes at {@code address} are RAM that the loaders do not use themselves. */
    void require(String what, long address, long length) throws BootException {
        boolean isOwn = address < OWN_LOW_END || address < OWN_END && address + length > INFORMATION;
        if (isOwn || !map.isRam(address, length)) {
            throw new BootException(String.format("%s: 0x%x bytes at 0x%x are not in free RAM", what, length, address));
        }
    }

    /** Copies {@code length} bytes of {@code source} to {@code address}, which must be RAM. */
    void put(String what, byte[] source, int offset, long address, int length) throws BootException {
        require(what, address, length);
        memory.copyIn(source, offset, address, length);
    }

    void zero(String what, long address, long length) throws BootException {
        require(what, address, length);
        memory.fill(address, length, 0);
    }

    /** Writes a command line, zero-terminated; at most {@code limit} bytes without the zero. */
    long putCommandLine(String kernel, String line, int limit) throws BootException {
        byte[] bytes = (line + "\0").getBytes(StandardCharsets.UTF_8);
        int most = Math.min(limit, COMMAND_LINE_SIZE - 1);
        if (bytes.length - 1 > most) {
            throw new BootException(kernel + ": the command line has " + (bytes.length - 1) + " bytes, at most " + most
                    + " are possible");
        }
        memory.copyIn(bytes, 0, COMMAND_LINE, bytes.length);
        return COMMAND_LINE;
    }

    /** Writes the GDT: flat code, of 64 or of 32 bits, and flat data. */
    void putGdt(boolean code64) {
        memory.write64(GDT, 0);
        memory.write64(GDT + 8, 0);
        memory.write64(GDT + BootEntry.CODE_SELECTOR, code64 ? CODE_64 : CODE_32);
        memory.write64(GDT + BootEntry.DATA_SELECTOR, DATA);
    }

    /** Writes page tables that map the first 4 GiB to themselves; returns their root. */
    long putIdentityTables() {
        long l3 = PAGE_TABLES + PAGE;
        memory.fill(PAGE_TABLES, 2 * PAGE, 0);
        memory.write64(PAGE_TABLES, l3 | TABLE);
        for (int i = 0; i < IDENTITY_GIB; i++) {
            long l2 = l3 + PAGE * (1L + i);
            memory.write64(l3 + 8L * i, l2 | TABLE);
            for (int j = 0; j < LEVEL_ENTRIES; j++) {
                memory.write64(l2 + 8L * j, (long) i << 30 | (long) j << 21 | LARGE_PAGE);
            }
        }
        return PAGE_TABLES;
    }

    /**
     * The highest page-aligned place for {@code length} bytes in RAM below {@code limit} and from {@code least} on; -1 if there is
     * none.
     */
    long findHighest(long length, long least, long limit) {
        long best = -1;
        for (E820.Entry entry : map.entries()) {
            if (entry.type() == E820.RAM) {
                long start = Math.min(entry.end(), limit) - length & -PAGE;
                if (start >= Math.max(Math.max(entry.start(), least), IMAGES)) {
                    best = Math.max(best, start);
                }
            }
        }
        return best;
    }

    static long pageUp(long address) {
        return address + PAGE - 1 & -PAGE;
    }
}
