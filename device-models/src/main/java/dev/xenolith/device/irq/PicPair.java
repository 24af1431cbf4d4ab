package dev.xenolith.device.irq;

import dev.xenolith.cpu.apic.ExternalInterrupts;
import dev.xenolith.device.ByteRegisters;
import dev.xenolith.device.InterruptLine;
import dev.xenolith.device.Saveable;
import dev.xenolith.device.StateException;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;

/**
 * The two 8259As of a PC: the slave's INT drives IR2 of the master, the master's INT is INTR. Their registers are at ports 0x20
 * and 0xa0, the edge/level control registers at 0x4d0 (82371SB, 2.5).
 */
public final class PicPair implements ExternalInterrupts, Saveable {
    /** Interrupt requests, 0 to 15; 2 is the cascade. */
    public static final int INPUTS = 16;

    private static final int CASCADE = 2;
    /** IRQ 0, 1, 2 and 8, 13 are always edge-triggered. */
    private static final int MASTER_EDGE_ONLY = 0x07;
    private static final int SLAVE_EDGE_ONLY = 0x21;

    private final InterruptLine intr;
    private final Pic8259 master;
    private final Pic8259 slave;
    private boolean pending;

    /** @param intr wire to the processor; {@link #acknowledge} answers its INTA cycles */
    public PicPair(InterruptLine intr) {
        this.intr = intr;
        master = new Pic8259("master", MASTER_EDGE_ONLY, 1 << CASCADE, this::setIntr);
        slave = new Pic8259("slave", SLAVE_EDGE_ONLY, 0, asserted -> master.setLine(CASCADE, asserted));
    }

    private void setIntr(boolean asserted) {
        if (pending != asserted) {
            pending = asserted;
            intr.set(asserted);
        }
    }

    /** The wire of {@code irq}, 0 to 15 but 2. */
    public InterruptLine input(int irq) {
        if (irq < 0 || irq >= INPUTS || irq == CASCADE) {
            throw new IllegalArgumentException("IRQ " + irq);
        }
        return irq < 8 ? high -> master.setLine(irq, high) : high -> slave.setLine(irq - 8, high);
    }

    @Override
    public boolean isPending() { return pending; }

    @Override
    public int acknowledge() {
        int input = master.acknowledge();
        return input == CASCADE && master.hasSlaveAt(CASCADE)
                ? slave.vector(slave.acknowledge())
                : master.vector(input);
    }

    /** Two ports. */
    public ByteRegisters master() {
        return master;
    }

    /** Two ports. */
    public ByteRegisters slave() {
        return slave;
    }

    /** ELCR1 and ELCR2, one byte each: bit n set makes an input level-triggered. */
    public ByteRegisters edgeLevelControl() {
        return new ByteRegisters() {
            @Override
            public int readByte(int offset) {
                return offset == 0 ? master.elcr() : slave.elcr();
            }

            @Override
            public void writeByte(int offset, int value) {
                (offset == 0 ? master : slave).setElcr(value);
            }
        };
    }

    @Override
    public String stateName() {
        return "pic";
    }

    @Override
    public void save(StateWriter out) {
        out.put(master).put(slave);
    }

    @Override
    public void restore(StateReader in) throws StateException {
        in.get(slave);
        // Its inputs come with it, the slave's among them.
        in.get(master);
    }
}
