package dev.xenolith.device.display;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Objects;

/** The glyphs of a VGA's built-in font as Unicode characters: IBM's code page 437, with pictures for the control characters. */
final class CodePage437 {
    private static final String LOW = " ☺☻♥♦♣♠•◘○◙♂♀♪♫☼►◄↕‼¶§▬↨↑↓→←∟↔▲▼";
    private static final String HIGH = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐"
            + "└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0";
    private static final int DELETE = 0x7f;
    private static final String FONT = "codepage437.hex";
    private static final int GLYPH_ROWS = 32;

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

    /** Writes the font of 8 by 16 pixels to the beginning of plane 2, where text modes have it. */
    static void loadFont(VideoMemory memory) {
        try (InputStream in = Objects.requireNonNull(CodePage437.class.getResourceAsStream(FONT), FONT)) {
            new String(in.readAllBytes(), StandardCharsets.US_ASCII).lines().filter(line -> !line.startsWith("#"))
                    .forEach(line -> {
                        int code = HexFormat.fromHexDigits(line, 0, 2);
                        byte[] rows = HexFormat.of().parseHex(line, 3, line.length());
                        for (int row = 0; row < rows.length; row++) {
                            memory.write(4 * (code * GLYPH_ROWS + row) + 2, 1, rows[row]);
                        }
                    });
        } catch (IOException e) {
            throw new UncheckedIOException(FONT, e);
        }
    }
}
