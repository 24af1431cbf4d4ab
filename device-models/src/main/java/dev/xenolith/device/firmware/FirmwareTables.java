package dev.xenolith.device.firmware;

import dev.xenolith.cpu.memory.PhysicalMemory;

/**
 * Puts the tables of a board where firmware would have left them: from 0xe0000 on, with the pointers that software searches for
 * from 0xf0000 on.
 *
 * @param rsdp physical address of ACPI's root pointer
 */
public record FirmwareTables(long rsdp) {
    private static final long TABLES = 0xe_0000;
    private static final long POINTERS = 0xf_0000;
    private static final int PARAGRAPH = 16;

    /** Writes the tables into {@code memory}, which has RAM there. */
    public static FirmwareTables install(PhysicalMemory memory, BoardDescription board) {
        AcpiTables acpi = new AcpiTables(board, TABLES);
        Smbios smbios = new Smbios(board);
        MpTable mp = new MpTable(board);
        put(memory, TABLES, acpi.encode());
        long smbiosAddress = align(acpi.end());
        put(memory, smbiosAddress, smbios.table());
        long mpAddress = align(smbiosAddress + smbios.table().length);
        put(memory, mpAddress, mp.table());
        if (mpAddress + mp.table().length > POINTERS) {
            throw new IllegalStateException("the firmware tables do not fit");
        }
        long rsdp = POINTERS;
        put(memory, rsdp, acpi.rsdp());
        long smbiosEntry = align(rsdp + AcpiTables.RSDP_SIZE);
        put(memory, smbiosEntry, smbios.entryPoint(smbiosAddress));
        put(memory, align(smbiosEntry + Smbios.ENTRY_SIZE), MpTable.pointer(mpAddress));
        return new FirmwareTables(rsdp);
    }

    private static void put(PhysicalMemory memory, long address, byte[] bytes) {
        memory.copyIn(bytes, 0, address, bytes.length);
    }

    private static long align(long address) {
        return address + PARAGRAPH - 1 & -PARAGRAPH;
    }
}
