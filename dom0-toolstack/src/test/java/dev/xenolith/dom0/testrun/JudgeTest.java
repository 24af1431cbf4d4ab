package dev.xenolith.dom0.testrun;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xenolith.dom0.config.DomainConfig;
import dev.xenolith.dom0.xl.DomainEvent;
import dev.xenolith.dom0.xl.ShutdownReason;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a guest says and how it ends, and what is made of that. */
class JudgeTest {
    private static final int DOMID = 1;

    private static Judge judge(String expectation) {
        Judge judge = new Judge(Expectation.parse(expectation), DomainConfig.Lifecycle.DEFAULT);
        judge.happened(new DomainEvent.Created(DOMID, "guest"));
        return judge;
    }

    private static void say(Judge judge, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
        judge.said(bytes, 0, bytes.length);
    }

    private static String after(String expectation, String text, ShutdownReason reason) {
        Judge judge = judge(expectation);
        say(judge, text);
        judge.happened(new DomainEvent.ShutDown(DOMID, reason));
        assertThat(judge.isOver()).isTrue();
        return judge.failure();
    }

    @ParameterizedTest
    @ValueSource(strings = {"VERDICT x PASS\r\n", "a\nVERDICT x PASS", "a\r\nVERDICT x PASS\r\n\r\n"})
    void passesByItsLastLine(String text) {
        assertThat(after("verdict", text, ShutdownReason.POWEROFF)).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"VERDICT x FAIL section: reason,POWEROFF,section: reason",
        "VERDICT x FAIL,POWEROFF,the guest says FAIL",
        "VERDICT x PASS,CRASH,'the guest says PASS, but the domain ended by crash'",
        "VERDICT x PASS\\nand more,POWEROFF,no verdict; the domain ended by poweroff; it said last: and more",
        "'',CRASH,no verdict; the domain ended by crash; it said nothing",
        "VERDICT x PASSED,POWEROFF,no verdict; the domain ended by poweroff; it said last: VERDICT x PASSED"})
    void failsForAReason(String text, ShutdownReason reason, String failure) {
        assertThat(after("verdict", text.replace("\\n", "\n"), reason)).isEqualTo(failure);
    }

    @Test
    void aLineIsFoundHoweverItComes() {
        Judge judge = judge("says ^login: $");
        for (String piece : new String[]{"boot", "ing\r\nlo", "gin", ":", " "}) {
            assertThat(judge.isOver()).isFalse();
            say(judge, piece);
        }
        assertThat(judge.isOver()).isTrue();
        assertThat(judge.failure()).isEmpty();
    }

    @Test
    void whatIsNotSaidIsMissed() {
        assertThat(after("says never", "else\n", ShutdownReason.POWEROFF))
                .isEqualTo("no line with 'never'; the domain ended by poweroff");
    }

    @Test
    void endsAreTold() {
        assertThat(after("ends crash", "", ShutdownReason.CRASH)).isEmpty();
        assertThat(after("ends reboot", "", ShutdownReason.REBOOT)).isEmpty();
        assertThat(after("ends soft-reset", "", ShutdownReason.POWEROFF))
                .isEqualTo("the domain ended by poweroff, expected soft-reset");
    }

    @Test
    void aRestartIsFollowed() {
        Judge judge = judge("verdict");
        say(judge, "first\n");
        judge.happened(new DomainEvent.ShutDown(DOMID, ShutdownReason.REBOOT));
        judge.happened(new DomainEvent.Destroyed(DOMID));
        assertThat(judge.isOver()).isFalse();
        judge.happened(new DomainEvent.Created(2, "guest"));
        judge.happened(new DomainEvent.Restarted(DOMID, 2));
        assertThat(judge.domid()).isEqualTo(2);
        say(judge, "VERDICT x PASS\n");
        judge.happened(new DomainEvent.ShutDown(2, ShutdownReason.POWEROFF));
        assertThat(judge.isOver()).isTrue();
        assertThat(judge.failure()).isEmpty();
    }

    @Test
    void aDomainThatIsDestroyedIsOver() {
        Judge judge = judge("verdict");
        judge.happened(new DomainEvent.Destroyed(DOMID));
        assertThat(judge.isOver()).isTrue();
        assertThat(judge.failure()).contains("the domain is gone");
    }

    @Test
    void muchOutputIsForgottenFromTheFront() {
        ConsoleCapture console = new ConsoleCapture();
        byte[] line = "0123456789abcdef\n".getBytes(StandardCharsets.ISO_8859_1);
        int lines = ConsoleCapture.CAPACITY / line.length * 2;
        for (int i = 0; i < lines; i++) {
            console.add(line, 0, line.length);
        }
        byte[] last = "the end\n\n".getBytes(StandardCharsets.ISO_8859_1);
        console.add(last, 0, last.length);
        assertThat(console.lastLine()).isEqualTo("the end");
        assertThat(console.toString()).startsWith("[").hasSizeLessThan(ConsoleCapture.CAPACITY + 100);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "passes", "says", "says (", "ends", "ends badly", "skip", "verdict please"})
    void nonsenseIsNamed(String words) {
        assertThatThrownBy(() -> Expectation.parse(words)).isInstanceOf(IllegalArgumentException.class)
                .hasMessageMatching("(?s).+");
    }

    @ParameterizedTest
    @ValueSource(strings = {"verdict", "says a.*b", "ends watchdog", "skip it needs a person"})
    void wordsReadBack(String words) {
        assertThat(Expectation.parse("  " + words + " ").words()).isEqualTo(words);
    }

    @ParameterizedTest
    @CsvSource({"3,'1,2,3'", "'7,','bad'", "5-5,'5'", "'1,5,8-10,9','1,5,8,9,10'", "0,bad", "9-3,bad", "x,bad",
        "1-200000,bad", "200000,bad"})
    void seeds(String text, String expected) {
        if (expected.equals("bad")) {
            assertThatThrownBy(() -> Seeds.parse(text)).isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("found");
        } else {
            assertThat(Seeds.parse(text)).extracting(String::valueOf).containsExactly(expected.split(","));
        }
    }
}
