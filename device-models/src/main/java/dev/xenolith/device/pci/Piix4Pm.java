package dev.xenolith.device.pci;

import dev.xenolith.cpu.memory.MmioDevice;
import dev.xenolith.device.ByteRegisters;
import dev.xenolith.device.Clock;
import dev.xenolith.device.InterruptLine;
import dev.xenolith.device.PortBus;
import dev.xenolith.device.StateException;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;
import dev.xenolith.device.time.PmTimer;

/**
 * Power management of a PIIX4 (Intel 290562, "82371AB PCI-TO-ISA / IDE Xcelerator (PIIX4)", function 3): the ACPI registers in a
 * block of 64 ports that PMBA places, and the APM ports 0xb2 and 0xb3, which turn ACPI mode on and off as firmware's SMI handler
 * would. Of the sleeping states there is soft off; SMBus, SMIs, clock throttling and device monitors are absent.
 */
public final class Piix4Pm implements PciFunction {
    /** Registers of configuration space. */
    public static final int PMBA = 0x40;
    public static final int DEVACTB = 0x58;
    public static final int PMREGMISC = 0x80;
    /** Offsets in the block of ports. */
    public static final int PMSTS = 0x00;
    public static final int PMEN = 0x02;
    public static final int PMCNTRL = 0x04;
    public static final int PMTMR = 0x08;
    public static final int GPSTS = 0x0c;
    public static final int GPEN = 0x0e;
    /** Bytes of the block. */
    public static final int BLOCK_SIZE = 64;
    /** Values of port 0xb2 that ACPI's FADT announces. */
    public static final int ACPI_ENABLE = 0xf1;
    public static final int ACPI_DISABLE = 0xf0;
    /** SUS_TYP of soft off, which the DSDT's \_S5 announces. */
    public static final int SUS_TYP_SOFT_OFF = 0;

    private static final int TMR_STS = 1;
    private static final int PWRBTN_STS = 1 << 8;
    private static final int PMSTS_CLEARABLE = 0x8531;
    private static final int PMEN_WRITABLE = 0x0521;
    private static final int SCI_EN = 1;
    private static final int SUS_EN = 1 << 13;
    private static final int SUS_TYP_SHIFT = 10;
    private static final int PMCNTRL_WRITABLE = 0x1c07;
    private static final int GP_BITS = 0x0f01;
    private static final int PMIOSE = 1;
    /**
     * In {@link #DEVACTB}: writes to port 0xb2 give an SMI. It is on from the start, as where a hypervisor offers no SMIs: firmware that
     * finds it so takes the handler to be in place, and does not wait for one of its own.
     */
    private static final int APMC_EN = 1 << 25;

    private final ConfigSpace config = new ConfigSpace(0x8086, 0x7113, 0x03, 0x06_8000)
            .set(ConfigSpace.STATUS, 2, 0x0280)
            .allow(ConfigSpace.COMMAND, 1, ConfigSpace.COMMAND_IO)
            .set(ConfigSpace.INTERRUPT_PIN, 1, 1)
            .set(PMBA, 4, 1).allow(PMBA, 4, 0xffc0)
            .set(DEVACTB, 4, APMC_EN)
            .allow(PMREGMISC, 1, PMIOSE)
            .allow(0xd2, 1, 0x0f).set(0x90, 4, 1).allow(0x90, 4, 0xfff0);
    private final PmTimer timer;
    private final PortBus ports;
    private final InterruptLine sci;
    private final Runnable powerOff;
    private final Clock.Timer toggle;
    private final MmioDevice block = new Block();

    /** Where the block is mapped, -1 for nowhere. */
    private int mapped = -1;
    private int status;
    private int enable;
    private int control;
    private int gpStatus;
    private int gpEnable;
    private final byte[] apm = new byte[2];
    /** Toggles of the timer's top bit that TMR_STS has told of. */
    private long togglesSeen;

    /**
     * @param ports where the block appears
     * @param sci the system control interrupt
     * @param powerOff what entering soft off does
     */
    public Piix4Pm(Clock clock, PortBus ports, InterruptLine sci, Runnable powerOff) {
        this.ports = ports;
        this.sci = sci;
        this.powerOff = powerOff;
        timer = new PmTimer(clock);
        togglesSeen = timer.toggles();
        toggle = clock.timer(this::update);
        config.onWrite((register, size) -> place());
    }

    private void place() {
        boolean on = (config.get(PMREGMISC, 1) & PMIOSE) != 0;
        int wanted = on && base() != 0 ? base() : -1;
        if (wanted == mapped) {
            return;
        }
        if (mapped >= 0) {
            ports.unmap(mapped);
        }
        // Over another device's ports the block is not seen.
        mapped = wanted >= 0 && ports.isFree(wanted, BLOCK_SIZE) ? wanted : -1;
        if (mapped >= 0) {
            ports.map("piix4pm", mapped, BLOCK_SIZE, block);
        }
    }

    /** First port of the block as firmware has set it; 0 before. */
    public int base() {
        return config.get(PMBA, 4) & 0xffc0;
    }

    /** Somebody presses the power button. */
    public void pressPowerButton() {
        status |= PWRBTN_STS;
        update();
    }

    /** Takes note of the timer, drives SCI, waits for the next toggle if it would interrupt. */
    private void update() {
        long toggles = timer.toggles();
        if (toggles != togglesSeen) {
            togglesSeen = toggles;
            status |= TMR_STS;
        }
        boolean acpi = (control & SCI_EN) != 0;
        boolean asks = (status & enable & PMEN_WRITABLE) != 0 || (gpStatus & gpEnable) != 0;
        sci.set(acpi && asks);
        boolean waits = (enable & TMR_STS) != 0 && (status & TMR_STS) == 0;
        toggle.set(waits ? timer.nextToggle() : Clock.NEVER);
    }

    /** Ports 0xb2 and 0xb3. */
    public ByteRegisters apm() {
        return new ByteRegisters() {
            @Override
            public int readByte(int offset) {
                return apm[offset] & 0xff;
            }

            @Override
            public void writeByte(int offset, int value) {
                apm[offset] = (byte) value;
                if (offset == 0 && value == ACPI_ENABLE) {
                    control |= SCI_EN;
                } else if (offset == 0 && value == ACPI_DISABLE) {
                    control &= ~SCI_EN;
                }
                update();
            }
        };
    }

    /** The block's registers are 16 bits wide but for the timer; an access may cover several or a part of one. */
    private final class Block implements MmioDevice {
        @Override
        public long read(long offset, int size) {
            update();
            long value = 0;
            for (int i = 0; i < size; i++) {
                int at = (int) offset + i;
                value |= (register(at) >>> (at & 1) * 8 & 0xffL) << i * 8;
            }
            return value;
        }

        private int register(int offset) {
            return switch (offset & ~1) {
                case PMSTS -> status;
                case PMEN -> enable;
                case PMCNTRL -> control;
                case PMTMR -> timer.value() & 0xffff;
                case PMTMR + 2 -> timer.value() >>> 16;
                case GPSTS -> gpStatus;
                case GPEN -> gpEnable;
                default -> 0;
            };
        }

        @Override
        public void write(long offset, int size, long value) {
            update();
            for (int at = (int) offset & ~1; at < offset + size; at += 2) {
                int shift = (at - (int) offset) * 8;
                int mask = 0xffff;
                if (at < offset) {
                    mask = 0xff00;
                } else if (at + 1 >= offset + size) {
                    mask = 0x00ff;
                }
                int written = (int) (shift < 0 ? value << -shift : value >>> shift);
                writeRegister(at, written & mask, mask);
            }
            update();
        }

        private void writeRegister(int register, int value, int mask) {
            switch (register) {
                case PMSTS -> status &= ~(value & PMSTS_CLEARABLE);
                case PMEN -> enable = merge(enable, value, mask & PMEN_WRITABLE);
                case PMCNTRL -> {
                    control = merge(control, value, mask & PMCNTRL_WRITABLE);
                    // Other types would be sleeping states, which no table announces: nothing happens.
                    if ((value & SUS_EN) != 0 && (control >>> SUS_TYP_SHIFT & 7) == SUS_TYP_SOFT_OFF) {
                        powerOff.run();
                    }
                }
                case GPSTS -> gpStatus &= ~value;
                case GPEN -> gpEnable = merge(gpEnable, value, mask & GP_BITS);
                default -> {
                    // The timer is read-only; the rest is not there.
                }
            }
        }

        private static int merge(int old, int value, int mask) {
            return old & ~mask | value & mask;
        }
    }

    @Override
    public ConfigSpace config() {
        return config;
    }

    @Override
    public String stateName() {
        return "piix4pm";
    }

    @Override
    public void save(StateWriter out) {
        out.put(config).put("status", status).put("enable", enable).put("control", control);
        out.put("gpStatus", gpStatus).put("gpEnable", gpEnable).put("apm", apm).put("togglesSeen", togglesSeen);
    }

    @Override
    public void restore(StateReader in) throws StateException {
        in.get(config);
        status = in.getInt("status", 0, 0xffff) & PMSTS_CLEARABLE;
        enable = in.getInt("enable", 0, 0xffff) & PMEN_WRITABLE;
        control = in.getInt("control", 0, 0xffff) & PMCNTRL_WRITABLE;
        gpStatus = in.getInt("gpStatus", 0, 0xffff) & GP_BITS;
        gpEnable = in.getInt("gpEnable", 0, 0xffff) & GP_BITS;
        in.get("apm", apm);
        togglesSeen = in.getLong("togglesSeen");
        update();
    }
}
