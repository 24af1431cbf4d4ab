package dev.xenolith.device.input;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.device.InterruptLine;
import dev.xenolith.device.RoundTrip;
import dev.xenolith.device.StateException;
import dev.xenolith.device.TestLine;
import dev.xenolith.device.TestTime;
import org.junit.jupiter.api.Test;

class KeyboardControllerTest {
    private final TestLine irq1 = new TestLine();
    private final TestLine irq12 = new TestLine();
    private final TestLine a20 = new TestLine();
    private int resets;
    private final TestTime time = new TestTime();
    private final Ps2Keyboard keyboard = new Ps2Keyboard(time);
    private final Ps2Mouse mouse = new Ps2Mouse(time);
    private final KeyboardController controller = KeyboardController.of(keyboard, mouse, irq1, irq12, a20,
            () -> resets++);

    private void command(int value) {
        controller.command().write(0, 1, value);
    }

    private void data(int value) {
        controller.data().write(0, 1, value);
    }

    private int status() {
        return controller.command().readByte(0);
    }

    private int ask(int command) {
        command(command);
        assertThat(status() & 1).as("output buffer full").isEqualTo(1);
        int answer = controller.data().readByte(0);
        assertThat(status() & 1).isZero();
        return answer;
    }

    @Test
    void selfTests() {
        assertThat(status() & 4).isZero();
        assertThat(ask(0xaa)).isEqualTo(0x55);
        assertThat(status() & 4).as("system flag").isEqualTo(4);
        assertThat(ask(0xab)).isZero();
        assertThat(ask(0xa9)).isZero();
    }

    @Test
    void modeByte() {
        command(0x60);
        assertThat(status() & 8).as("the last byte was a command").isEqualTo(8);
        data(0x47);
        assertThat(status() & 8).isZero();
        assertThat(ask(0x20)).isEqualTo(0x47);
        command(0xa7);
        command(0xad);
        assertThat(ask(0x20)).isEqualTo(0x77);
        command(0xa8);
        command(0xae);
        assertThat(ask(0x20)).isEqualTo(0x47);
        command(0x7f);
        data(0x12);
        assertThat(ask(0x3f)).isEqualTo(0x12);
    }

    private int take() {
        assertThat(status() & 1).as("output buffer full").isEqualTo(1);
        return controller.data().readByte(0);
    }

    @Test
    void devicesAnswerThroughTheirPorts() {
        data(0xf2);
        assertThat(status() & 0x21).as("from the keyboard").isEqualTo(1);
        assertThat(take()).isEqualTo(0xfa);
        assertThat(take()).isEqualTo(0xab);
        assertThat(take()).as("translated").isEqualTo(0x41);
        assertThat(status() & 1).isZero();
        command(0xd4);
        data(0xf2);
        assertThat(status() & 0x21).as("from the mouse").isEqualTo(0x21);
        assertThat(take()).isEqualTo(0xfa);
        assertThat(take()).isZero();
    }

    @Test
    void keysAreTranslatedUnlessSoftwareForbidsIt() {
        command(0x60);
        data(0x41);
        keyboard.key(0x04, true);
        assertThat(irq1.level()).isTrue();
        assertThat(take()).isEqualTo(0x1e);
        assertThat(irq1.level()).isFalse();
        keyboard.key(0x04, false);
        assertThat(take()).isEqualTo(0x9e);
        keyboard.key(0x50, true);
        keyboard.key(0x50, false);
        assertThat(take()).isEqualTo(0xe0);
        assertThat(irq1.level()).as("the next byte interrupts again").isTrue();
        assertThat(take()).isEqualTo(0x4b);
        assertThat(take()).isEqualTo(0xe0);
        assertThat(take()).isEqualTo(0xcb);
        command(0x60);
        data(0x01);
        keyboard.key(0x04, true);
        keyboard.key(0x04, false);
        assertThat(take()).isEqualTo(0x1c);
        assertThat(take()).isEqualTo(0xf0);
        assertThat(take()).isEqualTo(0x1c);
    }

    @Test
    void aDisabledPortKeepsWhatItHas() {
        keyboard.key(0x05, true);
        assertThat(status() & 1).isZero();
        command(0xae);
        assertThat(take()).isEqualTo(0x30);
        command(0xad);
        keyboard.key(0x05, false);
        assertThat(ask(0x20) & 0x10).isEqualTo(0x10);
        command(0xae);
        assertThat(take()).isEqualTo(0xb0);
    }

    @Test
    void theControllersOwnAnswerWaitsForWhatIsInTheBufferAndGoesBeforeTheRest() {
        command(0xae);
        keyboard.key(0x04, true);
        keyboard.key(0x05, true);
        command(0x20);
        assertThat(take()).isEqualTo(0x1e);
        assertThat(take()).as("mode: mouse disabled, translation").isEqualTo(0x60);
        assertThat(take()).isEqualTo(0x30);
    }

    @Test
    void buffersInterrupt() {
        command(0x60);
        data(0x03);
        command(0xd3);
        data(0x5a);
        assertThat(irq12.level()).isTrue();
        assertThat(irq1.level()).isFalse();
        assertThat(controller.data().readByte(0)).isEqualTo(0x5a);
        assertThat(irq12.level()).isFalse();
        command(0xd2);
        data(0xa5);
        assertThat(irq1.level()).isTrue();
        command(0x60);
        data(0);
        assertThat(irq1.level()).isFalse();
    }

    @Test
    void outputPortAndReset() {
        assertThat(ask(0xd0) & 3).isEqualTo(3);
        assertThat(a20.level()).isTrue();
        command(0xd1);
        data(0xdd);
        assertThat(ask(0xd0) & 3).as("A20 off").isEqualTo(1);
        assertThat(a20.level()).isFalse();
        command(0xff);
        assertThat(resets).isZero();
        command(0xfe);
        assertThat(resets).isEqualTo(1);
        command(0xd1);
        data(0xde);
        assertThat(resets).isEqualTo(2);
    }

    @Test
    void portA() throws StateException {
        SystemControlPortA port = new SystemControlPortA(a20, () -> resets++);
        assertThat(port.readByte(0)).isZero();
        port.writeByte(0, 0xfe);
        assertThat(port.readByte(0)).isEqualTo(2);
        assertThat(a20.level()).isTrue();
        port.writeByte(0, 0xfc);
        assertThat(port.readByte(0)).isZero();
        assertThat(a20.level()).isFalse();
        port.writeByte(0, 1);
        port.writeByte(0, 1);
        assertThat(resets).as("on the rising edge only").isEqualTo(1);
        port.writeByte(0, 2);
        TestLine restored = new TestLine();
        RoundTrip.check(port, new SystemControlPortA(restored, () -> {}));
        assertThat(restored.level()).isTrue();
    }

    @Test
    void stateComesBack() throws StateException {
        command(0x60);
        data(0x01);
        command(0xd2);
        data(0x77);
        keyboard.key(0x04, true);
        mouse.moveBy(1, 2, 3, 1);
        command(0xd1);
        TestLine line = new TestLine();
        KeyboardController copy = RoundTrip.check(controller,
                KeyboardController.of(new Ps2Keyboard(time), new Ps2Mouse(time), line, InterruptLine.NONE,
                        InterruptLine.NONE, () -> {}));
        assertThat(line.level()).isTrue();
        assertThat(copy.data().readByte(0)).isEqualTo(0x77);
        assertThat(copy.data().readByte(0)).isEqualTo(0x1c);
    }
}
