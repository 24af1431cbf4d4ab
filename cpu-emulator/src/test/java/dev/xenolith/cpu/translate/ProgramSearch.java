package dev.xenolith.cpu.translate;

import java.util.HexFormat;
import java.util.List;

/** The entry of a {@link PlantedMistake}'s classes: executes programs, side by side, in the translator that they are. */
public final class ProgramSearch {
    private static final int LENGTH = 4_000;
    private static final int LOOPS = 20;
    /** A loop that ends whatever a translator makes of it: a unit that never looks at its budget comes back from it. */
    private static final String COUNTED_LOOP = "b9 64 00 00 00  01 c8  ff c9  75 fa  f4";

    private ProgramSearch() {}

    /** The first difference in the loop or else in the programs of seeds 1 to {@code programs}; empty if there is none. */
    public static String firstDifference(long programs) {
        SideBySide sides = new SideBySide(null);
        for (long seed = 1; seed <= LOOPS; seed++) {
            String difference = sides.difference(countedLoop(), seed, LENGTH);
            if (!difference.isEmpty()) {
                return "counted loop, seed " + seed + ": " + difference;
            }
        }
        for (long seed = 1; seed <= programs; seed++) {
            String difference = sides.difference(ProgramGenerator.generate(seed), seed, LENGTH);
            if (!difference.isEmpty()) {
                return "program " + seed + ": " + difference;
            }
        }
        return "";
    }

    private static GuestProgram countedLoop() {
        byte[] code = HexFormat.of().parseHex(COUNTED_LOOP.replace(" ", ""));
        GuestProgram.Item item = new GuestProgram.Item(code, GuestProgram.Fix.NONE, 0, 0, 0, 0);
        return new GuestProgram(List.of(item), new int[0], new int[0], 0);
    }
}
