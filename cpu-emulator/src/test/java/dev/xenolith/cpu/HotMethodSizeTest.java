package dev.xenolith.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.cpu.interpret.Interpreter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.MethodModel;
import java.lang.classfile.attribute.CodeAttribute;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** HotSpot never compiles a method of over 8,000 bytes of bytecode: none of this module comes near. */
class HotMethodSizeTest {
    private static final int LIMIT = 7_500;
    /** What operations call is inlined into them only while it is small; nor do they themselves need to be large. */
    private static final int OPERATION_LIMIT = 325;
    /** Several operations in one. */
    private static final int FUSED_LIMIT = 1_500;

    @Test
    void noMethodIsTooLongToBeCompiled() throws Exception {
        Map<String, Integer> sizes = sizes();
        assertThat(sizes).hasSizeGreaterThan(1000);
        sizes.values().removeIf(size -> size < LIMIT);
        assertThat(sizes).isEmpty();
    }

    @Test
    void operationsAreSmall() throws Exception {
        Map<String, Integer> sizes = sizes();
        sizes.entrySet().removeIf(entry -> !entry.getKey().startsWith("dev/xenolith/cpu/operation/")
                && !entry.getKey().startsWith("dev/xenolith/cpu/execute/")
                || entry.getValue() <= (entry.getKey().contains("__") ? FUSED_LIMIT : OPERATION_LIMIT));
        assertThat(sizes).isEmpty();
    }

    private static Map<String, Integer> sizes() throws Exception {
        URI location = Interpreter.class.getProtectionDomain().getCodeSource().getLocation().toURI();
        List<Path> files;
        try (var walk = Files.walk(Path.of(location))) {
            files = walk.filter(file -> file.toString().endsWith(".class")).toList();
        }
        Map<String, Integer> sizes = new TreeMap<>();
        for (Path file : files) {
            ClassModel type = parse(file);
            for (MethodModel method : type.methods()) {
                method.code().ifPresent(code -> sizes.put(
                        type.thisClass().asInternalName() + "." + method.methodName().stringValue()
                                + method.methodType().stringValue(),
                        ((CodeAttribute) code).codeLength()));
            }
        }
        return sizes;
    }

    private static ClassModel parse(Path file) {
        try {
            return ClassFile.of().parse(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
