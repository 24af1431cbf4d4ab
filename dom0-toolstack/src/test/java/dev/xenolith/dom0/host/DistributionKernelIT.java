package dev.xenolith.dom0.host;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.dom0.image.ImageStore;
import dev.xenolith.dom0.xl.TestClient;
import dev.xenolith.dom0.xl.ToolstackException;
import dev.xenolith.dom0.xl.Xenolith;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The kernel of a distribution, unmodified, boots and runs a command; only where {@code xenolith image pull linux} has been. */
@Tag("image")
@Timeout(1200)
class DistributionKernelIT {
    /** What kernels say when the machine is not as they expect it. */
    private static final String COMPLAINT = "(?i).*(warning:|bug:|unchecked msr|unstable|stall|skew|acpi error"
            + "|acpi bios error|mp-bios bug|call trace|unable to init|failed to get).*";

    @BeforeEach
    void isPulled() {
        try {
            ImageStore.of(System.getenv()).get("linux");
        } catch (ToolstackException e) {
            Assumptions.abort(e.line());
        }
    }

    @ParameterizedTest
    @CsvSource({"intel,1", "amd,2"})
    void bootsRunsACommandAndPowersOff(String model, String processors) {
        TestClient client = new TestClient(Path.of("").toAbsolutePath(), System.getenv());
        int exitCode = Xenolith.run(List.of("machine", "run", "--image", "linux", "--cpu", model, "--cpus", processors,
                "--deterministic", "--max-instructions", "8000000000", "--append",
                "-- sh -c \"nproc; dd if=/dev/zero bs=1M count=4 | gzip | gunzip | md5sum\""), client, () -> {
                    throw new AssertionError();
                }, Map.of("machine", new MachineCommand(client)));
        String output = client.out().toString(StandardCharsets.ISO_8859_1);
        assertThat(exitCode).as(output).isZero();
        assertThat(client.err().size()).isZero();
        assertThat(output).contains("Linux version", "\n" + processors + "\r\n",
                "b5cfa9d6c8febd618f91ac2843d50a1c  -", "reboot: Power down");
        assertThat(output.lines()).noneMatch(line -> line.matches(COMPLAINT));
    }
}
