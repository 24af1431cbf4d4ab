package dev.xenolith.device.pci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xenolith.cpu.memory.MemoryLayout;
import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.device.InterruptLine;
import dev.xenolith.device.PortBus;
import dev.xenolith.device.RoundTrip;
import dev.xenolith.device.StateException;
import dev.xenolith.device.TestLine;
import dev.xenolith.device.TestTime;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class PciTest {
    private static final int ADDRESS = 0xcf8;
    private static final int DATA = 0xcfc;
    private static final int PM_BASE = 0xb000;

    private final TestTime time = new TestTime();
    private final PortBus ports = new PortBus();
    private final TestLine[] isa = new TestLine[16];
    private final TestLine sci = new TestLine();
    private final List<AutoCloseable> open = new ArrayList<>();
    private int resets;
    private int powerOffs;
    private Piix3 piix3;
    private Piix4Pm pm;

    @BeforeEach
    void build() {
        for (int i = 0; i < isa.length; i++) {
            isa[i] = new TestLine();
        }
        piix3 = new Piix3(sources(), () -> resets++);
        pm = new Piix4Pm(time, ports, sci, () -> powerOffs++);
        PciBus pci = new PciBus(piix3.resetControl());
        pci.add(0, 0, hostBridge());
        pci.add(1, 0, piix3);
        pci.add(1, 3, pm);
        ports.map(PciBus.PORT, PciBus.PORTS, pci);
    }

    private I440fx hostBridge() {
        PhysicalMemory memory = new PhysicalMemory(MemoryLayout.flat(1 << 20));
        I440fx bridge = new I440fx(memory, new byte[0]);
        open.add(bridge);
        open.add(memory);
        return bridge;
    }

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable each : open) {
            each.close();
        }
    }

    private List<List<InterruptLine>> sources() {
        List<List<InterruptLine>> sources = new ArrayList<>();
        for (int pirq = 0; pirq < Piix3.PIRQS; pirq++) {
            sources.add(List.of(isa));
        }
        return sources;
    }

    private long read(int device, int function, int register, int size) {
        ports.out(ADDRESS, 4, 0x8000_0000L | device << 11 | function << 8 | register & ~3);
        return ports.in(DATA + (register & 3), size);
    }

    private void write(int device, int function, int register, int size, long value) {
        ports.out(ADDRESS, 4, 0x8000_0000L | device << 11 | function << 8 | register & ~3);
        ports.out(DATA + (register & 3), size, value);
    }

    @Test
    void functionsAreFound() {
        assertThat(read(0, 0, 0, 4)).isEqualTo(0x1237_8086L);
        assertThat(read(1, 0, 2, 2)).isEqualTo(0x7000);
        assertThat(read(1, 0, 0x0e, 1)).as("multi-function").isEqualTo(0x80);
        assertThat(read(1, 3, 0, 4)).isEqualTo(0x7113_8086L);
        assertThat(read(1, 3, 0x0b, 1)).as("bridge").isEqualTo(0x06);
        assertThat(read(2, 0, 0, 4)).isEqualTo(0xffff_ffffL);
        assertThat(read(1, 1, 1, 1)).isEqualTo(0xff);
    }

    @Test
    void firmwareFindsThatItsSmiHandlerIsNotWanted() {
        assertThat(read(1, 3, Piix4Pm.DEVACTB, 4)).isEqualTo(1 << 25);
        write(1, 3, Piix4Pm.DEVACTB, 4, 0);
        assertThat(read(1, 3, Piix4Pm.DEVACTB, 4)).isEqualTo(1 << 25);
    }

    @Test
    void onlyWholeAddressesCount() {
        read(0, 0, 0, 4);
        assertThat(ports.in(ADDRESS, 4)).isEqualTo(0x8000_0000L);
        assertThat(ports.in(ADDRESS, 2)).isEqualTo(0xffff);
        ports.out(ADDRESS, 1, 0x40);
        ports.out(ADDRESS, 2, 0x40);
        assertThat(ports.in(ADDRESS, 4)).isEqualTo(0x8000_0000L);
        ports.out(ADDRESS, 4, 0x7fff_ffffL);
        assertThat(ports.in(DATA, 4)).as("disabled").isEqualTo(0xffff_ffffL);
        ports.out(ADDRESS, 4, 0x8001_0000L);
        assertThat(ports.in(DATA, 4)).as("another bus").isEqualTo(0xffff_ffffL);
        ports.out(ADDRESS, 4, 0xffff_ffffL);
        assertThat(ports.in(ADDRESS, 4)).as("reserved bits read as zero").isEqualTo(0x80ff_fffcL);
    }

    @Test
    void resetControlIsBetween() {
        ports.out(0xcf9, 1, 0x02);
        assertThat(ports.in(0xcf9, 1)).isEqualTo(2);
        assertThat(resets).isZero();
        ports.out(0xcf9, 1, 0x06);
        ports.out(0xcf9, 1, 0x0e);
        assertThat(resets).as("on the rising edge only").isEqualTo(1);
        assertThat(ports.in(0xcf9, 1)).isEqualTo(6);
    }

    @Test
    void pamRegistersAreKept() {
        write(0, 0, I440fx.PAM0, 1, 0xff);
        write(0, 0, I440fx.PAM0 + 1, 1, 0xff);
        assertThat(read(0, 0, I440fx.PAM0, 2)).isEqualTo(0x3330);
        write(0, 0, 0, 4, 0);
        assertThat(read(0, 0, 0, 4)).as("read-only").isEqualTo(0x1237_8086L);
    }

    @Test
    void barsTellTheirSize() {
        ConfigSpace config = new ConfigSpace(1, 2, 3, 0x02_0000).ioBar(0, 32).memoryBar(1, 4096, false)
                .memoryBar64(2, 1L << 33, true);
        assertThat(config.get(ConfigSpace.CLASS_CODE, 3)).isEqualTo(0x02_0000);
        config.write(ConfigSpace.BAR_0, 4, -1);
        config.write(ConfigSpace.BAR_0 + 4, 4, -1);
        config.write(ConfigSpace.BAR_0 + 8, 4, -1);
        config.write(ConfigSpace.BAR_0 + 12, 4, -1);
        config.write(ConfigSpace.BAR_0 + 16, 4, -1);
        assertThat(config.get(ConfigSpace.BAR_0, 4)).isEqualTo(0xffff_ffe1);
        assertThat(config.get(ConfigSpace.BAR_0 + 4, 4)).isEqualTo(0xffff_f000);
        assertThat(config.get(ConfigSpace.BAR_0 + 8, 4)).isEqualTo(0x0c);
        assertThat(config.get(ConfigSpace.BAR_0 + 12, 4)).isEqualTo(-2);
        assertThat(config.get(ConfigSpace.BAR_0 + 16, 4)).as("no such BAR").isZero();
        config.write(ConfigSpace.BAR_0, 4, 0xc001);
        config.write(ConfigSpace.BAR_0 + 8, 4, 0);
        config.write(ConfigSpace.BAR_0 + 12, 4, 6);
        assertThat(config.bar(0)).as("decoding is off").isEqualTo(-1);
        config.write(ConfigSpace.COMMAND, 2, 0xffff);
        assertThat(config.get(ConfigSpace.COMMAND, 2)).isEqualTo(3);
        assertThat(config.bar(0)).isEqualTo(0xc000);
        assertThat(config.bar(1)).isEqualTo(0xffff_f000L);
        assertThat(config.bar(2)).isEqualTo(6L << 32);
        assertThatThrownBy(() -> config.ioBar(5, 24)).hasMessage("a BAR of 24 bytes");
    }

    @Test
    void statusBitsAreClearedByOnes() {
        ConfigSpace config = new ConfigSpace(1, 2, 3, 0).set(ConfigSpace.STATUS, 2, 0xf900)
                .allowClear(ConfigSpace.STATUS, 2, 0xf900);
        config.write(ConfigSpace.STATUS, 2, 0x8100);
        assertThat(config.get(ConfigSpace.STATUS, 2)).isEqualTo(0x7800);
    }

    @Test
    void pirqsAreRouted() {
        InterruptLine pirqB = piix3.pirq(1);
        pirqB.set(true);
        for (TestLine line : isa) {
            assertThat(line.level()).isFalse();
        }
        write(1, 0, Piix3.PIRQRCA + 1, 1, 10);
        assertThat(isa[10].level()).isTrue();
        write(1, 0, Piix3.PIRQRCA + 1, 1, 11);
        assertThat(isa[10].level()).isFalse();
        assertThat(isa[11].level()).isTrue();
        write(1, 0, Piix3.PIRQRCA + 1, 1, 8);
        assertThat(isa[8].level()).as("reserved").isFalse();
        write(1, 0, Piix3.PIRQRCA + 1, 1, 0x8b);
        assertThat(isa[11].level()).isFalse();
        assertThat(read(1, 0, Piix3.PIRQRCA + 1, 1)).isEqualTo(0x8b);
    }

    private void placePm() {
        write(1, 3, Piix4Pm.PMBA, 4, PM_BASE | 1);
        write(1, 3, Piix4Pm.PMREGMISC, 1, 1);
    }

    @Test
    void thePmBlockGoesWhereItIsPut() {
        assertThat(ports.in(PM_BASE + Piix4Pm.PMCNTRL, 2)).isEqualTo(0xffff);
        placePm();
        assertThat(ports.in(PM_BASE + Piix4Pm.PMCNTRL, 2)).isZero();
        write(1, 3, Piix4Pm.PMBA, 4, 0xc001);
        assertThat(ports.in(PM_BASE, 2)).isEqualTo(0xffff);
        assertThat(ports.in(0xc000, 2)).isZero();
        write(1, 3, Piix4Pm.PMBA, 4, 0xcc1);
        assertThat(ports.in(0xcf8, 4)).as("not over another device").isNotEqualTo(0);
        assertThat(ports.in(0xc000, 2)).isEqualTo(0xffff);
    }

    @Test
    void thePmTimerIsReadInAnyWidth() {
        placePm();
        time.advance(1_000_000_000);
        assertThat(ports.in(PM_BASE + Piix4Pm.PMTMR, 4)).isEqualTo(3_579_545);
        assertThat(ports.in(PM_BASE + Piix4Pm.PMTMR + 1, 2)).isEqualTo(3_579_545 >>> 8);
        ports.out(PM_BASE + Piix4Pm.PMTMR, 4, 0);
        assertThat(ports.in(PM_BASE + Piix4Pm.PMTMR, 4)).isEqualTo(3_579_545);
        time.advance(2_000_000_000);
        assertThat(ports.in(PM_BASE, 2) & 1).as("TMR_STS").isEqualTo(1);
    }

    @Test
    void theTimerInterruptsInAcpiMode() {
        placePm();
        ports.out(PM_BASE + Piix4Pm.PMEN, 2, 1);
        time.advance(2_400_000_000L);
        assertThat(sci.level()).as("SCI is not enabled").isFalse();
        pm.apm().write(0, 1, Piix4Pm.ACPI_ENABLE);
        assertThat(sci.level()).isTrue();
        assertThat(ports.in(PM_BASE + Piix4Pm.PMCNTRL, 2)).isEqualTo(1);
        ports.out(PM_BASE + Piix4Pm.PMSTS, 1, 1);
        assertThat(sci.level()).isFalse();
        time.advance(2_400_000_000L);
        assertThat(sci.level()).isTrue();
        pm.apm().write(0, 1, Piix4Pm.ACPI_DISABLE);
        assertThat(sci.level()).isFalse();
        assertThat(pm.apm().readByte(0)).isEqualTo(Piix4Pm.ACPI_DISABLE);
    }

    @Test
    void thePowerButtonInterrupts() {
        placePm();
        ports.out(PM_BASE, 4, 0x0100_0000L);
        ports.out(PM_BASE + Piix4Pm.PMCNTRL, 1, 1);
        assertThat(ports.in(PM_BASE + Piix4Pm.PMEN, 2)).as("a write of 32 bits covers two registers").isEqualTo(0x100);
        pm.pressPowerButton();
        assertThat(sci.level()).isTrue();
        ports.out(PM_BASE + 1, 1, 1);
        assertThat(sci.level()).as("its upper byte alone").isFalse();
    }

    @Test
    void softOff() {
        placePm();
        ports.out(PM_BASE + Piix4Pm.PMCNTRL, 2, 1 << 13 | 1 << 10);
        assertThat(powerOffs).as("another sleep type").isZero();
        ports.out(PM_BASE + Piix4Pm.PMCNTRL, 2, 1 << 13);
        assertThat(powerOffs).isEqualTo(1);
        assertThat(ports.in(PM_BASE + Piix4Pm.PMCNTRL, 2)).as("SUS_EN reads as zero").isZero();
    }

    @Test
    void stateComesBack() throws StateException {
        placePm();
        write(1, 0, Piix3.PIRQRCA, 1, 5);
        piix3.pirq(0).set(true);
        ports.out(PM_BASE + Piix4Pm.PMEN, 2, 0x101);
        ports.out(PM_BASE + Piix4Pm.PMCNTRL, 2, 1);
        PortBus copyPorts = new PortBus();
        TestLine[] before = isa.clone();
        build0(isa);
        Piix3 copy = new Piix3(sources(), () -> {});
        PciBus pci = new PciBus(copy.resetControl());
        Piix4Pm copyPm = new Piix4Pm(time.copy(), copyPorts, sci, () -> {});
        pci.add(0, 0, hostBridge());
        pci.add(1, 0, copy);
        pci.add(1, 3, copyPm);
        PciBus original = new PciBus(piix3.resetControl());
        original.add(0, 0, hostBridge());
        original.add(1, 0, piix3);
        original.add(1, 3, pm);
        RoundTrip.check(original, pci);
        assertThat(before[5].level()).isTrue();
        assertThat(isa[5].level()).as("driven by the copy").isTrue();
        assertThat(copyPorts.in(PM_BASE + Piix4Pm.PMEN, 2)).isEqualTo(0x101);
        copyPm.pressPowerButton();
        assertThat(sci.level()).isTrue();
    }

    private static void build0(TestLine[] lines) {
        for (int i = 0; i < lines.length; i++) {
            lines[i] = new TestLine();
        }
    }
}
