package dev.xenolith.dom0.gdb;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.cpu.processor.ProcessorState;
import dev.xenolith.dom0.pv.PvAbi;
import dev.xenolith.dom0.pv.VcpuContext;
import dev.xenolith.hypervisor.abi.Bytes;
import dev.xenolith.hypervisor.abi.Errno;
import dev.xenolith.hypervisor.operations.DomainControl;
import java.lang.reflect.Proxy;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Registers and memory of 32-bit domains, as a debugger gets them. */
class GuestRegistersTest {
    /** Base 0x12345678, limit 4 GiB, data. */
    private static final long DATA = 0x12cf_f334_5678_ffffL;
    private static final int SELECTOR = 0x33;

    private static VcpuContext context() {
        VcpuContext context = new VcpuContext(PvAbi.X86_32P);
        for (int i = 0; i < 8; i++) {
            context.setGeneral(i, 0xf000_0000L + i);
        }
        context.setInstructionPointer(0xc010_0000L);
        context.setFlags(0x202);
        context.setSelector(VcpuContext.CS, 0xe019);
        context.setSelector(VcpuContext.FS, SELECTOR);
        context.setWord("flags", 1 << 2);
        context.setWord("ctrlreg", 0, 0x8005_003bL);
        context.setRoot(0x12_3456);
        byte[] image = new byte[512];
        new ProcessorState().floating.getImage(image);
        context.setFloating(image);
        return context;
    }

    private static long descriptor(int selector) {
        return selector == SELECTOR ? DATA : 0;
    }

    @Test
    void theyAreNarrowAndTheirKernelIsInRing1() {
        VcpuContext context = context();
        ProcessorState state = new ProcessorState();
        GuestRegisters registers = new GuestRegisters(context, GuestRegistersTest::descriptor);
        registers.save(state);
        for (int i = 0; i < 8; i++) {
            assertThat(state.gpr[i]).isEqualTo(0xf000_0000L + i);
        }
        assertThat(state.rip).isEqualTo(0xc010_0000L);
        assertThat(state.rflags).isEqualTo(0x202);
        assertThat(state.selector[Processor.CS]).isEqualTo(0xe019);
        assertThat(state.cpl).isEqualTo(1);
        assertThat(state.cr0).isEqualTo(0x8005_003bL);
        assertThat(state.base[Processor.FS]).isEqualTo(0x1234_5678);
        assertThat(state.base[Processor.GS]).isZero();
        assertThat(registers.dump())
                .contains("eax f0000000  ecx f0000001", "edi f0000007\neip c0100000  eflags 00000202"
                        + "  kernel mode", "cs e019", "fs_base 12345678", "cr3 23456001  cr4")
                .doesNotContain("r8", "user");

        byte[] before = context.bytes().clone();
        assertThat(registers.load(state)).isTrue();
        assertThat(Arrays.mismatch(context.bytes(), before)).as("what has changed").isEqualTo(-1);
        state.gpr[3] = 0xdead_beefL;
        state.rip = 0xc020_0000L;
        assertThat(registers.load(state)).isTrue();
        assertThat(Bytes.get32(context.bytes(), 516)).as("ebx").isEqualTo(0xdead_beef);
        assertThat(Bytes.get32(context.bytes(), 516 + 32)).as("eip").isEqualTo(0xc020_0000);
        // Bases are in the guest's descriptors.
        state.gpr[3] = 0;
        state.base[Processor.FS]++;
        assertThat(registers.load(state)).isFalse();
        assertThat(Bytes.get32(context.bytes(), 516)).isEqualTo(0xdead_beef);
    }

    @Test
    void outsideOfItsKernelAVcpuHasTheSameRoot() {
        VcpuContext context = context();
        context.setWord("flags", 0);
        ProcessorState state = new ProcessorState();
        new GuestRegisters(context, GuestRegistersTest::descriptor).save(state);
        assertThat(state.cpl).isEqualTo(3);
        assertThat(context.control(3)).isEqualTo(0x2345_6001);
        assertThat(context.root()).isEqualTo(0x12_3456);
    }

    /** Frames by their numbers; others are nobody's. */
    private static final class Frames {
        final Map<Long, byte[]> frames = new HashMap<>();

        Frames entry(long frame, int index, long value) {
            Bytes.put64(frames.computeIfAbsent(frame, any -> new byte[4096]), index * 8, value);
            return this;
        }

        DomainControl control() {
            return (DomainControl) Proxy.newProxyInstance(getClass().getClassLoader(),
                    new Class<?>[]{DomainControl.class}, (self, method, arguments) -> {
                        if (!method.getName().equals("copyFrame")) {
                            throw new UnsupportedOperationException(method.getName());
                        }
                        byte[] from = frames.get((long) arguments[1]);
                        if (from == null) {
                            return -Errno.EINVAL;
                        }
                        System.arraycopy(from, 0, arguments[2], (int) arguments[3], from.length);
                        return 0;
                    });
        }
    }

    @Test
    void memoryIsFoundByThreeLevels() {
        long root = 0x12_3456;
        Frames frames = new Frames().entry(root, 3, 0x20_0010_0001L);
        long directory = 0x20_0010_0001L >>> 12;
        long table = 0x30_0000L;
        frames.entry(directory, 0x1ff, table << 12 | 0x67).entry(table, 0x1fe, 0x40L << 12 | 0x23)
                .entry(0x40, 511, 0x1122_3344_5566_7788L).entry(table, 0x1ff, 0x41L << 12 | 0x23)
                .entry(0x41, 0, 0x99L);
        GuestMemory memory = new GuestMemory(frames.control(), 1, PvAbi.X86_32P);
        byte[] into = new byte[16];
        // The last pages of the gigabyte are the hypervisor's, whatever the tables say.
        assertThat(memory.read(root, 0xffff_eff8L, into, 16)).isZero();
        frames.entry(directory, 0, table << 12 | 0x67);
        assertThat(memory.read(root, 0xc01f_eff8L, into, 16)).isEqualTo(16);
        assertThat(Bytes.get64(into, 0)).isEqualTo(0x1122_3344_5566_7788L);
        assertThat(into[8]).isEqualTo((byte) 0x99);
        assertThat(memory.read(root, 0xc01f_f000L, into, 8)).isEqualTo(8);
        assertThat(memory.read(root, 0xc020_0000L, into, 8)).isZero();
        assertThat(memory.read(root, 0x1000, into, 8)).isZero();
        assertThat(memory.read(root, 0xffff_ffff_c01f_f000L, into, 8)).isZero();
    }
}
