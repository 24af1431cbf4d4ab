package dev.xenolith.device.firmware;

/**
 * What the tables say about a board.
 *
 * @param processors 1 to 8; their local APIC ids are 0 and up
 * @param memoryBytes RAM
 * @param pciHoleStart first address below 4 GiB that is not RAM
 * @param map the address map
 * @param pmBase first port of the PIIX4's power management block
 */
public record BoardDescription(int processors, long memoryBytes, long pciHoleStart, E820 map, int pmBase) {
    /** Physical addresses of what stands at fixed places. */
    public static final long LOCAL_APIC = 0xfee0_0000L;
    public static final long IO_APIC = 0xfec0_0000L;
    public static final long HPET = 0xfed0_0000L;
    /** Interrupts. */
    public static final int SCI = 9;
    /** First input of the I/O APIC that PIRQA# is wired to; B, C, D follow. */
    public static final int PIRQ_GSI = 16;
    /** The PIIX4's block of ports as firmware places it. */
    public static final int PM_BASE = 0x600;
    public static final int COM1_PORT = 0x3f8;
    public static final int COM1_IRQ = 4;

    /** A board whose power management is where firmware of ours puts it. */
    public BoardDescription(int processors, long memoryBytes, long pciHoleStart, E820 map) {
        this(processors, memoryBytes, pciHoleStart, map, PM_BASE);
    }

    /** The same board with power management elsewhere. */
    public BoardDescription withPmBase(int base) {
        return new BoardDescription(processors, memoryBytes, pciHoleStart, map, base);
    }

    /** APIC id of the I/O APIC: the first that no processor has. */
    public int ioApicId() {
        return processors;
    }

    /** Number of the PIRQ, 0 to 3, that pin {@code pin} (0 for INTA#) of PCI device {@code device} is wired to. */
    public static int pirq(int device, int pin) {
        return device - 1 + pin & 3;
    }
}
