package dev.xenolith.dom0.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.xenolith.dom0.xl.TestClient;
import dev.xenolith.dom0.xl.Xenolith;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Memory test, boot loader and firmware of a distribution, unmodified, come to their screens. Each is where its package installs it, or
 * where a property says: {@code -Dxenolith.memtest=FILE}, {@code xenolith.grub}, {@code xenolith.seabios}.
 */
@Tag("image")
@Timeout(600)
class BootProgramsIT {
    private final TestClient client = new TestClient(Path.of("").toAbsolutePath(), Map.of());

    /** Runs for {@code instructions} what is in the file; returns what it has printed and, after that, what is on the screen. */
    private String run(String option, String program, String installed, String instructions, String... further) {
        String property = "xenolith." + program;
        Path file = Path.of(System.getProperty(property, installed));
        assumeTrue(Files.isReadable(file), "there is no " + file + "; -D" + property + "=FILE names another");
        List<String> line = new ArrayList<>(List.of("machine", "run", option, file.toString(), "--memory", "64",
                "--deterministic", "--screen", "--max-instructions", instructions));
        line.addAll(List.of(further));
        int exitCode = Xenolith.run(line, client, () -> {
            throw new AssertionError();
        }, Map.of("machine", new MachineCommand(client)));
        assertThat(client.errText()).isEqualTo("xenolith: --max-instructions are used up\n");
        assertThat(exitCode).isEqualTo(MachineRun.INSTRUCTION_LIMIT);
        return client.out().toString(StandardCharsets.UTF_8);
    }

    @Test
    void memtestFindsProcessorAndMemory() {
        assertThat(run("--kernel", "memtest", "/boot/memtest86+x64.bin", "100000000"))
                .containsPattern("Memtest86\\+ v.* │ Xenolith Processor").containsPattern("Memory *: *64MB");
    }

    @Test
    void grubShowsItsMenu() {
        assertThat(run("--bios", "grub", "/usr/share/qemu/grub.bin", "500000000")).contains("GNU GRUB  version ", "│*",
                "Use the ↑ and ↓ keys to select which entry is highlighted.");
    }

    @Test
    void seabiosLooksForDisks() {
        assertThat(run("--bios", "seabios", "/usr/share/seabios/bios-256k.bin", "15000000"))
                .contains("SeaBIOS (version ", "Booting from Hard Disk...", "No bootable device.");
    }
}
