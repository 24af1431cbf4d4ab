package dev.xenolith.cpu.oracle;

/** The entry of a {@link PlantedError}'s classes: runs the slice of every build on the processor that they are. */
public final class ErrorSearch {
    private ErrorSearch() {
    }

    /**
     * The first difference from silicon, part by part in the order of {@link Slice}; empty if there is none.
     *
     * @param most instances of each part at most
     */
    public static String firstDifference(long most) {
        Exclusions exclusions = new Exclusions();
        for (Slice slice : Slice.values()) {
            if (!slice.runsHere()) {
                continue;
            }
            SnippetGenerator generator = slice.generator(exclusions, "");
            try (SiliconRunner silicon = new SiliconRunner(Campaign.BATCH);
                    EmulatedRunner emulated = new EmulatedRunner()) {
                Campaign campaign = new Campaign(generator, silicon, emulated, slice.disassembler());
                String difference = campaign.firstDifference(Slice.SEED, Math.min(most, (long) Slice.EACH * generator
                        .variants().size()));
                if (!difference.isEmpty()) {
                    return slice + difference;
                }
            }
        }
        return "";
    }
}
