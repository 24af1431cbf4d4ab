package dev.xenolith.dom0.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xenolith.dom0.host.NetworkOptions.Outside;
import dev.xenolith.dom0.net.nat.NatSettings;
import dev.xenolith.dom0.net.nat.PortForward;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NetworkOptionsTest {
    @Test
    void readsBridgesAndForwards() {
        assertThat(NetworkOptions.parse(List.of(), List.of())).isEqualTo(NetworkOptions.DEFAULT);
        NetworkOptions options = NetworkOptions.parse(
                List.of("inner=none", "lab=tap:tap0", "xenbr1=nat:192.168.5.0/24", "xenbr2=nat"),
                List.of("tcp:2222-10.0.2.15:22", "udp:0.0.0.0:53-10.0.2.16:53"));
        assertThat(options.bridges()).containsOnlyKeys("xenbr0", "inner", "lab", "xenbr1", "xenbr2")
                .containsEntry("inner", new Outside.None()).containsEntry("lab", new Outside.Tap("tap0"))
                .containsEntry("xenbr1", new Outside.Nat(NatSettings.parse("192.168.5.0/24")));
        assertThat(options.forwards()).extracting(PortForward::toString)
                .containsExactly("TCP 127.0.0.1:2222 to 10.0.2.15:22", "UDP 0.0.0.0:53 to 10.0.2.16:53");
        assertThat(NetworkOptions.parse(List.of("xenbr0=none"), List.of()).bridges()).containsEntry("xenbr0",
                new Outside.None());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "xenbr0", "xenbr0=", "=nat", "a b=nat", "xenbr0=bridge", "xenbr0=tap:", "xenbr0=nat:x",
        "xenbr0=nat:10.0.0.1/24", "sixteencharacter=nat", "a/b=nat"})
    void refusesOtherBridges(String text) {
        assertThatThrownBy(() -> NetworkOptions.parse(List.of(text), List.of()))
                .hasMessageStartingWith("--net: expected");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "tcp:22", "sctp:1-10.0.2.15:1", "tcp:99999-10.0.2.15:22", "tcp:22-10.0.2.15:0",
        "tcp:22-10.0.2.256:22", "tcp:host:22-10.0.2.15:22", "tcp:22-:22"})
    void refusesOtherForwards(String text) {
        assertThatThrownBy(() -> NetworkOptions.parse(List.of(), List.of(text)))
                .hasMessageStartingWith("--forward: expected");
    }
}
