package dev.xenolith.device.firmware;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.device.Dma;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class TableLoaderTest {
    private static final BoardDescription BOARD = new BoardDescription(2, 64 << 20, 64 << 20,
            new E820(List.of(new E820.Entry(0, 0x9_fc00, E820.RAM), new E820.Entry(1 << 20, 63 << 20, E820.RAM))));
    private static final int FILE_DIRECTORY = 0x19;

    /** Memory that nobody reaches. */
    private static final Dma NO_MEMORY = new Dma() {
        @Override
        public void read(long address, byte[] destination, int offset, int length) {
            throw new AssertionError();
        }

        @Override
        public void write(long address, byte[] source, int offset, int length) {
            throw new AssertionError();
        }
    };

    private final int[] pmBase = {0};
    private final FwCfg fwCfg = new FwCfg(NO_MEMORY);
    private final Map<String, ByteBuffer> placed = new HashMap<>();

    private byte[] item(int key, int length) {
        fwCfg.registers().write(0, 2, key);
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = (byte) fwCfg.registers().read(1, 1);
        }
        return bytes;
    }

    private byte[] file(String name) {
        int count = ByteBuffer.wrap(item(FILE_DIRECTORY, 4)).getInt();
        ByteBuffer directory = ByteBuffer.wrap(item(FILE_DIRECTORY, 4 + 64 * count)).position(4);
        for (int i = 0; i < count; i++) {
            int size = directory.getInt();
            int key = directory.getShort();
            directory.getShort();
            if (name(directory).equals(name)) {
                return item(key, size);
            }
        }
        throw new AssertionError("no file " + name);
    }

    private static String name(ByteBuffer in) {
        byte[] name = new byte[56];
        in.get(name);
        return new String(name, StandardCharsets.US_ASCII).trim();
    }

    private ByteBuffer placed(String file) {
        return Objects.requireNonNull(placed.get(file), file);
    }

    /** Does what firmware does, with tables at {@code address}. */
    private void execute(int address) {
        ByteBuffer script = ByteBuffer.wrap(file(TableLoader.SCRIPT_FILE)).order(ByteOrder.LITTLE_ENDIAN);
        for (int at = 0; at < script.capacity(); at += TableLoader.COMMAND_SIZE) {
            script.position(at);
            int command = script.getInt();
            String target = name(script);
            switch (command) {
                case TableLoader.ALLOCATE ->
                    placed.put(target, ByteBuffer.wrap(file(target)).order(ByteOrder.LITTLE_ENDIAN));
                case TableLoader.ADD_POINTER -> {
                    assertThat(name(script)).isEqualTo(TableLoader.TABLES_FILE);
                    int offset = script.getInt();
                    ByteBuffer bytes = placed(target);
                    if (script.get() == 4) {
                        bytes.putInt(offset, bytes.getInt(offset) + address);
                    } else {
                        bytes.putLong(offset, bytes.getLong(offset) + address);
                    }
                }
                case TableLoader.ADD_CHECKSUM -> {
                    int offset = script.getInt();
                    int start = script.getInt();
                    byte[] bytes = placed(target).array();
                    bytes[offset] = Checksum.of(bytes, start, script.getInt());
                }
                default -> throw new AssertionError("command " + command);
            }
        }
    }

    @Test
    void firmwareGetsTheTablesAsTheyWouldStandThere() {
        TableLoader.offer(fwCfg, () -> BOARD.withPmBase(pmBase[0]));
        pmBase[0] = 0xb000;
        execute(0x3fe_0000);
        AcpiTables there = new AcpiTables(BOARD.withPmBase(0xb000), 0x3fe_0000);
        assertThat(placed(TableLoader.TABLES_FILE).array()).isEqualTo(there.encode());
        assertThat(placed(TableLoader.RSDP_FILE).array()).isEqualTo(there.rsdp());
    }

    @Test
    void theSystemsDescriptionIsThereToo() {
        TableLoader.offer(fwCfg, () -> BOARD);
        Smbios smbios = new Smbios(BOARD);
        assertThat(file(TableLoader.SMBIOS_TABLES_FILE)).isEqualTo(smbios.table());
        assertThat(file(TableLoader.SMBIOS_ANCHOR_FILE)).isEqualTo(smbios.entryPoint(0));
    }
}
