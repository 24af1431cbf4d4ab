package dev.xenolith.cpu.oracle;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Random;
import java.util.function.Consumer;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The comparison can fail: whatever one bit of an outcome is altered, it says so and says where. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ComparisonTest {
    private static final int STATUS = 0x8d5;
    private final Snippet snippet = new Snippet(0x90);

    private Outcome completed() {
        Outcome outcome = new Outcome();
        Random random = new Random(1);
        for (int i = 0; i < 16; i++) {
            outcome.registers.gpr[i] = random.nextLong();
        }
        random.nextBytes(outcome.pages);
        outcome.registers.rflags = 0x202;
        outcome.ending = Outcome.Ending.EXCEPTION;
        outcome.vector = Outcome.BREAKPOINT;
        outcome.rip = snippet.end() + 1;
        return outcome;
    }

    private Outcome faulted() {
        Outcome outcome = completed();
        outcome.vector = Outcome.PAGE_FAULT;
        outcome.errorCode = 6;
        outcome.cr2 = 0x1234;
        outcome.rip = snippet.start();
        return outcome;
    }

    private void assertReported(Outcome expected, Outcome actual, String text) {
        assertThat(Comparison.EXACT.differences(snippet, expected, actual)).singleElement().asString().contains(text);
        assertThat(Comparison.EXACT.differences(snippet, actual, expected)).singleElement().asString().contains(text);
    }

    @Test
    void equalOutcomesDoNotDiffer() {
        assertThat(Comparison.EXACT.differences(snippet, completed(), completed())).isEmpty();
        assertThat(Comparison.EXACT.differences(snippet, faulted(), faulted())).isEmpty();
    }

    @Test
    void everyBitOfEveryRegisterCounts() {
        for (int register = 0; register < 16; register++) {
            for (int bit = 0; bit < 64; bit++) {
                Outcome altered = completed();
                altered.registers.gpr[register] ^= 1L << bit;
                assertReported(completed(), altered, Registers.NAMES[register] + " is");
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 2, 4, 6, 7, 8, 10, 11, 14, 18, 21})
    void everyFlagCounts(int bit) {
        Outcome altered = completed();
        altered.registers.rflags ^= 1L << bit;
        assertThat(Comparison.EXACT.differences(snippet, completed(), altered)).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, AddressMap.PAGE - 1, AddressMap.PAGE, AddressMap.TOP_OFFSET, AddressMap.WRITABLE_BYTES - 1})
    void everyByteOfMemoryCounts(int offset) {
        Outcome altered = completed();
        altered.pages[offset] ^= 0x10;
        assertReported(completed(), altered, "memory at");
    }

    static List<Consumer<Outcome>> alterationsOfAFault() {
        return List.of(o -> o.vector = 13, o -> o.errorCode ^= 2, o -> o.cr2 ^= 0x1000, o -> o.rip++,
                o -> o.ending = Outcome.Ending.TIMEOUT, o -> o.registers.selector[Registers.DS] = 0x2b,
                o -> o.registers.fsBase++, o -> o.registers.gsBase++);
    }

    @ParameterizedTest
    @MethodSource("alterationsOfAFault")
    void everyPropertyOfAFaultCounts(Consumer<Outcome> alteration) {
        Outcome altered = faulted();
        alteration.accept(altered);
        assertThat(Comparison.EXACT.differences(snippet, faulted(), altered)).hasSize(1);
    }

    @Test
    void undefinedMeansOnlyWhatIsUndefinedAndOnlyAfterCompletion() {
        Comparison comparison = new Comparison(STATUS, 1 << 1, 0, Comparison.Memory.ALWAYS, false);
        Outcome altered = completed();
        altered.registers.rflags ^= STATUS;
        altered.registers.gpr[1]++;
        assertThat(comparison.differences(snippet, completed(), altered)).isEmpty();
        altered.registers.gpr[2]++;
        assertThat(comparison.differences(snippet, completed(), altered)).hasSize(1);

        Outcome alteredFault = faulted();
        alteredFault.registers.rflags ^= 1;
        assertThat(comparison.differences(snippet, faulted(), alteredFault)).hasSize(1);
    }
}
