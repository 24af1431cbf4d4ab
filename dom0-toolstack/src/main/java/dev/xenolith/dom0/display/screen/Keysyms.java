package dev.xenolith.dom0.display.screen;

/**
 * Which key of a US keyboard has a symbol (X11's keysyms: X Window System Protocol, appendix A, and X11/keysymdef.h), and whether it needs
 * shift.
 *
 * <p>ISO_Level3_Shift and Mode_switch are no keys here: they chose a symbol on the viewer's keyboard, and the symbol is what arrives.
 */
final class Keysyms {
    static final int UNKNOWN = 0;

    private static final int DEPENDS = 1 << 8;
    private static final int SHIFT = 1 << 9;
    private static final int LETTER = 1 << 10;
    private static final int UNICODE = 0x100_0000;
    private static final int ASCII_END = 0x7f;

    private static final int A = 0x04;
    private static final int DIGIT_1 = 0x1e;
    private static final int FIRST_SYMBOL = 0x2d;
    private static final String DIGITS = "1234567890";
    private static final String SHIFTED_DIGITS = "!@#$%^&*()";
    /** From usage 0x2d on; 0x32 is a key that US keyboards do not have. */
    private static final String SYMBOLS = "-=[]\\\0;'`,./";
    private static final String SHIFTED_SYMBOLS = "_+{}|\0:\"~<>?";

    private Keysyms() {}

    /** A key and what it needs, to be asked of with the methods below; {@link #UNKNOWN} if no key has the symbol. */
    static int stroke(int keysym) {
        int symbol = keysym >= UNICODE && keysym < UNICODE + ASCII_END ? keysym - UNICODE : keysym;
        if (symbol > ' ' && symbol < ASCII_END) {
            return character((char) symbol);
        }
        return switch (symbol) {
            case 0xfe20 -> 0x2b | DEPENDS | SHIFT; // ISO_Left_Tab
            case 0xfe50 -> character('`'); // dead keys
            case 0xfe51 -> character('\'');
            case 0xfe52 -> character('^');
            case 0xfe53 -> character('~');
            case 0xfe57 -> character('"');
            default -> function(symbol);
        };
    }

    static int usage(int stroke) {
        return stroke & 0xff;
    }

    /** Whether the symbol is another with shift. */
    static boolean dependsOnShift(int stroke) {
        return (stroke & DEPENDS) != 0;
    }

    static boolean needsShift(int stroke) {
        return (stroke & SHIFT) != 0;
    }

    /** Whether caps lock acts on it. */
    static boolean isLetter(int stroke) {
        return (stroke & LETTER) != 0;
    }

    private static int character(char symbol) {
        if (symbol >= 'a' && symbol <= 'z') {
            return A + symbol - 'a' | DEPENDS | LETTER;
        }
        if (symbol >= 'A' && symbol <= 'Z') {
            return A + symbol - 'A' | DEPENDS | LETTER | SHIFT;
        }
        int at = DIGITS.indexOf(symbol);
        if (at >= 0) {
            return DIGIT_1 + at | DEPENDS;
        }
        at = SHIFTED_DIGITS.indexOf(symbol);
        if (at >= 0) {
            return DIGIT_1 + at | DEPENDS | SHIFT;
        }
        at = SYMBOLS.indexOf(symbol);
        if (at >= 0) {
            return FIRST_SYMBOL + at | DEPENDS;
        }
        return FIRST_SYMBOL + SHIFTED_SYMBOLS.indexOf(symbol) | DEPENDS | SHIFT;
    }

    /** Keys that do something. */
    private static int function(int keysym) {
        if (keysym >= 0xffbe && keysym <= 0xffc9) {
            return 0x3a + keysym - 0xffbe; // F1 to F12
        }
        if (keysym >= 0xffca && keysym <= 0xffd5) {
            return 0x68 + keysym - 0xffca; // F13 to F24
        }
        if (keysym >= 0xffb1 && keysym <= 0xffb9) {
            return 0x59 + keysym - 0xffb1; // keypad 1 to 9
        }
        return switch (keysym) {
            case ' ' -> 0x2c;
            case 0xff08 -> 0x2a; // BackSpace
            case 0xff09 -> 0x2b; // Tab
            case 0xff0a, 0xff0d -> 0x28; // Linefeed, Return
            case 0xff13, 0xff6b -> 0x48; // Pause, Break
            case 0xff14 -> 0x47; // Scroll_Lock
            case 0xff15, 0xff61 -> 0x46; // Sys_Req, Print
            case 0xff1b -> 0x29; // Escape
            case 0xff22 -> 0x8b; // Muhenkan
            case 0xff23 -> 0x8a; // Henkan_Mode
            case 0xff27 -> 0x88; // Hiragana_Katakana
            case 0xff31 -> 0x90; // Hangul
            case 0xff34 -> 0x91; // Hangul_Hanja
            case 0xff50 -> 0x4a; // Home
            case 0xff51 -> 0x50; // Left
            case 0xff52 -> 0x52; // Up
            case 0xff53 -> 0x4f; // Right
            case 0xff54 -> 0x51; // Down
            case 0xff55 -> 0x4b; // Prior
            case 0xff56 -> 0x4e; // Next
            case 0xff57 -> 0x4d; // End
            case 0xff63 -> 0x49; // Insert
            case 0xff67 -> 0x65; // Menu
            case 0xff6a -> 0x75; // Help
            case 0xff7f -> 0x53; // Num_Lock
            case 0xff80 -> 0x2c; // KP_Space
            case 0xff89 -> 0x2b; // KP_Tab
            case 0xff8d -> 0x58; // KP_Enter
            case 0xff95 -> 0x5f; // KP_Home
            case 0xff96 -> 0x5c; // KP_Left
            case 0xff97 -> 0x60; // KP_Up
            case 0xff98 -> 0x5e; // KP_Right
            case 0xff99 -> 0x5a; // KP_Down
            case 0xff9a -> 0x61; // KP_Prior
            case 0xff9b -> 0x5b; // KP_Next
            case 0xff9c -> 0x59; // KP_End
            case 0xff9d -> 0x5d; // KP_Begin
            case 0xff9e -> 0x62; // KP_Insert
            case 0xff9f -> 0x63; // KP_Delete
            case 0xffaa -> 0x55; // KP_Multiply
            case 0xffab -> 0x57; // KP_Add
            case 0xffac -> 0x85; // KP_Separator
            case 0xffad -> 0x56; // KP_Subtract
            case 0xffae -> 0x63; // KP_Decimal
            case 0xffaf -> 0x54; // KP_Divide
            case 0xffb0 -> 0x62; // KP_0
            case 0xffbd -> 0x67; // KP_Equal
            case 0xffe1 -> 0xe1; // Shift_L
            case 0xffe2 -> 0xe5; // Shift_R
            case 0xffe3 -> 0xe0; // Control_L
            case 0xffe4 -> 0xe4; // Control_R
            case 0xffe5, 0xffe6 -> 0x39; // Caps_Lock, Shift_Lock
            case 0xffe7, 0xffe9 -> 0xe2; // Meta_L, Alt_L
            case 0xffe8, 0xffea -> 0xe6; // Meta_R, Alt_R
            case 0xffeb, 0xffed -> 0xe3; // Super_L, Hyper_L
            case 0xffec, 0xffee -> 0xe7; // Super_R, Hyper_R
            case 0xffff -> 0x4c; // Delete
            default -> UNKNOWN;
        };
    }
}
