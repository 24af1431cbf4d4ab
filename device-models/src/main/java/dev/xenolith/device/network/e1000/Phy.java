package dev.xenolith.device.network.e1000;

import dev.xenolith.device.Clock;
import dev.xenolith.device.Saveable;
import dev.xenolith.device.StateException;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;

/** The PHY in the card, a Marvell 88E1011 at address 1 (IEEE 802.3, clause 22; 13.5 "PHY Registers"): always at 1000 Mb/s, full duplex. */
final class Phy implements Saveable {
    private static final int CONTROL = 0;
    private static final int STATUS = 1;
    private static final int ID_1 = 2;
    private static final int ID_2 = 3;
    private static final int ADVERTISEMENT = 4;
    private static final int PARTNER = 5;
    private static final int EXPANSION = 6;
    private static final int GIGABIT_CONTROL = 9;
    private static final int GIGABIT_STATUS = 10;
    private static final int EXTENDED_STATUS = 15;
    private static final int SPECIFIC_CONTROL = 16;
    private static final int SPECIFIC_STATUS = 17;
    private static final int SPECIFIC_EXTENDED_CONTROL = 20;
    private static final int COUNT = 32;

    private static final int CONTROL_RESET = 1 << 15;
    private static final int CONTROL_NEGOTIATE = 1 << 12;
    private static final int CONTROL_POWER_DOWN = 1 << 11;
    private static final int CONTROL_RESTART = 1 << 9;
    private static final int STATUS_LINK = 1 << 2;
    private static final int STATUS_NEGOTIATED = 1 << 5;
    /** Speed 1000, full duplex, resolved, link. */
    private static final int SPECIFIC_LINK = 0xac00;

    /** MDIC. */
    private static final int ADDRESS = 1;
    private static final int OP_WRITE = 1;
    private static final int OP_READ = 2;
    private static final int READY = 1 << 28;
    private static final int INTERRUPT = 1 << 29;
    private static final int ERROR = 1 << 30;

    /** Drivers wait for seconds; a negotiation really takes two or three. */
    private static final long NEGOTIATION = 100_000_000L;

    private final int[] registers = new int[COUNT];
    private final Clock clock;
    private final Clock.Timer negotiation;
    private final boolean cable;
    private final Runnable linkChanged;
    private int command;

    /**
     * @param cable whether something is at the other end of it
     * @param linkChanged is told when the link has come or gone
     */
    Phy(Clock clock, boolean cable, Runnable linkChanged) {
        this.clock = clock;
        this.cable = cable;
        this.linkChanged = linkChanged;
        negotiation = clock.timer(this::negotiated);
        setDefaults();
        setLink(cable);
    }

    /** Its reset, after which it negotiates anew. */
    void reset() {
        boolean had = hasLink();
        setDefaults();
        negotiate(had);
    }

    private void setDefaults() {
        registers[CONTROL] = 0x1140;
        registers[STATUS] = 0x7949;
        registers[ID_1] = 0x0141;
        registers[ID_2] = 0x0c20;
        registers[ADVERTISEMENT] = 0x0de1;
        registers[PARTNER] = 0;
        registers[EXPANSION] = 0;
        registers[GIGABIT_CONTROL] = 0x0e00;
        registers[GIGABIT_STATUS] = 0;
        registers[EXTENDED_STATUS] = 0x3000;
        registers[SPECIFIC_CONTROL] = 0x0360;
        registers[SPECIFIC_STATUS] = 0;
        registers[SPECIFIC_EXTENDED_CONTROL] = 0x0d60;
    }

    boolean hasLink() {
        return (registers[STATUS] & STATUS_LINK) != 0;
    }

    private void setLink(boolean up) {
        int bits = STATUS_LINK | STATUS_NEGOTIATED;
        registers[STATUS] = up ? registers[STATUS] | bits : registers[STATUS] & ~bits;
        registers[PARTNER] = up ? 0x45e1 : 0;
        registers[EXPANSION] = up ? 1 : 0;
        registers[GIGABIT_STATUS] = up ? 0x3c00 : 0;
        registers[SPECIFIC_STATUS] = up ? SPECIFIC_LINK : 0;
    }

    /** @param had whether there was a link until now */
    private void negotiate(boolean had) {
        setLink(false);
        boolean on = cable && (registers[CONTROL] & CONTROL_POWER_DOWN) == 0;
        negotiation.set(on ? clock.now() + NEGOTIATION : Clock.NEVER);
        if (had) {
            linkChanged.run();
        }
    }

    private void negotiated() {
        setLink(true);
        linkChanged.run();
    }

    int readCommand() {
        return command;
    }

    /** MDIC: done at once. Returns whether the end is to interrupt. */
    boolean writeCommand(int value) {
        int register = value >>> 16 & COUNT - 1;
        int operation = value >>> 26 & 3;
        boolean here = (value >>> 21 & 0x1f) == ADDRESS;
        command = value & ~(READY | ERROR) | READY;
        if (!here || operation != OP_READ && operation != OP_WRITE) {
            command |= ERROR;
        } else if (operation == OP_READ) {
            command = command & ~0xffff | registers[register];
        } else {
            write(register, value & 0xffff);
        }
        return (value & INTERRUPT) != 0;
    }

    private void write(int register, int value) {
        switch (register) {
            case CONTROL -> writeControl(value);
            case STATUS, ID_1, ID_2, PARTNER, EXPANSION, GIGABIT_STATUS, EXTENDED_STATUS, SPECIFIC_STATUS -> {
                // Read-only.
            }
            default -> registers[register] = value;
        }
    }

    private void writeControl(int value) {
        if ((value & CONTROL_RESET) != 0) {
            reset();
            return;
        }
        boolean had = hasLink();
        boolean powerChanges = ((registers[CONTROL] ^ value) & CONTROL_POWER_DOWN) != 0;
        registers[CONTROL] = value & ~(CONTROL_RESTART | 0x3f);
        if (powerChanges || (value & CONTROL_RESTART) != 0 && (value & CONTROL_NEGOTIATE) != 0) {
            negotiate(had);
        }
    }

    @Override
    public String stateName() {
        return "phy";
    }

    @Override
    public void save(StateWriter out) {
        out.put("registers", registers).put("command", command).put("negotiation", negotiation);
    }

    @Override
    public void restore(StateReader in) throws StateException {
        in.get("registers", registers);
        for (int i = 0; i < COUNT; i++) {
            registers[i] &= 0xffff;
        }
        command = in.getInt("command");
        in.get("negotiation", negotiation);
    }
}
