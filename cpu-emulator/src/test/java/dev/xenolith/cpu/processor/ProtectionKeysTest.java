package dev.xenolith.cpu.processor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.cpu.model.CpuModel;
import dev.xenolith.cpu.paging.Mmu;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Protection keys (SDM 3A 4.6.2), PKRU and its state component. */
class ProtectionKeysTest {
    private static final long PAGE = 0x40_0000;
    private static final long OTHER = 0x60_0000;
    private static final long AREA = 0x8_0000;
    private static final int KEY = 9;
    private static final int ACCESS_DISABLE = 1 << 2 * KEY;
    private static final int WRITE_DISABLE = 2 << 2 * KEY;
    private static final int PK = Mmu.PF_KEY;
    private static final int P = Mmu.PF_PRESENT;
    private static final int W = Mmu.PF_WRITE;
    private static final int U = Mmu.PF_USER;
    private static final int NONE = -1;

    private final TestMachine machine = new TestMachine();
    private final Processor p = machine.p;

    @BeforeEach
    void enable() {
        assertThat(ControlRegisters.writeCr4(p, p.cr4 | Bits.CR4_PKE | Bits.CR4_OSXSAVE)).isTrue();
        setKey(PAGE, KEY);
    }

    @AfterEach
    void close() {
        machine.close();
    }

    private void setKey(long linear, int key) {
        long table = TestMachine.ROOT;
        for (int level = 4;; level--) {
            long at = table + (linear >>> 12 + 9 * (level - 1) & 511) * 8;
            long entry = machine.memory.read64(at);
            if (level == 1 || (entry & 0x80) != 0) {
                machine.memory.write64(at, entry & ~(15L << 59) | (long) key << 59);
                return;
            }
            table = entry & 0xf_ffff_ffff_f000L;
        }
    }

    /** Error code of the page fault that {@code access} raises, or NONE. */
    private int fault(Runnable access) {
        try {
            access.run();
            return NONE;
        } catch (GuestFault fault) {
            return p.faultVector == Vector.PF ? p.faultErrorCode : p.faultVector << 16;
        }
    }

    private int load(long address) {
        return fault(() -> p.load64(address));
    }

    private int store(long address) {
        return fault(() -> p.store64(address, 1));
    }

    private void enterRing(int ring) {
        long cr4 = p.cr4;
        machine.enterRing(ring);
        ControlRegisters.set(p, p.cr0, cr4, p.efer);
    }

    @Test
    void rightsOfUsers() {
        enterRing(3);
        assertThat(load(PAGE)).isEqualTo(NONE);
        assertThat(store(PAGE)).isEqualTo(NONE);
        p.setPkru(WRITE_DISABLE);
        assertThat(load(PAGE)).isEqualTo(NONE);
        assertThat(store(PAGE)).as("although it was allowed before").isEqualTo(P | W | U | PK);
        p.setPkru(ACCESS_DISABLE);
        assertThat(load(PAGE)).isEqualTo(P | U | PK);
        assertThat(store(PAGE)).isEqualTo(P | W | U | PK);
        assertThat(load(OTHER)).as("of another key").isEqualTo(NONE);
        assertThat(p.mmu().translate(PAGE, Mmu.EXECUTE, Mmu.USER)).as("a fetch").isEqualTo(PAGE);
        p.setPkru(0);
        assertThat(store(PAGE)).isEqualTo(NONE);
    }

    @Test
    void rightsOfTheSupervisor() {
        p.setPkru(ACCESS_DISABLE);
        assertThat(load(PAGE)).as("of a user page").isEqualTo(P | PK);
        assertThat(load(TestMachine.KERNEL + PAGE)).as("a supervisor page has no key").isEqualTo(NONE);
        p.setPkru(WRITE_DISABLE);
        assertThat(store(PAGE)).isEqualTo(P | W | PK);
        assertThat(ControlRegisters.writeCr0(p, p.cr0 & ~Bits.CR0_WP)).isTrue();
        assertThat(store(PAGE)).as("without CR0.WP").isEqualTo(NONE);
    }

    @Test
    void withoutTheControlBitThereAreNoKeys() {
        p.setPkru(-1);
        assertThat(load(PAGE)).isEqualTo(P | PK);
        assertThat(ControlRegisters.writeCr4(p, p.cr4 & ~Bits.CR4_PKE)).isTrue();
        assertThat(load(PAGE)).isEqualTo(NONE);
        assertThat(fault(() -> SystemInstructions.rdpkru(p))).isEqualTo(Vector.UD << 16);
        assertThat(fault(() -> SystemInstructions.wrpkru(p))).isEqualTo(Vector.UD << 16);
    }

    @Test
    void instructions() {
        enterRing(3);
        p.gpr[Processor.RAX] = 0xffff_ffff_8000_0004L;
        p.gpr[Processor.RDX] = 1;
        assertThat(fault(() -> SystemInstructions.wrpkru(p))).as("EDX").isEqualTo(Vector.GP << 16);
        p.gpr[Processor.RDX] = 0;
        p.gpr[Processor.RCX] = 1;
        assertThat(fault(() -> SystemInstructions.wrpkru(p))).as("ECX").isEqualTo(Vector.GP << 16);
        assertThat(fault(() -> SystemInstructions.rdpkru(p))).as("ECX").isEqualTo(Vector.GP << 16);
        p.gpr[Processor.RCX] = 0;
        SystemInstructions.wrpkru(p);
        assertThat(p.pkru()).isEqualTo(0x8000_0004);
        p.gpr[Processor.RAX] = 0;
        p.gpr[Processor.RDX] = -1;
        SystemInstructions.rdpkru(p);
        assertThat(p.gpr[Processor.RAX]).isEqualTo(0x8000_0004L);
        assertThat(p.gpr[Processor.RDX]).isZero();
    }

    @Test
    void cpuidSaysSo() {
        int[] leaf = new int[4];
        for (CpuModel model : new CpuModel[]{CpuModel.intel(), CpuModel.amd()}) {
            model.cpuid(7, 0, leaf);
            assertThat(leaf[2] >>> 3 & 3).as("PKU, not OSPKE").isEqualTo(1);
        }
        Cpuid.read(p, 7, 0, leaf);
        assertThat(leaf[2] >>> 3 & 3).isEqualTo(3);
        Cpuid.read(p, 0xd, 0, leaf);
        assertThat(leaf[0] & SaveArea.PKRU).isNotZero();
        assertThat(leaf[2]).isEqualTo(2696);
        Cpuid.read(p, 0xd, 9, leaf);
        assertThat(leaf).containsExactly(8, 2688, 0, 0);
    }

    private void request(long components) {
        p.gpr[Processor.RAX] = components;
        p.gpr[Processor.RDX] = 0;
    }

    @Test
    void stateComponent() {
        p.xcr0 = SaveArea.X87 | SaveArea.SSE | SaveArea.PKRU;
        request(SaveArea.PKRU | SaveArea.SSE);
        p.setPkru(0x1230);
        p.vector[0] = 5;
        SaveArea.xsave(p, AREA, 64, 0);
        assertThat(machine.memory.read64(AREA + 512)).isEqualTo(SaveArea.PKRU | SaveArea.SSE);
        assertThat(machine.memory.read64(AREA + 2688)).isEqualTo(0x1230);
        p.setPkru(0);
        SaveArea.xrstor(p, AREA, 64, 0);
        assertThat(p.pkru()).isEqualTo(0x1230);
        machine.memory.write64(AREA + 512, SaveArea.SSE);
        SaveArea.xrstor(p, AREA, 64, 0);
        assertThat(p.pkru()).as("initial").isZero();
        p.setPkru(0x4560);
        SaveArea.xsavec(p, AREA, 64, 0);
        assertThat(machine.memory.read64(AREA + 576)).as("without AVX before it").isEqualTo(0x4560);
        p.setPkru(4);
        SaveArea.xrstor(p, AREA, 64, 0);
        assertThat(p.pkru()).isEqualTo(0x4560);
        p.gpr[Processor.RCX] = 1;
        SystemInstructions.xgetbv(p);
        assertThat(p.gpr[Processor.RAX] & SaveArea.PKRU).as("in use").isNotZero();
    }

    @Test
    void isState() throws IOException {
        p.setPkru(0x5555);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        ProcessorSnapshot.save(p, new DataOutputStream(bytes));
        try (TestMachine other = new TestMachine()) {
            ProcessorSnapshot.restore(other.p, new DataInputStream(new ByteArrayInputStream(bytes.toByteArray())));
            assertThat(other.p.pkru()).isEqualTo(0x5555);
        }
        p.reset();
        assertThat(p.pkru()).isZero();
    }
}
