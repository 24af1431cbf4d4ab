package dev.xenolith.hypervisor.abi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Modifier;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Every declared structure has the layout that gcc computes from the public headers of Xen 4.17: recorded in
 * {@code layouts.txt}, and computed anew, into {@code target/layouts.txt}, where gcc and the headers are installed.
 */
class StructLayoutTest {
    private static final Path HEADERS = Path.of("/usr/include/xen");
    /** Every class that declares public structures; add yours here. */
    private static final List<Class<?>> HEADER_CLASSES = List.of(Xen.class, ArchX86.class, Sched.class,
            EventChannel.class, VcpuOp.class, Version.class, Callback.class, Physdev.class, ConsoleRing.class,
            XenstoreRing.class, Mmu.class, Grant.class, Xenmem.class, Blkif.class, Netif.class, Domctl.class,
            Sysctl.class);

    @TempDir
    Path directory;

    @Test
    void layoutsAreAsRecorded() throws IOException {
        try (InputStream in = StructLayoutTest.class.getResourceAsStream("layouts.txt")) {
            assertThat(declared()).containsExactlyElementsOf(
                    new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList());
        }
    }

    @Test
    void layoutsAreThoseOfTheInstalledHeaders() throws Exception {
        assumeTrue(Files.exists(HEADERS.resolve("xen.h")), "no public Xen headers installed (Debian: libxen-dev)");
        assumeTrue(Files.readString(HEADERS.resolve("sysctl.h")).contains("XEN_SYSCTL_INTERFACE_VERSION 0x00000015"),
                "the installed headers are not those of Xen 4.17");
        assumeTrue(runs("gcc", "--version"), "no gcc installed");
        Set<String> computed = new TreeSet<>();
        compute("-m64", "64", computed);
        compute("-m32", "32", computed);
        Files.write(Path.of("target", "layouts.txt"), computed);
        assertThat(declared()).containsExactlyElementsOf(computed);
    }

    /** Sorted lines "struct member 64|32 offset" and "struct sizeof 64|32 bytes". */
    private static Set<String> declared() {
        Set<String> result = new TreeSet<>();
        for (Struct struct : structs()) {
            if (struct.hasNative()) {
                result.add(struct.name() + " sizeof 64" + ' ' + struct.size());
                struct.fields().forEach((field, f) -> {
                    if (f.offset() != Struct.ABSENT) {
                        result.add(struct.name() + ' ' + field + " 64" + ' ' + f.offset());
                    }
                });
            }
            if (struct.hasCompat()) {
                result.add(struct.name() + " sizeof 32" + ' ' + struct.compatSize());
                struct.fields().forEach((field, f) -> {
                    if (f.compatOffset() != Struct.ABSENT) {
                        result.add(struct.name() + ' ' + field + " 32" + ' ' + f.compatOffset());
                    }
                });
            }
        }
        return result;
    }

    private static List<Struct> structs() {
        List<Struct> result = new ArrayList<>();
        for (Class<?> header : HEADER_CLASSES) {
            collect(header, result);
            for (Class<?> nested : header.getDeclaredClasses()) {
                collect(nested, result);
            }
        }
        return result;
    }

    private static void collect(Class<?> type, List<Struct> result) {
        for (var field : type.getDeclaredFields()) {
            if (Modifier.isPublic(field.getModifiers()) && field.getType() == Struct.class) {
                try {
                    result.add((Struct) field.get(null));
                } catch (IllegalAccessException e) {
                    throw new AssertionError(e);
                }
            }
        }
    }

    /** Lets gcc write each offset as a constant into assembly text, which needs neither linking nor running 32-bit code. */
    private void compute(String mode, String suffix, Set<String> result) throws Exception {
        StringBuilder c = new StringBuilder("#define __XEN_INTERFACE_VERSION__ 0x00041100\n#define __XEN_TOOLS__ 1\n")
                .append("#include <stdint.h>\n#include <stddef.h>\n#include <xen/xen.h>\n#include <xen/sched.h>\n")
                .append("#include <xen/event_channel.h>\n#include <xen/vcpu.h>\n#include <xen/version.h>\n")
                .append("#include <xen/callback.h>\n#include <xen/nmi.h>\n#include <xen/physdev.h>\n")
                .append("#include <xen/memory.h>\n#include <xen/grant_table.h>\n")
                .append("#include <xen/io/console.h>\n#include <xen/io/xs_wire.h>\n")
                .append("#include <xen/io/blkif.h>\n#include <xen/io/netif.h>\n")
                .append("#include <xen/domctl.h>\n#include <xen/sysctl.h>\nvoid f(void) {\n");
        for (Struct struct : structs()) {
            boolean compat = suffix.equals("32");
            if (compat ? !struct.hasCompat() : !struct.hasNative()) {
                continue;
            }
            line(c, struct.name() + " sizeof " + suffix, "sizeof(" + struct.keyword() + ' ' + struct.name() + ')');
            struct.fields().forEach((field, f) -> {
                if ((compat ? f.compatOffset() : f.offset()) != Struct.ABSENT) {
                    line(c, struct.name() + ' ' + field + ' ' + suffix,
                            "offsetof(" + struct.keyword() + ' ' + struct.name() + ", " + field + ')');
                }
            });
        }
        Path source = Files.writeString(directory.resolve("layout" + suffix + ".c"), c.append("}\n"));
        Path assembly = directory.resolve("layout" + suffix + ".s");
        assertThat(runs("gcc", mode, "-ffreestanding", "-w", "-S", "-o", assembly.toString(), source.toString()))
                .as("gcc compiles the public headers").isTrue();
        Matcher matcher = Pattern.compile("^@@ ([^=]*)= \\$?(-?\\d+)$", Pattern.MULTILINE)
                .matcher(Files.readString(assembly));
        while (matcher.find()) {
            result.add(matcher.group(1) + ' ' + matcher.group(2));
        }
    }

    private static void line(StringBuilder c, String key, String expression) {
        c.append("__asm__ volatile(\"\\n@@ ").append(key).append("= %c0\" :: \"i\"(").append(expression)
                .append("));\n");
    }

    private static boolean runs(String... command) throws InterruptedException {
        try {
            Process process = new ProcessBuilder(command).redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.INHERIT).start();
            return process.waitFor() == 0;
        } catch (IOException e) {
            return false;
        }
    }
}
