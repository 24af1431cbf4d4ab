package dev.xenolith.cpu.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xenolith.cpu.decode.OpcodeRow;
import dev.xenolith.cpu.decode.OpcodeTable;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class CpuModelTest {
    private final int[] r = new int[4];

    private static String text(int... words) {
        ByteBuffer buffer = ByteBuffer.allocate(words.length * 4).order(ByteOrder.LITTLE_ENDIAN);
        for (int word : words) {
            buffer.putInt(word);
        }
        return new String(buffer.array(), StandardCharsets.US_ASCII).replace("\0", "");
    }

    @Test
    void vendorAndBrand() {
        for (CpuModel model : new CpuModel[]{CpuModel.intel(), CpuModel.amd()}) {
            model.cpuid(0, 0, r);
            assertThat(text(r[1], r[3], r[2])).isEqualTo(model.isIntel() ? "GenuineIntel" : "AuthenticAMD");
            int highest = r[0];
            assertThat(highest).isGreaterThanOrEqualTo(0xb);
            model.cpuid(0x8000_0000, 0, r);
            assertThat(r[0]).isGreaterThanOrEqualTo(0x8000_0008);
            StringBuilder brand = new StringBuilder();
            for (int leaf = 0x8000_0002; leaf <= 0x8000_0004; leaf++) {
                model.cpuid(leaf, 0, r);
                brand.append(text(r));
            }
            assertThat(brand.toString()).isEqualTo(model.brand());
            model.cpuid(0x8000_0008, 0, r);
            assertThat(r[0]).isEqualTo(model.physicalBits() | 57 << 8);
        }
    }

    @Test
    void featuresAreWhereTheManualHasThem() {
        CpuModel.intel().cpuid(1, 0, r);
        assertThat(r[0]).isEqualTo(0x606a6);
        assertThat(r[3] >>> 5 & 1).as("MSR").isEqualTo(1);
        assertThat(r[3] & 1).as("FPU").isEqualTo(1);
        assertThat(r[3] & 0x4080).as("MCE and MCA: kernels miss one without the other").isEqualTo(0x4080);
        assertThat(r[3] >>> 25 & 3).as("SSE, SSE2").isEqualTo(3);
        assertThat(r[2] >>> 24 & 1).as("TSC deadline").isEqualTo(1);
        CpuModel.intel().cpuid(7, 0, r);
        assertThat(r[1] >>> 20 & 1).as("SMAP").isEqualTo(1);
        CpuModel.amd().cpuid(0x8000_0001, 0, r);
        assertThat(r[3] >>> 29 & 1).as("LM").isEqualTo(1);
        assertThat(r[3] >>> 5 & 1).as("AMD repeats MSR").isEqualTo(1);
        CpuModel.amd().cpuid(0x8000_0021, 0, r);
        assertThat(r[0]).as("LFENCE, null selector, automatic IBRS, CPUID faulting, SRSO_NO").isEqualTo(0x2002_0144);
        assertThat(CpuModel.intel().has("smep")).isTrue();
        assertThat(CpuModel.intel().has("tsc_adjust")).as("without it kernels distrust an invariant TSC").isTrue();
        assertThat(CpuModel.intel().has("vaes")).isTrue();
        assertThat(CpuModel.intel().has("fpu_amd")).isFalse();
    }

    /** A row of the opcode table whose feature no model could have would silently not exist. */
    @Test
    void theOpcodeTableUsesTheSameNames() {
        for (OpcodeRow row : OpcodeTable.load().rows()) {
            assertThat(CpuModel.isFeatureName(row.feature()) || row.feature().isEmpty()).as(row.toString()).isTrue();
        }
    }

    /** What is in the table works, so that both models offer it. */
    @Test
    void bothModelsOfferWhatTheOpcodeTableHas() {
        for (CpuModel model : new CpuModel[]{CpuModel.intel(), CpuModel.amd()}) {
            assertThat(OpcodeTable.load().rows().stream().map(OpcodeRow::feature)
                    .filter(feature -> !feature.isEmpty() && !model.has(feature)).distinct()).as(model.brand())
                    .isEmpty();
        }
    }

    @Test
    void leavesBeyondTheHighestFollowTheVendor() {
        int[] highest = new int[4];
        CpuModel.intel().cpuid(0x16, 0, highest);
        CpuModel.intel().cpuid(0x4000_0000, 0, r);
        assertThat(r).isEqualTo(highest);
        CpuModel.intel().cpuid(-1, 0, r);
        assertThat(r).isEqualTo(highest);
        CpuModel.amd().cpuid(0x4000_0000, 5, r);
        assertThat(r).containsOnly(0);
        CpuModel.amd().cpuid(3, 0, r);
        assertThat(r).containsOnly(0);
        CpuModel.intel().cpuid(0x15, 77, r);
        assertThat(r).as("ECX is ignored").containsExactly(1, 10, 100_000_000, 0);
        CpuModel.intel().cpuid(4, 9, r);
        assertThat(r).as("ECX counts").containsOnly(0);
    }

    @Test
    void speculationFlawsAreReportedAbsent() {
        CpuModel.ModelMsr capabilities = CpuModel.intel().msr(0x10a);
        if (capabilities == null) {
            throw new AssertionError("no IA32_ARCH_CAPABILITIES");
        }
        for (int bit : new int[]{0, 1, 3, 4, 5, 6, 8, 13, 14, 15, 20, 24, 26, 27, 62}) {
            assertThat(capabilities.reset() >>> bit & 1).as("IA32_ARCH_CAPABILITIES bit %d", bit).isEqualTo(1);
        }
        assertThat(CpuModel.amd().msr(0x10a)).isNull();
        CpuModel.amd().cpuid(0x8000_0021, 0, r);
        assertThat(r[2]).as("TSA_SQ_NO, TSA_L1_NO").isEqualTo(6);
    }

    @Test
    void modelsAreFoundByName() {
        assertThat(CpuModel.named("AMD")).isSameAs(CpuModel.amd());
        assertThatThrownBy(() -> CpuModel.named("via")).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("via");
    }
}
