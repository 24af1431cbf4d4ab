package dev.xenolith.device.pci;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class PciInterruptTest {
    private static final int MSI = 0x50;
    private static final int MSIX = 0x70;
    private final List<String> messages = new ArrayList<>();
    private final boolean[] pin = new boolean[1];
    private final ConfigSpace config = new ConfigSpace(0x1234, 0x5678, 1, 0x02_0000);

    private void record(long address, int data) {
        messages.add(Long.toHexString(address) + "=" + Integer.toHexString(data));
    }

    private void enableMsi(int control) {
        config.write(MSI + 4, 4, 0xfee0_1000);
        config.write(MSI + 12, 2, 0x4030);
        config.write(MSI + 2, 2, control);
    }

    @Test
    void thePinIsDrivenUnlessSoftwareForbidsIt() {
        PciInterrupt interrupt = new PciInterrupt(config, level -> pin[0] = level, null);
        assertThat(config.get(ConfigSpace.INTERRUPT_PIN, 1)).isEqualTo(1);
        interrupt.set(true);
        assertThat(pin[0]).isTrue();
        config.write(ConfigSpace.COMMAND, 2, ConfigSpace.COMMAND_INTX_DISABLE);
        assertThat(pin[0]).isFalse();
        assertThat(config.get(ConfigSpace.STATUS, 2) & ConfigSpace.STATUS_INTERRUPT).isNotZero();
        config.write(ConfigSpace.COMMAND, 2, 0);
        assertThat(pin[0]).isTrue();
        interrupt.set(false);
        assertThat(pin[0]).isFalse();
    }

    @Test
    void eachTimeThatItBeginsToAskIsAMessage() {
        PciInterrupt interrupt = new PciInterrupt(config, level -> pin[0] = level,
                new Msi(config, MSI, 1, this::record));
        enableMsi(1);
        interrupt.set(true);
        interrupt.set(true);
        assertThat(pin[0]).isFalse();
        interrupt.set(false);
        interrupt.set(true);
        assertThat(messages).containsExactly("fee01000=4030", "fee01000=4030");
    }

    @Test
    void aMaskedMessageWaits() {
        Msi msi = new Msi(config, MSI, 4, this::record);
        enableMsi(2 << 4 | 1);
        msi.raise(3);
        config.write(MSI + 16, 4, 0b0100);
        msi.raise(2);
        assertThat(messages).containsExactly("fee01000=4033");
        assertThat(config.get(MSI + 20, 4)).isEqualTo(0b0100);
        config.write(MSI + 16, 4, 0);
        assertThat(messages).containsExactly("fee01000=4033", "fee01000=4032");
        assertThat(config.get(MSI + 20, 4)).isZero();
    }

    @Test
    void aFunctionWithFewerVectorsThanItAskedForSharesThem() {
        Msi msi = new Msi(config, MSI, 4, this::record);
        enableMsi(1 << 4 | 1);
        msi.raise(3);
        assertThat(messages).containsExactly("fee01000=4031");
        enableMsi(7 << 4 | 1);
        msi.raise(3);
        assertThat(messages).endsWith("fee01000=4033");
    }

    @Test
    void vectorsOfTheTableAreMaskedOneByOneAndTogether() throws Exception {
        Msix msix = new Msix(config, MSIX, 3, 1, 0, 0x800, this::record);
        assertThat(config.get(MSIX, 4)).isEqualTo(2 << 16 | 0x11);
        assertThat(config.get(MSIX + 8, 4)).isEqualTo(0x801);
        msix.table().write(16, 8, 0x1_fee0_2001L);
        msix.table().write(24, 4, 0x31);
        config.write(MSIX + 2, 2, 0x8000);
        msix.raise(1);
        assertThat(messages).isEmpty();
        assertThat(msix.pending().read(0, 8)).isEqualTo(2);
        byte[] state = StateWriter.save(msix);
        msix.table().write(28, 4, 0);
        assertThat(messages).containsExactly("1fee02000=31");
        assertThat(msix.pending().read(0, 8)).isZero();

        config.write(MSIX + 2, 2, 0xc000);
        msix.raise(1);
        assertThat(messages).hasSize(1);
        config.write(MSIX + 2, 2, 0x8000);
        assertThat(messages).hasSize(2);
        msix.raise(99);

        StateReader.restore(msix, state);
        assertThat(StateWriter.save(msix)).isEqualTo(state);
        assertThat(msix.pending().read(0, 8)).isEqualTo(2);
        assertThat(msix.table().read(28, 4)).isEqualTo(1);
    }
}
