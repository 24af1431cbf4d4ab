package dev.xenolith.cpu.time;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class MachineClockTest {
    @Test
    void anInstructionTakesANanosecond() {
        MachineClock clock = new MachineClock();
        assertThat(clock.timeOf(7)).isEqualTo(7);
        assertThat(clock.instructionsIn(7)).isEqualTo(7);
        assertThat(clock.instructionsIn(Long.MAX_VALUE)).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    void severalInstructionsTakeANanosecond() {
        MachineClock clock = new MachineClock(2);
        assertThat(clock.timeOf(7)).isEqualTo(1);
        assertThat(clock.instructionsIn(7)).isEqualTo(28);
        assertThat(clock.instructionsIn(Long.MAX_VALUE)).isGreaterThan(Long.MAX_VALUE - 4);
        assertThat(clock.instructionsIn(-1)).isEqualTo(-4);
    }

    @Test
    void itMovesForwardOnly() {
        MachineClock clock = new MachineClock();
        clock.advance(5);
        clock.advanceTo(3);
        assertThat(clock.now()).isEqualTo(5);
        clock.advanceTo(9);
        assertThat(clock.now()).isEqualTo(9);
    }
}
