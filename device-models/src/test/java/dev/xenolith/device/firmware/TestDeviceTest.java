package dev.xenolith.device.firmware;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xenolith.device.InterruptLine;
import dev.xenolith.device.RoundTrip;
import dev.xenolith.device.StateException;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class TestDeviceTest {
    private final List<String> wires = new ArrayList<>();
    private final TestDevice device = device(24);

    private TestDevice device(int lines) {
        return new TestDevice(IntStream.range(0, lines)
                .mapToObj(line -> (InterruptLine) level -> wires.add(line + (level ? "+" : "-"))).toList());
    }

    @Test
    void registerAndWindowHoldWhatIsWritten() {
        device.register().write(0, 4, 0x8765_4321L);
        device.register().write(1, 1, 0xff);
        assertThat(device.register().read(0, 4)).isEqualTo(0x8765_ff21L);
        assertThat(device.register().read(2, 2)).isEqualTo(0x8765);
        device.window().write(0xfff8, 8, -2);
        assertThat(device.window().read(0xfff8, 8)).isEqualTo(-2);
        assertThat(device.window().read(0, 8)).isZero();
        device.flush().write(0, 4, 0x1000);
        assertThat(device.flush().read(0, 4)).isZero();
    }

    @Test
    void linesFollowTheirPorts() {
        device.lines().write(14, 1, 1);
        device.lines().write(14, 1, 0);
        device.lines().write(22, 2, 0x0100);
        assertThat(wires).containsExactly("14+", "14-", "22-", "23+");
    }

    @Test
    void roundTrip() throws StateException {
        device.register().write(0, 4, 1);
        device.window().write(5, 1, 2);
        device.lines().write(3, 1, 1);
        wires.clear();
        TestDevice copy = RoundTrip.check(device, device(24));
        assertThat(wires).hasSize(24).contains("3+", "4-");
        assertThat(copy.window().read(5, 1)).isEqualTo(2);
        assertThatThrownBy(() -> StateReader.restore(device(3), StateWriter.save(device)))
                .isInstanceOf(StateException.class).hasMessageContaining("lines");
    }
}
