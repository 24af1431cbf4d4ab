package dev.xenolith.dom0.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.util.Objects;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class VifSpecTest {
    @Test
    void nothingMeansDefaults() throws Exception {
        assertThat(VifSpec.parse("")).isEqualTo(VifSpec.DEFAULT);
        assertThat(VifSpec.parse(" , ,")).isEqualTo(VifSpec.DEFAULT);
        assertThat(VifSpec.DEFAULT.bridge()).isEqualTo("xenbr0");
    }

    @Test
    void takesEverything() throws Exception {
        VifSpec vif = VifSpec
                .parse("mac=00:16:3E:0a:0B:0c, bridge=br1,gatewaydev=eth0,type=vif,model=e1000,vifname=web0,"
                        + "script=/etc/vif,ip=10.0.0.1 10.0.0.2,backend=net,rate=1MB/s@20ms,devid=3,mtu=9000,untrusted");
        assertThat(vif.mac()).hasValue(0x00163e0a0b0cL);
        assertThat(vif.bridge()).isEqualTo("br1");
        assertThat(vif.gatewayDevice()).contains("eth0");
        assertThat(vif.type()).isEqualTo(VifSpec.Type.VIF);
        assertThat(vif.model()).isEqualTo("e1000");
        assertThat(vif.name()).contains("web0");
        assertThat(vif.script()).contains("/etc/vif");
        assertThat(vif.ip()).contains("10.0.0.1 10.0.0.2");
        assertThat(vif.backend()).isEqualTo("net");
        assertThat(vif.rate()).isEqualTo(Optional.of(new VifRate(20_000, 20_000)));
        assertThat(vif.device()).hasValue(3);
        assertThat(vif.mtu()).hasValue(9000);
        assertThat(vif.trusted()).isFalse();
        assertThat(vif.warnings()).containsExactlyInAnyOrder("script is noted only: no hotplug script is run",
                "ip is noted only: no hotplug script is run", "gatewaydev is noted only: no hotplug script is run");
        assertThat(VifSpec.parse("bridge=a,bridge=b,untrusted,trusted").bridge()).isEqualTo("b");
        assertThat(VifSpec.parse("netdev=eth1,accel=1").warnings()).containsExactly(
                "netdev is deprecated, use gatewaydev instead",
                "gatewaydev is noted only: no hotplug script is run", "accel is not supported, ignored");
    }

    @ParameterizedTest
    @CsvSource({"10Mb/s, 62500, 50000", "250KB/s, 12500, 50000", "1MB/s@20ms, 20000, 20000",
        "1GB/s@1s, 1000000000, 1000000",
        "100B/s@1, 100, 1000000", "8Kb/s@500ms, 500, 500000", "1000000B/s@1us, 1, 1"})
    void countsRates(String text, long bytes, long micros) throws Exception {
        assertThat(VifRate.parse(text)).isEqualTo(new VifRate(bytes, micros));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"mac=1:2:3 | 4 | mac: expected six groups",
        "mac=01:00:00:00:00:01 | 4 | group address",
        "bridge=a,brigde=b | 9 | did you mean 'bridge'?", "bridge | 0 | bridge: expected '=' and a value",
        "devid=0, mtu= | 13 | mtu: expected a value", "mtu=67 | 4 | 68 to 65535", "mtu=99999 | 4 | 68 to 65535",
        "type=tap | 5 | expected \"ioemu\" or \"vif\"", "vifname=a/b | 8 | without blanks", "trusted=1 | 0 | no value",
        "rate=10MB | 5 | such as 10Mb/s", "rate=1MB/s@5h | 11 | interval such as", "rate=0B/s | 5 | number of 1 to",
        "rate=1B/s | 5 | at least a byte", "rate=1MB/s@5000s | 11 | at most 4294967295 us",
        "rate=99999999999B/s | 5 | number of 1 to", "rate=4294967295GB/s@4294s | 5 | can be counted",
        "rate=1MB/s@ | 11 | interval such as"})
    void saysWhatIsWrongAndWhere(String text, int offset, String message) {
        VifSpec.Problem problem = catchThrowableOfType(VifSpec.Problem.class, () -> VifSpec.parse(text));
        assertThat(problem).as(text).isNotNull().hasMessageContaining(message);
        assertThat(problem.offset()).as(text).isEqualTo(offset);
    }

    @Test
    void namesThePlaceInTheFile() throws Exception {
        XlConfig config = XlConfigParser.parse("d.cfg", "name='a'\nvif = [ 'bridge=x,mtu=1' ]\n", java.util.List.of());
        XlSetting setting = Objects.requireNonNull(config.setting("vif"));
        XlValue.Atom item = (XlValue.Atom) ((XlValue.Items) setting.value()).items().getFirst();
        assertThat(catchThrowableOfType(XlConfigException.class, () -> VifSpec.parse(item)))
                .hasMessage("d.cfg:2:23: vif: mtu: expected a number of 68 to 65535, found \"1\"");
    }

    @Test
    void anythingIsEitherReadOrRefused() {
        SplittableRandom random = new SplittableRandom(1);
        String alphabet = "macbridgertyp=:,@/01 GMKBs'\\\0é";
        for (int i = 0; i < 200_000; i++) {
            StringBuilder text = new StringBuilder(random.nextBoolean() ? "rate=" : "mac=");
            for (int length = random.nextInt(12); length > 0; length--) {
                text.append(alphabet.charAt(random.nextInt(alphabet.length())));
            }
            try {
                VifSpec.parse(text.toString());
            } catch (VifSpec.Problem e) {
                assertThat(e.offset()).isBetween(0, text.length());
            }
        }
    }
}
