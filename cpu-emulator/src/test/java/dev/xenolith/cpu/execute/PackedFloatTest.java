package dev.xenolith.cpu.execute;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;

/** The approximations keep the error that the manual allows, and its special cases (SDM 2B RCPPS, RSQRTPS). */
class PackedFloatTest {
    private static final double ALLOWED = 1.5 / 4096;

    @Test
    void reciprocalsAreNear() {
        Random random = new Random(1);
        for (int i = 0; i < 100_000; i++) {
            float x = Float.intBitsToFloat(random.nextInt());
            if (!Float.isFinite(x) || Math.abs(x) < 0x1p-126 || Math.abs(x) > 0x1p125) {
                continue;
            }
            float r = Float.intBitsToFloat((int) PackedFloat.reciprocal32(Float.floatToRawIntBits(x)));
            assertThat(Math.abs(r * (double) x - 1)).as("1 / %s", x).isLessThan(ALLOWED);
            if (x > 0) {
                float root = Float.intBitsToFloat((int) PackedFloat.reciprocalRoot32(Float.floatToRawIntBits(x)));
                assertThat(Math.abs(root * Math.sqrt(x) - 1)).as("1 / sqrt %s", x).isLessThan(ALLOWED);
            }
        }
    }

    @Test
    void specialOperands() {
        assertThat(PackedFloat.reciprocal32(0)).isEqualTo(0x7f80_0000L);
        assertThat(PackedFloat.reciprocal32(0x8000_0001L)).as("a denormal").isEqualTo(0xff80_0000L);
        assertThat(PackedFloat.reciprocal32(0x7f80_0000L)).isZero();
        assertThat(PackedFloat.reciprocal32(0x7f80_0001L)).as("NaN").isEqualTo(0x7fc0_0001L);
        assertThat(PackedFloat.reciprocalRoot32(0x8000_0000L)).isEqualTo(0xff80_0000L);
        assertThat(PackedFloat.reciprocalRoot32(0xbf80_0000L)).isEqualTo(0xffc0_0000L);
        assertThat(PackedFloat.reciprocals(0x4000_0000_3f80_0000L)).isEqualTo(0x3f00_0000_3f80_0000L);
    }
}
