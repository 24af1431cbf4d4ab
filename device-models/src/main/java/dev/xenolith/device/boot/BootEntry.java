package dev.xenolith.device.boot;

import dev.xenolith.cpu.processor.OperatingMode;
import java.util.Map;

/**
 * The state in which the bootstrap processor enters what was loaded: flat segments, interrupts off, no paging but in 64-bit mode.
 *
 * @param protocol name of the boot protocol
 * @param mode mode of the processor
 * @param address of the first instruction, linear and physical
 * @param pageTables CR3 in 64-bit mode
 * @param gdt address of the GDT, which has code at selector 0x10 and data at 0x18
 * @param registers values of general registers by their number; all others are 0
 * @param biosInterrupts what is loaded comes after a BIOS and may go to real mode: vectors, 8259As and timer are to be as a BIOS leaves
 *        them
 */
public record BootEntry(String protocol, OperatingMode mode, long address, long pageTables, long gdt,
        Map<Integer, Long> registers, boolean biosInterrupts) {
    /** Selectors of the flat segments (Documentation/x86/boot.rst: __BOOT_CS, __BOOT_DS). */
    public static final int CODE_SELECTOR = 0x10;
    public static final int DATA_SELECTOR = 0x18;
    /** Limit of the GDT. */
    public static final int GDT_LIMIT = 4 * 8 - 1;

    public BootEntry {
        registers = Map.copyOf(registers);
    }
}
