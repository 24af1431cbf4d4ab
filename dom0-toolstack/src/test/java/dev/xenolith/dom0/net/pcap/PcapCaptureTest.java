package dev.xenolith.dom0.net.pcap;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xenolith.dom0.net.packet.Offload;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PcapCaptureTest {
    @TempDir
    Path directory;

    @Test
    void canBeReadBack() throws Exception {
        long[] now = {0};
        Path file = directory.resolve("a.pcap");
        PcapCapture capture = PcapCapture.open(file, 100, 1_700_000_000_000_000_000L, () -> now[0]);
        SplittableRandom random = new SplittableRandom(1);
        byte[] buffer = new byte[300];
        random.nextBytes(buffer);
        for (int i = 0; i < 1000; i++) {
            now[0] += 1_234_567_891L;
            capture.frame(buffer, i % 10, 14 + i % 200, Offload.NONE, i % 2 == 0);
        }
        capture.close();
        assertThat(capture.awaitEnd(30, TimeUnit.SECONDS)).isTrue();
        capture.frame(buffer, 0, 60, Offload.NONE, true);
        assertThat(capture.written()).isEqualTo(1000);
        assertThat(capture.dropped()).isEqualTo(1);
        assertThat(capture.failure()).isNull();
        ByteBuffer in = ByteBuffer.wrap(Files.readAllBytes(file));
        assertThat(in.getInt()).isEqualTo(0xa1b23c4d);
        assertThat(in.getInt()).isEqualTo(0x00020004);
        in.getLong();
        assertThat(in.getInt()).isEqualTo(100);
        assertThat(in.getInt()).isEqualTo(1);
        for (int i = 0; i < 1000; i++) {
            long time = 1_700_000_000_000_000_000L + (i + 1) * 1_234_567_891L;
            assertThat(in.getInt()).isEqualTo((int) (time / 1_000_000_000));
            assertThat(in.getInt()).isEqualTo((int) (time % 1_000_000_000));
            int kept = in.getInt();
            assertThat(kept).isEqualTo(Math.min(100, 14 + i % 200));
            assertThat(in.getInt()).isEqualTo(14 + i % 200);
            byte[] frame = new byte[kept];
            in.get(frame);
            assertThat(frame).isEqualTo(Arrays.copyOfRange(buffer, i % 10, i % 10 + kept));
        }
        assertThat(in.hasRemaining()).isFalse();
    }

    @Test
    void whatDoesNotFitIsCounted() throws Exception {
        PcapCapture capture = PcapCapture.open(directory.resolve("b.pcap"), PcapCapture.DEFAULT_SNAP_LENGTH, 0,
                () -> 0);
        byte[] frame = new byte[60_000];
        int shown = 20_000;
        for (int i = 0; i < shown; i++) {
            capture.frame(frame, 0, 14 + i % 59_000, Offload.NONE, true);
        }
        capture.close();
        assertThat(capture.awaitEnd(60, TimeUnit.SECONDS)).isTrue();
        assertThat(capture.written() + capture.dropped()).isEqualTo(shown);
    }

    @Test
    void namesTheFileThatCannotBeWritten() throws Exception {
        assertThatThrownBy(() -> PcapCapture.open(directory.resolve("no/c.pcap"), 100, 0, () -> 0))
                .isInstanceOf(IOException.class).hasMessageContaining("cannot capture to " + directory);
        assertThatThrownBy(() -> PcapCapture.open(directory.resolve("c.pcap"), 10, 0, () -> 0))
                .hasMessageContaining("64 to 262144");
        Path full = Path.of("/dev/full");
        if (Files.exists(full)) {
            PcapCapture capture = PcapCapture.open(full, 100, 0, () -> 0);
            capture.frame(new byte[60], 0, 60, Offload.NONE, true);
            capture.close();
            assertThat(capture.awaitEnd(30, TimeUnit.SECONDS)).isTrue();
            assertThat(capture.failure()).hasMessageContaining("/dev/full");
        }
    }
}
