package dev.xenolith.device.firmware;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** The SMBIOS 2.8 tables (DMTF DSP0134 2.8.0): who made the board, its processors and its memory. */
public final class Smbios {
    /** Bytes of the entry point structure, which stands apart. */
    public static final int ENTRY_SIZE = 31;

    private static final int END_OF_TABLE = 127;
    private static final int MIB_SHIFT = 20;
    private static final int KIB_SHIFT = 10;
    private static final int FIRST_HANDLE_STEP = 0x100;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private int structures;
    private int largest;

    public Smbios(BoardDescription board) {
        bios();
        system();
        chassis();
        for (int i = 0; i < board.processors(); i++) {
            processor(i);
        }
        memory(board);
        add(32, 0, body(7), "");
        add(END_OF_TABLE, 0, body(0));
    }

    private static ByteBuffer body(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Appends a structure: header, formatted area, strings. */
    private void add(int type, int index, ByteBuffer formatted, String... strings) {
        int start = out.size();
        int handle = type * FIRST_HANDLE_STEP + index & 0xffff;
        out.writeBytes(
                body(4).put((byte) type).put((byte) (4 + formatted.capacity())).putShort((short) handle).array());
        out.writeBytes(formatted.array());
        boolean any = false;
        for (String string : strings) {
            if (!string.isEmpty()) {
                out.writeBytes(string.getBytes(StandardCharsets.US_ASCII));
                out.write(0);
                any = true;
            }
        }
        if (!any) {
            out.write(0);
        }
        out.write(0);
        structures++;
        largest = Math.max(largest, out.size() - start);
    }

    /** Type 0: vendor, version, release date; characteristics "not supported", virtual machine in the extension. */
    private void bios() {
        ByteBuffer bios = body(20).put((byte) 1).put((byte) 2).putShort((short) 0xe000).put((byte) 3).put((byte) 0)
                .putLong(1 << 3).put((byte) 0).put((byte) 0x1c).put((byte) 0).put((byte) 1).put((byte) -1)
                .put((byte) -1);
        add(0, 0, bios, "Xenolith", "0.1", "01/01/2025");
    }

    private void system() {
        // No UUID is set: all zeros. Woken by the power switch.
        ByteBuffer system = body(23).put((byte) 1).put((byte) 2).put((byte) 3).put((byte) 0).put(new byte[16])
                .put((byte) 6).put((byte) 0).put((byte) 0);
        add(1, 0, system, "Xenolith", "Standard PC (i440FX + PIIX)", "0.1");
    }

    private void chassis() {
        // Type "other", states "safe", security "none".
        add(3, 0, body(18).put(new byte[]{1, 1, 0, 0, 0, 3, 3, 3, 2}), "Xenolith");
    }

    private void processor(int index) {
        ByteBuffer processor = body(38);
        // Socket, central processor, family "other", manufacturer; id and voltage unknown.
        processor.put((byte) 1).put((byte) 3).put((byte) 1).put((byte) 2).putLong(0).put((byte) 0).put((byte) 0);
        // External clock unknown, 1000 MHz; populated and enabled, upgrade "other"; no cache handles.
        processor.putShort((short) 0).putShort((short) 1000).putShort((short) 1000).put((byte) 0x41).put((byte) 1);
        processor.putShort((short) -1).putShort((short) -1).putShort((short) -1);
        // No serial numbers; one core, enabled, one thread; 64-bit capable; family again.
        processor.put(new byte[]{0, 0, 0, 1, 1, 1}).putShort((short) 4).putShort((short) 1);
        add(4, index, processor, "CPU " + index, "Xenolith");
    }

    /** Types 16, 17 and 19: one array, one device, the mapped ranges. */
    private void memory(BoardDescription board) {
        long kib = board.memoryBytes() >>> KIB_SHIFT;
        ByteBuffer array = body(19).put((byte) 1).put((byte) 3).put((byte) 6)
                .putInt(kib < 1L << 31 ? (int) kib : 1 << 31).putShort((short) 0xfffe).putShort((short) 1)
                .putLong(kib < 1L << 31 ? 0 : board.memoryBytes());
        add(16, 0, array);
        long mib = board.memoryBytes() >>> MIB_SHIFT;
        ByteBuffer device = body(36).putShort((short) (16 * FIRST_HANDLE_STEP)).putShort((short) 0xfffe)
                .putShort((short) 64).putShort((short) 64).putShort((short) (mib < 0x7fff ? mib : 0x7fff))
                .put((byte) 9).put((byte) 0).put((byte) 1).put((byte) 0).put((byte) 7).putShort((short) 2)
                .putShort((short) 0).put(new byte[]{2, 0, 0, 0, 0}).putInt(mib < 0x7fff ? 0 : (int) mib);
        add(17, 0, device, "DIMM 0", "Xenolith");
        int index = 0;
        for (E820.Entry entry : board.map().entries()) {
            if (entry.type() == E820.RAM && entry.end() - 1 >>> KIB_SHIFT < 0xffff_ffffL) {
                ByteBuffer range = body(27).putInt((int) (entry.start() >>> KIB_SHIFT))
                        .putInt((int) (entry.end() - 1 >>> KIB_SHIFT)).putShort((short) (16 * FIRST_HANDLE_STEP))
                        .put((byte) 1);
                add(19, index++, range);
            }
        }
    }

    /** The structure table. */
    public byte[] table() {
        return out.toByteArray();
    }

    /** The entry point for a table at {@code address}, below 4 GiB. */
    public byte[] entryPoint(long address) {
        ByteBuffer entry = body(ENTRY_SIZE);
        entry.put("_SM_".getBytes(StandardCharsets.US_ASCII)).put((byte) 0).put((byte) ENTRY_SIZE).put((byte) 2)
                .put((byte) 8).putShort((short) largest).put((byte) 0).put(new byte[5]);
        entry.put("_DMI_".getBytes(StandardCharsets.US_ASCII)).put((byte) 0).putShort((short) out.size())
                .putInt((int) address).putShort((short) structures).put((byte) 0x28);
        entry.put(21, Checksum.of(entry.array(), 16, 15));
        entry.put(4, Checksum.of(entry.array(), 0, ENTRY_SIZE));
        return entry.array();
    }
}
