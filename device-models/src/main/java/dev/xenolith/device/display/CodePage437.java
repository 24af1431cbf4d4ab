package dev.xenolith.device.display;

/** The glyphs of a VGA's built-in font as Unicode characters: IBM's code page 437, with pictures for the control characters. */
final class CodePage437 {
    private static final String LOW = " ☺☻♥♦♣♠•◘○◙♂♀♪♫☼►◄↕‼¶§▬↨↑↓→←∟↔▲▼";
    private static final String HIGH = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐"
            + "└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0";
    private static final int DELETE = 0x7f;

    private CodePage437() {}

    /** The character of {@code code}, 0 to 255. */
    static char character(int code) {
        if (code < LOW.length()) {
            return LOW.charAt(code);
        }
        if (code > DELETE) {
            return HIGH.charAt(code - DELETE - 1);
        }
        return code == DELETE ? '⌂' : (char) code;
    }
}
