package dev.xenolith.device.input;

import dev.xenolith.device.Clock;
import dev.xenolith.device.StateException;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;
import java.util.BitSet;

/**
 * The IBM enhanced keyboard (PS/2 Hardware Interface Technical Reference, "Keyboards (101- and 102-key)"): all three scan code sets,
 * keys that repeat, and its commands.
 */
public final class Ps2Keyboard implements Ps2Device, Keyboard {
    private static final int SET_LEDS = 0xed;
    private static final int ECHO = 0xee;
    private static final int SCAN_CODE_SET = 0xf0;
    private static final int IDENTIFY = 0xf2;
    private static final int SET_REPEAT = 0xf3;
    private static final int ENABLE = 0xf4;
    private static final int DEFAULT_DISABLE = 0xf5;
    private static final int DEFAULT = 0xf6;
    /** Of set 3: all keys repeat, tell of going up, only go down, or both; and the same for keys that are named. */
    private static final int ALL_REPEAT = 0xf7;
    private static final int ALL_UP = 0xf8;
    private static final int ALL_DOWN_ONLY = 0xf9;
    private static final int ALL_REPEAT_UP = 0xfa;
    private static final int KEY_REPEAT = 0xfb;
    private static final int KEY_UP = 0xfc;
    private static final int KEY_DOWN_ONLY = 0xfd;
    private static final int RESEND = 0xfe;
    private static final int RESET = 0xff;

    private static final int ACKNOWLEDGE = 0xfa;
    private static final int SELF_TEST_PASSED = 0xaa;
    private static final int ID_1 = 0xab;
    private static final int ID_2 = 0x83;
    private static final int OVERRUN = 0x00;
    private static final int OVERRUN_1 = 0xff;

    /** 500 ms to the first repetition, 10.9 a second. */
    private static final int DEFAULT_REPEAT = 0x2b;
    private static final long DELAY_UNIT = 250_000_000L;
    /** Nanoseconds of 1/240 s, the unit of the period. */
    private static final long PERIOD_UNIT = 1_000_000_000L / 240;

    private static final int PRINT_SCREEN = 0x46;
    private static final int PAUSE = 0x48;
    private static final int[] PAUSE_CODES = {0xe1, 0x14, 0x77, 0xe1, ScanCodes.UP, 0x14, ScanCodes.UP, 0x77};
    private static final int CONTROL_BREAK = 0x7e;
    private static final int SYSTEM_REQUEST = 0x84;
    private static final int SHIFT = 0x12;
    private static final int LEFT_CONTROL = 0xe0;
    private static final int LEFT_SHIFT = 0xe1;
    private static final int LEFT_ALT = 0xe2;
    private static final int RIGHT_CONTROL = 0xe4;
    private static final int RIGHT_SHIFT = 0xe5;
    private static final int RIGHT_ALT = 0xe6;
    private static final int NO_KEY = 0;

    private final Clock clock;
    private final Clock.Timer repetition;
    private final Ps2Queue queue = new Ps2Queue();
    private Runnable hasData = () -> {};

    private boolean enabled = true;
    private int set = 2;
    private int leds;
    private int repeat = DEFAULT_REPEAT;
    /** Command that waits for its argument, 0 if none. */
    private int pending;
    /** Usage of the key that repeats. */
    private int repeating = NO_KEY;
    private final BitSet down = new BitSet(ScanCodes.USAGES);
    /** Of set 3: usages of keys that repeat, and of those that tell of going up. */
    private final BitSet repeats = new BitSet(ScanCodes.USAGES);
    private final BitSet tellsUp = new BitSet(ScanCodes.USAGES);

    public Ps2Keyboard(Clock clock) {
        this.clock = clock;
        repetition = clock.timer(this::repeat);
        setDefaults();
    }

    /** The lights: bit 0 scroll lock, 1 num lock, 2 caps lock. */
    public int leds() {
        return leds;
    }

    @Override
    public void connect(Runnable told) {
        hasData = told;
    }

    @Override
    public boolean hasData() {
        return !queue.isEmpty();
    }

    @Override
    public int next() {
        return queue.take();
    }

    // ---- keys ----------------------------------------------------------------------------------------------------------

    @Override
    public void key(int usage, boolean goesDown) {
        if (usage <= 0 || usage >= ScanCodes.USAGES || down.get(usage) == goesDown) {
            return;
        }
        down.set(usage, goesDown);
        if (enabled) {
            send(usage, goesDown);
        }
        if (goesDown && enabled && usage != PAUSE && (set != 3 || repeats.get(usage))) {
            repeating = usage;
            repetition.set(clock.now() + ((repeat >>> 5 & 3) + 1) * DELAY_UNIT);
        } else if (usage == repeating || goesDown) {
            stopRepeating();
        }
    }

    private void stopRepeating() {
        repeating = NO_KEY;
        repetition.cancel();
    }

    private void repeat() {
        // A key that nobody fetches does not fill the queue.
        if (queue.isEmpty()) {
            send(repeating, true);
        }
        repetition.set(clock.now() + (8L + (repeat & 7) << (repeat >>> 3 & 3)) * PERIOD_UNIT);
    }

    private boolean isDown(int left, int right) {
        return down.get(left) || down.get(right);
    }

    private void send(int usage, boolean goesDown) {
        if (set == 3) {
            sendSet3(usage, goesDown);
        } else if (usage == PAUSE) {
            // It tells all at once when it goes down.
            if (goesDown && isDown(LEFT_CONTROL, RIGHT_CONTROL)) {
                put(ScanCodes.EXTENDED, CONTROL_BREAK, ScanCodes.EXTENDED, ScanCodes.UP, CONTROL_BREAK);
            } else if (goesDown) {
                put(PAUSE_CODES);
            }
        } else if (usage == PRINT_SCREEN) {
            sendPrintScreen(goesDown);
        } else if (ScanCodes.set2(usage) != 0) {
            int code = ScanCodes.set2(usage);
            boolean extended = code >>> 8 != 0;
            if (extended && goesDown) {
                put(ScanCodes.EXTENDED, code & 0xff);
            } else if (extended) {
                put(ScanCodes.EXTENDED, ScanCodes.UP, code & 0xff);
            } else if (goesDown) {
                put(code);
            } else {
                put(ScanCodes.UP, code);
            }
        }
    }

    /** The first PC's keyboard had it as the shifted multiplication key, and the system request key was one of its own. */
    private void sendPrintScreen(boolean goesDown) {
        int code = ScanCodes.set2(PRINT_SCREEN) & 0xff;
        if (isDown(LEFT_ALT, RIGHT_ALT)) {
            if (goesDown) {
                put(SYSTEM_REQUEST);
            } else {
                put(ScanCodes.UP, SYSTEM_REQUEST);
            }
        } else if (isDown(LEFT_CONTROL, RIGHT_CONTROL) || isDown(LEFT_SHIFT, RIGHT_SHIFT)) {
            if (goesDown) {
                put(ScanCodes.EXTENDED, code);
            } else {
                put(ScanCodes.EXTENDED, ScanCodes.UP, code);
            }
        } else if (goesDown) {
            put(ScanCodes.EXTENDED, SHIFT, ScanCodes.EXTENDED, code);
        } else {
            put(ScanCodes.EXTENDED, ScanCodes.UP, code, ScanCodes.EXTENDED, ScanCodes.UP, SHIFT);
        }
    }

    private void sendSet3(int usage, boolean goesDown) {
        int code = ScanCodes.set3(usage);
        if (code != 0 && goesDown) {
            put(code);
        } else if (code != 0 && tellsUp.get(usage)) {
            put(ScanCodes.UP, code);
        }
    }

    /** Puts the codes of an event, given in set 2, into the queue: all of them or none. */
    private void put(int... codes) {
        if (!queue.hasRoom(codes.length)) {
            int overrun = set == 1 ? OVERRUN_1 : OVERRUN;
            if (!queue.endsWith(overrun)) {
                queue.add(overrun);
            }
            return;
        }
        int up = 0;
        for (int code : codes) {
            if (set != 1) {
                queue.add(code);
            } else if (code == ScanCodes.UP) {
                up = ScanCodes.UP_1;
            } else {
                // A prefix stays, and waits for the code that it is before.
                boolean prefix = code >= ScanCodes.EXTENDED;
                queue.add(prefix ? code : ScanCodes.set1(code) | up);
                up = prefix ? up : 0;
            }
        }
        hasData.run();
    }

    // ---- commands ------------------------------------------------------------------------------------------------------

    @Override
    public void write(int value) {
        int command = pending;
        pending = 0;
        if (command != 0 && value < SET_LEDS) {
            argument(command, value);
        } else {
            command(value);
        }
        hasData.run();
    }

    private void argument(int command, int value) {
        switch (command) {
            case SET_LEDS -> {
                leds = value & 7;
                queue.answer(ACKNOWLEDGE);
            }
            case SET_REPEAT -> {
                repeat = value & 0x7f;
                queue.answer(ACKNOWLEDGE);
            }
            case SCAN_CODE_SET -> {
                if (value == 0) {
                    queue.answer(ACKNOWLEDGE, set);
                } else if (value <= 3) {
                    set = value;
                    stopRepeating();
                    queue.answer(ACKNOWLEDGE);
                } else {
                    queue.answer(RESEND);
                }
            }
            default -> {
                // Keys are named until another command comes.
                int usage = ScanCodes.usageOfSet3(value);
                if (usage >= 0) {
                    repeats.set(usage, command == KEY_REPEAT);
                    tellsUp.set(usage, command == KEY_UP);
                }
                pending = command;
                queue.answer(ACKNOWLEDGE);
            }
        }
    }

    private void command(int value) {
        switch (value) {
            case ECHO -> queue.answer(ECHO);
            case IDENTIFY -> queue.answer(ACKNOWLEDGE, ID_1, ID_2);
            case ENABLE -> {
                enabled = true;
                queue.answer(ACKNOWLEDGE);
            }
            case DEFAULT_DISABLE, DEFAULT -> {
                setDefaults();
                enabled = value == DEFAULT;
                queue.answer(ACKNOWLEDGE);
            }
            case ALL_REPEAT, ALL_UP, ALL_DOWN_ONLY, ALL_REPEAT_UP -> {
                repeats.set(0, ScanCodes.USAGES, value == ALL_REPEAT || value == ALL_REPEAT_UP);
                tellsUp.set(0, ScanCodes.USAGES, value == ALL_UP || value == ALL_REPEAT_UP);
                queue.answer(ACKNOWLEDGE);
            }
            case SET_LEDS, SET_REPEAT, SCAN_CODE_SET, KEY_REPEAT, KEY_UP, KEY_DOWN_ONLY -> {
                pending = value;
                queue.answer(ACKNOWLEDGE);
            }
            case RESEND -> queue.add(queue.last());
            case RESET -> {
                set = 2;
                leds = 0;
                setDefaults();
                enabled = true;
                queue.answer(ACKNOWLEDGE, SELF_TEST_PASSED);
            }
            default -> queue.answer(RESEND);
        }
    }

    /** Repetition, and in set 3 that all keys repeat but those that modify others, which tell of going up. */
    private void setDefaults() {
        repeat = DEFAULT_REPEAT;
        stopRepeating();
        repeats.set(0, LEFT_CONTROL);
        repeats.clear(LEFT_CONTROL, ScanCodes.USAGES);
        tellsUp.clear(0, LEFT_CONTROL);
        tellsUp.set(LEFT_CONTROL, ScanCodes.USAGES);
    }

    // ---- state ---------------------------------------------------------------------------------------------------------

    @Override
    public String stateName() {
        return "keyboard";
    }

    @Override
    public void save(StateWriter out) {
        queue.save(out);
        out.put("enabled", enabled).put("set", set).put("leds", leds).put("repeat", repeat).put("pending", pending);
        out.put("repeating", repeating).put("repetition", repetition);
        out.put("down", down.toLongArray()).put("repeats", repeats.toLongArray()).put("tellsUp", tellsUp.toLongArray());
    }

    @Override
    public void restore(StateReader in) throws StateException {
        queue.restore(in);
        enabled = in.getBoolean("enabled");
        set = in.getInt("set", 1, 3);
        leds = in.getByte("leds");
        repeat = in.getByte("repeat");
        pending = in.getByte("pending");
        repeating = in.getByte("repeating");
        in.get("repetition", repetition);
        restore(in, "down", down);
        restore(in, "repeats", repeats);
        restore(in, "tellsUp", tellsUp);
    }

    private static void restore(StateReader in, String field, BitSet keys) throws StateException {
        keys.clear();
        keys.or(BitSet.valueOf(in.getLongs(field)));
        keys.clear(ScanCodes.USAGES, Math.max(keys.length(), ScanCodes.USAGES));
    }
}
