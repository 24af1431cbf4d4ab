package dev.xenolith.device.input;

import dev.xenolith.device.Clock;
import dev.xenolith.device.StateException;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;

/**
 * A PS/2 mouse (PS/2 Hardware Interface Technical Reference, "Mouse") that becomes one with a wheel and then with five buttons when
 * software asks in the way of Microsoft's IntelliMouse: by sampling rates of 200, 100, 80, and of 200, 200, 80.
 */
public final class Ps2Mouse implements Ps2Device, Pointer {
    private static final int SCALING_1_TO_1 = 0xe6;
    private static final int SCALING_2_TO_1 = 0xe7;
    private static final int SET_RESOLUTION = 0xe8;
    private static final int STATUS = 0xe9;
    private static final int STREAM_MODE = 0xea;
    private static final int READ_DATA = 0xeb;
    private static final int RESET_WRAP = 0xec;
    private static final int WRAP_MODE = 0xee;
    private static final int REMOTE_MODE = 0xf0;
    private static final int IDENTIFY = 0xf2;
    private static final int SET_RATE = 0xf3;
    private static final int ENABLE = 0xf4;
    private static final int DISABLE = 0xf5;
    private static final int DEFAULT = 0xf6;
    private static final int RESEND = 0xfe;
    private static final int RESET = 0xff;

    private static final int ACKNOWLEDGE = 0xfa;
    private static final int ERROR = 0xfc;
    private static final int SELF_TEST_PASSED = 0xaa;

    private static final int ID_STANDARD = 0;
    private static final int ID_WHEEL = 3;
    private static final int ID_FIVE_BUTTONS = 4;
    /** The last three sampling rates, as they tell what software knows of. */
    private static final int KNOCK_WHEEL = 200 << 16 | 100 << 8 | 80;
    private static final int KNOCK_FIVE_BUTTONS = 200 << 16 | 200 << 8 | 80;

    private static final int DEFAULT_RATE = 100;
    private static final int DEFAULT_RESOLUTION = 2;
    private static final int MAX_RESOLUTION = 3;
    private static final long SECOND = 1_000_000_000L;

    /** First byte of a packet. */
    private static final int ALWAYS = 1 << 3;
    private static final int X_SIGN = 1 << 4;
    private static final int Y_SIGN = 1 << 5;
    private static final int BUTTONS = 7;
    private static final int MAX_MOVE = 255;
    private static final int MAX_WHEEL = 7;
    /** Movements beyond this are forgotten while nobody fetches them. */
    private static final int MAX_HELD = 1 << 16;

    private final Clock clock;
    private final Clock.Timer report;
    private final Ps2Queue queue = new Ps2Queue();
    private Runnable hasData = () -> {};

    private boolean enabled;
    private boolean remote;
    private boolean wrap;
    private boolean doubled;
    private int resolution = DEFAULT_RESOLUTION;
    private int rate = DEFAULT_RATE;
    private int rates;
    private int id = ID_STANDARD;
    private int pending;
    private int dx;
    private int dy;
    private int wheel;
    private int buttons;
    private boolean moved;

    public Ps2Mouse(Clock clock) {
        this.clock = clock;
        report = clock.timer(this::reportMovement);
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

    // ---- movement ------------------------------------------------------------------------------------------------------

    @Override
    public boolean isAbsolute() { return false; }

    @Override
    public void moveTo(int x, int y, int turned, int pressed) {
        // Where it is a mouse does not know; its wheel and buttons it does.
        moveBy(0, 0, turned, pressed);
    }

    @Override
    public void moveBy(int right, int lower, int turned, int pressed) {
        int held = pressed & BUTTONS;
        if (right == 0 && lower == 0 && turned == 0 && held == buttons) {
            return;
        }
        dx = clamp(dx + clamp(right, MAX_HELD), MAX_HELD);
        // The mouse counts upwards.
        dy = clamp(dy - clamp(lower, MAX_HELD), MAX_HELD);
        wheel = clamp(wheel - clamp(turned, MAX_HELD), MAX_HELD);
        buttons = held;
        moved = true;
        if (enabled && !remote && !report.isArmed()) {
            reportMovement();
        }
    }

    private static int clamp(int value, int limit) {
        return Math.clamp(value, -limit, limit);
    }

    /** In stream mode: a packet if there is something to tell, and not more often than the sampling rate says. */
    private void reportMovement() {
        if (!moved || !enabled || remote || wrap) {
            return;
        }
        if (queue.hasRoom(4)) {
            putPacket(doubled);
            hasData.run();
        }
        report.set(clock.now() + SECOND / rate);
    }

    private void putPacket(boolean scaled) {
        int x = clamp(dx, MAX_MOVE);
        int y = clamp(dy, MAX_MOVE);
        int z = clamp(wheel, MAX_WHEEL);
        dx -= x;
        dy -= y;
        wheel = id == ID_STANDARD ? 0 : wheel - z;
        moved = dx != 0 || dy != 0 || wheel != 0;
        int sentX = scaled ? clamp(scale(x), MAX_MOVE) : x;
        int sentY = scaled ? clamp(scale(y), MAX_MOVE) : y;
        queue.add(ALWAYS | buttons | (sentX < 0 ? X_SIGN : 0) | (sentY < 0 ? Y_SIGN : 0));
        queue.add(sentX & 0xff);
        queue.add(sentY & 0xff);
        if (id == ID_WHEEL) {
            queue.add(z & 0xff);
        } else if (id == ID_FIVE_BUTTONS) {
            // The fourth and the fifth button are never pressed.
            queue.add(z & 0x0f);
        }
    }

    /** Scaling 2:1 makes small movements smaller and large ones twice as large. */
    private static int scale(int move) {
        int counts = Math.abs(move);
        int scaled = switch (counts) {
            case 0 -> 0;
            case 1, 2 -> 1;
            case 3 -> 3;
            case 4 -> 6;
            case 5 -> 9;
            default -> 2 * counts;
        };
        return move < 0 ? -scaled : scaled;
    }

    // ---- commands ------------------------------------------------------------------------------------------------------

    @Override
    public void write(int value) {
        if (wrap && value != RESET && value != RESET_WRAP) {
            queue.add(value);
        } else if (pending != 0) {
            argument(pending, value);
        } else {
            command(value);
        }
        hasData.run();
    }

    private void argument(int command, int value) {
        pending = 0;
        if (command == SET_RATE && value >= 10 && value <= 200) {
            rate = value;
            rates = (rates << 8 | value) & 0xff_ffff;
            if (rates == KNOCK_WHEEL && id == ID_STANDARD) {
                id = ID_WHEEL;
            } else if (rates == KNOCK_FIVE_BUTTONS) {
                id = ID_FIVE_BUTTONS;
            }
            queue.answer(ACKNOWLEDGE);
        } else if (command == SET_RESOLUTION && value <= MAX_RESOLUTION) {
            resolution = value;
            queue.answer(ACKNOWLEDGE);
        } else {
            // Once more, please.
            pending = command;
            queue.answer(RESEND);
        }
    }

    private void command(int value) {
        switch (value) {
            case SCALING_1_TO_1, SCALING_2_TO_1 -> {
                doubled = value == SCALING_2_TO_1;
                queue.answer(ACKNOWLEDGE);
            }
            case SET_RESOLUTION, SET_RATE -> {
                pending = value;
                queue.answer(ACKNOWLEDGE);
            }
            case STATUS -> {
                queue.answer(ACKNOWLEDGE);
                int order = (buttons & LEFT) << 2 | (buttons & MIDDLE) >>> 1 | (buttons & RIGHT) >>> 1;
                queue.add((remote ? 1 << 6 : 0) | (enabled ? 1 << 5 : 0) | (doubled ? 1 << 4 : 0) | order);
                queue.add(resolution);
                queue.add(rate);
            }
            case STREAM_MODE, REMOTE_MODE -> {
                remote = value == REMOTE_MODE;
                forget();
                queue.answer(ACKNOWLEDGE);
            }
            case READ_DATA -> {
                queue.answer(ACKNOWLEDGE);
                putPacket(false);
            }
            case WRAP_MODE, RESET_WRAP -> {
                wrap = value == WRAP_MODE;
                queue.answer(ACKNOWLEDGE);
            }
            case IDENTIFY -> queue.answer(ACKNOWLEDGE, id);
            case ENABLE, DISABLE -> {
                enabled = value == ENABLE;
                forget();
                queue.answer(ACKNOWLEDGE);
            }
            case DEFAULT -> {
                setDefaults();
                queue.answer(ACKNOWLEDGE);
            }
            case RESEND -> queue.add(queue.last());
            case RESET -> {
                setDefaults();
                id = ID_STANDARD;
                rates = 0;
                wrap = false;
                queue.answer(ACKNOWLEDGE, SELF_TEST_PASSED, id);
            }
            default -> queue.answer(pendingError());
        }
    }

    /** A second invalid byte in a row is an error, the first one is to be repeated. */
    private int pendingError() {
        return queue.last() == RESEND ? ERROR : RESEND;
    }

    private void setDefaults() {
        enabled = false;
        remote = false;
        doubled = false;
        resolution = DEFAULT_RESOLUTION;
        rate = DEFAULT_RATE;
        forget();
    }

    private void forget() {
        dx = 0;
        dy = 0;
        wheel = 0;
        moved = false;
        report.cancel();
    }

    // ---- state ---------------------------------------------------------------------------------------------------------

    @Override
    public String stateName() {
        return "mouse";
    }

    @Override
    public void save(StateWriter out) {
        queue.save(out);
        out.put("enabled", enabled).put("remote", remote).put("wrap", wrap).put("doubled", doubled);
        out.put("resolution", resolution).put("rate", rate).put("rates", rates).put("id", id).put("pending", pending);
        out.put("dx", dx).put("dy", dy).put("wheel", wheel).put("buttons", buttons);
        out.put("moved", moved).put("report", report);
    }

    @Override
    public void restore(StateReader in) throws StateException {
        queue.restore(in);
        enabled = in.getBoolean("enabled");
        remote = in.getBoolean("remote");
        wrap = in.getBoolean("wrap");
        doubled = in.getBoolean("doubled");
        resolution = in.getInt("resolution", 0, MAX_RESOLUTION);
        rate = in.getInt("rate", 10, 200);
        rates = in.getInt("rates", 0, 0xff_ffff);
        id = in.getInt("id", ID_STANDARD, ID_FIVE_BUTTONS);
        pending = in.getByte("pending");
        dx = in.getInt("dx", -MAX_HELD, MAX_HELD);
        dy = in.getInt("dy", -MAX_HELD, MAX_HELD);
        wheel = in.getInt("wheel", -MAX_HELD, MAX_HELD);
        buttons = in.getInt("buttons", 0, BUTTONS);
        moved = in.getBoolean("moved");
        in.get("report", report);
    }
}
