package dev.xenolith.device.firmware;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.cpu.memory.MemoryLayout;
import dev.xenolith.cpu.memory.PhysicalMemory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class FirmwareTablesTest {
    private static final BoardDescription BOARD = new BoardDescription(4, 512 << 20, 512 << 20,
            new E820(List.of(new E820.Entry(0, 0x9_fc00, E820.RAM), new E820.Entry(0xf_0000, 0x1_0000, E820.RESERVED),
                    new E820.Entry(1 << 20, 511 << 20, E820.RAM))));

    private static int sum(byte[] bytes, int start, int length) {
        int sum = 0;
        for (int i = start; i < start + length; i++) {
            sum += bytes[i];
        }
        return sum & 0xff;
    }

    private static ByteBuffer little(byte[] bytes) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static ByteBuffer table(String signature) {
        return little(Objects.requireNonNull(new AcpiTables(BOARD, 0xe_0000).tables().get(signature)));
    }

    private static byte[] read(PhysicalMemory memory, long address, int length) {
        byte[] bytes = new byte[length];
        memory.copyOut(address, bytes, 0, length);
        return bytes;
    }

    /** Finds a structure on a paragraph of the BIOS area, as software does. */
    private static long find(PhysicalMemory memory, String signature) {
        for (long at = 0xf_0000; at < 0x10_0000; at += 16) {
            if (new String(read(memory, at, signature.length()), StandardCharsets.US_ASCII).equals(signature)) {
                return at;
            }
        }
        throw new AssertionError("no " + signature);
    }

    @Test
    void softwareFindsEverythingFromItsPointers() {
        try (PhysicalMemory memory = new PhysicalMemory(MemoryLayout.flat(1 << 20))) {
            FirmwareTables tables = FirmwareTables.install(memory, BOARD);
            long rsdp = find(memory, "RSD PTR ");
            assertThat(tables.rsdp()).isEqualTo(rsdp);
            assertThat(sum(read(memory, rsdp, 20), 0, 20)).isZero();
            assertThat(sum(read(memory, rsdp, 36), 0, 36)).isZero();
            long xsdt = memory.read64(rsdp + 24);
            int length = memory.read32(xsdt + 4);
            StringBuilder found = new StringBuilder();
            for (int i = 36; i < length; i += 8) {
                long table = memory.read64(xsdt + i);
                int size = memory.read32(table + 4);
                assertThat(sum(read(memory, table, size), 0, size)).isZero();
                found.append(new String(read(memory, table, 4), StandardCharsets.US_ASCII)).append(' ');
                assertThat(memory.read32(memory.read32(rsdp + 16) + 36 + (i - 36) / 2L)).isEqualTo((int) table);
            }
            assertThat(found).hasToString("FACP APIC HPET ");
            long smbios = find(memory, "_SM_");
            assertThat(sum(read(memory, smbios, 31), 0, 31)).isZero();
            assertThat(sum(read(memory, smbios, 31), 16, 15)).isZero();
            long mp = find(memory, "_MP_");
            assertThat(sum(read(memory, mp, 16), 0, 16)).isZero();
            long configuration = memory.read32(mp + 4);
            int size = memory.read16(configuration + 4);
            assertThat(sum(read(memory, configuration, size), 0, size)).isZero();
        }
    }

    @Test
    void theFadtPointsToTheHardware() {
        ByteBuffer fadt = table("FACP");
        assertThat(fadt.capacity()).isEqualTo(244);
        assertThat(fadt.getInt(36) & 63).as("FACS is aligned").isZero();
        assertThat(fadt.getShort(46)).isEqualTo((short) 9);
        assertThat(fadt.getInt(56)).isEqualTo(0x600);
        assertThat(fadt.getInt(76)).isEqualTo(0x608);
        assertThat(fadt.get(108)).as("century").isEqualTo((byte) 0x32);
        assertThat(fadt.getLong(120)).as("reset register").isEqualTo(0xcf9);
        assertThat(fadt.get(128)).isEqualTo((byte) 6);
        assertThat(fadt.getInt(40)).isEqualTo((int) fadt.getLong(140));
    }

    @Test
    void theMadtListsProcessorsAndOverrides() {
        ByteBuffer madt = table("APIC");
        StringBuilder entries = new StringBuilder();
        for (int at = 44; at < madt.capacity(); at += madt.get(at + 1)) {
            entries.append(madt.get(at))
                    .append(madt.get(at) == 2 ? ":" + madt.get(at + 3) + ">" + madt.getInt(at + 4) : "")
                    .append(' ');
        }
        assertThat(entries).hasToString("0 0 0 0 1 2:0>2 2:9>9 4 ");
    }

    @Test
    void smbiosStructuresEndWhereTheTableDoes() {
        Smbios smbios = new Smbios(BOARD);
        byte[] table = smbios.table();
        int at = 0;
        int count = 0;
        StringBuilder types = new StringBuilder();
        while (at < table.length) {
            types.append(table[at]).append(' ');
            at += table[at + 1];
            while (table[at] != 0 || table[at + 1] != 0) {
                at++;
            }
            at += 2;
            count++;
        }
        assertThat(at).isEqualTo(table.length);
        assertThat(types).hasToString("0 1 3 4 4 4 4 16 17 19 19 32 127 ");
        assertThat(little(smbios.entryPoint(0)).getShort(28)).isEqualTo((short) count);
    }

    @Test
    void amlLengthsAreEncodedInOneToFourBytes() {
        for (int size : new int[]{1, 40, 62, 63, 64, 4093, 4094, 5000, 1_048_572, 1_048_573, 1_100_000}) {
            byte[] scope = new Aml().scope("X", body -> {
                for (int i = 0; i < size; i++) {
                    body.integer(0);
                }
            }).bytes();
            int extra = scope[1] >>> 6 & 3;
            int length = extra == 0 ? scope[1] & 0x3f : scope[1] & 0xf;
            for (int i = 0; i < extra; i++) {
                length |= (scope[2 + i] & 0xff) << 4 + 8 * i;
            }
            assertThat(length).isEqualTo(scope.length - 1);
            assertThat(scope).hasSize(size + 4 + 2 + extra);
        }
    }

    @Test
    void amlNamesAndIds() {
        assertThat(new Aml().path("\\_SB.PCI0").bytes()).asString(StandardCharsets.US_ASCII)
                .isEqualTo("\\\u002e_SB_PCI0");
        assertThat(new Aml().eisaId("PNP0A03").bytes()).containsExactly(0x0c, 0x41, 0xd0, 0x0a, 0x03);
        assertThat(new Aml().integer(0x1234).bytes()).containsExactly(0x0b, 0x34, 0x12);
    }

    /** Writes each table for a disassembler to look at when the property {@code xenolith.acpi.dump} names a directory. */
    @Test
    void dumpsOnRequest() throws IOException {
        Map<String, byte[]> tables = new AcpiTables(BOARD, 0xe_0000).tables();
        assertThat(tables.keySet()).containsExactly("FACS", "DSDT", "FACP", "APIC", "HPET", "RSDT", "XSDT");
        String directory = System.getProperty("xenolith.acpi.dump");
        if (directory != null) {
            for (Map.Entry<String, byte[]> table : tables.entrySet()) {
                Files.write(Path.of(directory, table.getKey() + ".aml"), table.getValue());
            }
        }
    }
}
