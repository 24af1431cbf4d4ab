package dev.xenolith.dom0.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.GZIPInputStream;
import org.apache.commons.compress.archivers.cpio.CpioArchiveEntry;
import org.apache.commons.compress.archivers.cpio.CpioArchiveInputStream;
import org.junit.jupiter.api.Test;

/** Read back by another's reader. */
class InitramfsTest {
    private static byte[] archive() throws IOException {
        return new Initramfs().directory("dev").device("dev/console", 5, 1)
                .executable("init", "#!/bin/sh\n".getBytes(StandardCharsets.US_ASCII)).executable("odd", new byte[]{7})
                .finish();
    }

    @Test
    void hasWhatWasPutIn() throws IOException {
        List<String> entries = new ArrayList<>();
        try (CpioArchiveInputStream in = new CpioArchiveInputStream(
                new GZIPInputStream(new ByteArrayInputStream(archive())))) {
            for (CpioArchiveEntry entry = in.getNextEntry(); entry != null; entry = in.getNextEntry()) {
                String content = new String(in.readAllBytes(), StandardCharsets.ISO_8859_1).strip();
                entries.add(String.format("%o %s %d %s", entry.getMode(), entry.getName(), entry.getUID(),
                        entry.isCharacterDevice()
                                ? entry.getRemoteDeviceMaj() + ":" + entry.getRemoteDeviceMin()
                                : content));
            }
        }
        assertThat(entries).containsExactly("40755 dev 0 ", "20600 dev/console 0 5:1", "100755 init 0 #!/bin/sh",
                "100755 odd 0 \u0007");
    }

    @Test
    void isTheSameEachTime() throws IOException {
        assertThat(archive()).isEqualTo(archive());
    }
}
