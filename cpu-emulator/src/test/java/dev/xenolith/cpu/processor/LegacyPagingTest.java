package dev.xenolith.cpu.processor;

import static dev.xenolith.cpu.processor.LegacyMachine.fault;
import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.cpu.paging.Mmu;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** 32-bit and PAE paging (SDM 3A 4.3, 4.4), and what control registers allow of them. */
final class LegacyPagingTest {
    private static final long DIRECTORY = 0x10_0000;
    private static final long TABLE = 0x10_1000;
    private static final long POINTERS = 0x10_2020;
    private static final int P = 1;
    private static final int W = 2;
    private static final int U = 4;
    private static final int ACCESSED = 1 << 5;
    private static final int DIRTY = 1 << 6;
    private static final int LARGE = 1 << 7;
    private static final long PAGING = Bits.CR0_PE | Bits.CR0_ET | Bits.CR0_NE | Bits.CR0_PG | Bits.CR0_WP;

    private final LegacyMachine m = new LegacyMachine();
    private final Processor p = m.p;

    @AfterEach
    void close() {
        m.close();
    }

    /** Low 4 MiB where they are, for everyone, in 4 KiB pages. */
    private void enter32() {
        m.memory.write(DIRECTORY, 4, TABLE | P | W | U);
        for (int i = 0; i < 1024; i++) {
            m.memory.write(TABLE + 4L * i, 4, (long) i << 12 | P | W | U);
        }
        assertThat(ControlRegisters.writeCr3(p, DIRECTORY)).isTrue();
        assertThat(ControlRegisters.writeCr0(p, PAGING)).isTrue();
    }

    private int load(long address) {
        return m.fault(() -> p.load32(address));
    }

    private int store(long address) {
        return m.fault(() -> p.store32(address, 1));
    }

    private static int page(int code) {
        return fault(Vector.PF, code);
    }

    @Test
    void pagesOf4KiBAndTheirFaults() {
        enter32();
        m.memory.write(TABLE + 4L * 0x200, 4, 0x12_3000 | P | U);
        m.memory.write(TABLE + 4L * 0x201, 4, 0);
        m.memory.write(TABLE + 4L * 0x202, 4, 0x12_3000 | P | W);
        m.memory.write(0x12_3010, 4, 0xcafe);
        assertThat(p.load32(0x20_0010)).isEqualTo(0xcafe);
        assertThat(m.memory.read(DIRECTORY, 4) & ACCESSED).isNotZero();
        assertThat(m.memory.read(TABLE + 4L * 0x200, 4) & (ACCESSED | DIRTY)).isEqualTo(ACCESSED);
        assertThat(store(0x20_0010)).isEqualTo(page(Mmu.PF_PRESENT | Mmu.PF_WRITE));
        assertThat(load(0x20_1000)).isEqualTo(page(0));
        assertThat(load(0x40_0000)).as("directory entry not present").isEqualTo(page(0));
        assertThat(store(0x20_2000)).isEqualTo(-1);
        assertThat(m.memory.read(TABLE + 4L * 0x202, 4) & DIRTY).isNotZero();
        p.cpl = 3;
        p.updateContext();
        assertThat(load(0x20_2000)).isEqualTo(page(Mmu.PF_PRESENT | Mmu.PF_USER));
        assertThat(store(0x20_0010)).isEqualTo(page(Mmu.PF_PRESENT | Mmu.PF_WRITE | Mmu.PF_USER));
    }

    @Test
    void pagesOf4MiBWith40BitAddresses() {
        enter32();
        m.memory.write(DIRECTORY + 4, 4, LARGE | P | W);
        assertThat(load(0x40_0000)).as("without CR4.PSE it is a table").isEqualTo(page(0));
        assertThat(ControlRegisters.writeCr4(p, Bits.CR4_PSE)).isTrue();
        m.memory.write(0x12_3010, 4, 0xcafe);
        assertThat(p.load32(0x52_3010)).isEqualTo(0xcafe);
        m.memory.write(DIRECTORY + 8, 4, LARGE | P | W | 1 << 21);
        assertThat(load(0x80_0000)).isEqualTo(page(Mmu.PF_PRESENT | Mmu.PF_RESERVED));
        m.memory.write(DIRECTORY + 12, 4, LARGE | P | W | 1 << 13);
        p.precise = true;
        assertThat(p.load32(0xc0_0000)).as("above 4 GiB nothing answers").isEqualTo(0xffff_ffffL);
        m.memory.write(DIRECTORY + 4, 4, 0);
        SystemInstructions.invlpg(p, 0x40_0000);
        assertThat(load(0x52_3010)).as("INVLPG anywhere in the page").isEqualTo(page(0));
    }

    /** Low 2 MiB where they are, as a large page. */
    private void enterPae() {
        m.memory.write64(POINTERS, DIRECTORY | P);
        m.memory.write64(DIRECTORY, LARGE | P | W | U);
        assertThat(ControlRegisters.writeCr4(p, Bits.CR4_PAE)).isTrue();
        assertThat(ControlRegisters.writeCr3(p, POINTERS)).isTrue();
        assertThat(ControlRegisters.writeCr0(p, PAGING)).isTrue();
    }

    @Test
    void paePagingReadsItsPointersWhenCr3IsLoaded() {
        enterPae();
        m.memory.write(0x12_3010, 4, 0xcafe);
        assertThat(p.load32(0x12_3010)).isEqualTo(0xcafe);
        assertThat(load(0x4000_0000)).isEqualTo(page(0));
        m.memory.write64(POINTERS + 8, DIRECTORY | P);
        assertThat(load(0x4000_0000)).as("still in the register").isEqualTo(page(0));
        assertThat(ControlRegisters.writeCr3(p, POINTERS)).isTrue();
        assertThat(p.load32(0x4012_3010)).isEqualTo(0xcafe);
    }

    @Test
    void reservedBitsOfPae() {
        enterPae();
        m.memory.write64(DIRECTORY + 8, TABLE | P | W | 1L << 62);
        assertThat(load(0x20_0000)).isEqualTo(page(Mmu.PF_PRESENT | Mmu.PF_RESERVED));
        m.memory.write64(DIRECTORY + 8, TABLE | P | W | 1L << 63);
        assertThat(load(0x20_0000)).as("NX without EFER.NXE").isEqualTo(page(Mmu.PF_PRESENT | Mmu.PF_RESERVED));
        assertThat(ControlRegisters.writeEfer(p, Bits.EFER_NXE)).isTrue();
        m.memory.write64(TABLE, 0x12_3000 | P | W);
        assertThat(load(0x20_0000)).isEqualTo(-1);
        assertThat(m.fault(() -> p.translateFetch(0x20_0000))).isEqualTo(page(Mmu.PF_PRESENT | Mmu.PF_FETCH));
        for (long bit : new long[]{1 << 1, 1 << 2, 1 << 5, 1 << 6, 1 << 7, 1 << 8, 1L << 46, 1L << 63}) {
            m.memory.write64(POINTERS + 16, DIRECTORY | P | bit);
            assertThat(ControlRegisters.writeCr3(p, POINTERS)).as("pointer with 0x%x", bit).isFalse();
        }
        m.memory.write64(POINTERS + 16, DIRECTORY | 1 << 1);
        assertThat(ControlRegisters.writeCr3(p, POINTERS)).as("not present").isTrue();
    }

    @Test
    void iA32eModeIsEnteredAndLeftWithPagingOnly() {
        p.efer = 0;
        assertThat(ControlRegisters.writeEfer(p, Bits.EFER_LME)).isTrue();
        assertThat(ControlRegisters.writeCr0(p, PAGING)).as("without PAE").isFalse();
        assertThat(ControlRegisters.writeCr4(p, Bits.CR4_PAE)).isTrue();
        long root = 0x10_0000;
        m.memory.write64(root, root + 0x1000 | P | W | U);
        m.memory.write64(root + 0x1000, root + 0x2000 | P | W | U);
        m.memory.write64(root + 0x2000, LARGE | P | W | U);
        assertThat(ControlRegisters.writeCr3(p, root)).isTrue();
        Segmentation.set(p, Processor.TR, LegacyMachine.TSS_16,
                m.memory.read64(LegacyMachine.GDT + LegacyMachine.TSS_16));
        assertThat(ControlRegisters.writeCr0(p, PAGING)).as("with a 16-bit TSS").isFalse();
        m.set(Processor.TR, LegacyMachine.TSS);
        assertThat(ControlRegisters.writeCr0(p, PAGING)).isTrue();
        assertThat(p.isLongMode()).isTrue();
        assertThat(p.is64Bit()).isFalse();
        m.define(LegacyMachine.SPARE, 0, 0, LegacyMachine.CODE & ~Segment.DEFAULT_32 | Segment.LONG);
        ControlTransfer.jumpFar(p, LegacyMachine.SPARE, 0x1234, 32);
        assertThat(p.is64Bit()).isTrue();
        assertThat(ControlRegisters.writeCr0(p, p.cr0 & ~Bits.CR0_PG)).as("from 64-bit code").isFalse();
        assertThat(ControlRegisters.writeCr4(p, p.cr4 & ~Bits.CR4_PAE)).isFalse();
        ControlTransfer.jumpFar(p, LegacyMachine.CODE_0, 0x1234, 64);
        assertThat(p.is64Bit()).isFalse();
        assertThat(ControlRegisters.writeCr0(p, p.cr0 & ~Bits.CR0_PG)).isTrue();
        assertThat(p.isLongMode()).isFalse();
    }

    @Test
    void processContextsAreKeptApartAndFlushedByName() {
        TestMachine wide = new TestMachine();
        try (wide) {
            Processor q = wide.p;
            q.setCr3(TestMachine.ROOT, 0);
            assertThat(ControlRegisters.writeCr4(q, q.cr4 | Bits.CR4_PCIDE)).isTrue();
            assertThat(q.load8(0x20_0000)).isZero();
            long entry = wide.entryOf(0x20_0000);
            assertThat(ControlRegisters.writeCr3(q, TestMachine.ROOT | 5)).isTrue();
            wide.memory.write64(entry, 0);
            assertThat(ControlRegisters.writeCr3(q, TestMachine.ROOT | Long.MIN_VALUE)).isTrue();
            assertThat(q.load8(0x20_0000)).as("kept").isZero();
            wide.memory.write64(0x10_0800, 0);
            SystemInstructions.invpcid(q, 1, 0x10_0800);
            try {
                q.load8(0x20_0000);
                assertThat(false).as("INVPCID forgot it").isTrue();
            } catch (GuestFault fault) {
                assertThat(q.faultVector).isEqualTo(Vector.PF);
            }
            assertThat(ControlRegisters.writeCr0(q, q.cr0 & ~Bits.CR0_PG)).isFalse();
        }
    }
}
