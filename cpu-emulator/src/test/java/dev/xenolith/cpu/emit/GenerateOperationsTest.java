package dev.xenolith.cpu.emit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.cpu.decode.OpcodeTable;
import dev.xenolith.cpu.decode.Semantic;
import java.io.InputStream;
import java.lang.classfile.ClassFile;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** One generation serves all tests: there are thousands of operations. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class GenerateOperationsTest {
    private final OpcodeTable table = OpcodeTable.load();
    private final Map<String, byte[]> classes = GenerateOperations.generate(table);

    @Test
    void theSameTableGivesTheSameBytesAndTheBuildHasThem() throws Exception {
        for (Map.Entry<String, byte[]> entry : classes.entrySet()) {
            String resource = "/" + OperationName.PACKAGE.replace('.', '/') + "/" + entry.getKey() + ".class";
            try (InputStream in = getClass().getResourceAsStream(resource)) {
                assertThat(in).as(resource).isNotNull();
                assertThat(in.readAllBytes()).as(resource).isEqualTo(entry.getValue());
            }
        }
    }

    @Test
    void generatedClassesVerify() {
        classes.forEach((name, bytes) -> assertThat(ClassFile.of().verify(bytes)).as(name).isEmpty());
    }

    @Test
    void namesTellOperationsApart() {
        // A name stands for one program: rows that share it must share semantic and condition.
        Map<String, String> programs = new HashMap<>();
        table.rows().forEach(row -> {
            String key = row.semantic().name() + row.condition();
            String name = OperationName.of(row, 64, List.of(), false).replaceAll("64$", "");
            assertThat(programs.putIfAbsent(name, key)).as(name).isIn(null, key);
        });
    }

    @Test
    void everyProgramParsesAndNamesItsFlags() {
        TreeSet<String> wrong = new TreeSet<>();
        for (Semantic semantic : table.semantics().values()) {
            boolean[] writesFlags = new boolean[1];
            for (Program.Statement statement : Program.parse(semantic.program()).statements()) {
                writesFlags[0] |= statement instanceof Program.SetFlags
                        || statement instanceof Program.Assign(Program.Expression target, Program.Expression value)
                                && target instanceof Program.Name(String name) && name.startsWith("F");
            }
            if (writesFlags[0] && semantic.flagsWritten() == 0) {
                wrong.add(semantic.name());
            }
        }
        assertThat(wrong).as("semantics that change flags without saying so").isEmpty();
    }
}
