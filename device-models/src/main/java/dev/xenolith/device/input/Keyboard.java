package dev.xenolith.device.input;

/** A keyboard on which somebody types. Machine thread only. */
public interface Keyboard {
    /**
     * A key goes down or up; one that is held repeats by itself where the hardware does that.
     *
     * @param usage the key by its place, as the Keyboard/Keypad page numbers it (USB HID Usage Tables, section 10): 0x04 to 0xe7;
     *        a keyboard without that key ignores it
     */
    void key(int usage, boolean down);
}
