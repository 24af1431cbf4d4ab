package dev.xenolith.dom0.xl;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.dom0.xenstore.XenstoreException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class XenolithTest {
    private final FakeToolstack toolstack = new FakeToolstack();
    private final FakeXenstore store = toolstack.fakeXenstore();
    private TestClient client = new TestClient(Path.of("/"));

    @BeforeEach
    void fill() throws XenstoreException {
        store.writeText("/tool/xenstored", "");
        store.writeText("/local/domain/0/name", "Domain-0");
        store.writeText("/local/domain/0/odd", "a\tb\\\u0001\u00e9");
    }

    private int xenolith(String... arguments) {
        client = new TestClient(Path.of("/"));
        return Xenolith.run(List.of(arguments), client, () -> toolstack, Map.of());
    }

    @Test
    void showsTrees() {
        assertThat(xenolith("xenstore", "ls")).isZero();
        assertThat(client.outText()).isEqualTo("""
                local = ""
                 domain = ""
                  0 = ""
                   name = "Domain-0"
                   odd = "a\\tb\\\\\\001\\xc3\\xa9"
                tool = ""
                 xenstored = ""
                """);
        assertThat(xenolith("xenstore", "ls", "-fp", "/local/domain")).isZero();
        assertThat(client.outText()).startsWith("""
                /local/domain/0 = ""   (n0)
                /local/domain/0/name = "Domain-0"   (n0)
                """);
        assertThat(xenolith("xenstore", "ls", "/nowhere")).isEqualTo(1);
        assertThat(client.errText())
                .isEqualTo("xenolith: xenstore: xs_directory (/nowhere): No such file or directory\n");
    }

    @Test
    void waitsForGdb() {
        assertThat(xenolith("gdb", "Domain-0", ":1234")).isZero();
        assertThat(client.outText()).isEqualTo("domain 0 has stopped; in gdb: target remote 127.0.0.1:1234\n");
        assertThat(xenolith("gdb", "0", "--destroy-on-kill")).isZero();
        assertThat(toolstack.log()).containsExactly("debug 0", "let go 0", "debug 0 destroys", "let go 0");
        assertThat(xenolith("gdb", "nosuch")).isEqualTo(1);
        assertThat(client.errText()).contains("'nosuch'");
        assertThat(xenolith("gdb", "0", "nonsense")).isEqualTo(2);
        assertThat(client.errText()).isEqualTo("xenolith: gdb: expected [HOST]:PORT, found 'nonsense'\n");
    }

    @Test
    void showsAndCapturesTheNetwork() {
        assertThat(xenolith("net", "list")).isZero();
        assertThat(client.outText()).isEqualTo(
                """
                        Bridge          Port                  Sent          Bytes  Malformed   Received          Bytes    Dropped
                        xenbr0          vif4.0                  10           1000          1         20           3000          2
                        """);
        assertThat(xenolith("net", "capture", "-s", "96", "vif4.0", "a.pcap")).isZero();
        assertThat(toolstack.log()).containsExactly("capture vif4.0 /a.pcap 96", "capture closed");
        assertThat(client.errText()).endsWith("3 frames captured, 1 left out\n");
        assertThat(xenolith("net", "capture", "vif4.0")).isEqualTo(2);
    }

    @Test
    void readsWritesAndRemoves() throws XenstoreException {
        assertThat(xenolith("xenstore", "write", "/a/b", "x\\x41\\101\\ty\\\\", "/a/c", "")).isZero();
        assertThat(new String(store.read("/a/b"), StandardCharsets.UTF_8)).isEqualTo("xAA\ty\\");
        assertThat(xenolith("xenstore", "read", "/a/b", "/local/domain/0/name")).isZero();
        assertThat(client.outText()).isEqualTo("xAA\\ty\\\\\nDomain-0\n");
        assertThat(xenolith("xenstore", "read", "-R", "/a/b")).isZero();
        assertThat(client.outText()).isEqualTo("xAA\ty\\");
        assertThat(xenolith("xenstore", "read", "-p", "/a/c")).isZero();
        assertThat(client.outText()).isEqualTo("/a/c: \n");
        assertThat(xenolith("xenstore", "list", "/a")).isZero();
        assertThat(client.outText()).isEqualTo("b\nc\n");
        assertThat(xenolith("xenstore", "list", "-p", "/")).isZero();
        assertThat(client.outText()).isEqualTo("/a\n/local\n/tool\n");
        assertThat(xenolith("xenstore", "exists", "/a/b")).isZero();
        assertThat(xenolith("xenstore", "rm", "/a/b")).isZero();
        assertThat(xenolith("xenstore", "exists", "/a/b")).isEqualTo(1);
        assertThat(client.errText()).isEmpty();
        assertThat(xenolith("xenstore", "rm", "-t", "/a/c")).isZero();
        assertThat(xenolith("xenstore", "exists", "/a")).isEqualTo(1);
        assertThat(xenolith("xenstore", "read", "/a")).isEqualTo(1);
        assertThat(xenolith("xenstore", "write", "/a", "1", "/b")).isEqualTo(2);
    }

    @Test
    void repeatsTransactionsThatDidNotHold() {
        store.failCommits(2);
        assertThat(xenolith("xenstore", "read", "/local/domain/0/name", "/local/domain/0/name")).isZero();
        assertThat(client.outText()).isEqualTo("Domain-0\nDomain-0\n");
        assertThat(store.commits()).isEqualTo(3);
    }

    @Test
    void setsPermissions() throws XenstoreException {
        assertThat(xenolith("xenstore", "chmod", "-r", "/local", "n0", "r5")).isZero();
        assertThat(store.permissions("/local/domain/0/name")).hasToString("n0,r5");
        assertThat(xenolith("xenstore", "chmod", "-u", "/tool/xenstored", "b1")).isZero();
        assertThat(store.permissions("/tool")).hasToString("b1");
        assertThat(xenolith("xenstore", "chmod", "/tool", "z1")).isEqualTo(2);
        assertThat(client.errText()).contains("expected n, r, w or b and a domid, found 'z1'");
    }

    @Test
    void watchesSeveralPaths() throws Exception {
        Thread writer = Thread.ofVirtual().start(() -> {
            try {
                while (!client.outText().contains("/tool\n")) {
                    Thread.onSpinWait();
                }
                store.writeText("/tool/xenstored", "changed");
                store.writeText("/elsewhere", "not watched");
                store.writeText("/local/domain/0/name", "other");
            } catch (XenstoreException e) {
                throw new AssertionError(e);
            }
        });
        client = new TestClient(Path.of("/"));
        assertThat(Xenolith.run(List.of("xenstore", "watch", "-n", "4", "/local", "/tool"), client, () -> toolstack,
                Map.of())).isZero();
        writer.join();
        assertThat(client.outText()).isEqualTo("/local\n/tool\n/tool/xenstored\n/local/domain/0/name\n");
        assertThat(xenolith("xenstore", "watch", "-n", "1", "no//path")).isEqualTo(1);
        assertThat(client.errText()).isEqualTo("xenolith: xenstore: could not watch no//path: Invalid argument\n");
        assertThat(xenolith("xenstore", "watch")).isEqualTo(2);
    }

    @Test
    void cutsLinesAsXenstoreLsDoes() throws Exception {
        store.writeText("/wide", "0123456789".repeat(20));
        assertThat(xenolith("xenstore", "ls")).isZero();
        assertThat(client.outText()).contains("\nwide = \"" + "0123456789".repeat(7).substring(0, 68) + "\\...\"\n");
        assertThat(xenolith("xenstore", "ls", "-f")).isZero();
        assertThat(client.outText()).contains("\n/wide = \"" + "0123456789".repeat(20) + "\"\n");
    }

    @Test
    void tracesWithFilters() {
        assertThat(xenolith("trace", "-c", "trap,event", "-d", "Domain-0")).isZero();
        assertThat(client.outText()).isEqualTo("0.000001 trace [event, trap] OptionalInt[0]\n");
    }

    @Test
    void helpAndMistakes() {
        assertThat(xenolith("--version")).isZero();
        assertThat(client.outText()).startsWith("xenolith ").doesNotContain("${");
        assertThat(xenolith("--help")).isZero();
        assertThat(client.outText()).contains("Usage: xenolith", "xenstore", "trace");
        assertThat(xenolith("xenstore", "--help")).isZero();
        assertThat(client.outText()).contains("watch", "chmod");
        assertThat(xenolith("xenstore", "read", "--help")).isZero();
        assertThat(xenolith("xenstore", "read")).isEqualTo(2);
        assertThat(client.errText()).startsWith("xenolith: Missing required parameter: 'PATH").endsWith(
                "; see 'xenolith xenstore read --help'\n");
        assertThat(xenolith("bogus")).isEqualTo(2);
        assertThat(xenolith()).isEqualTo(2);
    }
}
