package dev.xenolith.dom0.display.screen;

import dev.xenolith.device.input.Pointer;
import java.util.BitSet;

/**
 * One person at the {@link InputDevices}: turns what a viewer's keyboard and pointer do, in RFB's terms, into what a person at the guest's
 * would do. Belongs to one thread.
 *
 * <p>A viewer that tells keys by their place (scan codes) gets just those. One that tells symbols gets the key that has it on a US
 * keyboard, and shift is pressed or lifted around it where the guest needs that and the viewer's keyboard did not.
 */
public final class Seat {
    /** Buttons of RFB, as bits: these five and two that nobody has. */
    private static final int RFB_LEFT = 1;
    private static final int RFB_MIDDLE = 1 << 1;
    private static final int RFB_RIGHT = 1 << 2;
    private static final int RFB_WHEEL_UP = 1 << 3;
    private static final int RFB_WHEEL_DOWN = 1 << 4;

    private static final int LEFT_SHIFT = 0xe1;
    private static final int RIGHT_SHIFT = 0xe5;

    final InputDevices.Waiting waiting;
    private final InputDevices devices;
    /** Keys that this person holds. */
    private final BitSet held = new BitSet();
    /** Keys that are down in the guest for this person: as {@link #held}, but for shift. */
    private final BitSet down = new BitSet();
    /** The key for which shift is not as it is held, 0 if it is. */
    private int shiftedFor;
    private int lastX = -1;
    private int lastY = -1;
    /** The last position as a {@link Pointer} takes it. */
    private int lastPlaceX;
    private int lastPlaceY;
    private int lastButtons;

    Seat(InputDevices devices, Runnable roomAgain) {
        this.devices = devices;
        waiting = new InputDevices.Waiting(roomAgain);
    }

    /** Whether more may be typed; else {@code roomAgain} tells when. */
    public boolean hasRoom() {
        return waiting.hasRoom();
    }

    // ---- keys --------------------------------------------------------------------------------------------------------

    /** A key is pressed or released, which a viewer tells by X11's {@code keysym}. Returns false if no key has that symbol. */
    public boolean keysym(int keysym, boolean pressed) {
        int stroke = Keysyms.stroke(keysym);
        if (stroke == Keysyms.UNKNOWN) {
            return false;
        }
        int usage = Keysyms.usage(stroke);
        if (pressed && !held.get(usage)) {
            shift(stroke, usage);
        }
        key(usage, pressed);
        return true;
    }

    /**
     * A key is pressed or released, which a viewer tells by its code in set 1, with 0x80 added in place of the prefix 0xe0. Returns false
     * if there is no such key.
     */
    public boolean scanCode(int code, boolean pressed) {
        int usage = ScanCodes.usage(code);
        if (usage == 0) {
            return false;
        }
        if (pressed) {
            shiftAsHeld();
        }
        key(usage, pressed);
        return true;
    }

    /** The person has gone: no key and no button stays down. */
    public void leave() {
        shiftedFor = 0;
        held.clear();
        for (int usage : down.stream().toArray()) {
            emit(usage, false);
        }
        if ((lastButtons & (RFB_LEFT | RFB_MIDDLE | RFB_RIGHT)) != 0) {
            lastButtons = 0;
            if (devices.isAbsolute() && lastX >= 0) {
                devices.moveTo(this, lastPlaceX, lastPlaceY, 0, 0);
            } else {
                devices.moveBy(this, 0, 0, 0, 0);
            }
        }
    }

    private void key(int usage, boolean pressed) {
        if (held.get(usage) == pressed) {
            // The guest's keyboard repeats by itself.
            return;
        }
        held.set(usage, pressed);
        if (!pressed && usage == shiftedFor) {
            emit(usage, false);
            shiftAsHeld();
        } else if (isShift(usage)) {
            shiftAsHeld();
        } else {
            emit(usage, pressed);
        }
    }

    /** Makes shift what a symbol needs. */
    private void shift(int stroke, int usage) {
        shiftAsHeld();
        if (!Keysyms.dependsOnShift(stroke)) {
            return;
        }
        boolean wanted = Keysyms.needsShift(stroke) != (Keysyms.isLetter(stroke) && devices.capsLock());
        boolean is = held.get(LEFT_SHIFT) || held.get(RIGHT_SHIFT);
        if (wanted == is) {
            return;
        }
        shiftedFor = usage;
        if (wanted) {
            emit(LEFT_SHIFT, true);
        } else {
            emit(LEFT_SHIFT, false);
            emit(RIGHT_SHIFT, false);
        }
    }

    private void shiftAsHeld() {
        shiftedFor = 0;
        emit(LEFT_SHIFT, held.get(LEFT_SHIFT));
        emit(RIGHT_SHIFT, held.get(RIGHT_SHIFT));
    }

    private void emit(int usage, boolean pressed) {
        if (down.get(usage) != pressed) {
            down.set(usage, pressed);
            devices.key(this, usage, pressed);
        }
    }

    private static boolean isShift(int usage) {
        return usage == LEFT_SHIFT || usage == RIGHT_SHIFT;
    }

    // ---- pointer -----------------------------------------------------------------------------------------------------

    /**
     * The pointer is at a place of a screen of {@code width} by {@code height} pixels.
     *
     * @param buttons in RFB's order
     */
    public void pointAt(int x, int y, int width, int height, int buttons) {
        int column = Math.min(x, width - 1);
        int row = Math.min(y, height - 1);
        int wheel = wheel(buttons);
        lastPlaceX = scaled(column, width);
        lastPlaceY = scaled(row, height);
        if (devices.isAbsolute()) {
            devices.moveTo(this, lastPlaceX, lastPlaceY, wheel, pointerButtons(buttons));
        } else {
            boolean first = lastX < 0;
            devices.moveBy(this, first ? 0 : column - lastX, first ? 0 : row - lastY, wheel, pointerButtons(buttons));
        }
        lastX = column;
        lastY = row;
        lastButtons = buttons;
    }

    /** The pointer has moved by so much; {@code buttons} in RFB's order. */
    public void moveBy(int dx, int dy, int buttons) {
        int wheel = wheel(buttons);
        devices.moveBy(this, dx, dy, wheel, pointerButtons(buttons));
        lastX = -1;
        lastButtons = buttons;
    }

    private static int scaled(int at, int size) {
        return size <= 1 ? 0 : (int) ((long) at * Pointer.FAR / (size - 1));
    }

    /** In RFB a step of the wheel is a button that goes down. */
    private int wheel(int buttons) {
        int pressed = buttons & ~lastButtons;
        return ((pressed & RFB_WHEEL_UP) != 0 ? 1 : 0) - ((pressed & RFB_WHEEL_DOWN) != 0 ? 1 : 0);
    }

    private static int pointerButtons(int buttons) {
        return ((buttons & RFB_LEFT) != 0 ? Pointer.LEFT : 0) | ((buttons & RFB_RIGHT) != 0 ? Pointer.RIGHT : 0)
                | ((buttons & RFB_MIDDLE) != 0 ? Pointer.MIDDLE : 0);
    }
}
