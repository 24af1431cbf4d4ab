package dev.xenolith.dom0.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class DomainConfigReaderTest {
    private static final UUID DRAWN = new UUID(1, 2);
    private static final String LEAST = "name=\"pv1\"\nkernel=\"vmlinuz\"\n";

    @TempDir
    Path directory;

    @BeforeEach
    void makeFiles() throws Exception {
        Files.createDirectories(directory.resolve("cfg"));
        Files.createDirectories(directory.resolve("cwd"));
        Files.createFile(directory.resolve("cfg/vmlinuz"));
        Files.createFile(directory.resolve("cwd/initrd"));
    }

    private DomainConfigReader.Result read(String text, String... overrides) throws XlConfigException {
        return DomainConfigReader.read(XlConfigParser.parse("d.cfg", text, List.of(overrides)),
                List.of(directory.resolve("cfg"), directory.resolve("cwd")),
                new PulledImages(directory.resolve("images")), () -> DRAWN);
    }

    @Test
    void fillsInDefaults() throws XlConfigException {
        DomainConfigReader.Result result = read(LEAST);
        DomainConfig config = result.config();
        assertThat(result.warnings()).isEmpty();
        assertThat(result.missing()).isEmpty();
        assertThat(config.name()).isEqualTo("pv1");
        assertThat(config.uuid()).isEqualTo(DRAWN);
        assertThat(config.type()).isEqualTo(DomainType.PV);
        assertThat(config.memoryKiB()).isEqualTo(32 * 1024);
        assertThat(config.maxMemoryKiB()).isEqualTo(32 * 1024);
        assertThat(config.vcpus()).isEqualTo(1);
        assertThat(config.maxVcpus()).isEqualTo(1);
        assertThat(config.hardAffinity()).isEmpty();
        assertThat(config.lifecycle()).isEqualTo(DomainConfig.Lifecycle.DEFAULT);
        assertThat(boot(config).ramdisk()).isNull();
        assertThat(boot(config).commandLine()).isEmpty();
    }

    private static DomainConfig.Boot boot(DomainConfig config) {
        return Objects.requireNonNull(config.boot());
    }

    @Test
    void aDriverDomainHasHandlersAndNoKernel() throws XlConfigException {
        DomainConfig config = read("name=\"storage\"\ntype=\"java\"\ndriver_domain=1\nmemory=16\n").config();
        assertThat(config.type()).isEqualTo(DomainType.JAVA);
        assertThat(config.boot()).isNull();
        assertThat(config.memoryKiB()).isEqualTo(16 << 10);
        assertThat(read(LEAST + "driver_domain=1").warnings()).singleElement().asString()
                .contains("only domains of type \"java\" are driver domains yet, ignored");
    }

    @Test
    void takesEverythingThatIsSaid() throws XlConfigException {
        DomainConfig config = read(LEAST + """
                uuid = "11111111-2222-3333-4444-555555555555"
                type = "pv"
                ramdisk = "initrd"
                root = "/dev/xvda1"
                extra = "ro quiet"
                memory = 64
                maxmem = 128
                vcpus = 2
                maxvcpus = 4
                cpus = "0-3,^2"
                cpu_weight = 512
                cap = 150
                on_poweroff = "preserve"
                on_reboot = "rename-restart"
                on_crash = "restart"
                on_watchdog = "destroy"
                on_soft_reset = "destroy"
                max_event_channels = 100
                max_grant_frames = 4
                max_maptrack_frames = 8
                max_grant_version = 1
                """, "memory=96").config();
        assertThat(config.uuid()).hasToString("11111111-2222-3333-4444-555555555555");
        assertThat(boot(config).kernel()).isEqualTo(directory.resolve("cfg/vmlinuz"));
        assertThat(boot(config).ramdisk()).isEqualTo(directory.resolve("cwd/initrd"));
        assertThat(boot(config).commandLine()).isEqualTo("root=/dev/xvda1 ro quiet");
        assertThat(config.memoryKiB()).isEqualTo(96 * 1024);
        assertThat(config.maxMemoryKiB()).isEqualTo(128 * 1024);
        assertThat(config.vcpus()).isEqualTo(2);
        assertThat(config.maxVcpus()).isEqualTo(4);
        assertThat(config.hardAffinity()).hasSize(4).allSatisfy(cpus -> {
            assertThat(cpus.contains(1)).isTrue();
            assertThat(cpus.contains(2)).isFalse();
        });
        assertThat(config.scheduling().weight()).hasValue(512);
        assertThat(config.scheduling().cap()).hasValue(150);
        assertThat(config.lifecycle()).isEqualTo(new DomainConfig.Lifecycle(LifecycleAction.PRESERVE,
                LifecycleAction.RENAME_RESTART, LifecycleAction.DESTROY, LifecycleAction.RESTART,
                LifecycleAction.DESTROY));
        assertThat(config.limits().maxEventChannels()).hasValue(100);
        assertThat(config.limits().maxGrantFrames()).hasValue(4);
        assertThat(config.limits().maxMaptrackFrames()).hasValue(8);
        assertThat(config.limits().maxGrantVersion()).hasValue(1);
    }

    @Test
    void warnsOfKeysThatDoNothing() throws XlConfigException {
        assertThat(read(LEAST + "memroy = 5\nvfb = [ '' ]\nxyzzy = 1\ncmdline = \"a\"\nextra = \"b\"").warnings())
                .containsExactly("d.cfg:3: warning: memroy: unknown key, ignored; did you mean 'memory'?",
                        "d.cfg:4: warning: vfb: not supported yet, ignored",
                        "d.cfg:5: warning: xyzzy: unknown key, ignored",
                        "d.cfg:7: warning: extra: ignored in favour of cmdline");
    }

    @Test
    void namesBothPathsOfAMissingFile() throws XlConfigException {
        assertThat(read("name=\"a\"\nkernel=\"none\"\nramdisk=\"/none/at/all\"").missing()).containsExactly(
                "d.cfg:2: kernel: no such file: " + directory.resolve("cfg/none") + ", nor "
                        + directory.resolve("cwd/none"),
                "d.cfg:3: ramdisk: no such file: /none/at/all");
    }

    static Stream<Arguments> mistakes() {
        return Stream.of(Arguments.of("kernel=\"vmlinuz\"", "d.cfg: name: expected a name for the domain, found none"),
                Arguments.of("name=\"a\"", "d.cfg: kernel: expected a kernel for the pv domain, found none"),
                Arguments.of("name=\"a b\"",
                        "d.cfg:1: name: \"a b\" contains U+0020; legal are letters, digits and - _ . : @ + ~"),
                Arguments.of("name=\"12\"", "d.cfg:1: name: \"12\" is a number, which xl would take for a domid"),
                Arguments.of("name=\"-x\"", "d.cfg:1: name: \"-x\" begins with '-'"),
                Arguments.of("name=\"\"", "d.cfg:1: name: \"\" is empty"),
                Arguments.of("name=\"" + "n".repeat(129) + "\"",
                        "d.cfg:1: name: \"" + "n".repeat(129) + "\" is longer than 128 characters"),
                Arguments.of("name=[ \"a\" ]", "d.cfg:1: name: expected a string, found a list"),
                Arguments.of(LEAST + "type=\"hvm\"", "d.cfg:3: type: \"hvm\" is not supported yet; \"pv\" is"),
                Arguments.of(LEAST + "type=\"pvh\"", "d.cfg:3: type: \"pvh\" is not supported yet; \"pv\" is"),
                Arguments.of(LEAST + "builder=\"hvm\"", "d.cfg:3: builder: \"hvm\" is not supported yet; \"pv\" is"),
                Arguments.of("name=\"s\"\ntype=\"java\"",
                        "d.cfg:2: type: a domain of type \"java\" serves disks and vifs"
                                + " of others: expected driver_domain=1"),
                Arguments.of("name=\"s\"\ntype=\"java\"\ndriver_domain=1\nkernel=\"vmlinuz\"",
                        "d.cfg:4: kernel: a domain of type \"java\" has none"),
                Arguments.of(LEAST + "type=\"vm\"",
                        "d.cfg:3: type: expected \"pv\", \"pvh\", \"hvm\" or \"java\", found \"vm\""),
                Arguments.of(LEAST + "memory=0", "d.cfg:3: memory: expected a number from 1 to 16777216, found 0"),
                Arguments.of(LEAST + "memory=\"-5\"",
                        "d.cfg:3: memory: expected a number from 1 to 16777216, found -5"),
                Arguments.of(LEAST + "memory=64;maxmem=32",
                        "d.cfg:3: maxmem: expected at least the 64 MiB of memory, found 32"),
                Arguments.of(LEAST + "vcpus=33", "d.cfg:3: vcpus: expected a number from 1 to 32, found 33"),
                Arguments.of(LEAST + "vcpus=2\nmaxvcpus=1",
                        "d.cfg:4: maxvcpus: expected at least the 2 of vcpus, found 1"),
                Arguments.of(LEAST + "cap=101", "d.cfg:3: cap: expected a number from 0 to 100, found 101"),
                Arguments.of(LEAST + "uuid=\"1234\"",
                        "d.cfg:3: uuid: expected 32 hexadecimal digits grouped 8-4-4-4-12, found \"1234\""),
                Arguments.of(LEAST + "on_crash=\"explode\"",
                        "d.cfg:3: on_crash: expected one of destroy, restart, rename-restart, preserve, coredump-destroy, "
                                + "coredump-restart, soft-reset, found \"explode\""),
                Arguments.of(LEAST + "cpus=\"3-1\"", "d.cfg:3: cpus: expected an ascending range, found \"3-1\""),
                Arguments.of(LEAST + "cpus=\"x\"",
                        "d.cfg:3: cpus: expected processor numbers from 0 to 255, found \"x\""),
                Arguments.of(LEAST + "cpus=[ \"^all\" ]",
                        "d.cfg:3: cpus: expected processors after '^', found \"all\""),
                Arguments.of(LEAST + "channel=['name=a']",
                        "d.cfg:3: channel: \"name=a\": expected connection pty or socket, found none"),
                Arguments.of(LEAST + "channel=['name=a,connection=tty']",
                        "d.cfg:3: channel: \"name=a,connection=tty\": expected connection pty or socket, found \"tty\""),
                Arguments.of(LEAST + "channel=['connection=pty']",
                        "d.cfg:3: channel: \"connection=pty\": expected a name, found none"),
                Arguments.of(LEAST + "channel=['connection=socket,name=a']",
                        "d.cfg:3: channel: \"connection=socket,name=a\": connection socket: expected a path, found none"),
                Arguments.of(LEAST + "channel=['connection=pty,name=a,path=b']",
                        "d.cfg:3: channel: \"connection=pty,name=a,path=b\": path: only a connection of type socket has"
                                + " one"),
                Arguments.of(LEAST + "channel=['nmae=a']",
                        "d.cfg:3: channel: \"nmae=a\": unknown key \"nmae\"; did you mean 'name'?"),
                Arguments.of(LEAST + "channel=['connection=pty,name']",
                        "d.cfg:3: channel: \"connection=pty,name\": name: expected '=' and a value, found none"),
                Arguments.of(LEAST + "vif='x'", "d.cfg:3: vif: expected a list, found \"x\""),
                Arguments.of(LEAST + "vif=['', ['']]", "d.cfg:3:10: vif: expected a string, found a list"),
                Arguments.of(LEAST + "vif=['', 'brigde=b']",
                        "d.cfg:3:11: vif: unknown key \"brigde\"; did you mean 'bridge'?"),
                Arguments.of(LEAST + "vif=['', 'devid=0']", "d.cfg:3:10: vif: two vifs have devid 0"),
                Arguments.of(LEAST + "vif=['mac=00:16:3e:00:00:01', 'mac=00:16:3e:00:00:01']",
                        "d.cfg:3:31: vif: two vifs have the same mac"),
                Arguments.of(LEAST + "cpus=\"node:1\"",
                        "d.cfg:3: cpus: expected node 0, the only one, found \"node:1\""),
                Arguments.of(LEAST + "cpus=\"1,^1\"",
                        "d.cfg:3: cpus: expected at least one processor, found none in \"1,^1\""));
    }

    @ParameterizedTest
    @MethodSource("mistakes")
    void refusesWithPlaceAndCause(String text, String message) {
        assertThatThrownBy(() -> read(text)).isInstanceOf(XlConfigException.class).hasMessage(message);
    }

    @Test
    void selectsProcessorsAsXlDoes() {
        assertThat(CpuSelection.parse("all").all()).isTrue();
        assertThat(CpuSelection.parse("nodes:0").all()).isTrue();
        assertThat(CpuSelection.parse("all,^0").cpus().nextSetBit(0)).isEqualTo(1);
        assertThat(CpuSelection.parse("1, 3-5 ,^4").cpus().stream()).containsExactly(1, 3, 5);
    }

    @Test
    void everyKeyThatIsReadIsInTheTable() {
        assertThat(XlConfigKeys.all().values()).filteredOn(XlConfigKeys.Key::actedOn).extracting(XlConfigKeys.Key::name)
                .contains("name", "kernel", "memory", "on_soft_reset", "cpus").hasSize(30);
        assertThat(XlConfigKeys.all()).hasSizeGreaterThan(150);
    }

    /** The layout and order of the real xl's {@code create -n}. */
    @Test
    void readsVifs() throws XlConfigException {
        DomainConfigReader.Result result = read(
                LEAST + "vif=['', 'devid=7,rate=1Mb/s,mac=00:16:3e:00:00:01', 'script=x']");
        assertThat(result.warnings())
                .containsExactly("d.cfg:3: warning: vif: script is noted only: no hotplug script is run");
        List<VifSpec> vifs = result.config().devices().vifs();
        assertThat(vifs).extracting(vif -> vif.device().orElse(-1)).containsExactly(0, 7, 2);
        assertThat(vifs).extracting(vif -> vif.mac().isPresent()).containsExactly(false, true, false);
        assertThat(result.config().devices().isEmpty()).isFalse();
        assertThat(result.config().devices().withoutVif(7).vifs()).hasSize(2);
    }

    @Test
    void writesDevicesAsXlDoes() throws Exception {
        Files.createFile(directory.resolve("cfg/a.qcow2"));
        DomainConfig config = read(LEAST + "disk=['a.qcow2,qcow2,xvda,w', ',,xvdc,cdrom,untrusted,backendtype=qdisk']\n"
                + "vif=['', 'devid=7,rate=1Mb/s,mac=00:16:3e:00:00:01,bridge=b,type=vif,vifname=web,untrusted']")
                .config();
        StringWriter text = new StringWriter();
        try (DomainConfigJson json = new DomainConfigJson(text)) {
            json.writeRead(config);
        }
        assertThat(text.toString().replaceAll("\\s+", "")).contains("\"disks\":[{\"pdev_path\":\""
                + directory.resolve("cfg/a.qcow2") + "\",\"vdev\":\"xvda\",\"format\":\"qcow2\",\"readwrite\":1,"
                + "\"discard_enable\":\"True\"},{\"vdev\":\"xvdc\",\"backend\":\"qdisk\",\"format\":\"empty\","
                + "\"removable\":1,\"is_cdrom\":1,\"discard_enable\":\"False\",\"trusted\":\"False\"}],\"nics\":[{\"devid\":0,\"bridge\":\"xenbr0\"},"
                + "{\"devid\":7,\"mac\":\"00:16:3e:00:00:01\",\"bridge\":\"b\",\"ifname\":\"web\",\"nictype\":\"vif\","
                + "\"rate_bytes_per_interval\":6250,\"rate_interval_usecs\":50000,\"trusted\":\"False\"}],\"on_reboot\"");
    }

    @Test
    void writesJsonAsXlDoes() throws Exception {
        DomainConfig config = read(LEAST + "ramdisk=\"initrd\"\nextra=\"console=hvc0\"\nmemory=256\nmaxmem=320\n"
                + "uuid=\"11111111-2222-3333-4444-555555555555\"").config();
        StringWriter text = new StringWriter();
        try (DomainConfigJson json = new DomainConfigJson(text)) {
            json.writeRead(config);
        }
        assertThat(text.toString().replace(directory.toString(), "/guest")).isEqualTo("""
                {
                    "c_info": {
                        "type": "pv",
                        "name": "pv1",
                        "uuid": "11111111-2222-3333-4444-555555555555",
                        "run_hotplug_scripts": "True"
                    },
                    "b_info": {
                        "max_vcpus": 1,
                        "avail_vcpus": [
                            0
                        ],
                        "max_memkb": 327680,
                        "target_memkb": 262144,
                        "sched_params": {

                        },
                        "claim_mode": "True",
                        "kernel": "/guest/cfg/vmlinuz",
                        "cmdline": "console=hvc0",
                        "ramdisk": "/guest/cwd/initrd",
                        "type.pv": {

                        },
                        "arch_arm": {

                        },
                        "arch_x86": {

                        }
                    },
                    "on_reboot": "restart",
                    "on_soft_reset": "soft_reset"
                }
                """);
    }

    @Test
    void channelsAreConsoles() throws XlConfigException {
        DomainConfig config = read(
                LEAST + "channel=['connection=pty, name=org.example.agent', 'name=b,backend=dd,connection=socket,path=run/b']")
                .config();
        assertThat(config.devices().channels()).containsExactly(
                new ChannelSpec("org.example.agent", ChannelSpec.Connection.PTY, null, null),
                new ChannelSpec("b", ChannelSpec.Connection.SOCKET, directory.resolve("cfg/run/b").toString(), "dd"));
        assertThat(config.devices().isEmpty()).isFalse();
        StringWriter text = new StringWriter();
        try (DomainConfigJson json = new DomainConfigJson(text)) {
            json.writeRead(config);
        }
        assertThat(text.toString().replaceAll("\\s+", "")).contains("\"channels\":[{\"name\":\"org.example.agent\","
                + "\"connection.pty\":{}},{\"backend_domname\":\"dd\",\"name\":\"b\",\"connection.socket\":{\"path\":\""
                + directory.resolve("cfg/run/b") + "\"}}]");
        assertThatThrownBy(() -> read(LEAST + "channel=['connection=socket,name=a,path=/" + "x".repeat(107) + "']"))
                .hasMessageContaining("a socket's path has at most 107 bytes");
    }
}
