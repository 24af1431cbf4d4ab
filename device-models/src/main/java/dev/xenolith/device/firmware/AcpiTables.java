package dev.xenolith.device.firmware;

import dev.xenolith.device.pci.Piix4Pm;
import dev.xenolith.device.time.Hpet;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The static ACPI tables of a board (ACPI 6.4, chapter 5), laid out one after the other. */
public final class AcpiTables {
    /** Bytes of the RSDP, which stands apart. */
    public static final int RSDP_SIZE = 36;

    private static final int HEADER = 36;
    static final int CHECKSUM = 9;
    private static final int FADT_SIZE = 244;
    private static final int FACS_SIZE = 64;
    /** Addresses in the FADT. */
    private static final int FADT_FACS = 36;
    private static final int FADT_DSDT = 40;
    private static final int FADT_X_FACS = 132;
    private static final int FADT_X_DSDT = 140;
    private static final int ALIGNMENT = 64;
    private static final String OEM_ID = "XENOLH";
    private static final String OEM_TABLE_ID = "XENOLITH";
    private static final int OEM_REVISION = 1;

    private static final int SPACE_MEMORY = 0;
    private static final int SPACE_IO = 1;

    /** FADT flags: WBINVD, C1 on all processors, sleep button and RTC wake not fixed hardware, reset register. */
    private static final int FADT_FLAGS = 1 | 1 << 2 | 1 << 5 | 1 << 6 | 1 << 10;
    /** IAPC_BOOT_ARCH: legacy devices, 8042. */
    private static final int BOOT_ARCHITECTURE = 1 | 1 << 1;
    private static final int RESET_PORT = 0xcf9;
    private static final int RESET_VALUE = 6;
    private static final int CENTURY = 0x32;
    private static final int PCAT_COMPAT = 1;
    /** MPS INTI flags: active high, level-triggered. */
    private static final int ACTIVE_HIGH_LEVEL = 0x0d;

    private final long base;
    private final Map<String, ByteBuffer> tables = new LinkedHashMap<>();
    private final Map<String, Long> addresses = new LinkedHashMap<>();
    private final List<Pointer> pointers = new ArrayList<>();
    private long end;

    /**
     * A field that holds the address of a table.
     *
     * @param offset from the tables' base
     * @param size 4 or 8 bytes
     */
    record Pointer(int offset, int size) {
    }

    /** Lays out the tables of {@code board} from physical address {@code base}, below 4 GiB, up to {@link #end}. */
    public AcpiTables(BoardDescription board, long base) {
        this.base = base;
        end = base;
        ByteBuffer facs = buffer(FACS_SIZE);
        facs.put(ascii("FACS", 4)).putInt(FACS_SIZE).put(32, (byte) 1);
        long facsAddress = place("FACS", facs);
        byte[] definition = Dsdt.encode(board);
        long dsdt = place("DSDT", checked(table("DSDT", 2, definition.length).put(definition)));
        long fadt = place("FACP", fadt(board, facsAddress, dsdt));
        long madt = place("APIC", madt(board));
        long hpet = place("HPET", hpet());
        long[] listed = {fadt, madt, hpet};
        ByteBuffer rsdt = table("RSDT", 1, 4 * listed.length);
        ByteBuffer xsdt = table("XSDT", 1, 8 * listed.length);
        for (long address : listed) {
            rsdt.putInt((int) address);
            xsdt.putLong(address);
        }
        place("RSDT", checked(rsdt));
        place("XSDT", checked(xsdt));
        for (int i = 0; i < listed.length; i++) {
            point("RSDT", HEADER + 4 * i, 4);
            point("XSDT", HEADER + 8 * i, 8);
        }
        point("FACP", FADT_FACS, 4);
        point("FACP", FADT_DSDT, 4);
        point("FACP", FADT_X_FACS, 8);
        point("FACP", FADT_X_DSDT, 8);
    }

    private void point(String table, int field, int size) {
        pointers.add(new Pointer(offset(table) + field, size));
    }

    /** Where a table stands, from the base. */
    int offset(String signature) {
        return (int) (addresses.getOrDefault(signature, base) - base);
    }

    /** All fields of tables that hold addresses of tables. */
    List<Pointer> pointers() {
        return List.copyOf(pointers);
    }

    private long place(String name, ByteBuffer table) {
        long address = end + ALIGNMENT - 1 & -ALIGNMENT;
        tables.put(name, table);
        addresses.put(name, address);
        end = address + table.capacity();
        return address;
    }

    /** First address after the tables. */
    public long end() {
        return end;
    }

    /** The tables by signature, in the order in which they stand. */
    public Map<String, byte[]> tables() {
        Map<String, byte[]> copies = new LinkedHashMap<>();
        tables.forEach((name, table) -> copies.put(name, table.array().clone()));
        return copies;
    }

    /** All bytes from the base to {@link #end}. */
    public byte[] encode() {
        byte[] bytes = new byte[(int) (end - base)];
        tables.forEach((name, table) -> System.arraycopy(table.array(), 0, bytes,
                offset(name), table.capacity()));
        return bytes;
    }

    /** The root pointer, revision 2. */
    public byte[] rsdp() {
        ByteBuffer rsdp = buffer(RSDP_SIZE);
        rsdp.put(ascii("RSD PTR ", 8)).put((byte) 0).put(ascii(OEM_ID, 6)).put((byte) 2)
                .putInt(addresses.getOrDefault("RSDT", 0L).intValue()).putInt(RSDP_SIZE)
                .putLong(addresses.getOrDefault("XSDT", 0L));
        rsdp.put(8, Checksum.of(rsdp.array(), 0, 20));
        rsdp.put(32, Checksum.of(rsdp.array(), 0, RSDP_SIZE));
        return rsdp.array();
    }

    // ---- tables ------------------------------------------------------------------------------------------------------

    private static ByteBuffer buffer(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static byte[] ascii(String text, int length) {
        return (text + " ".repeat(length - text.length())).getBytes(StandardCharsets.US_ASCII);
    }

    /** A table with its header (5.2.6), positioned after it. */
    private static ByteBuffer table(String signature, int revision, int body) {
        ByteBuffer table = buffer(HEADER + body);
        return table.put(ascii(signature, 4)).putInt(HEADER + body).put((byte) revision).put((byte) 0)
                .put(ascii(OEM_ID, 6)).put(ascii(OEM_TABLE_ID, 8)).putInt(OEM_REVISION).put(ascii("XENO", 4))
                .putInt(1);
    }

    private static ByteBuffer checked(ByteBuffer table) {
        return table.put(CHECKSUM, Checksum.of(table.array(), 0, table.capacity()));
    }

    /** A generic address structure (5.2.3.2). */
    private static void putAddress(ByteBuffer table, int space, int bits, int accessSize, long address) {
        table.put((byte) space).put((byte) bits).put((byte) 0).put((byte) accessSize).putLong(address);
    }

    /** Revision 3 (ACPI 2.0): 244 bytes. */
    private static ByteBuffer fadt(BoardDescription board, long facs, long dsdt) {
        ByteBuffer fadt = table("FACP", 3, FADT_SIZE - HEADER);
        int events = board.pmBase() + Piix4Pm.PMSTS;
        int control = board.pmBase() + Piix4Pm.PMCNTRL;
        int timer = board.pmBase() + Piix4Pm.PMTMR;
        int general = board.pmBase() + Piix4Pm.GPSTS;
        fadt.putInt((int) facs).putInt((int) dsdt).put((byte) 0).put((byte) 0);
        fadt.putShort((short) BoardDescription.SCI).putInt(0xb2).put((byte) Piix4Pm.ACPI_ENABLE)
                .put((byte) Piix4Pm.ACPI_DISABLE).putShort((short) 0);
        fadt.putInt(events).putInt(0).putInt(control).putInt(0).putInt(0).putInt(timer).putInt(general).putInt(0);
        // Lengths of those blocks; no GPE1; no _CST.
        fadt.put(new byte[]{4, 2, 0, 4, 4, 0, 0, 0});
        // C2 and C3 are not there: their latencies are beyond the limits.
        fadt.putShort((short) 0xfff).putShort((short) 0xfff);
        // WBINVD is there, so no flush sizes; no duty cycle; no alarm registers for day and month.
        fadt.putShort((short) 0).putShort((short) 0).put(new byte[4]).put((byte) CENTURY);
        fadt.putShort((short) BOOT_ARCHITECTURE).put((byte) 0).putInt(FADT_FLAGS);
        putAddress(fadt, SPACE_IO, 8, 1, RESET_PORT);
        fadt.put((byte) RESET_VALUE).put(new byte[3]).putLong(facs).putLong(dsdt);
        putAddress(fadt, SPACE_IO, 32, 2, events);
        putAddress(fadt, SPACE_IO, 0, 0, 0);
        putAddress(fadt, SPACE_IO, 16, 2, control);
        putAddress(fadt, SPACE_IO, 0, 0, 0);
        putAddress(fadt, SPACE_IO, 0, 0, 0);
        putAddress(fadt, SPACE_IO, 32, 3, timer);
        putAddress(fadt, SPACE_IO, 32, 1, general);
        putAddress(fadt, SPACE_IO, 0, 0, 0);
        return checked(fadt);
    }

    private static ByteBuffer madt(BoardDescription board) {
        ByteBuffer madt = table("APIC", 3, 8 + 8 * board.processors() + 12 + 2 * 10 + 6);
        madt.putInt((int) BoardDescription.LOCAL_APIC).putInt(PCAT_COMPAT);
        for (int i = 0; i < board.processors(); i++) {
            madt.put((byte) 0).put((byte) 8).put((byte) i).put((byte) i).putInt(1);
        }
        madt.put((byte) 1).put((byte) 12).put((byte) board.ioApicId()).put((byte) 0)
                .putInt((int) BoardDescription.IO_APIC).putInt(0);
        putOverride(madt, 0, 2, 0);
        putOverride(madt, BoardDescription.SCI, BoardDescription.SCI, ACTIVE_HIGH_LEVEL);
        // NMI of every processor at LINT1.
        madt.put((byte) 4).put((byte) 6).put((byte) 0xff).putShort((short) 0).put((byte) 1);
        return checked(madt);
    }

    private static void putOverride(ByteBuffer madt, int irq, int gsi, int flags) {
        madt.put((byte) 2).put((byte) 10).put((byte) 0).put((byte) irq).putInt(gsi).putShort((short) flags);
    }

    private static ByteBuffer hpet() {
        ByteBuffer hpet = table("HPET", 1, 20);
        hpet.putInt(Hpet.EVENT_TIMER_BLOCK_ID);
        putAddress(hpet, SPACE_MEMORY, 64, 0, BoardDescription.HPET);
        // Number 0, at least 100 ticks between interrupts, no page protection.
        return checked(hpet.put((byte) 0).putShort((short) 100).put((byte) 0));
    }
}
