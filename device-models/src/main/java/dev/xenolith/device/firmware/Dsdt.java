package dev.xenolith.device.firmware;

import dev.xenolith.device.pci.Piix3;
import dev.xenolith.device.pci.Piix4Pm;
import java.util.function.Consumer;

/** The definition block: what ACPI software learns of the board by running AML. */
final class Dsdt {
    private static final int PCI_DEVICES = 32;
    private static final int PINS = 4;
    /** ISA interrupts that a PCI interrupt may be routed to: 5, 10, 11. */
    private static final int LINK_IRQS = 1 << 5 | 1 << 10 | 1 << 11;
    /** Offset of the mask in a template that begins with an IRQ descriptor. */
    private static final int IRQ_MASK = 1;
    private static final long PCI_HOLE_LAST = 0xfebf_ffffL;

    private Dsdt() {}

    static byte[] encode(BoardDescription board) {
        Aml aml = new Aml();
        aml.name("\\_S5").list(4, soft -> soft.integer(Piix4Pm.SUS_TYP_SOFT_OFF).integer(0).integer(0).integer(0));
        aml.name("\\PICF").integer(0);
        aml.method("\\_PIC", 1, m -> m.store(mode -> mode.argument(0), to -> to.path("\\PICF")));
        aml.scope("\\_SB", scope -> {
            for (int i = 0; i < board.processors(); i++) {
                int uid = i;
                scope.device(String.format("C%03X", i),
                        cpu -> cpu.name("_HID").string("ACPI0007").name("_UID").integer(uid));
            }
            scope.device("HPET", hpet -> hpet.name("_HID").eisaId("PNP0103").name("_CRS")
                    .buffer(new ResourceTemplate().memory(BoardDescription.HPET, 0x400).bytes()));
            scope.device("PCI0", pci -> hostBridge(pci, board));
            for (int i = 0; i < Piix3.PIRQS; i++) {
                link(scope, i);
            }
        });
        return aml.bytes();
    }

    private static void hostBridge(Aml pci, BoardDescription board) {
        pci.name("_HID").eisaId("PNP0A03").name("_UID").integer(0);
        pci.name("_CRS").buffer(new ResourceTemplate().busNumbers(0, 0).io(0xcf8, 8).ioWindow(0, 0xcf7)
                .ioWindow(0xd00, 0xffff).memoryWindow(0xa_0000, 0xb_ffff)
                .memoryWindow(board.pciHoleStart(), PCI_HOLE_LAST).bytes());
        pci.method("_PRT", 0, m -> m.when(apic -> apic.path("\\PICF"),
                then -> then.returns(routes(true)), otherwise -> otherwise.returns(routes(false))));
        pci.device("ISA", isa -> isaBridge(isa, board));
    }

    /** Where each pin of each device leads: to an input of the I/O APIC, or to a link device. */
    private static Consumer<Aml> routes(boolean apic) {
        return routes -> routes.list((PCI_DEVICES - 1) * PINS, all -> {
            for (int device = 1; device < PCI_DEVICES; device++) {
                for (int pin = 0; pin < PINS; pin++) {
                    long address = (long) device << 16 | 0xffff;
                    int number = pin;
                    int pirq = BoardDescription.pirq(device, pin);
                    all.list(4, route -> {
                        route.integer(address).integer(number);
                        if (apic) {
                            route.integer(0).integer(BoardDescription.PIRQ_GSI + pirq);
                        } else {
                            route.path("\\_SB." + linkName(pirq)).integer(0);
                        }
                    });
                }
            }
        });
    }

    private static void isaBridge(Aml isa, BoardDescription board) {
        isa.name("_ADR").integer(0x0001_0000);
        isa.pciConfigBytes("PIRQ", Piix3.PIRQRCA, "PRQA", "PRQB", "PRQC", "PRQD");
        isaDevice(isa, "PIC", "PNP0000", new ResourceTemplate().io(0x20, 2).io(0xa0, 2).io(0x4d0, 2));
        isaDevice(isa, "TMR", "PNP0100", new ResourceTemplate().io(0x40, 4).irq(1, ResourceTemplate.EDGE));
        isaDevice(isa, "SPKR", "PNP0800", new ResourceTemplate().io(0x61, 1));
        isaDevice(isa, "RTC", "PNP0B00", new ResourceTemplate().io(0x70, 2).irq(1 << 8, ResourceTemplate.EDGE));
        isaDevice(isa, "KBD", "PNP0303", new ResourceTemplate().io(0x60, 1).io(0x64, 1)
                .irq(1 << 1, ResourceTemplate.EDGE));
        isaDevice(isa, "MOU", "PNP0F13", new ResourceTemplate().irq(1 << 12, ResourceTemplate.EDGE));
        isaDevice(isa, "COM1", "PNP0501", new ResourceTemplate().io(BoardDescription.COM1_PORT, 8)
                .irq(1 << BoardDescription.COM1_IRQ, ResourceTemplate.EDGE));
        // Ports that belong to the board: APM, NMI and A20, power management.
        isaDevice(isa, "SYSR", "PNP0C02", new ResourceTemplate().io(0x92, 1).io(0xb2, 2)
                .io(board.pmBase(), Piix4Pm.BLOCK_SIZE));
    }

    private static void isaDevice(Aml parent, String name, String id, ResourceTemplate resources) {
        parent.device(name, device -> {
            device.name("_HID").eisaId(id);
            if (name.equals("COM1")) {
                device.name("_UID").integer(1);
            }
            device.name("_CRS").buffer(resources.bytes());
        });
    }

    private static String linkName(int pirq) {
        return "LNK" + (char) ('A' + pirq);
    }

    /** An interrupt link device: reads and sets one of the PIRQ route registers. */
    private static void link(Aml scope, int pirq) {
        Consumer<Aml> register = r -> r.path("\\_SB.PCI0.ISA.PRQ" + (char) ('A' + pirq));
        scope.device(linkName(pirq), link -> {
            link.name("_HID").eisaId("PNP0C0F").name("_UID").integer(pirq + 1);
            link.name("_PRS").buffer(new ResourceTemplate().irq(LINK_IRQS, ResourceTemplate.LEVEL_LOW_SHARED).bytes());
            link.method("_STA", 0, m -> m.when(off -> off.and(register, bit -> bit.integer(0x80)),
                    then -> then.returns(present -> present.integer(9)),
                    otherwise -> otherwise.returns(enabled -> enabled.integer(11))));
            link.method("_DIS", 0, m -> m.or(register, bit -> bit.integer(0x80), register));
            link.method("_CRS", 0, m -> {
                m.store(empty -> empty.buffer(new ResourceTemplate().irq(0, ResourceTemplate.LEVEL_LOW_SHARED).bytes()),
                        to -> to.local(0));
                m.createWordField(in -> in.local(0), IRQ_MASK, "IRQM");
                m.when(off -> off.and(register, bit -> bit.integer(0x80)), then -> then.store(none -> none.integer(0),
                        to -> to.path("IRQM")),
                        otherwise -> otherwise.shiftLeft(one -> one.integer(1), register, to -> to.path("IRQM")));
                m.returns(result -> result.local(0));
            });
            link.method("_SRS", 1, m -> {
                m.createWordField(in -> in.argument(0), IRQ_MASK, "IRQM");
                m.findSetRightBit(mask -> mask.path("IRQM"), to -> to.local(0));
                m.subtract(bit -> bit.local(0), one -> one.integer(1), register);
            });
        });
    }
}
