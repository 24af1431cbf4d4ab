package dev.xenolith.device.irq;

import dev.xenolith.device.ByteRegisters;
import dev.xenolith.device.InterruptLine;
import dev.xenolith.device.Saveable;
import dev.xenolith.device.StateException;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;

/**
 * One 8259A programmable interrupt controller (Intel 231468, "8259A Programmable Interrupt Controller"), in 8086 mode, with the
 * edge/level control register that EISA added (82371SB, 2.5.10), which replaces LTIM.
 *
 * <p>As the data sheet says, an input must stay high until it is acknowledged: one that falls before is answered as IR7 without
 * its in-service bit.
 */
final class Pic8259 implements ByteRegisters, Saveable {
    private static final int ICW1 = 1 << 4;
    private static final int ICW1_IC4 = 1;
    private static final int ICW1_SNGL = 1 << 1;
    private static final int ICW4_AEOI = 1 << 1;
    private static final int ICW4_SFNM = 1 << 4;
    private static final int OCW3 = 1 << 3;
    private static final int OCW3_RIS = 1;
    private static final int OCW3_RR = 1 << 1;
    private static final int OCW3_P = 1 << 2;
    private static final int OCW3_SMM = 1 << 5;
    private static final int OCW3_ESMM = 1 << 6;
    private static final int OCW2_EOI = 1 << 5;
    private static final int OCW2_SL = 1 << 6;
    private static final int OCW2_R = 1 << 7;
    private static final int POLL_INTERRUPT = 1 << 7;
    private static final int SPURIOUS = 7;

    private final String name;
    private final int edgeOnly;
    private final int cascade;
    private final InterruptLine out;

    /** Levels of IR0 to IR7. */
    private int lines;
    private int irr;
    private int isr;
    private int imr;
    /** ELCR: which inputs are level-triggered. */
    private int elcr;
    private int vectorBase;
    /** The input of lowest priority. */
    private int lowest = 7;
    /** Initialisation word that A0 = 1 expects next, 2 to 4; 0 when operational. */
    private int nextIcw;
    private boolean needIcw4;
    private boolean single;
    private boolean autoEoi;
    private boolean rotateOnAutoEoi;
    private boolean specialFullyNested;
    private boolean specialMask;
    private boolean readIsr;
    private boolean poll;

    /**
     * @param name of its state
     * @param edgeOnly inputs that ELCR cannot make level-triggered
     * @param cascade inputs that slaves are connected to
     * @param out INT
     */
    Pic8259(String name, int edgeOnly, int cascade, InterruptLine out) {
        this.name = name;
        this.edgeOnly = edgeOnly;
        this.cascade = cascade;
        this.out = out;
    }

    // ---- inputs and output -------------------------------------------------------------------------------------------

    void setLine(int input, boolean high) {
        int bit = 1 << input;
        if (high) {
            if ((lines & bit) == 0 || (elcr & bit) != 0) {
                irr |= bit;
            }
            lines |= bit;
        } else {
            lines &= ~bit;
            irr &= ~bit;
        }
        update();
    }

    private void update() {
        out.set(highest() >= 0);
    }

    /** The input to be served next, -1 if none. */
    private int highest() {
        int requests = irr & ~imr;
        int serving = isr;
        if (specialMask) {
            serving &= ~imr;
        }
        if (specialFullyNested) {
            // A slave decides by itself which of its inputs may interrupt its own.
            serving &= ~cascade;
        }
        for (int priority = 0; priority < 8; priority++) {
            int input = lowest + 1 + priority & 7;
            if ((serving >>> input & 1) != 0) {
                return -1;
            }
            if ((requests >>> input & 1) != 0) {
                return input;
            }
        }
        return -1;
    }

    /** INTA: takes the highest input into service and returns it; 7, not in service, if there is none any more. */
    int acknowledge() {
        int input = highest();
        if (input < 0) {
            return SPURIOUS;
        }
        int bit = 1 << input;
        if ((elcr & bit) == 0) {
            irr &= ~bit;
        }
        if (!autoEoi) {
            isr |= bit;
        } else if (rotateOnAutoEoi) {
            lowest = input;
        }
        update();
        return input;
    }

    /** The vector of {@code input}. */
    int vector(int input) {
        return vectorBase | input;
    }

    boolean hasSlaveAt(int input) {
        return (cascade >>> input & 1) != 0 && !single;
    }

    // ---- registers ---------------------------------------------------------------------------------------------------

    @Override
    public int readByte(int offset) {
        if (poll) {
            poll = false;
            return highest() < 0 ? 0 : POLL_INTERRUPT | acknowledge();
        }
        if (offset == 1) {
            return imr;
        }
        return readIsr ? isr : irr;
    }

    @Override
    public void writeByte(int offset, int value) {
        if (offset == 0) {
            if ((value & ICW1) != 0) {
                initialize(value);
            } else if ((value & OCW3) != 0) {
                operation3(value);
            } else {
                operation2(value);
            }
        } else {
            writeData(value);
        }
        update();
    }

    private void initialize(int icw1) {
        needIcw4 = (icw1 & ICW1_IC4) != 0;
        single = (icw1 & ICW1_SNGL) != 0;
        nextIcw = 2;
        imr = 0;
        isr = 0;
        // The edge detectors are cleared: an input must fall and rise again.
        irr = lines & elcr;
        lowest = 7;
        autoEoi = false;
        rotateOnAutoEoi = false;
        specialFullyNested = false;
        specialMask = false;
        readIsr = false;
        poll = false;
    }

    private void writeData(int value) {
        switch (nextIcw) {
            case 2 -> {
                vectorBase = value & 0xf8;
                nextIcw = single ? needIcw4 ? 4 : 0 : 3;
            }
            // The wiring of the slaves is the board's.
            case 3 -> nextIcw = needIcw4 ? 4 : 0;
            case 4 -> {
                autoEoi = (value & ICW4_AEOI) != 0;
                specialFullyNested = (value & ICW4_SFNM) != 0;
                nextIcw = 0;
            }
            default -> imr = value;
        }
    }

    private void operation2(int value) {
        int level = value & 7;
        boolean rotate = (value & OCW2_R) != 0;
        boolean specific = (value & OCW2_SL) != 0;
        if ((value & OCW2_EOI) == 0) {
            if (!specific) {
                rotateOnAutoEoi = rotate;
            } else if (rotate) {
                lowest = level;
            }
            return;
        }
        int ended = specific ? level : highestInService();
        if (ended >= 0) {
            isr &= ~(1 << ended);
            if (rotate) {
                lowest = ended;
            }
        }
    }

    /** What a non-specific EOI ends; with special mask mode masked inputs are left alone. */
    private int highestInService() {
        int serving = specialMask ? isr & ~imr : isr;
        for (int priority = 0; priority < 8; priority++) {
            int input = lowest + 1 + priority & 7;
            if ((serving >>> input & 1) != 0) {
                return input;
            }
        }
        return -1;
    }

    private void operation3(int value) {
        if ((value & OCW3_ESMM) != 0) {
            specialMask = (value & OCW3_SMM) != 0;
        }
        if ((value & OCW3_P) != 0) {
            poll = true;
        } else if ((value & OCW3_RR) != 0) {
            readIsr = (value & OCW3_RIS) != 0;
        }
    }

    int elcr() {
        return elcr;
    }

    void setElcr(int value) {
        elcr = value & ~edgeOnly;
        irr = irr & ~elcr | lines & elcr;
        update();
    }

    // ---- state -------------------------------------------------------------------------------------------------------

    @Override
    public String stateName() {
        return name;
    }

    @Override
    public void save(StateWriter out) {
        out.put("lines", lines).put("irr", irr).put("isr", isr).put("imr", imr).put("elcr", elcr);
        out.put("vectorBase", vectorBase).put("lowest", lowest).put("nextIcw", nextIcw).put("needIcw4", needIcw4);
        out.put("single", single).put("autoEoi", autoEoi).put("rotateOnAutoEoi", rotateOnAutoEoi);
        out.put("specialFullyNested", specialFullyNested).put("specialMask", specialMask).put("readIsr", readIsr);
        out.put("poll", poll);
    }

    @Override
    public void restore(StateReader in) throws StateException {
        lines = in.getByte("lines");
        irr = in.getByte("irr");
        isr = in.getByte("isr");
        imr = in.getByte("imr");
        elcr = in.getByte("elcr") & ~edgeOnly;
        vectorBase = in.getByte("vectorBase") & 0xf8;
        lowest = in.getInt("lowest", 0, 7);
        nextIcw = in.getInt("nextIcw", 0, 4);
        needIcw4 = in.getBoolean("needIcw4");
        single = in.getBoolean("single");
        autoEoi = in.getBoolean("autoEoi");
        rotateOnAutoEoi = in.getBoolean("rotateOnAutoEoi");
        specialFullyNested = in.getBoolean("specialFullyNested");
        specialMask = in.getBoolean("specialMask");
        readIsr = in.getBoolean("readIsr");
        poll = in.getBoolean("poll");
        update();
    }
}
