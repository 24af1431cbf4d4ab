package dev.xenolith.cpu.interpret;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.cpu.processor.Stop;
import java.util.EnumMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever bytes a guest executes, with whatever in its registers, the run ends with a stop and within its budget. */
class RandomBytesTest {
    private static final int ROUNDS = 20_000;
    private static final int BUDGET = 50;

    @ParameterizedTest
    @ValueSource(longs = {1, 2})
    void anyBytesEndInAStop(long seed) {
        Random random = new Random(seed);
        Map<Stop.Kind, Integer> kinds = new EnumMap<>(Stop.Kind.class);
        try (TestMachine machine = new TestMachine()) {
            Processor cpu = machine.cpu;
            byte[] code = new byte[64];
            for (int round = 0; round < ROUNDS; round++) {
                random.nextBytes(code);
                if (random.nextBoolean()) {
                    // Two-byte opcodes, which are few among random bytes.
                    code[random.nextInt(4)] = 0x0f;
                }
                long at = TestMachine.CODE + random.nextInt(0x2000);
                machine.memory.copyIn(code, 0, at, code.length);
                for (int i = 0; i < 16; i++) {
                    cpu.gpr[i] = switch (random.nextInt(4)) {
                        case 0 -> random.nextLong();
                        case 1 -> TestMachine.CODE + random.nextInt(0x3000);
                        case 2 -> random.nextInt(64) - 32;
                        default -> TestMachine.DATA + random.nextInt(0x10_0000);
                    };
                }
                cpu.setRflags(random.nextInt() & (random.nextInt(4) == 0 ? 0x4_4dd5 | 0x100 : 0x4cd5));
                cpu.rip = at;
                long retired = cpu.retired;
                Stop stop = machine.run(BUDGET);
                assertThat(cpu.retired - retired).as("seed %d, round %d", seed, round).isBetween(0L, (long) BUDGET);
                if (stop.kind == Stop.Kind.BUDGET) {
                    assertThat(cpu.retired - retired).as("seed %d, round %d", seed, round).isEqualTo(BUDGET);
                }
                assertThat(cpu.gpr[Processor.ZERO]).isZero();
                assertThat(cpu.segmentBase[Processor.FLAT]).isZero();
                assertThat(cpu.precise).isFalse();
                kinds.merge(stop.kind, 1, Integer::sum);
                machine.memory.write64(0x1000, 0x2007);
            }
        }
        assertThat(kinds.get(Stop.Kind.EXCEPTION)).as("seed %d: %s", seed, kinds).isGreaterThan(ROUNDS / 2);
        assertThat(kinds).as("seed %d", seed).containsKeys(Stop.Kind.BUDGET, Stop.Kind.ENTRY);
    }
}
