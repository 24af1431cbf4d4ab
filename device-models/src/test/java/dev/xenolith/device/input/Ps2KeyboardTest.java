package dev.xenolith.device.input;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.device.RoundTrip;
import dev.xenolith.device.StateException;
import dev.xenolith.device.TestTime;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.Test;

class Ps2KeyboardTest {
    private static final int A = 0x04;
    private static final int RIGHT = 0x4f;
    private static final int PRINT_SCREEN = 0x46;
    private static final int PAUSE = 0x48;
    private static final int CONTROL = 0xe0;
    private static final int SHIFT = 0xe1;
    private static final int ALT = 0xe2;
    private static final long MS = 1_000_000;

    private final TestTime time = new TestTime();
    private final Ps2Keyboard keyboard = new Ps2Keyboard(time);

    private String sent() {
        StringBuilder sent = new StringBuilder();
        while (keyboard.hasData()) {
            sent.append(HexFormat.of().toHexDigits((byte) keyboard.next())).append(' ');
        }
        return sent.toString().trim();
    }

    private String command(int... bytes) {
        StringBuilder answers = new StringBuilder();
        for (int each : bytes) {
            keyboard.write(each);
            answers.append(sent()).append(' ');
        }
        return answers.toString().trim();
    }

    private String press(int... usages) {
        for (int usage : usages) {
            keyboard.key(usage, true);
        }
        return sent();
    }

    private String release(int... usages) {
        for (int usage : usages) {
            keyboard.key(usage, false);
        }
        return sent();
    }

    @Test
    void keysInTheThreeSets() {
        assertThat(press(A)).isEqualTo("1c");
        assertThat(release(A)).isEqualTo("f0 1c");
        assertThat(press(RIGHT)).isEqualTo("e0 74");
        assertThat(release(RIGHT)).isEqualTo("e0 f0 74");
        assertThat(command(0xf0, 1)).isEqualTo("fa fa");
        assertThat(press(A)).isEqualTo("1e");
        assertThat(release(A)).isEqualTo("9e");
        assertThat(press(RIGHT)).isEqualTo("e0 4d");
        assertThat(release(RIGHT)).isEqualTo("e0 cd");
        assertThat(command(0xf0, 3)).isEqualTo("fa fa");
        assertThat(press(RIGHT)).isEqualTo("6a");
        assertThat(release(RIGHT)).as("this set tells of keys going up only where it is told to").isEmpty();
        assertThat(press(CONTROL)).isEqualTo("11");
        assertThat(release(CONTROL)).isEqualTo("f0 11");
        assertThat(command(0xf8)).isEqualTo("fa");
        assertThat(press(A)).isEqualTo("1c");
        assertThat(release(A)).isEqualTo("f0 1c");
        assertThat(command(0xf0, 0)).isEqualTo("fa fa 03");
        assertThat(command(0xf0, 9)).isEqualTo("fa fe");
    }

    @Test
    void theKeysWithAHistory() {
        assertThat(press(PRINT_SCREEN)).isEqualTo("e0 12 e0 7c");
        assertThat(release(PRINT_SCREEN)).isEqualTo("e0 f0 7c e0 f0 12");
        press(SHIFT);
        assertThat(press(PRINT_SCREEN)).isEqualTo("e0 7c");
        release(PRINT_SCREEN, SHIFT);
        press(ALT);
        assertThat(press(PRINT_SCREEN)).isEqualTo("84");
        assertThat(release(PRINT_SCREEN)).isEqualTo("f0 84");
        release(ALT);
        assertThat(press(PAUSE)).isEqualTo("e1 14 77 e1 f0 14 f0 77");
        assertThat(release(PAUSE)).isEmpty();
        press(CONTROL);
        assertThat(press(PAUSE)).isEqualTo("e0 7e e0 f0 7e");
        release(PAUSE, CONTROL);
        command(0xf0, 1);
        assertThat(press(PAUSE)).isEqualTo("e1 1d 45 e1 9d c5");
    }

    @Test
    void aHeldKeyRepeats() {
        assertThat(press(A)).isEqualTo("1c");
        time.advance(499 * MS);
        assertThat(sent()).isEmpty();
        time.advance(2 * MS);
        assertThat(sent()).isEqualTo("1c");
        time.advance(92 * MS);
        assertThat(sent()).as("10.9 a second").isEqualTo("1c");
        time.advance(2_000 * MS);
        assertThat(sent()).as("what nobody fetches does not pile up").isEqualTo("1c");
        release(A);
        time.advance(2_000 * MS);
        assertThat(sent()).isEmpty();
        assertThat(command(0xf3, 0)).isEqualTo("fa fa");
        press(A);
        time.advance(251 * MS);
        assertThat(sent()).isEqualTo("1c");
        keyboard.key(A, true);
        assertThat(sent()).as("it is down already").isEmpty();
    }

    @Test
    void commands() {
        assertThat(command(0xee)).isEqualTo("ee");
        assertThat(command(0xf2)).isEqualTo("fa ab 83");
        assertThat(command(0xed, 5)).isEqualTo("fa fa");
        assertThat(keyboard.leds()).isEqualTo(5);
        assertThat(command(0xf5)).isEqualTo("fa");
        assertThat(press(A)).isEmpty();
        assertThat(release(A)).isEmpty();
        assertThat(command(0xf4)).isEqualTo("fa");
        assertThat(press(A)).isEqualTo("1c");
        assertThat(command(0xfe)).isEqualTo("1c");
        assertThat(command(0xff)).isEqualTo("fa aa");
        assertThat(keyboard.leds()).isZero();
        assertThat(command(0x12)).isEqualTo("fe");
    }

    @Test
    void aFullQueueTellsThatItWas() {
        for (int usage = 4; usage < 4 + 30; usage++) {
            keyboard.key(usage, true);
        }
        assertThat(sent()).isEqualTo("1c 32 21 23 24 2b 34 33 43 3b 42 4b 3a 31 44 4d 00");
        for (int usage = 4; usage < 4 + 9; usage++) {
            keyboard.key(usage, false);
        }
        assertThat(sent()).as("all bytes of a key or none")
                .isEqualTo("f0 1c f0 32 f0 21 f0 23 f0 24 f0 2b f0 34 f0 33 00");
        assertThat(press(RIGHT)).isEqualTo("e0 74");
    }

    @Test
    void everyKeyOfAPcHasACodeOfItsOwn() {
        for (int usage = 0x04; usage <= 0x65; usage++) {
            boolean ofItsOwn = usage != PAUSE && usage != 0x32;
            assertThat(ScanCodes.set2(usage) != 0).as("usage %x", usage).isEqualTo(usage != PAUSE);
            for (int other = 0x04; ofItsOwn && other < usage; other++) {
                assertThat(ScanCodes.set2(other)).as("usages %x and %x", usage, other)
                        .isNotEqualTo(ScanCodes.set2(usage));
            }
        }
        assertThat(ScanCodes.set1(0x76)).isEqualTo(0x01);
        assertThat(ScanCodes.set1(0x78)).isEqualTo(0x57);
        assertThat(ScanCodes.set1(0xfa)).isEqualTo(0xfa);
    }

    @Test
    void anySequenceIsTakenAndItsStateComesBack() throws StateException {
        Random random = new Random(4);
        for (int i = 0; i < 20_000; i++) {
            switch (random.nextInt(4)) {
                case 0 -> keyboard.key(random.nextInt(-1, 300), random.nextBoolean());
                case 1 -> keyboard.write(random.nextInt(256));
                case 2 -> time.advance(random.nextLong(600 * MS));
                default -> {
                    if (keyboard.hasData()) {
                        assertThat(keyboard.next()).isBetween(0, 255);
                    }
                }
            }
            if (i % 1000 == 999) {
                RoundTrip.check(keyboard, new Ps2Keyboard(time.copy()));
            }
        }
    }
}
