package dev.xenolith.dom0.net.tap;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xenolith.dom0.net.Bridge;
import dev.xenolith.dom0.net.NetworkException;
import dev.xenolith.dom0.net.TestContext;
import dev.xenolith.dom0.net.packet.Offload;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TapPortTest {
    private final TestContext context = new TestContext(1);
    private final Bridge bridge = new Bridge("xenbr0", context::now);

    @ParameterizedTest
    @ValueSource(strings = {"", "a/b", "a b", "sixteen-bytes-xx"})
    void refusesNamesThatNoInterfaceHas(String name) {
        assertThatThrownBy(() -> TapPort.attach(bridge, context, name)).isInstanceOf(NetworkException.class)
                .hasMessageContaining("\"" + name + "\"");
        assertThat(bridge.links()).isEmpty();
    }

    /** Where we may have one it works and goes; elsewhere the error names the interface and what is missing. */
    @Test
    void attachesOrSaysWhatIsMissing() {
        TapPort port;
        try {
            port = TapPort.attach(bridge, context, "xentest0");
        } catch (NetworkException e) {
            assertThat(e).hasMessageStartingWith("TAP interface xentest0: ")
                    .hasMessageMatching(".*(CAP_NET_ADMIN|/dev/net/tun|only Linux).*");
            assertThat(bridge.links()).isEmpty();
            return;
        }
        assertThat(port.name()).isEqualTo("xentest0");
        // The interface is down.
        assertThat(port.deliver(new byte[60], 0, 60, Offload.NONE)).isFalse();
        assertThat(port.deliver(new byte[70], 7, 60, Offload.NONE)).isFalse();
        port.close();
        assertThat(bridge.links()).isEmpty();
    }
}
