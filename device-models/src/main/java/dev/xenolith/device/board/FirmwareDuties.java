package dev.xenolith.device.board;

import dev.xenolith.cpu.apic.ApicRegisters;
import dev.xenolith.cpu.processor.Msrs;
import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.device.ByteRegisters;
import dev.xenolith.device.firmware.BiosInterrupts;
import dev.xenolith.device.firmware.BoardDescription;
import dev.xenolith.device.irq.IoApic;
import dev.xenolith.device.irq.PicPair;
import dev.xenolith.device.pci.ConfigSpace;
import dev.xenolith.device.pci.Piix3;
import dev.xenolith.device.pci.Piix4Pm;
import dev.xenolith.device.storage.ide.Piix3Ide;

/** What firmware sets up in processors and chipset before it starts a kernel, done for kernels that are booted without it. */
final class FirmwareDuties {
    private static final int ICW1_WITH_ICW4 = 0x11;
    private static final int ICW4_8086 = 1;
    private static final int TIMER_IRQ = 0;
    private static final int CASCADE = 2;
    /** Counter 0, both bytes, mode 2. */
    private static final int PIT_RATE_GENERATOR = 0x34;
    private static final int EXT_INT_MODE = 0x700;
    private static final int NMI_MODE = 0x400;
    private static final int APIC_ON = 0x1ff;

    /** Where PIRQA# to PIRQD# go: to interrupts that are free, and that the DSDT lets a kernel choose. */
    private static final int[] PIRQ_ROUTES = {10, 10, 11, 11};
    /** The second 8259A's level-triggered interrupts: SCI, 10 and 11. */
    private static final int ELCR2 = 1 << BoardDescription.SCI - 8 | 1 << 10 - 8 | 1 << 11 - 8;

    /** MTRRs (SDM 3A 12.11): memory is write-back but for what is set to be uncached or, as a ROM, write-protected. */
    private static final int MTRR_VARIABLE = 0x200;
    private static final int MTRR_FIX_64K_00000 = 0x250;
    private static final int MTRR_FIX_16K_80000 = 0x258;
    private static final int MTRR_FIX_16K_A0000 = 0x259;
    private static final int MTRR_FIX_4K_C0000 = 0x268;
    private static final int MTRR_FIX_4K_F8000 = 0x26f;
    private static final int MTRR_DEF_TYPE = 0x2ff;
    private static final long MTRR_ENABLED = 0xc00;
    private static final long MTRR_VALID = 0x800;
    private static final long UNCACHED = 0;
    private static final long WRITE_BACK = 6;
    private static final long ALL_WRITE_BACK = 0x0606_0606_0606_0606L;
    private static final long ALL_WRITE_PROTECTED = 0x0505_0505_0505_0505L;
    /** From 4 GiB down to this many bytes eight ranges reach from anywhere. */
    private static final long RANGE_UNIT = 16 << 20;
    private static final long GIB_4 = 1L << 32;
    private static final int IDE_BUS_MASTER = 0xc000;

    private FirmwareDuties() {}

    static void powerManagement(ConfigSpace config) {
        config.write(Piix4Pm.PMBA, 4, BoardDescription.PM_BASE | 1);
        config.write(Piix4Pm.PMREGMISC, 1, 1);
        config.write(ConfigSpace.INTERRUPT_LINE, 1, BoardDescription.SCI);
    }

    /** The channels' ports of old, and the bus master's at an address that is free. */
    static void ide(ConfigSpace config) {
        for (int channel = 0; channel < Piix3Ide.CHANNELS; channel++) {
            config.write(Piix3Ide.IDETIM + 2 * channel, 2, Piix3Ide.IDETIM_DECODE);
        }
        config.write(ConfigSpace.BAR_0 + 4 * Piix3Ide.BUS_MASTER_BAR, 4, IDE_BUS_MASTER);
        config.write(ConfigSpace.COMMAND, 2, ConfigSpace.COMMAND_IO | ConfigSpace.COMMAND_MASTER);
    }

    /** The display answers at its ports and below 1 MiB; where its memory is to be is the kernel's to say. */
    static void display(ConfigSpace config) {
        config.write(ConfigSpace.COMMAND, 2, ConfigSpace.COMMAND_IO | ConfigSpace.COMMAND_MEMORY);
    }

    static void ioApic(IoApic ioApic, int id) {
        ioApic.write(IoApic.IOREGSEL, 4, IoApic.IOAPICID);
        ioApic.write(IoApic.IOWIN, 4, (long) id << 24);
        ioApic.write(IoApic.IOREGSEL, 4, 0);
    }

    static void pciInterrupts(ConfigSpace isaBridge, ByteRegisters edgeLevelControl) {
        for (int pirq = 0; pirq < Piix3.PIRQS; pirq++) {
            isaBridge.write(Piix3.PIRQRCA + pirq, 1, PIRQ_ROUTES[pirq]);
        }
        edgeLevelControl.writeByte(1, ELCR2);
    }

    /** The 8259As with a BIOS's vectors, which let in the timer alone, and the timer at its slowest, 18.2 Hz. */
    static void biosInterrupts(PicPair pic, ByteRegisters pit) {
        initialise(pic.master(), BiosInterrupts.FIRST_VECTOR, 1 << CASCADE, ~(1 << TIMER_IRQ | 1 << CASCADE) & 0xff);
        initialise(pic.slave(), BiosInterrupts.SECOND_VECTOR, CASCADE, 0xff);
        pit.writeByte(3, PIT_RATE_GENERATOR);
        pit.writeByte(0, 0);
        pit.writeByte(0, 0);
    }

    /** ICW1 to ICW4, and the mask. */
    private static void initialise(ByteRegisters pic, int vector, int cascade, int mask) {
        pic.writeByte(0, ICW1_WITH_ICW4);
        pic.writeByte(1, vector);
        pic.writeByte(1, cascade);
        pic.writeByte(1, ICW4_8086);
        pic.writeByte(1, mask);
    }

    /**
     * The local APIC in virtual wire mode, where the 8259As interrupt the bootstrap processor through LINT0 (MultiProcessor
     * Specification, 3.6.2.2), and the MTRRs, alike in all processors.
     *
     * @param pciHoleStart where memory below 4 GiB ends
     */
    static void processor(Processor p, long pciHoleStart) {
        p.apic.writeMmio(ApicRegisters.SVR, 4, APIC_ON);
        p.apic.writeMmio(ApicRegisters.LVT_LINT1, 4, NMI_MODE);
        if (p.index == 0) {
            p.apic.writeMmio(ApicRegisters.LVT_LINT0, 4, EXT_INT_MODE);
        }
        write(p, MTRR_FIX_64K_00000, ALL_WRITE_BACK);
        write(p, MTRR_FIX_16K_80000, ALL_WRITE_BACK);
        write(p, MTRR_FIX_16K_A0000, UNCACHED);
        for (int msr = MTRR_FIX_4K_C0000; msr <= MTRR_FIX_4K_F8000; msr++) {
            write(p, msr, ALL_WRITE_PROTECTED);
        }
        long addresses = (1L << p.model.physicalBits()) - 1;
        long base = pciHoleStart + RANGE_UNIT - 1 & -RANGE_UNIT;
        for (int range = MTRR_VARIABLE; base < GIB_4; range += 2) {
            long size = Long.lowestOneBit(base);
            write(p, range, base | UNCACHED);
            write(p, range + 1, addresses & -size | MTRR_VALID);
            base += size;
        }
        write(p, MTRR_DEF_TYPE, MTRR_ENABLED | WRITE_BACK);
    }

    private static void write(Processor p, int msr, long value) {
        if (!Msrs.write(p, msr, value)) {
            throw new IllegalStateException(String.format("%s: MSR %xh does not take %xh", p.model.name(), msr, value));
        }
    }
}
