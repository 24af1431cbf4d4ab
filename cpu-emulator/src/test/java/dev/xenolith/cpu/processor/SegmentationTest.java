package dev.xenolith.cpu.processor;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class SegmentationTest {
    private static final int SLOT = 0x40;

    private final TestMachine machine = new TestMachine();
    private final Processor p = machine.p;

    @AfterEach
    void close() {
        machine.close();
    }

    private static int fault(int vector, int selector) {
        return vector << 16 | selector & ~3;
    }

    /** SDM 2 MOV, "Loading a segment register while in protected mode", as a table over all descriptors and privileges. */
    private static int expected(int segment, int attributes, int cpl, int rpl) {
        int type = attributes & 0xf;
        boolean system = (attributes & 0x10) == 0;
        boolean code = !system && (type & 8) != 0;
        boolean data = !system && (type & 8) == 0;
        int dpl = attributes >> 5 & 3;
        boolean present = (attributes & 0x80) != 0;
        if (segment == Processor.SS) {
            if (rpl != cpl || dpl != cpl || !data || (type & 2) == 0) {
                return fault(Vector.GP, SLOT);
            }
            return present ? -1 : fault(Vector.SS, SLOT);
        }
        boolean conforming = code && (type & 4) != 0;
        boolean readable = data || code && (type & 2) != 0;
        if (!readable || !conforming && (rpl > dpl || cpl > dpl)) {
            return fault(Vector.GP, SLOT);
        }
        return present ? -1 : fault(Vector.NP, SLOT);
    }

    @Test
    void descriptorLoadMatrix() {
        int loaded = 0;
        for (int cpl = 0; cpl < 4; cpl++) {
            machine.enterRing(cpl);
            for (int segment : new int[]{Processor.DS, Processor.SS, Processor.FS}) {
                for (int rpl = 0; rpl < 4; rpl++) {
                    for (int attributes = 0; attributes < 0x100; attributes++) {
                        machine.memory.write64(TestMachine.GDT + SLOT,
                                (long) attributes << 40 | 0x00cf_0012_0000_ffffL);
                        int selector = SLOT | rpl;
                        int before = p.segmentSelector[segment];
                        int result = Segmentation.tryLoadSegment(p, segment, selector);
                        String what = "cpl %d segment %d rpl %d attributes %x".formatted(cpl, segment, rpl, attributes);
                        assertThat(result).as(what).isEqualTo(expected(segment, attributes, cpl, rpl));
                        long inMemory = machine.memory.read64(TestMachine.GDT + SLOT);
                        if (result == -1) {
                            loaded++;
                            assertThat(p.segmentSelector[segment]).isEqualTo(selector);
                            assertThat(p.segmentBase[segment]).isEqualTo(0x12_0000);
                            assertThat(p.segmentLimit[segment]).isEqualTo(0xffff_ffffL);
                            assertThat(p.segmentAttributes[segment]).isEqualTo(attributes | 1 | 0xc000);
                            assertThat(inMemory >>> 40 & 0xff).as("accessed: " + what).isEqualTo(attributes | 1);
                        } else {
                            assertThat(p.segmentSelector[segment]).isEqualTo(before);
                            assertThat(inMemory >>> 40 & 0xff).isEqualTo(attributes);
                        }
                    }
                }
            }
        }
        assertThat(loaded).isGreaterThan(500);
    }

    @Test
    void nullSelectors() {
        for (int cpl = 0; cpl < 4; cpl++) {
            machine.enterRing(cpl);
            for (int rpl = 0; rpl < 4; rpl++) {
                p.segmentBase[Processor.FS] = 0x1234;
                assertThat(Segmentation.tryLoadSegment(p, Processor.FS, rpl)).isEqualTo(-1);
                assertThat(p.segmentAttributes[Processor.FS]).isEqualTo(Segment.UNUSABLE);
                assertThat(p.segmentBase[Processor.FS]).isZero();
                boolean allowed = cpl < 3 && rpl == cpl;
                assertThat(Segmentation.tryLoadSegment(p, Processor.SS, rpl)).isEqualTo(allowed ? -1 : Vector.GP << 16);
                assertThat(p.cpl).isEqualTo(cpl);
            }
        }
    }

    @Test
    void limitsOfBothTables() {
        p.gdtLimit = SLOT + 6;
        machine.memory.write64(TestMachine.GDT + SLOT, TestMachine.descriptor(Segment.DATA));
        assertThat(Segmentation.tryLoadSegment(p, Processor.DS, SLOT)).isEqualTo(fault(Vector.GP, SLOT));
        p.gdtLimit++;
        assertThat(Segmentation.tryLoadSegment(p, Processor.DS, SLOT)).isEqualTo(-1);
        assertThat(Segmentation.tryLoadSegment(p, Processor.DS, SLOT | 4)).as("no LDT")
                .isEqualTo(fault(Vector.GP, SLOT | 4));
        machine.memory.write64(TestMachine.GDT + 0x30, 0x0000_8210_0000_0000L | SLOT + 7);
        machine.memory.write64(TestMachine.GDT + 0x38, TestMachine.KERNEL >>> 32);
        Segmentation.lldt(p, 0x30);
        assertThat(p.segmentBase[Processor.LDTR]).isEqualTo(TestMachine.KERNEL + 0x10_0000);
        assertThat(Segmentation.tryLoadSegment(p, Processor.DS, SLOT | 4)).isEqualTo(-1);
        assertThat(Segmentation.tryLoadSegment(p, Processor.DS, SLOT + 8 | 4))
                .isEqualTo(fault(Vector.GP, SLOT + 8 | 4));
        assertThat(Segmentation.sldt(p)).isEqualTo(0x30);
        Segmentation.lldt(p, 0);
        assertThat(Segmentation.tryLoadSegment(p, Processor.DS, SLOT | 4)).isEqualTo(fault(Vector.GP, SLOT | 4));
    }

    @Test
    void descriptorTablesAreReadAsSupervisorAtAnyPrivilege() {
        machine.enterRing(3);
        machine.memory.write64(TestMachine.GDT + SLOT, TestMachine.descriptor(Segment.DATA | 3 << 5));
        assertThat(Segmentation.tryLoadSegment(p, Processor.DS, SLOT | 3)).isEqualTo(-1);
        ControlRegisters.writeCr4(p, p.cr4 | Bits.CR4_SMAP);
        p.gdtBase = TestMachine.GDT;
        assertThat(Segmentation.tryLoadSegment(p, Processor.DS, SLOT | 3)).as("SMAP: table in user pages")
                .isEqualTo(Vector.PF << 16 | 1);
        assertThat(p.faultAddress).isEqualTo(TestMachine.GDT + SLOT);
    }

    @Test
    void taskRegisterNeedsAnAvailableTssAndMakesItBusy() {
        machine.memory.write64(TestMachine.GDT + SLOT, 0x0000_8912_0000_0067L);
        machine.memory.write64(TestMachine.GDT + SLOT + 8, TestMachine.KERNEL >>> 32);
        assertThat(attempt(() -> Segmentation.ltr(p, SLOT))).isEqualTo(-1);
        assertThat(Segmentation.str(p)).isEqualTo(SLOT);
        assertThat(p.segmentBase[Processor.TR]).isEqualTo(TestMachine.KERNEL + TestMachine.TSS);
        assertThat(machine.memory.read64(TestMachine.GDT + SLOT) >>> 40 & 0xf).isEqualTo(11);
        assertThat(attempt(() -> Segmentation.ltr(p, SLOT))).as("busy").isEqualTo(fault(Vector.GP, SLOT));
        assertThat(attempt(() -> Segmentation.ltr(p, 0))).isEqualTo(Vector.GP << 16);
        machine.memory.write64(TestMachine.GDT + SLOT, 0x0000_0912_0000_0067L);
        assertThat(attempt(() -> Segmentation.ltr(p, SLOT))).isEqualTo(fault(Vector.NP, SLOT));
        machine.memory.write64(TestMachine.GDT + SLOT, 0x0000_8912_0000_0067L);
        machine.memory.write64(TestMachine.GDT + SLOT + 8, 0x4000_0000L);
        assertThat(attempt(() -> Segmentation.ltr(p, SLOT))).as("base not canonical").isEqualTo(fault(Vector.GP, SLOT));
        assertThat(attempt(() -> Segmentation.ltr(p, SLOT | 4))).as("in the LDT").isEqualTo(fault(Vector.GP, SLOT | 4));
    }

    private int attempt(Runnable action) {
        try {
            action.run();
            return -1;
        } catch (GuestFault fault) {
            return p.faultVector << 16 | p.faultErrorCode;
        }
    }

    @Test
    void lookingAtDescriptorsNeverFaultsAndFollowsPrivilege() {
        Random random = new Random(5);
        for (int i = 0; i < 4000; i++) {
            int cpl = random.nextInt(4);
            machine.enterRing(cpl);
            int attributes = random.nextInt(0x100);
            int rpl = random.nextInt(4);
            machine.memory.write64(TestMachine.GDT + SLOT, (long) attributes << 40 | 0x00cf_0012_0000_ffffL);
            int type = attributes & 0xf;
            boolean system = (attributes & 0x10) == 0;
            boolean conforming = !system && (type & 0xc) == 0xc;
            int dpl = attributes >> 5 & 3;
            boolean visible = conforming || cpl <= dpl && rpl <= dpl;
            int selector = SLOT | rpl;
            assertThat(Segmentation.verr(p, selector))
                    .isEqualTo(visible && !system && ((type & 8) == 0 || (type & 2) != 0));
            assertThat(Segmentation.verw(p, selector)).isEqualTo(visible && !system && (type & 0xa) == 2);
            boolean larType = !system || type == 2 || type == 9 || type == 11 || type == 12;
            assertThat(Segmentation.lar(p, selector))
                    .isEqualTo(visible && larType ? attributes << 8 | 0xcf_0000 : -1);
            boolean lslType = !system || type == 2 || type == 9 || type == 11;
            assertThat(Segmentation.lsl(p, selector)).isEqualTo(visible && lslType ? 0xffff_ffffL : -1);
        }
        assertThat(Segmentation.lar(p, 0)).isEqualTo(-1);
        assertThat(Segmentation.lsl(p, 0xfff8 | 4)).isEqualTo(-1);
    }

    @Test
    void umipHidesTheTablesFromUsers() {
        machine.enterRing(3);
        assertThat(attempt(() -> Segmentation.sldt(p))).isEqualTo(-1);
        ControlRegisters.writeCr4(p, p.cr4 | Bits.CR4_UMIP);
        assertThat(attempt(() -> Segmentation.sldt(p))).isEqualTo(Vector.GP << 16);
        assertThat(attempt(() -> Segmentation.str(p))).isEqualTo(Vector.GP << 16);
        assertThat(attempt(() -> SystemInstructions.smsw(p))).isEqualTo(Vector.GP << 16);
        assertThat(attempt(() -> SystemInstructions.sgdt(p, 0x1000))).isEqualTo(Vector.GP << 16);
    }

    /** SGDT and SIDT store a limit and, in 64-bit mode, a base of 64 bits; SMSW is CR0's low half; SLDT and STR are selectors. */
    @Test
    void theTablesAreStoredAsTheyAre() {
        p.gdtLimit = 0x1234;
        p.idtBase = TestMachine.KERNEL + 0x5678;
        p.idtLimit = 0xabc;
        long gdtBase = p.gdtBase;
        assertThat(attempt(() -> SystemInstructions.sgdt(p, 0x1000))).isEqualTo(-1);
        assertThat(attempt(() -> SystemInstructions.sidt(p, 0x2000))).isEqualTo(-1);
        assertThat(machine.memory.read16(0x1000)).isEqualTo((short) 0x1234);
        assertThat(machine.memory.read64(0x1002)).isEqualTo(gdtBase);
        assertThat(machine.memory.read16(0x2000)).isEqualTo((short) 0xabc);
        assertThat(machine.memory.read64(0x2002)).isEqualTo(TestMachine.KERNEL + 0x5678);
        assertThat(SystemInstructions.smsw(p) & 0xffff).isEqualTo(p.cr0 & 0xffff);
        assertThat(Segmentation.sldt(p)).isEqualTo(p.segmentSelector[Processor.LDTR]);
        assertThat(Segmentation.str(p)).isEqualTo(p.segmentSelector[Processor.TR]);
    }
}
