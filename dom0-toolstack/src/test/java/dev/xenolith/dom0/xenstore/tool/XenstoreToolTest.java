package dev.xenolith.dom0.xenstore.tool;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.dom0.support.FakeHypervisor;
import dev.xenolith.dom0.xenstore.Permissions;
import dev.xenolith.dom0.xenstore.Xenstored;
import dev.xenolith.dom0.xenstore.XenstoreClient;
import dev.xenolith.dom0.xenstore.XenstoreException;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Output and exit status of the tools; expected texts follow tools/xenstore/xenstore_client.c of Xen 4.17. */
class XenstoreToolTest {
    private final FakeHypervisor hypervisor = new FakeHypervisor();
    private final XenstoreClient store = new Xenstored(hypervisor.handle(0)).connect(hypervisor.handle(0));
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private final XenstoreTool tool = new XenstoreTool(store, new PrintStream(out, false, StandardCharsets.ISO_8859_1),
            line -> err.writeBytes((line + "\n").getBytes(StandardCharsets.ISO_8859_1)));

    @BeforeEach
    void fill() throws XenstoreException {
        hypervisor.addDomain(1);
        store.remove("/tool");
        store.writeText("/a/b", "value");
        store.writeText("/a/c/d", "two\nlines\\");
        store.writeText("/e", "");
    }

    private String printed() {
        String text = out.toString(StandardCharsets.ISO_8859_1) + err.toString(StandardCharsets.ISO_8859_1);
        out.reset();
        err.reset();
        return text;
    }

    @Test
    void lsIndents() {
        assertThat(tool.ls(List.of(), false, false, 0)).isZero();
        assertThat(printed()).isEqualTo("""
                a = ""
                 b = "value"
                 c = ""
                  d = "two\\nlines\\\\"
                e = ""
                """);
        assertThat(tool.ls(List.of("/a", "/e"), false, false, 0)).isZero();
        assertThat(printed()).isEqualTo("""
                b = "value"
                c = ""
                 d = "two\\nlines\\\\"
                """);
    }

    @Test
    void lsFlatWithPermissions() throws XenstoreException {
        store.setPermissions("/a/b", Permissions.owned(0, Permissions.NONE).and(1, Permissions.READ));
        assertThat(tool.ls(List.of("/a"), true, true, 0)).isZero();
        assertThat(printed()).isEqualTo("""
                /a/b = "value"   (n0,r1)
                /a/c = ""   (n0)
                /a/c/d = "two\\nlines\\\\"   (n0)
                """);
    }

    @Test
    void lsPermissionsStartAtAColumn() {
        assertThat(tool.ls(List.of("/a"), false, true, 0)).isZero();
        String dots = " .".repeat(24);
        assertThat(printed().lines().findFirst()).contains("b = \"value\" " + dots + "  (n0)");
    }

    @Test
    void lsCutsWhatIsTooWide() throws XenstoreException {
        store.remove("/a");
        store.remove("/e");
        store.writeText("/k", "0123456789".repeat(10));
        assertThat(tool.ls(List.of(), false, false, 0)).isZero();
        assertThat(printed()).isEqualTo("k = \"" + "0123456789".repeat(10).substring(0, 71) + "\\...\"\n");
        assertThat(tool.ls(List.of(), false, false, 42)).isZero();
        assertThat(printed()).isEqualTo("k = \"" + "0123456789".repeat(10).substring(0, 31) + "\\...\"\n");
        assertThat(tool.ls(List.of(), true, false, 0)).isZero();
        assertThat(printed()).isEqualTo("/k = \"" + "0123456789".repeat(10) + "\"\n");
        store.writeText("/k", "0".repeat(71));
        assertThat(tool.ls(List.of(), false, false, 0)).isZero();
        assertThat(printed()).as("fits exactly").isEqualTo("k = \"" + "0".repeat(71) + "\"\n");
    }

    @Test
    void lsOfNothing() {
        assertThat(tool.ls(List.of("/none"), false, false, 0)).isEqualTo(1);
        assertThat(printed()).isEqualTo("xs_directory (/none): No such file or directory\n");
    }

    @Test
    void lsOfADeepTree() throws XenstoreException {
        store.writeText("/x".repeat(1020), "bottom");
        assertThat(tool.ls(List.of("/x"), true, false, 0)).isZero();
        assertThat(printed().lines()).hasSize(1019).last().isEqualTo("/x".repeat(1020) + " = \"bottom\"");
    }

    @Test
    void read() throws XenstoreException {
        assertThat(tool.read(List.of("/a/b", "/a/c/d"), false, false)).isZero();
        assertThat(printed()).isEqualTo("value\ntwo\\nlines\\\\\n");
        assertThat(tool.read(List.of("/a/b", "/e"), true, false)).isZero();
        assertThat(printed()).isEqualTo("/a/b: value\n/e: \n");
        assertThat(tool.read(List.of("/a/c/d"), false, true)).isZero();
        assertThat(printed()).isEqualTo("two\nlines\\");
        assertThat(tool.read(List.of("/a/b", "/none"), false, false)).isEqualTo(1);
        assertThat(printed()).isEqualTo("value\ncouldn't read path /none: No such file or directory\n");
        store.write("/bin", new byte[]{0, 7, 8, 127, -1, ' ', '~'});
        assertThat(tool.read(List.of("/bin"), false, false)).isZero();
        assertThat(printed()).isEqualTo("\\000\\007\\x08\\x7f\\xff ~\n");
    }

    @Test
    void write() throws XenstoreException {
        assertThat(tool.write(List.of("/w/x", "a\\n\\x41\\101\\\\\\q"), false)).isZero();
        assertThat(store.readText("/w/x")).isEqualTo("a\nAA\\q");
        assertThat(tool.write(List.of("/w/x", "a\\n"), true)).isZero();
        assertThat(store.readText("/w/x")).isEqualTo("a\\n");
        assertThat(tool.write(List.of("/w/y", "1", "/bad/", "2"), false)).isEqualTo(1);
        assertThat(printed()).isEqualTo("could not write path /bad/: Invalid argument\n");
        assertThat(store.exists("/w/y")).as("all or nothing").isFalse();
    }

    @Test
    void everyValueComesBack() throws XenstoreException {
        byte[] all = new byte[256];
        for (int i = 0; i < all.length; i++) {
            all[i] = (byte) i;
        }
        for (byte b : all) {
            assertThat(Values.unsanitise(Values.sanitise(new byte[]{b, ' '}))).containsExactly(b, ' ');
        }
        assertThat(Values.unsanitise(Values.sanitise(all))).isEqualTo(all);
        assertThat(Values.unsanitise("x\\")).containsExactly('x', 0);
        assertThat(Values.unsanitise("\\xg\\18")).containsExactly('x', 'g', 1, '8');
    }

    @Test
    void rm() throws XenstoreException {
        assertThat(tool.remove(List.of("/a/c"), false)).isZero();
        assertThat(store.list("/a")).containsExactly("b");
        assertThat(tool.remove(List.of("/a/none/none"), false)).isEqualTo(1);
        assertThat(printed()).isEqualTo("could not remove path /a/none/none: No such file or directory\n");
        store.mkdir("/t/u/v/w");
        store.writeText("/t", "kept for its value");
        assertThat(tool.remove(List.of("/t/u/v/w"), true)).isZero();
        assertThat(store.list("/t")).isEmpty();
        assertThat(store.exists("/t")).isTrue();
        assertThat(tool.remove(List.of("/a/b"), true)).isZero();
        assertThat(store.exists("/a")).isFalse();
        assertThat(store.exists("/")).isTrue();
    }

    @Test
    void list() {
        assertThat(tool.list(List.of("/a", "/a/c"), false)).isZero();
        assertThat(printed()).isEqualTo("b\nc\nd\n");
        assertThat(tool.list(List.of("/a"), true)).isZero();
        assertThat(printed()).isEqualTo("/a/b\n/a/c\n");
        assertThat(tool.list(List.of("/"), true)).isZero();
        assertThat(printed()).isEqualTo("/a\n/e\n");
        assertThat(tool.list(List.of("/none"), true)).isEqualTo(1);
        assertThat(printed()).isEqualTo("could not list path /none: No such file or directory\n");
    }

    @Test
    void exists() {
        assertThat(tool.exists(List.of("/a", "/a/b"))).isZero();
        assertThat(tool.exists(List.of("/a", "/none"))).isEqualTo(1);
        assertThat(printed()).isEmpty();
    }

    @Test
    void chmod() throws XenstoreException {
        assertThat(tool.chmod("/a/c", List.of("b0", "r1"), true, true)).isZero();
        for (String path : List.of("/a", "/a/c", "/a/c/d")) {
            assertThat(store.permissions(path)).as(path).hasToString("b0,r1");
        }
        assertThat(store.permissions("/a/b")).hasToString("n0");
        assertThat(store.permissions("/")).hasToString("n0");
        assertThat(tool.chmod("/a", List.of("q0"), false, false)).isEqualTo(1);
        assertThat(tool.chmod("/none", List.of("r0"), false, false)).isEqualTo(1);
        assertThat(printed()).isEqualTo("Invalid permission specification: q0\n"
                + "Error occurred setting permissions on '/none': No such file or directory\n");
    }

    @Test
    void watch() throws InterruptedException {
        Deque<String> events = new ArrayDeque<>(List.of("/a", "/a/b", "/a/c"));
        assertThat(tool.watch(events::remove, 2)).isZero();
        assertThat(printed()).isEqualTo("/a\n/a/b\n");
    }
}
