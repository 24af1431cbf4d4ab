package dev.xenolith.cpu.oracle;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * How every row of the opcode table is tested, as {@code docs/instruction-coverage.txt} tells it: a line for each operand size, with
 * the counts of the campaign in both modes, or the test that has what silicon cannot judge.
 */
final class CoverageTable {
    static final String FILE = "docs/instruction-coverage.txt";
    static final int[] CODE_BITS = {64, 32};

    private static final String HEAD = """
            # How every row of the opcode table is tested. Written by the campaign that holds the emulated processor against its host's own
            # silicon; CoverageTableTest fails where a row is missing or was not tested enough. To write it anew, from the root:
            #
            #   mvn -B -pl cpu-emulator test -Dtest=InstructionDifferentialTest -Doracle.each=%d
            #
            # Silicon of this table: %s
            #
            # One line for each row and operand size (in bits, - for none). For 64-bit and for 32-bit code: instances; of those that began to
            # execute, how many had an operand at an edge of its range (a dash: it reads none); how many raised an exception of their own; how
            # many were stopped before, by a prefix that makes the instruction invalid or by code that cannot be fetched. A row without
            # exceptions of its own works on registers and flags alone. A dash instead: the row does not exist there. Then all exceptions seen on
            # silicon, and where it has another test the class that has it; "ring 3" says that silicon only refuses it there.
            #
            # %d rows, %d rows and sizes, %,d instances in 64-bit code, %,d in 32-bit code; besides,
            # %,d and %,d sequences of two to five instructions. Differences in all: %d
            #
            # %-21s | %-23s | %4s | %21s | %21s | exceptions | another test
            """;

    private static final String[] VECTORS = {"#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM", "#DF", "", "#TS",
        "#NP",
        "#SS", "#GP", "#PF", "", "#MF", "#AC", "#MC", "#XM"};

    /** What the command in the table's head asks for. */
    private static final int CAMPAIGN_EACH = 2_200;

    private final Exclusions exclusions;
    private final Map<Slice, Campaign> campaigns = new EnumMap<>(Slice.class);

    CoverageTable(Exclusions exclusions) {
        this.exclusions = exclusions;
    }

    synchronized void add(Slice slice, Campaign campaign) {
        campaigns.put(slice, campaign);
    }

    /** Whether the campaigns of all slices are there. */
    synchronized boolean complete() {
        return campaigns.size() == Slice.values().length;
    }

    /** Writes the file below the repository's root. */
    void write() {
        try {
            Files.writeString(path(), text());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static Path path() {
        return Path.of(System.getProperty("xenolith.home", "..")).resolve(FILE);
    }

    private String text() {
        List<String> lines = new ArrayList<>();
        List<InstructionForm> forms = InstructionForm.table();
        for (InstructionForm form : forms) {
            for (int bits : sizes(form)) {
                lines.add(line(new Variant(form, bits)));
            }
        }
        return HEAD.formatted(CAMPAIGN_EACH, exclusions.processor(), forms.size(), lines.size(),
                instances(Slice.INSTRUCTIONS_64), instances(Slice.INSTRUCTIONS_32), instances(Slice.SEQUENCES_64),
                instances(Slice.SEQUENCES_32), differences(), "encoding", "instruction", "bits", "64-bit", "32-bit")
                + String.join("", lines);
    }

    private long instances(Slice slice) {
        return campaign(slice).tallies().values().stream().mapToLong(tally -> tally.instances).sum();
    }

    private long differences() {
        return campaigns.values().stream().flatMap(campaign -> campaign.tallies().values().stream())
                .mapToLong(tally -> tally.differing).sum();
    }

    private Campaign campaign(Slice slice) {
        Campaign campaign = campaigns.get(slice);
        if (campaign == null) {
            throw new IllegalStateException("no campaign of " + slice);
        }
        return campaign;
    }

    /** Operand sizes of {@code form} in either mode. */
    static Set<Integer> sizes(InstructionForm form) {
        Set<Integer> sizes = new TreeSet<>();
        for (int codeBits : CODE_BITS) {
            if (form.existsIn(codeBits)) {
                for (int bits : form.operandBits(codeBits)) {
                    sizes.add(bits);
                }
            }
        }
        return sizes;
    }

    private String line(Variant variant) {
        InstructionForm form = variant.form();
        Set<String> exceptions = new TreeSet<>();
        boolean completes = false;
        List<String> cells = new ArrayList<>();
        for (Slice slice : List.of(Slice.INSTRUCTIONS_64, Slice.INSTRUCTIONS_32)) {
            Campaign.Tally tally = campaign(slice).tallies().get(variant);
            cells.add(cell(tally));
            if (tally != null) {
                tally.endings.keySet().stream().filter(ending -> ending.startsWith("#")).forEach(
                        ending -> exceptions.add(VECTORS[Integer.parseInt(ending.substring(1))]));
                completes |= tally.working() > 0;
            }
        }
        String other = "";
        Exclusions.@Nullable Elsewhere elsewhere = Exclusions.elsewhere(form);
        if (elsewhere != null) {
            other = elsewhere.reason() + ": " + elsewhere.test();
        } else if (!completes && !form.semantic.equals("ud") && !form.semantic.equals("int3")) {
            other = "ring 3: " + Exclusions.privileged(form);
        }
        return "%-23s | %-23s | %4s | %21s | %21s | %s | %s"
                .formatted(form.encoding, form.assembly, variant.size(), cells.get(0),
                        cells.get(1), String.join(" ", exceptions), other)
                .stripTrailing() + "\n";
    }

    private static String cell(Campaign.@Nullable Tally tally) {
        return tally == null
                ? "-"
                : "%d %s %d %d".formatted(tally.instances, tally.reading == 0 ? "-" : Integer.toString(tally.edges),
                        tally.faults,
                        tally.stops);
    }
}
