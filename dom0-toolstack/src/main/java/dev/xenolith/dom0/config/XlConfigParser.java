package dev.xenolith.dom0.config;

import dev.xenolith.dom0.config.XlConfigLexer.Kind;
import dev.xenolith.dom0.config.XlConfigLexer.Token;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Recursive-descent parser of xl.cfg (tools/libs/util/libxlu_cfg_y.y):
 *
 * <pre>
 * file       = { [ assignment ] ( newline | ";" ) } [ assignment ]
 * assignment = key ( "=" | "+=" ) value
 * value      = string | number | "[" newlines [ value newlines { "," newlines value newlines } [ "," newlines ] ] "]"
 * </pre>
 *
 * <p>A later assignment replaces an earlier one; {@code +=} appends to a string or list, and sets a key that is not there.
 */
public final class XlConfigParser {
    /** A file larger than this, in bytes, is no configuration. */
    static final int MAX_SIZE = 1 << 20;

    /** Lists may be nested this deep; the real keys need two levels. */
    static final int MAX_DEPTH = 32;

    /** What positions in overrides name as their source. */
    public static final String COMMAND_LINE = "command line";

    private final XlConfigLexer lexer;
    private final Map<String, XlSetting> settings;
    private Token token;

    private XlConfigParser(String source, String text, Map<String, XlSetting> settings) throws XlConfigException {
        lexer = new XlConfigLexer(source, text);
        this.settings = settings;
        token = lexer.next();
    }

    /**
     * Reads and parses a file.
     *
     * @param source what messages call it
     * @param file where it is
     * @param overrides assignments from the command line, such as {@code memory=64}, that come after those of the file
     * @throws IOException when the file cannot be read
     * @throws XlConfigException when it can, but makes no sense
     */
    public static XlConfig parseFile(String source, Path file, List<String> overrides)
            throws IOException, XlConfigException {
        byte[] bytes;
        try (InputStream in = Files.newInputStream(file)) {
            bytes = in.readNBytes(MAX_SIZE + 1);
        }
        if (bytes.length > MAX_SIZE) {
            throw new XlConfigException(source + ": is larger than " + MAX_SIZE / 1024 + " KiB, no configuration is");
        }
        return parse(source, decode(source, bytes), overrides);
    }

    /**
     * Parses text.
     *
     * @param source what messages call it
     * @param text the configuration
     * @param overrides assignments from the command line that come after those of the text
     */
    public static XlConfig parse(String source, String text, List<String> overrides) throws XlConfigException {
        Map<String, XlSetting> settings = new LinkedHashMap<>();
        new XlConfigParser(source, text, settings).file();
        for (String override : overrides) {
            parseOverride(override, settings);
        }
        return new XlConfig(source, settings);
    }

    /**
     * Overrides have the syntax of the file, but a shell eats quotes: what is no legal value and does not begin like a
     * quoted string or list is taken as a string.
     */
    private static void parseOverride(String override, Map<String, XlSetting> settings) throws XlConfigException {
        Map<String, XlSetting> trial = new LinkedHashMap<>(settings);
        try {
            new XlConfigParser(COMMAND_LINE, override, trial).file();
        } catch (XlConfigException e) {
            int equals = override.indexOf('=');
            String value = override.substring(equals + 1).strip();
            if (equals <= 0 || value.isEmpty() || "\"'[".indexOf(value.charAt(0)) >= 0) {
                throw e;
            }
            trial = new LinkedHashMap<>(settings);
            String quoted = new XlValue.Atom(value, false, new XlPosition(COMMAND_LINE, 1, 1)).toText();
            new XlConfigParser(COMMAND_LINE, override.substring(0, equals + 1) + quoted, trial).file();
        }
        settings.putAll(trial);
    }

    /** Decodes UTF-8; a byte that is none is reported with its place. */
    private static String decode(String source, byte[] bytes) throws XlConfigException {
        CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
        ByteBuffer in = ByteBuffer.wrap(bytes);
        CharBuffer out = CharBuffer.allocate(bytes.length);
        CoderResult result = decoder.decode(in, out, true);
        out.flip();
        if (!result.isError()) {
            return out.toString();
        }
        String before = out.toString();
        int line = 1 + (int) before.chars().filter(c -> c == '\n').count();
        XlPosition position = new XlPosition(source, line, before.length() - before.lastIndexOf('\n'));
        throw XlConfigException.syntax(position, String.format("expected UTF-8 text, found byte 0x%02x", in.get()));
    }

    private void file() throws XlConfigException {
        while (token.kind() != Kind.END) {
            if (token.kind() == Kind.NEWLINE || token.kind() == Kind.SEMICOLON) {
                advance();
                continue;
            }
            assignment();
            if (token.kind() != Kind.NEWLINE && token.kind() != Kind.SEMICOLON && token.kind() != Kind.END) {
                throw unexpected("the end of the line or ';'");
            }
        }
    }

    private void assignment() throws XlConfigException {
        if (token.kind() != Kind.KEY) {
            throw unexpected("a key");
        }
        Token key = token;
        advance();
        if (token.kind() != Kind.ASSIGN && token.kind() != Kind.ADD) {
            throw unexpected("'=' or '+='");
        }
        boolean add = token.kind() == Kind.ADD;
        advance();
        XlValue value = value(0);
        XlSetting earlier = settings.get(key.text());
        if (add && earlier != null) {
            value = concatenate(earlier, value);
        }
        // Removed first so that settings stay in the order of their last statement.
        settings.remove(key.text());
        settings.put(key.text(), new XlSetting(key.text(), value, add, key.position()));
    }

    private static XlValue concatenate(XlSetting earlier, XlValue added) throws XlConfigException {
        return switch (earlier.value()) {
            case XlValue.Atom first when added instanceof XlValue.Atom second ->
                new XlValue.Atom(first.text() + second.text(),
                        false, first.position());
            case XlValue.Items first when added instanceof XlValue.Items second -> {
                List<XlValue> items = new ArrayList<>(first.items());
                items.addAll(second.items());
                yield new XlValue.Items(items, first.position());
            }
            case XlValue.Atom _ -> throw XlConfigException.syntax(added.position(), "expected a string to add to "
                    + earlier.key() + ", set at " + earlier.position().lineText() + ", found a list");
            case XlValue.Items _ -> throw XlConfigException.syntax(added.position(), "expected a list to add to "
                    + earlier.key() + ", set at " + earlier.position().lineText() + ", found a single value");
        };
    }

    private XlValue value(int depth) throws XlConfigException {
        Token first = token;
        switch (first.kind()) {
            case STRING -> {
                advance();
                return new XlValue.Atom(first.text(), false, first.position());
            }
            case NUMBER -> {
                advance();
                return new XlValue.Atom(first.text(), true, first.position());
            }
            case OPEN -> {
                if (depth == MAX_DEPTH) {
                    throw XlConfigException.syntax(first.position(), "lists are nested deeper than " + MAX_DEPTH);
                }
                advance();
                return list(first, depth);
            }
            case KEY -> throw XlConfigException.syntax(first.position(), "expected a string, a number or '[', found "
                    + first.description() + " (text is written in quotes)");
            default -> throw unexpected("a string, a number or '['");
        }
    }

    private XlValue list(Token open, int depth) throws XlConfigException {
        List<XlValue> items = new ArrayList<>();
        skipNewlines();
        while (token.kind() != Kind.CLOSE) {
            items.add(value(depth + 1));
            skipNewlines();
            if (token.kind() == Kind.COMMA) {
                advance();
                skipNewlines();
            } else if (token.kind() != Kind.CLOSE) {
                throw unexpected("',' or ']'");
            }
        }
        advance();
        return new XlValue.Items(items, open.position());
    }

    private void skipNewlines() throws XlConfigException {
        while (token.kind() == Kind.NEWLINE) {
            advance();
        }
    }

    private void advance() throws XlConfigException {
        token = lexer.next();
    }

    private XlConfigException unexpected(String expected) {
        return XlConfigException.syntax(token.position(), "expected " + expected + ", found " + token.description());
    }
}
