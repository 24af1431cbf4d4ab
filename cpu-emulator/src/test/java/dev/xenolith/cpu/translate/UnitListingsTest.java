package dev.xenolith.cpu.translate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What the translator writes is what {@code docs/translator-listings.md} shows, so that a change of it is seen in a diff and is
 * meant. With property {@code listings.update} the file is written anew first.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class UnitListingsTest {
    private static final String FILE = "docs/translator-listings.md";
    private static final String COMMAND = """
            mvn -B -pl cpu-emulator test -Dtest=UnitListingsTest -Dtest.heap="-Xmx1500m -Dlistings.update=true\"""";
    private static final String PREAMBLE = """
            # What the translator writes

            Ten snippets of guest code, and the bytecode of method `run` of their units, to go with [translator.md](translator.md).
            `UnitListingsTest` makes this text anew and compares; after a change that is meant, this rewrites it:

                %s

            First the guest's instructions: offset in the page, bytes, Intel syntax. All have been executed often; HLT, which is in no unit,
            follows. Then a unit, by the offset where it is entered: it loads the locals, executes, and writes them back. They have the
            names of `Locals`: `left` is `LEFT`, `rax` the register, `op1.0` and `r.0` operand 1 and the result in the program that has slot
            0, as `opcodes.txt` calls them. What is stored in `value` at the end describes an exit, in hexadecimal: two digits for the
            instructions executed in the present block, two for the link, the rest is the offset of the next instruction. Of longs, those
            between -64 and 64 are decimal.
            """
            .formatted(COMMAND);

    /**
     * Guest code and what it shows.
     *
     * @param code in hexadecimal
     * @param entries offsets of the units to be shown
     */
    private record Snippet(String title, String about, String code, List<Integer> entries) {
        private Snippet(String title, String about, String code) {
            this(title, about, code, List.of(0));
        }

        private String heading() {
            return "## %d. %s".formatted(SNIPPETS.indexOf(this) + 1, title);
        }

        /** What is below the heading. */
        private String text() {
            byte[] bytes = HexFormat.of().parseHex(code.replace(" ", ""));
            String units = entries.stream().map(entry -> "\n" + UnitListing.unit(bytes, entry))
                    .collect(Collectors.joining());
            return "\n" + about + "\n\n```\n" + UnitListing.guest(bytes) + units + "```\n";
        }
    }

    private static final List<Snippet> SNIPPETS = List.of(
            new Snippet("Flags that are never read",
                    "Those of ADD are replaced: only those of SUB are written, at the exit.",
                    "48 01 d8 83 e9 05"), // add rax, rbx; sub ecx, 5
            new Snippet("A counted loop",
                    "DEC's result is the condition; the budget is looked at where the loop branches back.",
                    "48 01 c8 ff c9 75 f9"), // L: add rax, rcx; dec ecx; jne L
            new Snippet("A load and a store", "What the TLB does not have leaves the unit before the instruction.",
                    "48 8b 46 08 89 07"), // mov rax, [rsi+8]; mov [rdi], eax
            new Snippet("Read, modify, write", "Memory is found once, for writing; a branch reads the flags.",
                    "83 2f 01 74 0b"), // sub dword [rdi], 1; je out
            new Snippet("Both sides of a branch", "Either of them goes on at the end, without an exit.",
                    "85 c0 74 04 01 c3 eb 02 29 cb 89 d8"), // test eax, eax; je L; add ebx, eax; jmp M; L: sub ebx, ecx; M: mov eax, ebx
            new Snippet("An unsigned comparison", "The operands are compared, with their highest bits inverted.",
                    "48 39 f7 72 03 48 89 f7"), // cmp rdi, rsi; jb out; mov rdi, rsi
            new Snippet("Flags as values", "ADC needs the carry of ADD: the flags are written in between.",
                    "48 01 c8 48 11 da"), // add rax, rcx; adc rdx, rbx
            new Snippet("A call to the interpreter's operation",
                    "Registers and flags are written back before it, and what it may have changed is loaded after it.",
                    "01 d1 0f 50 c0"), // add ecx, edx; movmskps eax, xmm0
            new Snippet("Call and return",
                    "The function is in the unit of its caller; its RET goes on after the call unless the stack says otherwise.",
                    "e8 01 00 00 00 c3 ff c0 c3"), // call L; ret; L: inc eax; ret
            new Snippet("Parts of registers, and an indirect jump", "What is not written of a register is kept.",
                    "88 dc 66 89 d1 ff e0")); // mov ah, bl; mov cx, dx; jmp rax

    private String preamble = "";
    /** Headings of the file, and what is below each. */
    private final List<String> headings = new ArrayList<>();
    private final List<String> sections = new ArrayList<>();

    @BeforeAll
    void read() throws IOException {
        Path path = Path.of(System.getProperty("xenolith.home", "..")).resolve(FILE);
        if (Boolean.getBoolean("listings.update")) {
            Files.writeString(path, PREAMBLE + SNIPPETS.stream()
                    .map(snippet -> "\n" + snippet.heading() + "\n" + snippet.text()).collect(Collectors.joining()));
        }
        String[] parts = (Files.exists(path) ? Files.readString(path) : "").split("\n(?=## )", -1);
        preamble = parts[0];
        for (int i = 1; i < parts.length; i++) {
            int end = (parts[i] + "\n").indexOf('\n');
            headings.add(parts[i].substring(0, end));
            sections.add(parts[i].substring(Math.min(end + 1, parts[i].length())));
        }
    }

    static Stream<Named<Snippet>> snippets() {
        return SNIPPETS.stream().map(snippet -> Named.of(snippet.title, snippet));
    }

    @ParameterizedTest
    @MethodSource("snippets")
    void unitIsAsListed(Snippet snippet) {
        int section = headings.indexOf(snippet.heading());
        compare("below \"%s\", ".formatted(snippet.heading()), section < 0 ? "" : sections.get(section),
                snippet.text());
    }

    @Test
    void fileHasTheTenSnippetsAndNothingElse() {
        compare("", preamble, PREAMBLE);
        assertThat(SNIPPETS).hasSize(10);
        assertThat(headings).as("headings of %s; to rewrite it: %s", FILE, COMMAND)
                .containsExactlyElementsOf(SNIPPETS.stream().map(Snippet::heading).toList());
    }

    private static void compare(String what, String listed, String written) {
        List<String> before = listed.lines().toList();
        List<String> now = written.lines().toList();
        int line = 0;
        while (line < before.size() && line < now.size() && before.get(line).equals(now.get(line))) {
            line++;
        }
        if (line < before.size() || line < now.size()) {
            fail("%s, %sline %d: a difference%n  in the file: %s%n  now:         %s%nIf that is meant, this rewrites the file:%n  %s"
                    .formatted(FILE, what, line + 1, line(before, line), line(now, line), COMMAND));
        }
    }

    private static String line(List<String> lines, int number) {
        return number < lines.size() ? lines.get(number) : "(nothing)";
    }
}
