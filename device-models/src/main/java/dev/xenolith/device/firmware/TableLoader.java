package dev.xenolith.device.firmware;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.function.Supplier;

/**
 * Offers the tables of a board to firmware that finds fw_cfg: the tables as files, and a script by which firmware puts them into memory
 * of its choice, adds their addresses to the pointers, and mends the checksums. The script's commands have 128 bytes each (QEMU,
 * docs/specs/fw_cfg.rst names the files; the commands are those that SeaBIOS's romfile_loader and OVMF's AcpiPlatformDxe execute).
 */
public final class TableLoader {
    static final String RSDP_FILE = "etc/acpi/rsdp";
    static final String TABLES_FILE = "etc/acpi/tables";
    static final String SCRIPT_FILE = "etc/table-loader";
    static final String SMBIOS_TABLES_FILE = "etc/smbios/smbios-tables";
    static final String SMBIOS_ANCHOR_FILE = "etc/smbios/smbios-anchor";

    static final int COMMAND_SIZE = 128;
    static final int ALLOCATE = 1;
    static final int ADD_POINTER = 2;
    static final int ADD_CHECKSUM = 3;
    /** Where a file goes: anywhere below 4 GiB, or into the segment at 0xf0000. */
    static final int ZONE_HIGH = 1;
    static final int ZONE_BIOS = 2;

    private static final int FILE_NAME = 56;
    private static final int TABLE_ALIGNMENT = 64;
    private static final int RSDP_ALIGNMENT = 16;
    /** Fields of the RSDP (ACPI 6.4, 5.2.5.3). */
    private static final int RSDP_CHECKSUM = 8;
    private static final int RSDP_RSDT = 16;
    private static final int RSDP_XSDT = 24;
    private static final int RSDP_EXTENDED_CHECKSUM = 32;
    private static final int RSDP_FIRST_PART = 20;

    private final ByteArrayOutputStream script = new ByteArrayOutputStream();

    private TableLoader() {}

    /**
     * Puts the files into {@code fwCfg}.
     *
     * @param board what there is, when firmware asks for the tables
     */
    public static void offer(FwCfg fwCfg, Supplier<BoardDescription> board) {
        fwCfg.putFile(RSDP_FILE, () -> rsdp(board.get()));
        fwCfg.putFile(TABLES_FILE, () -> tables(new AcpiTables(board.get(), 0)));
        fwCfg.putFile(SCRIPT_FILE, script(new AcpiTables(board.get(), 0)));
        Smbios smbios = new Smbios(board.get());
        fwCfg.putFile(SMBIOS_TABLES_FILE, smbios.table());
        fwCfg.putFile(SMBIOS_ANCHOR_FILE, smbios.entryPoint(0));
    }

    private static boolean hasChecksum(String signature) {
        return !signature.equals("FACS");
    }

    /** The tables for address 0. Where the script makes a checksum there is 0, as not all firmware takes the old one into account. */
    private static byte[] tables(AcpiTables acpi) {
        byte[] bytes = acpi.encode();
        acpi.tables().keySet().stream().filter(TableLoader::hasChecksum)
                .forEach(signature -> bytes[acpi.offset(signature) + AcpiTables.CHECKSUM] = 0);
        return bytes;
    }

    private static byte[] rsdp(BoardDescription board) {
        byte[] rsdp = new AcpiTables(board, 0).rsdp();
        rsdp[RSDP_CHECKSUM] = 0;
        rsdp[RSDP_EXTENDED_CHECKSUM] = 0;
        return rsdp;
    }

    private static byte[] script(AcpiTables acpi) {
        TableLoader loader = new TableLoader();
        loader.allocate(RSDP_FILE, RSDP_ALIGNMENT, ZONE_BIOS);
        loader.allocate(TABLES_FILE, TABLE_ALIGNMENT, ZONE_HIGH);
        for (AcpiTables.Pointer pointer : acpi.pointers()) {
            loader.addPointer(TABLES_FILE, pointer.offset(), pointer.size());
        }
        loader.addPointer(RSDP_FILE, RSDP_RSDT, 4);
        loader.addPointer(RSDP_FILE, RSDP_XSDT, 8);
        acpi.tables().forEach((signature, table) -> {
            if (hasChecksum(signature)) {
                int start = acpi.offset(signature);
                loader.addChecksum(TABLES_FILE, start + AcpiTables.CHECKSUM, start, table.length);
            }
        });
        loader.addChecksum(RSDP_FILE, RSDP_CHECKSUM, 0, RSDP_FIRST_PART);
        loader.addChecksum(RSDP_FILE, RSDP_EXTENDED_CHECKSUM, 0, AcpiTables.RSDP_SIZE);
        return loader.script.toByteArray();
    }

    private void allocate(String file, int alignment, int zone) {
        add(command(ALLOCATE, file).putInt(alignment).put((byte) zone));
    }

    /** The {@code size} bytes at {@code offset} in {@code file} get the address of the tables added. */
    private void addPointer(String file, int offset, int size) {
        add(name(command(ADD_POINTER, file), TABLES_FILE).putInt(offset).put((byte) size));
    }

    private void addChecksum(String file, int offset, int start, int length) {
        add(command(ADD_CHECKSUM, file).putInt(offset).putInt(start).putInt(length));
    }

    private static ByteBuffer command(int command, String file) {
        return name(ByteBuffer.allocate(COMMAND_SIZE).order(ByteOrder.LITTLE_ENDIAN).putInt(command), file);
    }

    private static ByteBuffer name(ByteBuffer command, String file) {
        int start = command.position();
        return command.put(file.getBytes(StandardCharsets.US_ASCII)).position(start + FILE_NAME);
    }

    private void add(ByteBuffer command) {
        script.writeBytes(command.array());
    }
}
