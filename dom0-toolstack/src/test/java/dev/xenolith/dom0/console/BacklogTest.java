package dev.xenolith.dom0.console;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;

class BacklogTest {
    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    private static void append(Backlog backlog, String text) {
        backlog.append(bytes(text), 0, text.length());
    }

    private static String content(Backlog backlog) {
        byte[] target = new byte[(int) (backlog.end() - backlog.start())];
        assertThat(backlog.copy(backlog.start(), target)).isEqualTo(target.length);
        return new String(target, StandardCharsets.ISO_8859_1);
    }

    @Test
    void dropsWholeLinesFromTheFront() {
        Backlog backlog = new Backlog(10);
        append(backlog, "ab\ncd\nef\n");
        append(backlog, "gh");
        assertThat(content(backlog)).isEqualTo("cd\nef\ngh");
        assertThat(backlog.droppedLines()).isEqualTo(1);
        assertThat(backlog.droppedBytes()).isEqualTo(3);
        append(backlog, "0123456789ABC\nx");
        assertThat(content(backlog)).isEqualTo("56789ABC\nx".substring(0, 10));
        assertThat(backlog.end()).isEqualTo(9 + 2 + 15);
        assertThat(backlog.droppedBytes()).isEqualTo(9 + 2 + 5);
    }

    @Test
    void dropsBytesWhereThereAreNoLines() {
        Backlog backlog = new Backlog(4);
        append(backlog, "abc");
        append(backlog, "defg");
        assertThat(content(backlog)).isEqualTo("defg");
        assertThat(backlog.droppedLines()).isZero();
    }

    @Test
    void keepsTheEndOfAnyStream() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        Backlog backlog = new Backlog(10_000);
        StringBuilder all = new StringBuilder();
        for (int i = 0; i < 3000; i++) {
            StringBuilder piece = new StringBuilder();
            for (int n = random.nextInt(100); n > 0; n--) {
                piece.append(random.nextInt(10) == 0 ? '\n' : (char) ('a' + random.nextInt(26)));
            }
            append(backlog, piece.toString());
            all.append(piece);
            if (random.nextInt(400) == 0) {
                backlog.discardBefore(backlog.start() + random.nextInt(12_000));
            }
            assertThat(backlog.end()).as("seed %d", seed).isEqualTo(all.length());
            assertThat(backlog.end() - backlog.start()).as("seed %d", seed).isBetween(0L, 10_000L);
            assertThat(content(backlog)).as("seed %d", seed).isEqualTo(all.substring((int) backlog.start()));
        }
        assertThat(backlog.droppedLines()).as("seed %d", seed).isPositive();
    }
}
