package dev.xenolith.device.input;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.device.RoundTrip;
import dev.xenolith.device.StateException;
import dev.xenolith.device.TestTime;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.Test;

class Ps2MouseTest {
    private static final long MS = 1_000_000;

    private final TestTime time = new TestTime();
    private final Ps2Mouse mouse = new Ps2Mouse(time);

    private String sent() {
        StringBuilder sent = new StringBuilder();
        while (mouse.hasData()) {
            sent.append(HexFormat.of().toHexDigits((byte) mouse.next())).append(' ');
        }
        return sent.toString().trim();
    }

    private String command(int... bytes) {
        StringBuilder answers = new StringBuilder();
        for (int each : bytes) {
            mouse.write(each);
            answers.append(sent()).append(' ');
        }
        return answers.toString().trim();
    }

    @Test
    void commands() {
        assertThat(command(0xff)).isEqualTo("fa aa 00");
        assertThat(command(0xf2)).isEqualTo("fa 00");
        assertThat(command(0xe8, 3)).isEqualTo("fa fa");
        assertThat(command(0xf3, 40)).isEqualTo("fa fa");
        assertThat(command(0xe7)).isEqualTo("fa");
        assertThat(command(0xf4)).isEqualTo("fa");
        assertThat(command(0xe9)).isEqualTo("fa 30 03 28");
        assertThat(command(0xf6)).isEqualTo("fa");
        assertThat(command(0xe9)).isEqualTo("fa 00 02 64");
        assertThat(command(0xe8, 4, 1)).as("a bad argument is asked for once more").isEqualTo("fa fe fa");
        assertThat(command(0x11)).isEqualTo("fe");
        assertThat(command(0x11)).isEqualTo("fc");
    }

    @Test
    void movementsAreTold() {
        mouse.moveBy(5, 5, 0, 0);
        assertThat(sent()).as("not enabled").isEmpty();
        command(0xf4);
        mouse.moveBy(3, 4, 0, 0);
        assertThat(sent()).as("y counts upwards").isEqualTo("28 03 fc");
        mouse.moveBy(-1, 0, 0, Pointer.LEFT);
        mouse.moveBy(-1, 0, 0, Pointer.LEFT | Pointer.MIDDLE);
        assertThat(sent()).as("100 packets a second").isEmpty();
        time.advance(10 * MS);
        assertThat(sent()).isEqualTo("1d fe 00");
        mouse.moveBy(-300, 0, 0, 0);
        time.advance(100 * MS);
        assertThat(sent()).as("in two packets").isEqualTo("18 01 00 18 d3 00");
        mouse.moveTo(0, 0, 0, Pointer.RIGHT);
        assertThat(sent()).isEqualTo("0a 00 00");
    }

    @Test
    void softwareThatKnocksFindsAWheel() {
        assertThat(command(0xf3, 200, 0xf3, 100, 0xf3, 80, 0xf2)).endsWith("fa 03");
        command(0xf4);
        mouse.moveBy(0, 0, 1, 0);
        assertThat(sent()).as("away from the user is negative").isEqualTo("08 00 00 ff");
        assertThat(command(0xf3, 200, 0xf3, 200, 0xf3, 80, 0xf2)).endsWith("fa 04");
        time.advance(20 * MS);
        mouse.moveBy(0, 0, -1, 0);
        assertThat(sent()).isEqualTo("08 00 00 01");
        assertThat(command(0xff)).isEqualTo("fa aa 00");
    }

    @Test
    void remoteAndWrapMode() {
        command(0xf4, 0xf0);
        mouse.moveBy(2, 0, 0, 0);
        assertThat(sent()).isEmpty();
        assertThat(command(0xeb)).isEqualTo("fa 08 02 00");
        assertThat(command(0xee, 0x12, 0xf4)).isEqualTo("fa 12 f4");
        assertThat(command(0xec)).isEqualTo("fa");
        assertThat(command(0xea)).isEqualTo("fa");
        mouse.moveBy(2, 0, 0, 0);
        assertThat(sent()).isEqualTo("08 02 00");
    }

    @Test
    void scalingDoublesLargeMovements() {
        command(0xf4, 0xe7);
        mouse.moveBy(-4, 0, 0, 0);
        assertThat(sent()).isEqualTo("18 fa 00");
        time.advance(10 * MS);
        mouse.moveBy(100, 0, 0, 0);
        assertThat(sent()).isEqualTo("08 c8 00");
    }

    @Test
    void anySequenceIsTakenAndItsStateComesBack() throws StateException {
        Random random = new Random(5);
        for (int i = 0; i < 20_000; i++) {
            switch (random.nextInt(4)) {
                case 0 -> mouse.moveBy(random.nextInt(), random.nextInt(), random.nextInt(-3, 4), random.nextInt());
                case 1 -> mouse.write(random.nextInt(256));
                case 2 -> time.advance(random.nextLong(30 * MS));
                default -> {
                    if (mouse.hasData()) {
                        assertThat(mouse.next()).isBetween(0, 255);
                    }
                }
            }
            if (i % 1000 == 999) {
                RoundTrip.check(mouse, new Ps2Mouse(time.copy()));
            }
        }
    }
}
