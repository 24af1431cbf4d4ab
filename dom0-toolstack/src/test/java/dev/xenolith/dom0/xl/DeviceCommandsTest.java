package dev.xenolith.dom0.xl;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DeviceCommandsTest {
    @TempDir
    Path directory;

    private final FakeToolstack toolstack = new FakeToolstack();
    private TestClient client = new TestClient(Path.of("/"));

    @BeforeEach
    void putDomain() {
        toolstack.put(new DomainInfo(4, "pv2", new UUID(1, 1), 262144, 262144, 1, false, true, false, false, null,
                "Pool-0", 256, 0, 0, 0));
    }

    private int xl(String... arguments) {
        client = new TestClient(directory);
        return Xl.run(List.of(arguments), client, () -> toolstack);
    }

    @Test
    void helpIsTheRealOne() {
        assertThat(xl("block-detach", "--help")).isZero();
        assertThat(client.outText()).isEqualTo("""
                Usage: xl [-vtTf] block-detach [option] <Domain> <DevId>

                Destroy a domain's virtual block device.

                Options:

                -f, --force        do not wait for the domain to release the device
                """);
        assertThat(xl("help", "network-detach")).isZero();
        assertThat(client.outText()).startsWith("Usage: xl [-vtTf] network-detach <Domain> <DevId|mac>\n");
        assertThat(xl("help")).isZero();
        assertThat(client.outText().lines()).containsSequence(
                " network-attach      Create a new virtual network device",
                " network-list        List virtual network interfaces for a domain",
                " network-detach      Destroy a domain's virtual network device",
                " channel-list        List virtual channel devices for a domain",
                " block-attach        Create a new virtual block device",
                " block-list          List virtual block devices for a domain",
                " block-detach        Destroy a domain's virtual block device",
                " uptime              Print uptime for all/some domains");
    }

    @Test
    void emptyListsAreThoseOfTheRealXl() {
        assertThat(xl("block-list", "pv2")).isZero();
        assertThat(client.outText()).isEqualTo("Vdev  BE  handle state evt-ch ring-ref BE-path\n");
        assertThat(xl("network-list", "pv2")).isZero();
        assertThat(client.outText())
                .isEqualTo("Idx BE Mac Addr.         handle state evt-ch   tx-/rx-ring-ref BE-path\n");
        assertThat(xl("network-list", "nosuch")).isEqualTo(1);
        assertThat(xl("network-list")).isEqualTo(2);
    }

    @Test
    void vifsComeAndGo() {
        assertThat(xl("network-attach", "pv2", "mac=00:16:3e:11:22:33", "bridge=xenbr1")).isZero();
        assertThat(xl("network-attach", "4", "accel=1")).isZero();
        assertThat(client.errText()).isEqualTo("xl: warning: network-attach: accel is not supported, ignored\n");
        assertThat(xl("network-list", "pv2")).isZero();
        assertThat(client.outText()).endsWith("""
                0   0  00:16:3e:11:22:33      0     4     14   768/769         /local/domain/0/backend/vif/4/0
                1   0  00:16:3e:00:00:01      1     4     14   768/769         /local/domain/0/backend/vif/4/1
                """);
        assertThat(xl("network-detach", "pv2", "00:16:3E:11:22:33")).isZero();
        assertThat(xl("network-detach", "pv2", "1")).isZero();
        assertThat(xl("network-detach", "pv2", "1")).isEqualTo(1);
        assertThat(client.errText()).isEqualTo("xl: network-detach: unknown device '1'\n");
        assertThat(xl("network-detach", "pv2", "x")).isEqualTo(1);
        assertThat(xl("network-attach", "pv2", "brigde=x")).isEqualTo(1);
        assertThat(client.errText())
                .isEqualTo("xl: network-attach: unknown key \"brigde\"; did you mean 'bridge'?\n");
        assertThat(toolstack.log()).containsExactly("attach 4 vif xenbr1", "attach 4 vif xenbr0", "detach 4 vif 0",
                "detach 4 vif 1");
        assertThat(xl("-N", "network-attach", "pv2", "bridge=b")).isZero();
        assertThat(client.outText().replaceAll("\\s+", "")).isEqualTo("vif:{\"bridge\":\"b\"}");
    }

    @Test
    void disksComeAndGo() throws Exception {
        Files.createFile(directory.resolve("a.img"));
        assertThat(xl("block-attach", "pv2", "a.img", "raw", "xvda", "w")).isZero();
        assertThat(xl("block-attach", "pv2", "phy:a.img,xvdb,w")).isZero();
        assertThat(xl("block-list", "pv2")).isZero();
        assertThat(client.outText()).isEqualTo("""
                Vdev  BE  handle state evt-ch ring-ref BE-path
                51712 0   4      4     13     8        /local/domain/0/backend/vbd/4/51712
                51728 0   4      4     13     8        /local/domain/0/backend/vbd/4/51728
                """);
        assertThat(xl("block-detach", "pv2", "xvda")).isZero();
        assertThat(xl("block-detach", "--force", "pv2", "51728")).isZero();
        assertThat(toolstack.log()).containsExactly("attach 4 disk " + directory.resolve("a.img") + " xvda",
                "attach 4 disk " + directory.resolve("a.img") + " xvdb", "detach 4 disk 51712",
                "detach 4 disk 51728 force");
        assertThat(xl("block-detach", "pv2", "xvda")).isEqualTo(1);
        assertThat(client.errText()).isEqualTo("xl: block-detach: device xvda not connected\n");
        assertThat(xl("block-attach", "pv2", "nonsense")).isEqualTo(1);
        assertThat(client.errText()).contains("block-attach: \"nonsense\"").contains("expected a vdev");
        assertThat(xl("block-attach", "pv2", "phy:/none,xvda,w")).isEqualTo(1);
        assertThat(client.errText()).isEqualTo("xl: block-attach: xvda: no such file: /none\n");
        assertThat(xl("-N", "block-attach", "pv2", "/none,raw,xvda,r")).isZero();
        assertThat(client.outText().replaceAll("\\s+", "")).isEqualTo(
                "disk:{\"pdev_path\":\"/none\",\"vdev\":\"xvda\",\"format\":\"raw\",\"discard_enable\":\"False\"}");
    }

    @Test
    void mediaComeAndGo() throws Exception {
        Files.createFile(directory.resolve("a.iso"));
        assertThat(xl("block-attach", "pv2", "devtype=cdrom,vdev=xvdc,access=ro,target=a.iso")).isZero();
        assertThat(xl("cd-insert", "pv2", "xvdc", "qcow2:a.iso")).isZero();
        assertThat(xl("cd-eject", "4", "xvdc")).isZero();
        assertThat(toolstack.log().subList(1, 3)).containsExactly(
                "medium 4 xvdc qcow2 " + directory.resolve("a.iso"), "medium 4 xvdc raw null");
        assertThat(xl("cd-insert", "pv2", "xvdc")).isEqualTo(2);
        assertThat(xl("cd-insert", "pv2", "xvdc", "none.iso")).isEqualTo(1);
        assertThat(client.errText())
                .isEqualTo("xl: cd-insert: xvdc: no such file: " + directory.resolve("none.iso") + '\n');
        assertThat(xl("cd-insert", "pv2", "xvdc", "")).isEqualTo(1);
        assertThat(client.errText()).isEqualTo("xl: cd-insert: expected a file, found nothing\n");
        assertThat(xl("cd-eject", "pv2", "xvda")).isEqualTo(1);
        assertThat(client.errText()).isEqualTo("xl: cd-eject: device xvda not connected\n");
        assertThat(xl("cd-eject", "pv2", "floppy")).isEqualTo(1);
        assertThat(client.errText()).contains("expected a virtual device such as xvda").contains("\"floppy\"");
        assertThat(xl("-N", "cd-insert", "pv2", "xvdc", "/none.iso")).isZero();
        assertThat(client.outText().replaceAll("\\s+", "")).startsWith("disk:{\"pdev_path\":\"/none.iso\"")
                .contains("\"is_cdrom\":1");
        assertThat(toolstack.log()).hasSize(3);
    }

    @Test
    void channelsAreListedAndAttachedTo() {
        assertThat(xl("channel-list", "pv2", "Domain-0")).isZero();
        assertThat(client.outText()).isEqualTo("""
                Idx BE state evt-ch ring-ref connection
                1   0  4     15     9        pty
                2   0  1     -1     -1       socket     /run/agent
                """);
        assertThat(xl("channel-list")).isEqualTo(2);
        assertThat(xl("console", "-n", "3", "pv2")).isEqualTo(1);
        assertThat(client.errText()).isEqualTo("xl: console: domain pv2 has no console 3\n");
        client = new TestClient(directory);
        client.input("ls\u001d");
        assertThat(Xl.run(List.of("console", "-t", "pv", "-n", "2", "pv2"), client, () -> toolstack)).isZero();
        assertThat(toolstack.log()).contains("attach 4 console 2");
    }
}
