package dev.xenolith.device.input;

import dev.xenolith.device.ByteRegisters;
import dev.xenolith.device.InterruptLine;
import dev.xenolith.device.Saveable;
import dev.xenolith.device.StateException;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;

/**
 * The 8042 keyboard controller of a PS/2 (IBM, "PS/2 Hardware Interface Technical Reference", Keyboard and Auxiliary Device
 * Controller): data at offset 0 (port 0x60), status and commands at offset 1 (port 0x64). A keyboard and a mouse are plugged into its
 * ports, and bit 1 of the output port opens the A20 gate.
 */
public final class KeyboardController implements Saveable {
    private static final int STATUS_OUTPUT_FULL = 1;
    private static final int STATUS_SYSTEM = 1 << 2;
    private static final int STATUS_COMMAND = 1 << 3;
    private static final int STATUS_NOT_INHIBITED = 1 << 4;
    private static final int STATUS_AUXILIARY = 1 << 5;

    private static final int MODE_KEYBOARD_INTERRUPT = 1;
    private static final int MODE_AUXILIARY_INTERRUPT = 1 << 1;
    private static final int MODE_SYSTEM = 1 << 2;
    private static final int MODE_KEYBOARD_DISABLED = 1 << 4;
    private static final int MODE_AUXILIARY_DISABLED = 1 << 5;
    private static final int MODE_TRANSLATE = 1 << 6;

    private static final int READ_RAM = 0x20;
    private static final int WRITE_RAM = 0x60;
    private static final int DISABLE_AUXILIARY = 0xa7;
    private static final int ENABLE_AUXILIARY = 0xa8;
    private static final int TEST_AUXILIARY = 0xa9;
    private static final int SELF_TEST = 0xaa;
    private static final int TEST_KEYBOARD = 0xab;
    private static final int DISABLE_KEYBOARD = 0xad;
    private static final int ENABLE_KEYBOARD = 0xae;
    private static final int READ_INPUT_PORT = 0xc0;
    private static final int READ_OUTPUT_PORT = 0xd0;
    private static final int WRITE_OUTPUT_PORT = 0xd1;
    private static final int WRITE_KEYBOARD_BUFFER = 0xd2;
    private static final int WRITE_AUXILIARY_BUFFER = 0xd3;
    private static final int WRITE_AUXILIARY = 0xd4;
    private static final int READ_TEST_INPUTS = 0xe0;
    private static final int PULSE_OUTPUT = 0xf0;

    private static final int SELF_TEST_PASSED = 0x55;
    private static final int OUTPUT_NOT_RESET = 1;
    private static final int OUTPUT_A20 = 1 << 1;
    private static final int OUTPUT_KEYBOARD_FULL = 1 << 4;
    private static final int OUTPUT_AUXILIARY_FULL = 1 << 5;
    /** Keyboard not locked, colour display. */
    private static final int INPUT_PORT = 0x80;
    private static final int RAM_SIZE = 32;

    private final InterruptLine keyboardIrq;
    private final InterruptLine auxiliaryIrq;
    private final InterruptLine a20Line;
    private final Runnable reset;
    private final Ps2Device keyboard;
    private final Ps2Device auxiliary;
    private final ByteRegisters data = new Data();
    private final ByteRegisters command = new Command();

    /** Internal RAM; byte 0 is the mode (command byte). */
    private final byte[] ram = new byte[RAM_SIZE];
    private boolean full;
    private boolean fromAuxiliary;
    /** What the controller itself has to say, before its devices: at most a byte, -1 if nothing. */
    private int ownAnswer = -1;
    private boolean ownFromAuxiliary;
    /** Translation has met the prefix of a key that goes up. */
    private boolean goesUp;
    private boolean lastWasCommand;
    private int output;
    private boolean a20 = true;
    /** Command that waits for its data, 0 if none. */
    private int pending;

    /**
     * @param keyboardIrq IRQ 1
     * @param auxiliaryIrq IRQ 12
     * @param a20 opens the A20 gate while it is asserted, as it is from the start
     * @param reset what pulling the reset line does
     */
    KeyboardController(Ps2Device keyboard, Ps2Device auxiliary, InterruptLine keyboardIrq,
            InterruptLine auxiliaryIrq, InterruptLine a20, Runnable reset) {
        this.keyboard = keyboard;
        this.auxiliary = auxiliary;
        this.a20Line = a20;
        this.keyboardIrq = keyboardIrq;
        this.auxiliaryIrq = auxiliaryIrq;
        this.reset = reset;
        keyboard.connect(this::load);
        auxiliary.connect(this::load);
        a20.set(true);
        ram[0] = MODE_KEYBOARD_DISABLED | MODE_AUXILIARY_DISABLED | MODE_TRANSLATE;
    }

    /** The controller with a keyboard and a mouse. */
    public static KeyboardController of(Ps2Keyboard keyboard, Ps2Mouse mouse, InterruptLine keyboardIrq,
            InterruptLine auxiliaryIrq, InterruptLine a20, Runnable reset) {
        return new KeyboardController(keyboard, mouse, keyboardIrq, auxiliaryIrq, a20, reset);
    }

    /** Port 0x60. */
    public ByteRegisters data() {
        return data;
    }

    /** Port 0x64. */
    public ByteRegisters command() {
        return command;
    }

    private int status() {
        return (full ? STATUS_OUTPUT_FULL | (fromAuxiliary ? STATUS_AUXILIARY : 0) : 0)
                | ((ram[0] & MODE_SYSTEM) != 0 ? STATUS_SYSTEM : 0) | (lastWasCommand ? STATUS_COMMAND : 0)
                | STATUS_NOT_INHIBITED;
    }

    /** Something that the controller says itself; it comes next. */
    private void answer(int value, boolean fromAuxiliaryPort) {
        ownAnswer = value & 0xff;
        ownFromAuxiliary = fromAuxiliaryPort;
        load();
    }

    /** Fills the output buffer if it is empty and there is something for it. */
    private void load() {
        while (!full) {
            if (ownAnswer >= 0) {
                fill(ownAnswer, ownFromAuxiliary);
                ownAnswer = -1;
            } else if (keyboard.hasData() && (ram[0] & MODE_KEYBOARD_DISABLED) == 0) {
                takeFromKeyboard(keyboard.next());
            } else if (auxiliary.hasData() && (ram[0] & MODE_AUXILIARY_DISABLED) == 0) {
                fill(auxiliary.next(), true);
            } else {
                return;
            }
        }
    }

    /** Translation makes one byte of set 1 of the two that set 2 has for a key that goes up. */
    private void takeFromKeyboard(int value) {
        if ((ram[0] & MODE_TRANSLATE) == 0) {
            fill(value, false);
        } else if (value == ScanCodes.UP) {
            goesUp = true;
        } else {
            fill(ScanCodes.set1(value) | (goesUp ? ScanCodes.UP_1 : 0), false);
            goesUp = false;
        }
    }

    private void fill(int value, boolean fromAuxiliaryPort) {
        output = value;
        full = true;
        fromAuxiliary = fromAuxiliaryPort;
        updateLines();
    }

    private void updateLines() {
        keyboardIrq.set(full && !fromAuxiliary && (ram[0] & MODE_KEYBOARD_INTERRUPT) != 0);
        auxiliaryIrq.set(full && fromAuxiliary && (ram[0] & MODE_AUXILIARY_INTERRUPT) != 0);
    }

    private int outputPort() {
        return OUTPUT_NOT_RESET | (a20 ? OUTPUT_A20 : 0)
                | (full && !fromAuxiliary ? OUTPUT_KEYBOARD_FULL : 0)
                | (full && fromAuxiliary ? OUTPUT_AUXILIARY_FULL : 0) | 0xc0;
    }

    private void execute(int value) {
        pending = 0;
        if ((value & 0xe0) == READ_RAM) {
            answer(ram[value & RAM_SIZE - 1], false);
        } else if (value >= PULSE_OUTPUT) {
            // Bits that are 0 are pulsed; of those only bit 0, reset, leads anywhere.
            if ((value & 1) == 0) {
                reset.run();
            }
        } else {
            switch (value) {
                case DISABLE_AUXILIARY -> setMode(ram[0] | MODE_AUXILIARY_DISABLED);
                case ENABLE_AUXILIARY -> setMode(ram[0] & ~MODE_AUXILIARY_DISABLED);
                case DISABLE_KEYBOARD -> setMode(ram[0] | MODE_KEYBOARD_DISABLED);
                case ENABLE_KEYBOARD -> setMode(ram[0] & ~MODE_KEYBOARD_DISABLED);
                case TEST_AUXILIARY, TEST_KEYBOARD, READ_TEST_INPUTS -> answer(0, false);
                case SELF_TEST -> {
                    ram[0] |= MODE_SYSTEM;
                    answer(SELF_TEST_PASSED, false);
                }
                case READ_INPUT_PORT -> answer(INPUT_PORT, false);
                case READ_OUTPUT_PORT -> answer(outputPort(), false);
                case WRITE_OUTPUT_PORT, WRITE_KEYBOARD_BUFFER, WRITE_AUXILIARY_BUFFER, WRITE_AUXILIARY ->
                    pending = value;
                default -> {
                    if ((value & 0xe0) == WRITE_RAM) {
                        pending = value;
                    }
                }
            }
        }
    }

    private void setMode(int mode) {
        ram[0] = (byte) mode;
        updateLines();
        load();
    }

    private void take(int value) {
        int waiting = pending;
        pending = 0;
        switch (waiting) {
            case WRITE_OUTPUT_PORT -> {
                a20 = (value & OUTPUT_A20) != 0;
                a20Line.set(a20);
                if ((value & OUTPUT_NOT_RESET) == 0) {
                    reset.run();
                }
            }
            case WRITE_KEYBOARD_BUFFER -> answer(value, false);
            case WRITE_AUXILIARY_BUFFER -> answer(value, true);
            case WRITE_AUXILIARY -> {
                ram[0] &= ~MODE_AUXILIARY_DISABLED;
                auxiliary.write(value);
            }
            case 0 -> {
                // Sending to a port lets it send, too.
                ram[0] &= ~MODE_KEYBOARD_DISABLED;
                keyboard.write(value);
            }
            default -> {
                ram[waiting & RAM_SIZE - 1] = (byte) value;
                updateLines();
                load();
            }
        }
    }

    private final class Data implements ByteRegisters {
        @Override
        public int readByte(int offset) {
            int taken = output;
            full = false;
            updateLines();
            load();
            return taken;
        }

        @Override
        public void writeByte(int offset, int value) {
            lastWasCommand = false;
            take(value);
        }
    }

    private final class Command implements ByteRegisters {
        @Override
        public int readByte(int offset) {
            return status();
        }

        @Override
        public void writeByte(int offset, int value) {
            lastWasCommand = true;
            execute(value);
        }
    }

    @Override
    public String stateName() {
        return "i8042";
    }

    @Override
    public void save(StateWriter out) {
        out.put("ram", ram).put("full", full).put("fromAuxiliary", fromAuxiliary);
        out.put("ownAnswer", ownAnswer).put("ownFromAuxiliary", ownFromAuxiliary).put("goesUp", goesUp);
        out.put("lastWasCommand", lastWasCommand).put("output", output).put("a20", a20).put("pending", pending);
        out.put(keyboard).put(auxiliary);
    }

    @Override
    public void restore(StateReader in) throws StateException {
        in.get("ram", ram);
        full = in.getBoolean("full");
        fromAuxiliary = in.getBoolean("fromAuxiliary");
        ownAnswer = in.getInt("ownAnswer", -1, 0xff);
        ownFromAuxiliary = in.getBoolean("ownFromAuxiliary");
        goesUp = in.getBoolean("goesUp");
        lastWasCommand = in.getBoolean("lastWasCommand");
        output = in.getByte("output");
        a20 = in.getBoolean("a20");
        a20Line.set(a20);
        pending = in.getByte("pending");
        in.get(keyboard);
        in.get(auxiliary);
        updateLines();
    }
}
