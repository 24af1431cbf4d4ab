package dev.xenolith.benchmark.race;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

class TimedRunTest {
    @Test
    void linesAreThereWithTheirTimes() throws Exception {
        TimedRun run = sh("echo BEGIN; sleep 0.01; echo END >&2; printf rest; exit 3", 60);
        assertThat(run.exitCode()).isEqualTo(3);
        assertThat(run.lines()).extracting(TimedRun.Line::text).containsExactly("BEGIN", "END", "rest");
        assertThat(run.output()).isEqualTo("BEGIN\nEND\nrest");
        assertThat(run.between("BEGIN", "END")).isPositive().isLessThan(run.seconds());
    }

    @Test
    void lineThatIsMissingIsNamedWithWhatThereIs() throws Exception {
        TimedRun run = sh("echo BEGIN; echo boom; exit 3", 60);
        assertThatThrownBy(() -> run.between("BEGIN", "END")).isInstanceOf(IOException.class)
                .hasMessage("sh ended with 3, without the line END: BEGIN\nboom");
    }

    @Test
    void programThatDoesNotEndIsKilled() {
        assertThatThrownBy(() -> sh("exec sleep 60", 1)).isInstanceOf(IOException.class)
                .hasMessage("sh did not end within 1 s");
    }

    private static TimedRun sh(String script, int patience) throws Exception {
        return TimedRun.of(List.of("sh", "-c", script), patience);
    }
}
