package dev.xenolith.device.firmware;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** The MP configuration table (Intel 242016, "MultiProcessor Specification", 1.4), for software without ACPI. */
public final class MpTable {
    /** Bytes of the floating pointer structure, which stands apart. */
    public static final int POINTER_SIZE = 16;

    private static final int HEADER = 44;
    private static final int BUS_PCI = 0;
    private static final int BUS_ISA = 1;
    private static final int ISA_IRQS = 16;
    private static final int PCI_DEVICES = 32;
    private static final int PINS = 4;

    private static final int INTERRUPT = 0;
    private static final int NMI = 1;
    private static final int EXT_INT = 3;
    /** Flags of an interrupt entry: as the bus says; active low and level. */
    private static final int CONFORMING = 0;
    private static final int ACTIVE_HIGH_LEVEL = 0x0d;

    private final byte[] table;

    public MpTable(BoardDescription board) {
        ByteBuffer out = ByteBuffer.allocate(4096).order(ByteOrder.LITTLE_ENDIAN);
        out.position(HEADER);
        int entries = 0;
        for (int i = 0; i < board.processors(); i++) {
            // APIC version, enabled, and the bootstrap processor; signature and features are the processor's to tell.
            out.put((byte) 0).put((byte) i).put((byte) 0x14).put((byte) (i == 0 ? 3 : 1)).putInt(0x600).putInt(0x201)
                    .putLong(0);
            entries++;
        }
        entries += putBus(out, BUS_PCI, "PCI   ") + putBus(out, BUS_ISA, "ISA   ");
        out.put((byte) 2).put((byte) board.ioApicId()).put((byte) 0x20).put((byte) 1)
                .putInt((int) BoardDescription.IO_APIC);
        entries++;
        for (int irq = 0; irq < ISA_IRQS; irq++) {
            if (irq != 2) {
                int flags = irq == BoardDescription.SCI ? ACTIVE_HIGH_LEVEL : CONFORMING;
                entries += putInterrupt(out, 3, INTERRUPT, flags, BUS_ISA, irq, board.ioApicId(), irq == 0 ? 2 : irq);
            }
        }
        for (int device = 1; device < PCI_DEVICES; device++) {
            for (int pin = 0; pin < PINS; pin++) {
                entries += putInterrupt(out, 3, INTERRUPT, ACTIVE_HIGH_LEVEL, BUS_PCI, device << 2 | pin,
                        board.ioApicId(), BoardDescription.PIRQ_GSI + BoardDescription.pirq(device, pin));
            }
        }
        entries += putInterrupt(out, 4, EXT_INT, CONFORMING, BUS_ISA, 0, 0xff, 0);
        entries += putInterrupt(out, 4, NMI, CONFORMING, BUS_ISA, 0, 0xff, 1);
        int length = out.position();
        out.position(0);
        out.put(ascii("PCMP")).putShort((short) length).put((byte) 4).put((byte) 0).put(ascii("XENOLITH"))
                .put(ascii("PC          ")).putInt(0).putShort((short) 0).putShort((short) entries)
                .putInt((int) BoardDescription.LOCAL_APIC).putInt(0);
        out.put(7, Checksum.of(out.array(), 0, length));
        table = new byte[length];
        out.get(0, table);
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    private static int putBus(ByteBuffer out, int id, String type) {
        out.put((byte) 1).put((byte) id).put(ascii(type));
        return 1;
    }

    private static int putInterrupt(ByteBuffer out, int entry, int type, int flags, int bus, int irq, int apic,
            int pin) {
        out.put((byte) entry).put((byte) type).putShort((short) flags).put((byte) bus).put((byte) irq).put((byte) apic)
                .put((byte) pin);
        return 1;
    }

    /** The configuration table. */
    public byte[] table() {
        return table.clone();
    }

    /** The floating pointer for a table at {@code address}, below 4 GiB. */
    public static byte[] pointer(long address) {
        ByteBuffer pointer = ByteBuffer.allocate(POINTER_SIZE).order(ByteOrder.LITTLE_ENDIAN);
        pointer.put(ascii("_MP_")).putInt((int) address).put((byte) 1).put((byte) 4);
        pointer.put(10, Checksum.of(pointer.array(), 0, POINTER_SIZE));
        return pointer.array();
    }
}
