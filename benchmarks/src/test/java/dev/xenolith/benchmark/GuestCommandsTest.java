package dev.xenolith.benchmark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xenolith.device.board.ClockMode;
import dev.xenolith.dom0.config.DomainConfig.Devices;
import java.nio.file.Files;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Everything that benchmarks ask of guests, a few times each: that it is done, not how fast. */
class GuestCommandsTest {
    private static final int FEW = 128;

    @Test
    void guestsDoEachOperationAndLeaveTheHypervisorSound() throws Exception {
        try (BenchHost host = new BenchHost(ClockMode.VIRTUAL)) {
            GuestPair guests = GuestPair.on(host);
            for (int round = 0; round < 2; round++) {
                for (GuestOperation operation : GuestOperation.values()) {
                    guests.client.run(operation.command(FEW));
                }
            }
            assertThat(audit(host)).isEmpty();
        }
    }

    @Test
    void aGuestWritesItsDisk() throws Exception {
        try (BenchImage image = new BenchImage(2); BenchHost host = new BenchHost(ClockMode.VIRTUAL)) {
            BenchGuest guest = image.guest(host);
            guest.run(DiskPattern.WRITE_64K.command(50));
            assertThat(Files.readAllBytes(image.file())).hasSize(2 * BenchImage.MIB).containsOnly('x');
            guest.run(DiskPattern.WRITE_256K.command(10));
            assertThat(audit(host)).isEmpty();
        }
    }

    /** It writes what it has read: that every byte is as before shows that the reads brought the data. */
    @Test
    void aGuestReadsItsDisk() throws Exception {
        try (BenchImage image = new BenchImage(2); BenchHost host = new BenchHost(ClockMode.VIRTUAL)) {
            BenchGuest guest = image.guest(host);
            guest.run(DiskPattern.RANDOM_READ_4K.command(100));
            guest.run(DiskPattern.READ_256K.command(10));
            guest.run(DiskPattern.READ_64K.command(50));
            guest.run(DiskPattern.WRITE_64K.command(50));
            assertThat(Files.readAllBytes(image.file())).hasSize(2 * BenchImage.MIB).containsOnly(BenchImage.CONTENT);
            assertThat(audit(host)).isEmpty();
        }
    }

    @Test
    void aGuestReceivesWhatTheOtherSends() throws Exception {
        try (BenchHost host = new BenchHost(ClockMode.VIRTUAL)) {
            GuestPair guests = GuestPair.onBridge(host);
            for (int bytes : new int[]{60, 1514, 4000, 63778}) {
                guests.send(FEW, bytes);
            }
            assertThat(audit(host)).isEmpty();
        }
    }

    @Test
    void whatGoesWrongIsNoMeasurement() throws Exception {
        try (BenchHost host = new BenchHost(ClockMode.VIRTUAL)) {
            BenchGuest guest = host.guest("alone", 1, Devices.NONE);
            for (String command : new String[]{"nothing 1", "hypercall", "hypercall 1 2", "pin 1 5", "map 1", "ipi 1",
                "random 1", "up"}) {
                assertThatThrownBy(() -> guest.run(command)).hasMessageContaining("done -");
            }
        }
    }

    private static List<String> audit(BenchHost host) {
        return host.host.machine().call(() -> host.host.hypervisor().audit()).join();
    }
}
