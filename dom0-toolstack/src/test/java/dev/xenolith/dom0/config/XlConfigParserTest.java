package dev.xenolith.dom0.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class XlConfigParserTest {
    private static final int FUZZ_ROUNDS = 3000;

    private static XlConfig parse(String text) throws XlConfigException {
        return XlConfigParser.parse("d.cfg", text, List.of());
    }

    @Test
    void readsEveryKindOfValue() throws XlConfigException {
        XlConfig config = parse("""
                # a comment
                name = "web"   # another
                single = 'it''s' ; quoted="512"
                decimal=256
                hex = 0x1f
                octal = 010
                empty = []
                list = [ "a", 'b', 3, ]
                disk = [
                    'phy:/dev/vg/a,xvda,w',   # comment in a list

                    [ "nested", [ 1 ] ]
                    ,
                ]
                """.replace("'it''s'", "'it\\'s'"));

        assertThat(config.string("name")).contains("web");
        assertThat(config.string("single")).contains("it's");
        assertThat(config.number("quoted", 0, 1000)).hasValue(512);
        assertThat(config.number("decimal", 0, 1000)).hasValue(256);
        assertThat(config.string("decimal")).contains("256");
        assertThat(config.number("hex", 0, 1000)).hasValue(31);
        assertThat(config.number("octal", 0, 1000)).hasValue(8);
        assertThat(config.bool("octal")).contains(true);
        assertThat(config.strings("empty")).contains(List.of());
        assertThat(config.strings("list")).contains(List.of("a", "b", "3"));
        XlSetting disk = Objects.requireNonNull(config.setting("disk"));
        assertThat(disk.value().toText()).isEqualTo("[ \"phy:/dev/vg/a,xvda,w\", [ \"nested\", [ 1 ] ] ]");
        assertThat(disk.position()).hasToString("d.cfg:9:1");
        assertThat(config.string("absent")).isEmpty();
    }

    @Test
    void resolvesEscapes() throws XlConfigException {
        XlConfig config = parse("a = \"\\a\\b\\f\\n\\r\\t\\v\\\\\\'\\\"\\x41\\101\\7é\\xc3\\xa9\"");
        assertThat(config.string("a")).contains("\u0007\b\f\n\r\t\u000b\\'\"AA\u0007éé");
    }

    @Test
    void laterStatementsReplaceOrAdd() throws XlConfigException {
        XlConfig config = parse("""
                extra = "a"
                extra = "b"
                extra += " c"
                vif = [ 'x' ]
                vif += [ 'y', 'z' ]
                fresh += "new"
                """);
        assertThat(config.string("extra")).contains("b c");
        assertThat(config.strings("vif")).contains(List.of("x", "y", "z"));
        assertThat(config.string("fresh")).contains("new");
    }

    @Test
    void acceptsLineEndsOfAllKinds() throws XlConfigException {
        assertThat(parse("").settings()).isEmpty();
        assertThat(parse("# only this").settings()).isEmpty();
        assertThat(parse(";;\n\n;a=1").string("a")).contains("1");
        assertThat(parse("a=1\r\nb=2\r").string("b")).contains("2");
        assertThat(parse("a = \\\n  1 \\\r\n ; b=2").string("b")).contains("2");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            name=                 | d.cfg:1:6: expected a string, a number or '[', found the end of the file
            `name=\nb=1`          | d.cfg:1:6: expected a string, a number or '[', found the end of the line
            name = foo            | d.cfg:1:8: expected a string, a number or '[', found 'foo' (text is written in quotes)
            = 3                   | d.cfg:1:1: expected a key, found '='
            `a=1\n  "b" = 3`      | d.cfg:2:3: expected a key, found a string
            a 3                   | d.cfg:1:3: expected '=' or '+=', found number 3
            a = 3 4               | d.cfg:1:7: expected the end of the line or ';', found number 4
            a = [ 1 2 ]           | d.cfg:1:9: expected ',' or ']', found number 2
            a = [ 1,, 2 ]         | d.cfg:1:9: expected a string, a number or '[', found ','
            a = [ , ]             | d.cfg:1:7: expected a string, a number or '[', found ','
            `a = [ 1,\n\n`        | d.cfg:3:1: expected a string, a number or '[', found the end of the file
            a = [ 1 ;             | d.cfg:1:9: expected ',' or ']', found ';'
            a = ]                 | d.cfg:1:5: expected a string, a number or '[', found ']'
            a = "open             | d.cfg:1:10: expected " to end the string that begins at column 5, found the end of the file
            `a = 'open\nb=1`      | d.cfg:1:10: expected ' to end the string that begins at column 5, found the end of the line
            memory = 512M         | d.cfg:1:10: expected a number, found '512M' (text is written in quotes)
            Name = "x"            | d.cfg:1:1: expected a key or value, found 'Name' (keys are in lower case, text is written in quotes)
            a = (1)               | d.cfg:1:5: expected a key or value, found '('
            a + 1                 | d.cfg:1:3: expected a key or value, found '+'
            a = -1                | d.cfg:1:5: expected a key or value, found '-'
            a = "\\q"             | d.cfg:1:6: expected one of " ' \\ a b f n r t v x 0-7 after the backslash, found LATIN SMALL LETTER Q
            a = "\\x4"            | d.cfg:1:6: expected two hexadecimal digits after \\x, found \\x4
            a = "\\777"           | d.cfg:1:6: expected an octal number up to \\377, found \\777
            a = "\\x00"           | d.cfg:1:6: expected a character, found a NUL, which no value can hold
            a = "\\xff"           | d.cfg:1:5: expected UTF-8, found escapes that are none
            `a = "x"\na += [ 1 ]` | d.cfg:2:6: expected a string to add to a, set at d.cfg:1, found a list
            `a = [ 1 ]\na += 2`   | d.cfg:2:6: expected a list to add to a, set at d.cfg:1, found a single value
            `a = 1 \u0001`        | d.cfg:1:7: expected a key or value, found U+0001
            """)
    void saysWhereAndWhatWasExpected(String text, String message) {
        assertThatThrownBy(() -> parse(text)).isInstanceOf(XlConfigException.class).hasMessage(message);
    }

    @Test
    void refusesDeepNesting() throws XlConfigException {
        String deepest = "a = " + "[".repeat(XlConfigParser.MAX_DEPTH) + "]".repeat(XlConfigParser.MAX_DEPTH);
        assertThat(parse(deepest).settings()).hasSize(1);
        assertThatThrownBy(() -> parse("a = " + "[".repeat(100_000)))
                .hasMessage("d.cfg:1:37: lists are nested deeper than 32");
    }

    @Test
    void typedAccessNamesFileLineAndKey() throws XlConfigException {
        XlConfig config = parse("\nmemory = [ 1 ]\nvcpus = \"two\"\ndisk = \"x\"\nvif = [ [ 1 ] ]\nmaxmem = 1\n"
                + "maxmem += 2\ncap = \"#ff\"\nbig = 99999999999999999999");
        assertThatThrownBy(() -> config.number("memory", 1, 9))
                .hasMessage("d.cfg:2: memory: expected a number, found a list");
        assertThatThrownBy(() -> config.number("vcpus", 1, 9))
                .hasMessage("d.cfg:3: vcpus: expected a number, found \"two\"");
        assertThatThrownBy(() -> config.strings("disk")).hasMessage("d.cfg:4: disk: expected a list, found \"x\"");
        assertThatThrownBy(() -> config.strings("vif"))
                .hasMessage("d.cfg:5: vif: expected a list of strings, found a list in it at d.cfg:5:9");
        assertThatThrownBy(() -> config.number("maxmem", 1, 99))
                .hasMessage("d.cfg:7: maxmem: expected a number set by '=', found '+=', which joins text");
        assertThatThrownBy(() -> config.number("cap", 1, 999))
                .hasMessage("d.cfg:8: cap: expected a number, found \"#ff\"");
        assertThatThrownBy(() -> config.number("big", 1, 9))
                .hasMessage("d.cfg:9: big: expected a number, found 99999999999999999999");
    }

    @Test
    void overridesComeLastAndNeedNoQuotes() throws XlConfigException {
        XlConfig config = XlConfigParser.parse("d.cfg", "memory=1\nextra=\"a\"",
                List.of("memory=64", "name=web-1", "extra+=\" b\"", "kernel=/boot/it's", "cpus=0-3,^1"));
        assertThat(config.number("memory", 1, 99)).hasValue(64);
        assertThat(config.string("name")).contains("web-1");
        assertThat(config.string("extra")).contains("a b");
        assertThat(config.string("kernel")).contains("/boot/it's");
        assertThat(config.string("cpus")).contains("0-3,^1");
        assertThatThrownBy(() -> XlConfigParser.parse("d.cfg", "", List.of("disk=[ 'a'")))
                .hasMessage("command line:1:11: expected ',' or ']', found the end of the file");
        assertThatThrownBy(() -> XlConfigParser.parse("d.cfg", "", List.of("Name=x")))
                .hasMessageStartingWith("command line:1:1: expected a key or value, found 'Name'");
        assertThatThrownBy(() -> XlConfigParser.parse("d.cfg", "", List.of("name=")))
                .hasMessageStartingWith("command line:1:6: expected a string");
    }

    @Test
    void filesThatAreNoConfigurations(@TempDir Path directory) throws Exception {
        Path file = directory.resolve("x.cfg");
        assertThatThrownBy(() -> XlConfigParser.parseFile("x.cfg", file, List.of()))
                .isInstanceOf(NoSuchFileException.class);
        Files.write(file, new byte[]{'a', '=', '1', '\n', 'b', '=', '"', (byte) 0xff, '"'});
        assertThatThrownBy(() -> XlConfigParser.parseFile("x.cfg", file, List.of()))
                .hasMessage("x.cfg:2:4: expected UTF-8 text, found byte 0xff");
        Files.write(file, new byte[XlConfigParser.MAX_SIZE + 1]);
        assertThatThrownBy(() -> XlConfigParser.parseFile("x.cfg", file, List.of()))
                .hasMessage("x.cfg: is larger than 1024 KiB, no configuration is");
    }

    static IntStream seeds() {
        return IntStream.rangeClosed(1, 4);
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void textOfAnyConfigurationParsesToTheSame(int seed) throws XlConfigException {
        Random random = new Random(seed);
        for (int round = 0; round < 200; round++) {
            StringBuilder text = new StringBuilder();
            for (int i = random.nextInt(8); i > 0; i--) {
                text.append((char) ('a' + random.nextInt(4))).append(random.nextInt(4) == 0 ? "+=" : "=")
                        .append(randomValue(random, 3)).append(random.nextBoolean() ? "\n" : " ;");
            }
            XlConfig config;
            try {
                config = parse(text.toString());
            } catch (XlConfigException e) {
                // Only adding a list to a string, or the reverse, can fail here.
                assertThat(e).as("seed %d: %s", seed, text).hasMessageContaining(" to add to ");
                continue;
            }
            String written = config.toText();
            assertThat(parse(written).toText()).as("seed %d: %s", seed, text).isEqualTo(written);
            assertThat(parse(written).settings()).extracting(XlSetting::key)
                    .isEqualTo(config.settings().stream().map(XlSetting::key).toList());
        }
    }

    private static String randomValue(Random random, int depth) {
        if (depth > 0 && random.nextInt(3) == 0) {
            StringBuilder list = new StringBuilder("[");
            for (int i = random.nextInt(4); i > 0; i--) {
                list.append(random.nextBoolean() ? "\n" : "").append(randomValue(random, depth - 1)).append(",");
            }
            return list.append("]").toString();
        }
        if (random.nextBoolean()) {
            return Integer.toString(random.nextInt(100));
        }
        StringBuilder content = new StringBuilder();
        for (int i = random.nextInt(6); i > 0; i--) {
            content.append((char) (1 + random.nextInt(0x2ff)));
        }
        return new XlValue.Atom(content.toString(), false, new XlPosition("", 1, 1)).toText();
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void noTextMakesItThrowAnythingElse(int seed) {
        Random random = new Random(seed);
        String[] words = {"name", "=", "+=", "[", "]", ",", ";", "\n", "\r\n", "\\\n", "\"a\"", "'b'", "12", "0x", "\\",
            "\"",
            "'", "#", " ", "\t", "\\x4", "\u0000", "é", "\ud800", "A", "(", "\\n"};
        for (int round = 0; round < FUZZ_ROUNDS; round++) {
            StringBuilder text = new StringBuilder();
            for (int i = random.nextInt(20); i > 0; i--) {
                text.append(words[random.nextInt(words.length)]);
            }
            try {
                parse(text.toString()).toText();
            } catch (XlConfigException e) {
                assertThat(e.getMessage()).as("seed %d: %s", seed, text).matches("(?s)d\\.cfg:\\d+:\\d+: .*")
                        .doesNotContain("\n");
            }
        }
    }
}
