package dev.xenolith.cpu.oracle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * The slice of the comparison with silicon that is part of every build finds an error of one bit in any family of instructions. Where
 * each was found goes to standard output.
 */
class PlantedErrorsTest {
    /** One, or more, of each class of {@code execute}, and of the x87's and the scalar floating-point arithmetic. */
    private static final List<Planted> ERRORS = List.of(planted("execute.Arithmetic", "adc", 63),
            planted("execute.Arithmetic", "subCarries", 3), planted("execute.Logic", "not", 63),
            planted("execute.Shift", "shld", 0), planted("execute.Shift", "sarCarries", 63),
            planted("execute.Rotate", "rcr", 15), planted("execute.Multiply", "signedHigh", 0),
            planted("execute.Divide", "signedRemainder8", 7), planted("execute.Divide", "signedFits", 0),
            planted("execute.Bits", "deposit", 63), planted("execute.Decimal", "aas", 8),
            planted("execute.Exchange", "ifEqual", 31), planted("execute.Branch", "hasCountAnd", 0),
            planted("execute.Flags", "g", 0), planted("execute.Flags", "lahf", 6),
            planted("execute.Packed", "mulHighRoundedWords", 16), planted("execute.PackedFloat", "toFloat16", 0),
            planted("execute.Horizontal", "minimumWord", 0), planted("execute.Shuffle", "insertFloat", 32),
            planted("execute.Blend", "chosenQuadwords", 63), planted("execute.Aes", "decryptLast", 31),
            planted("execute.Sha", "sha256Message2", 0), planted("execute.Carryless", "high", 62),
            planted("execute.Crc", "crc32c", 31), planted("execute.StringCompare", "mask", 0),
            planted("fpu.Extended", "toBcd", 0), planted("fpu.Extended", "remainder", 0),
            planted("fpu.Float64", "fma", 0), planted("fpu.Float32", "toInteger", 31));

    /** Bit {@code bit} of what {@code method} of {@code type} returns is wrong. */
    private record Planted(String type, String method, int bit) {
        PlantedError load() {
            return new PlantedError(type, method, bit);
        }
    }

    private static Planted planted(String type, String method, int bit) {
        return new Planted(type, method, bit);
    }

    @BeforeEach
    void needsSilicon() {
        Optional<String> unavailable = SiliconRunner.unavailable();
        assumeTrue(unavailable.isEmpty(), () -> unavailable.orElseThrow());
    }

    @Test
    void everyPlantedErrorIsFound() {
        List<String> missed = new ArrayList<>();
        for (Planted error : ERRORS) {
            if (error.type.equals("execute.Decimal") && !HostCode.has32Bit()) {
                System.out.println(error.type + " is not looked at: the host's kernel runs no 32-bit code");
                continue;
            }
            PlantedError processor = error.load();
            String found = processor.firstDifference(Long.MAX_VALUE);
            assertThat(processor.returns()).as("returns of " + error).isPositive();
            System.out.printf("%-22s %-20s bit %2d: %s%n", error.type, error.method, error.bit,
                    found.isEmpty() ? "not found" : found.lines().findFirst().orElseThrow());
            if (found.isEmpty()) {
                missed.add(error.toString());
            }
        }
        assertThat(missed).isEmpty();
    }

    @Test
    void withoutAnErrorNothingIsFound() {
        assertThat(new PlantedError(null, "", 0).firstDifference(3L * Campaign.BATCH)).isEmpty();
    }
}
