package dev.xenolith.cpu.oracle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** The table of how instructions are tested has every row of the opcode table, and what it says of each is enough. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class CoverageTableTest {
    /** A method that a program calls. */
    private static final Pattern CALLED = Pattern.compile("\\.(\\w+)\\(");
    private static final int ENCODING = 0;
    private static final int INSTRUCTION = 1;
    private static final int BITS = 2;
    private static final int OTHER_TEST = 6;
    private static final int COLUMNS = 7;

    /** Columns by row and size. */
    private final Map<String, String[]> lines = new LinkedHashMap<>();

    @BeforeAll
    void read() throws IOException {
        for (String line : Files.readAllLines(CoverageTable.path())) {
            if (!line.startsWith("#")) {
                String[] columns = line.split("\\|", COLUMNS);
                assertThat(columns).as(line).hasSize(COLUMNS);
                for (int i = 0; i < columns.length; i++) {
                    columns[i] = columns[i].strip();
                }
                String key = columns[ENCODING] + "|" + columns[INSTRUCTION] + "|" + columns[BITS];
                assertThat(lines.put(key, columns)).as("twice: " + key).isNull();
            }
        }
    }

    private static String key(Variant variant) {
        return variant.form().encoding + "|" + variant.form().assembly + "|" + variant.size();
    }

    @Test
    void everyRowIsThereInEverySizeAndNothingElse() {
        List<String> expected = InstructionForm.table().stream().flatMap(form -> CoverageTable.sizes(form).stream().map(
                bits -> key(new Variant(form, bits)))).toList();
        assertThat(lines.keySet()).as("rows of %s; its head says how to write it anew", CoverageTable.FILE)
                .containsExactlyElementsOf(expected);
    }

    /** What exists in a mode was compared with silicon there, often enough, or another test has it. */
    @Test
    void everyRowIsTestedEnough() {
        List<String> untested = new ArrayList<>();
        for (InstructionForm form : InstructionForm.table()) {
            for (int codeBits : CoverageTable.CODE_BITS) {
                for (int bits : form.existsIn(codeBits) ? form.operandBits(codeBits) : new int[0]) {
                    Variant variant = new Variant(form, bits);
                    String[] columns = Optional.ofNullable(lines.get(key(variant)))
                            .orElseGet(() -> new String[COLUMNS]);
                    String cell = columns[codeBits == 64 ? 3 : 4];
                    if (cell == null || !isEnough(variant, cell, columns[OTHER_TEST])) {
                        untested.add("%s in %d-bit code: %s, other test: %s".formatted(variant, codeBits, cell,
                                columns[OTHER_TEST]));
                    }
                }
            }
        }
        assertThat(untested).isEmpty();
    }

    /** Instances, edges, faults, stops. */
    private static boolean isEnough(Variant variant, String cell, String otherTest) {
        if (cell.equals("-")) {
            // SYSCALL of 32-bit code, whose registers the host's kernel changes before it reports one, is in DeliveryTest.
            return !otherTest.isEmpty() || variant.form().mnemonic.equals("SYSCALL");
        }
        String[] counts = cell.split(" ");
        boolean able = variant.form().canFault(variant.operandBits());
        boolean refused = otherTest.startsWith("ring 3: ") || Exclusions.isRefused(variant.form());
        int faults = Integer.parseInt(counts[able ? 2 : 3]);
        return Integer.parseInt(counts[0]) >= Campaign.INSTANCES
                && (refused || counts[1].equals("-") || Integer.parseInt(counts[1]) >= Campaign.EDGES)
                && faults >= Campaign.FAULTS;
    }

    /** A test that is named exists, and names the instruction or what its row calls. */
    @Test
    void otherTestsHaveTheInstruction() throws IOException {
        Map<String, String> sources = sources();
        for (InstructionForm form : InstructionForm.table()) {
            Exclusions.Elsewhere elsewhere = Exclusions.elsewhere(form);
            String test = elsewhere != null
                    ? elsewhere.test()
                    : Exclusions.isNamed(form) ? Exclusions.privileged(form) : null;
            if (test != null) {
                String source = sources.get(test);
                if (source == null) {
                    fail("there is no " + test + ", which is named for " + form);
                }
                assertThat(has(source, form)).as("%s has %s", test, form).isTrue();
            }
        }
    }

    private static boolean has(String source, InstructionForm form) {
        // A VEX form is its legacy form's.
        String mnemonic = form.vex ? form.mnemonic.substring(1) : form.mnemonic;
        if (source.toLowerCase(Locale.ROOT).contains(mnemonic.toLowerCase(Locale.ROOT))) {
            return true;
        }
        return CALLED.matcher(form.program).results().anyMatch(call -> source.contains(call.group(1)));
    }

    private static Map<String, String> sources() throws IOException {
        Map<String, String> sources = new LinkedHashMap<>();
        try (Stream<Path> files = Files.walk(Path.of("src/test/java"))) {
            for (Path file : files.filter(file -> file.toString().endsWith("Test.java")).toList()) {
                String name = file.getFileName().toString();
                sources.put(name.substring(0, name.length() - ".java".length()), Files.readString(file));
            }
        }
        return sources;
    }
}
