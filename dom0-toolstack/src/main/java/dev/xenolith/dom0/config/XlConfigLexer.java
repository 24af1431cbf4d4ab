package dev.xenolith.dom0.config;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/**
 * Splits the text of a configuration into tokens (tools/libs/util/libxlu_cfg_l.l). Beyond what xl takes, a line may end
 * in CR LF, a backslash at the end of a line joins it with the next one, and numeric escapes mean what they say (xl drops
 * them).
 */
final class XlConfigLexer {
    /** The kinds of tokens. */
    enum Kind {
        KEY("a key"), STRING("a string"), NUMBER("a number"), OPEN("'['"), CLOSE("']'"), COMMA("','"), ASSIGN(
                "'='"), ADD("'+='"), SEMICOLON("';'"), NEWLINE("the end of the line"), END("the end of the file");

        final String description;

        Kind(String description) {
            this.description = description;
        }
    }

    /** A token; the text is what it stands for: a string's content, a number's digits. */
    record Token(Kind kind, String text, XlPosition position) {
        String description() {
            return switch (kind) {
                case KEY -> "'" + text + "'";
                case NUMBER -> "number " + text;
                default -> kind.description;
            };
        }
    }

    private static final int END_OF_TEXT = -1;

    private final String source;
    private final String text;
    private int at;
    private int line = 1;
    private int lineStart;

    XlConfigLexer(String source, String text) {
        this.source = source;
        this.text = text;
    }

    /** Returns the next token; {@link Kind#END} again and again at the end. */
    Token next() throws XlConfigException {
        skipBlanks();
        XlPosition position = position(at);
        int c = peek(0);
        if (c == END_OF_TEXT) {
            return new Token(Kind.END, "", position);
        }
        if (isLowerCase(c)) {
            return key(position);
        }
        if (isDigit(c)) {
            return number(position);
        }
        switch (c) {
            case '"', '\'' -> {
                return string(position, (char) c);
            }
            case '\n' -> {
                at++;
                line++;
                lineStart = at;
                return new Token(Kind.NEWLINE, "\n", position);
            }
            case '[' -> {
                return symbol(Kind.OPEN, 1, position);
            }
            case ']' -> {
                return symbol(Kind.CLOSE, 1, position);
            }
            case ',' -> {
                return symbol(Kind.COMMA, 1, position);
            }
            case ';' -> {
                return symbol(Kind.SEMICOLON, 1, position);
            }
            case '=' -> {
                return symbol(Kind.ASSIGN, 1, position);
            }
            case '+' -> {
                if (peek(1) == '=') {
                    return symbol(Kind.ADD, 2, position);
                }
            }
            default -> {
                // Falls to the error below.
            }
        }
        throw XlConfigException.syntax(position, "expected a key or value, found " + strangeWord());
    }

    private Token symbol(Kind kind, int length, XlPosition position) {
        String symbol = text.substring(at, at + length);
        at += length;
        return new Token(kind, symbol, position);
    }

    /** Skips blanks, joined lines, and a comment up to the end of its line. */
    private void skipBlanks() {
        while (true) {
            int c = peek(0);
            if (c == ' ' || c == '\t' || c == '\r' && (peek(1) == '\n' || peek(1) == END_OF_TEXT)) {
                at++;
            } else if (c == '\\' && (peek(1) == '\n' || peek(1) == '\r' && peek(2) == '\n')) {
                at += peek(1) == '\n' ? 2 : 3;
                line++;
                lineStart = at;
            } else if (c == '#') {
                while (peek(0) != '\n' && peek(0) != END_OF_TEXT) {
                    at++;
                }
            } else {
                return;
            }
        }
    }

    private Token key(XlPosition position) {
        int start = at;
        while (isLowerCase(peek(0)) || isDigit(peek(0)) || peek(0) == '.' || peek(0) == '_') {
            at++;
        }
        return new Token(Kind.KEY, text.substring(start, at), position);
    }

    /** xl's numbers are any run of hexadecimal digits and x that begins with a digit. */
    private Token number(XlPosition position) throws XlConfigException {
        int start = at;
        boolean legal = true;
        while (isWordCharacter(peek(0))) {
            int c = peek(0);
            legal &= isDigit(c) || c >= 'a' && c <= 'f' || c == 'x';
            at++;
        }
        String digits = text.substring(start, at);
        if (!legal) {
            throw XlConfigException.syntax(position,
                    "expected a number, found '" + digits + "' (text is written in quotes)");
        }
        return new Token(Kind.NUMBER, digits, position);
    }

    private Token string(XlPosition position, char quote) throws XlConfigException {
        at++;
        ByteArrayOutputStream content = new ByteArrayOutputStream();
        while (true) {
            int c = peek(0);
            if (c == END_OF_TEXT || c == '\n') {
                throw XlConfigException.syntax(position(at),
                        "expected " + quote + " to end the string that begins at column "
                                + position.column() + ", found " + (c == '\n' ? Kind.NEWLINE : Kind.END).description);
            }
            if (c == quote) {
                at++;
                return new Token(Kind.STRING, decode(content.toByteArray(), position), position);
            }
            if (c == '\\') {
                content.write(escape());
            } else {
                int codePoint = text.codePointAt(at);
                content.writeBytes(Character.toString(codePoint).getBytes(StandardCharsets.UTF_8));
                at += Character.charCount(codePoint);
            }
        }
    }

    /** Reads an escape and returns its byte. */
    private int escape() throws XlConfigException {
        XlPosition position = position(at);
        int c = peek(1);
        at += 2;
        switch (c) {
            case '"', '\'', '\\' -> {
                return c;
            }
            case 'a' -> {
                return 7;
            }
            case 'b' -> {
                return '\b';
            }
            case 'f' -> {
                return '\f';
            }
            case 'n' -> {
                return '\n';
            }
            case 'r' -> {
                return '\r';
            }
            case 't' -> {
                return '\t';
            }
            case 'v' -> {
                return 11;
            }
            case 'x' -> {
                return numeric(position, 2, 2, 16, "two hexadecimal digits after \\x");
            }
            default -> {
                if (c >= '0' && c <= '7') {
                    at--;
                    return numeric(position, 1, 3, 8, "an octal number up to \\377");
                }
                throw XlConfigException.syntax(position,
                        "expected one of \" ' \\ a b f n r t v x 0-7 after the backslash, found "
                                + (c == END_OF_TEXT || c == '\n' ? "nothing" : Character.getName(c)));
            }
        }
    }

    private int numeric(XlPosition position, int least, int most, int radix, String expected) throws XlConfigException {
        int value = 0;
        int digits = 0;
        while (digits < most && peek(0) != END_OF_TEXT && Character.digit((char) peek(0), radix) >= 0) {
            value = value * radix + Character.digit((char) peek(0), radix);
            digits++;
            at++;
        }
        if (digits < least || value > 0xff) {
            throw XlConfigException.syntax(position,
                    "expected " + expected + ", found " + text.substring(position.column() - 1 + lineStart, at));
        }
        if (value == 0) {
            throw XlConfigException.syntax(position, "expected a character, found a NUL, which no value can hold");
        }
        return value;
    }

    private static String decode(byte[] content, XlPosition position) throws XlConfigException {
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(content)).toString();
        } catch (CharacterCodingException e) {
            throw XlConfigException.syntax(position, "expected UTF-8, found escapes that are none");
        }
    }

    /** Describes what stands where no token begins. */
    private String strangeWord() {
        int end = at;
        while (end < text.length() && isWordCharacter(text.charAt(end))) {
            end++;
        }
        if (end > at) {
            return "'" + text.substring(at, end) + "' (keys are in lower case, text is written in quotes)";
        }
        int codePoint = text.codePointAt(at);
        return codePoint > ' ' && codePoint < 0x7f ? "'" + (char) codePoint + "'" : String.format("U+%04X", codePoint);
    }

    private XlPosition position(int index) {
        return new XlPosition(source, line, index - lineStart + 1);
    }

    private int peek(int distance) {
        return at + distance < text.length() ? text.charAt(at + distance) : END_OF_TEXT;
    }

    private static boolean isLowerCase(int c) {
        return c >= 'a' && c <= 'z';
    }

    private static boolean isDigit(int c) {
        return c >= '0' && c <= '9';
    }

    private static boolean isWordCharacter(int c) {
        return isLowerCase(c) || isDigit(c) || c >= 'A' && c <= 'Z' || c == '_';
    }
}
