package dev.xenolith.device.pci;

import dev.xenolith.device.ByteRegisters;
import dev.xenolith.device.InterruptLine;
import dev.xenolith.device.StateException;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;
import java.util.List;

/**
 * The ISA bridge (Intel 290550, "82371FB (PIIX) and 82371SB (PIIX3) PCI ISA IDE Xcelerator", function 0): routes PIRQA# to PIRQD# to
 * ISA interrupts, and has the reset control register at port 0xcf9.
 */
public final class Piix3 implements PciFunction {
    /** PIRQRC[A:D]. */
    public static final int PIRQRCA = 0x60;
    public static final int PIRQS = 4;

    private static final int PIRQ_NOT_ROUTED = 0x80;
    private static final int PIRQ_IRQ = 0x0f;
    /** IRQ 0, 1, 2, 8 and 13 cannot be PCI interrupts. */
    private static final int ROUTABLE = 0xdef8;
    private static final int RESET_RCPU = 1 << 2;
    private static final int RESET_KEPT = 0x06;
    private static final int DEVICE_SELECT_MEDIUM = 0x0200;

    private final ConfigSpace config = new ConfigSpace(0x8086, 0x7000, 0x00, 0x06_0100)
            .set(ConfigSpace.COMMAND, 2, 0x7)
            .set(ConfigSpace.STATUS, 2, DEVICE_SELECT_MEDIUM)
            .set(ConfigSpace.HEADER_TYPE, 1, ConfigSpace.HEADER_MULTIFUNCTION)
            .set(0x4c, 1, 0x4d).allow(0x4c, 1, 0xff)
            .set(0x4e, 2, 0x03).allow(0x4e, 2, 0xffff);
    private final List<List<InterruptLine>> isa;
    private final Runnable reset;
    private final boolean[] asserted = new boolean[PIRQS];
    /** Where each PIRQ went when it was driven last, -1 for nowhere. */
    private final int[] route = {-1, -1, -1, -1};
    private int resetControl;

    /**
     * @param isa for each PIRQ a list with a source of each ISA interrupt's shared line, 0 to 15
     * @param reset what a rising RCPU does
     */
    public Piix3(List<List<InterruptLine>> isa, Runnable reset) {
        this.isa = List.copyOf(isa);
        this.reset = reset;
        for (int i = 0; i < PIRQS; i++) {
            config.set(PIRQRCA + i, 1, PIRQ_NOT_ROUTED).allow(PIRQRCA + i, 1, PIRQ_NOT_ROUTED | PIRQ_IRQ);
        }
        config.onWrite((register, size) -> {
            for (int i = 0; i < PIRQS; i++) {
                drive(i);
            }
        });
    }

    /** The wire PIRQ{@code index}#, 0 to 3 for A to D. */
    public InterruptLine pirq(int index) {
        return level -> {
            asserted[index] = level;
            drive(index);
        };
    }

    private void drive(int index) {
        int register = config.get(PIRQRCA + index, 1);
        int irq = (register & PIRQ_NOT_ROUTED) != 0 || (ROUTABLE >>> (register & PIRQ_IRQ) & 1) == 0
                ? -1
                : register & PIRQ_IRQ;
        if (route[index] != irq && route[index] >= 0) {
            line(index, route[index]).set(false);
        }
        route[index] = irq;
        if (irq >= 0) {
            line(index, irq).set(asserted[index]);
        }
    }

    private InterruptLine line(int pirq, int irq) {
        return isa.get(pirq).get(irq);
    }

    /** RC, the reset control register. */
    public ByteRegisters resetControl() {
        return new ByteRegisters() {
            @Override
            public int readByte(int offset) {
                return resetControl;
            }

            @Override
            public void writeByte(int offset, int value) {
                boolean rises = (value & ~resetControl & RESET_RCPU) != 0;
                resetControl = value & RESET_KEPT;
                if (rises) {
                    reset.run();
                }
            }
        };
    }

    @Override
    public ConfigSpace config() {
        return config;
    }

    @Override
    public String stateName() {
        return "piix3";
    }

    @Override
    public void save(StateWriter out) {
        out.put(config).put("resetControl", resetControl);
        for (int i = 0; i < PIRQS; i++) {
            out.put("pirq" + i, asserted[i]);
        }
    }

    @Override
    public void restore(StateReader in) throws StateException {
        for (int i = 0; i < PIRQS; i++) {
            asserted[i] = in.getBoolean("pirq" + i);
        }
        in.get(config);
        resetControl = in.getByte("resetControl") & RESET_KEPT;
    }
}
