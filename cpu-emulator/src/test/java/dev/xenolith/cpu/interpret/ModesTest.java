package dev.xenolith.cpu.interpret;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.cpu.decode.DecodedInstruction;
import dev.xenolith.cpu.decode.Decoder;
import dev.xenolith.cpu.decode.Mode;
import dev.xenolith.cpu.decode.OpcodeRow;
import dev.xenolith.cpu.decode.OpcodeTable;
import dev.xenolith.cpu.processor.Bits;
import dev.xenolith.cpu.processor.ControlRegisters;
import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.cpu.processor.Segment;
import dev.xenolith.cpu.processor.Stop;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Code in every mode of a bare processor, from its bytes on. */
final class ModesTest {
    private static final int GDT = 0x3000;
    private final BareMachine machine = new BareMachine();
    private final Processor cpu = machine.cpu;

    @AfterEach
    void close() {
        machine.close();
    }

    private void descriptors() {
        machine.memory.write(0x2f00, 2, 0x2f);
        machine.memory.write(0x2f02, 4, GDT);
        // 08: 32-bit code, 10: data, 18: 64-bit code, 20: 16-bit code, 28: 16-bit data.
        long[] descriptors = {0, 0x00cf_9a00_0000_ffffL, 0x00cf_9200_0000_ffffL, 0x00af_9a00_0000_ffffL,
            0x0000_9a00_0000_ffffL, 0x0000_9200_0000_ffffL};
        for (int i = 0; i < descriptors.length; i++) {
            machine.memory.write64(GDT + 8L * i, descriptors[i]);
        }
    }

    @Test
    void fromRealModeToLongModeAndBack() {
        descriptors();
        long tables = 0x10_0000;
        machine.memory.write64(tables, tables + 0x1003);
        machine.memory.write64(tables + 0x1000, tables + 0x2003);
        machine.memory.write64(tables + 0x2000, 0x83);
        // lgdt [0x2f00]; mov eax, cr0; or al, 1; mov cr0, eax; jmp dword 8:0x1100
        machine.code(0x1000, "0f 01 16 00 2f 0f 20 c0 0c 01 0f 22 c0 66 ea 00 11 00 00 08 00");
        // mov ax, 0x10; mov ds, ax; mov ss, ax; mov eax, 0x100000; mov cr3, eax; mov eax, cr4; or al, 0x20; mov cr4, eax;
        // mov ecx, 0xc0000080; rdmsr; or ah, 1; wrmsr; mov eax, cr0; or eax, 0x80000000; mov cr0, eax; jmp 0x18:0x1200
        machine.code(0x1100,
                "66 b8 10 00 8e d8 8e d0 b8 00 00 10 00 0f 22 d8 0f 20 e0 0c 20 0f 22 e0 b9 80 00 00 c0 0f 32 "
                        + "80 cc 01 0f 30 0f 20 c0 0d 00 00 00 80 0f 22 c0 ea 00 12 00 00 18 00");
        // movabs rbx, 0x123456789abcdef0; push 8; push 0x1300; retfq
        machine.code(0x1200, "48 bb f0 de bc 9a 78 56 34 12 6a 08 68 00 13 00 00 48 cb");
        // mov eax, cr0; and eax, 0x7fffffff; mov cr0, eax; jmp 0x20:0x1400
        machine.code(0x1300, "0f 20 c0 25 ff ff ff 7f 0f 22 c0 ea 00 14 00 00 20 00");
        // 16-bit: mov ax, 0x28; mov ss, ax; mov eax, cr0; and al, 0xfe; mov cr0, eax; jmp 0x100:0x500
        machine.code(0x1400, "b8 28 00 8e d0 0f 20 c0 24 fe 0f 22 c0 ea 00 05 00 01");
        machine.code(0x1500, "f4");
        Stop stop = cpu.run(100);
        assertThat(stop.kind).isEqualTo(Stop.Kind.HALTED);
        assertThat(cpu.rip).isEqualTo(0x1501);
        assertThat(cpu.segmentSelector[Processor.CS]).isEqualTo(0x100);
        assertThat(cpu.gpr[Processor.RBX]).isEqualTo(0x1234_5678_9abc_def0L);
        assertThat(cpu.efer).isEqualTo(Bits.EFER_LME);
        assertThat(cpu.cr0 & (Bits.CR0_PE | Bits.CR0_PG)).isZero();
    }

    @Test
    void codeEndsAtTheLimitOfItsSegment() {
        // The handler of #GP at 0000:0900.
        machine.memory.write(4 * 13, 4, 0x900);
        machine.code(0x900, "f4");
        cpu.segmentSelector[Processor.CS] = 0x1000;
        cpu.segmentBase[Processor.CS] = 0x1_0000;
        cpu.rip = 0x1_fffd;
        cpu.updateContext();
        machine.code(0x1_fffd, "40 40 40 40");
        assertThat(cpu.run(10).kind).isEqualTo(Stop.Kind.HALTED);
        assertThat(cpu.gpr[0]).isEqualTo(3);
        assertThat(machine.memory.read(0xffa, 2)).as("IP of the fault, which wraps").isZero();
        // An instruction of which only the last byte is beyond.
        cpu.segmentSelector[Processor.CS] = 0x1000;
        cpu.segmentBase[Processor.CS] = 0x1_0000;
        cpu.halted = false;
        cpu.rip = 0x1_fffe;
        cpu.updateContext();
        machine.code(0x1_fffe, "b8 34 12");
        assertThat(cpu.run(10).kind).isEqualTo(Stop.Kind.HALTED);
        assertThat(machine.memory.read(0xff4, 2)).isEqualTo(0xfffe);
    }

    @Test
    void aBlockMayBeSharedByCodeSegmentsWithDifferentLimits() {
        machine.memory.write(4 * 13, 4, 0x900);
        machine.code(0x900, "f4");
        machine.code(0x1000, "40 40 40 f4");
        assertThat(cpu.run(10).kind).isEqualTo(Stop.Kind.HALTED);
        assertThat(cpu.gpr[0]).isEqualTo(3);
        cpu.halted = false;
        cpu.rip = 0x1000;
        cpu.segmentLimit[Processor.CS] = 0x1001;
        cpu.updateContext();
        assertThat(cpu.run(10).kind).isEqualTo(Stop.Kind.HALTED);
        assertThat(cpu.gpr[0]).as("two instructions within the limit").isEqualTo(5);
    }

    @Test
    void addressesWrapAt64KiBAndWordsFaultThere() {
        machine.memory.write(4 * 13, 4, 0x900);
        machine.code(0x900, "f4");
        cpu.gpr[Processor.RBX] = 0xfff0;
        cpu.gpr[Processor.RSI] = 0x20;
        machine.memory.write(0x10, 2, 0x5678);
        // mov ax, [bx+si]; mov bx, 0xffff; mov cl, [bx]; mov cx, [bx]
        machine.code(0x1000, "8b 00 bb ff ff 8a 0f 8b 0f");
        assertThat(cpu.run(10).kind).isEqualTo(Stop.Kind.HALTED);
        assertThat(cpu.gpr[0]).isEqualTo(0x5678);
        assertThat(machine.memory.read(0xffa, 2)).isEqualTo(0x1007);
    }

    @Test
    void aSoftwareInterruptIsNotTrappedAfterItAndBreakpointsForgetOldInstructions() {
        machine.memory.write(4, 4, 0x900);
        machine.memory.write(4 * 0x30, 4, 0x910);
        machine.code(0x900, "f4");
        machine.code(0x910, "43 f4");
        machine.code(0x1000, "cd 30");
        cpu.setRflags(Bits.RFLAGS_TF);
        assertThat(cpu.run(10).kind).isEqualTo(Stop.Kind.HALTED);
        assertThat(cpu.rip).isEqualTo(0x912);
        // mov ebx, 0x100e; mov dr0, ebx; mov bl, 1; mov dr7, ebx; nop: a stale RF must not hide the breakpoint.
        machine.code(0x1000, "66 bb 0e 10 00 00 0f 23 c3 b3 01 0f 23 fb 90");
        cpu.halted = false;
        cpu.rip = 0x1000;
        cpu.setRflags(Bits.RFLAGS_RF);
        assertThat(cpu.run(10).kind).isEqualTo(Stop.Kind.HALTED);
        assertThat(cpu.rip).isEqualTo(0x901);
        assertThat(cpu.dr[6] & 1).isEqualTo(1);
    }

    // ---- real mode against 16-bit protected mode -------------------------------------------------------------------------

    @Test
    void randomCodeDoesTheSameInRealAndIn16BitProtectedMode() {
        Random random = new Random(1);
        Decoder decoder = new Decoder(OpcodeTable.load());
        int executed = 0;
        for (int round = 0; round < 1_500; round++) {
            byte[] code = new byte[16];
            random.nextBytes(code);
            DecodedInstruction instruction = decoder.decode(code, 0, 16, 0, Mode.CODE_16 | Mode.REAL);
            // Code can be written to in real mode only.
            if (instruction == null || !comparable(instruction.row)
                    || instruction.memoryOperand() >= 0 && instruction.segment == Processor.CS) {
                continue;
            }
            long[] registers = new long[8];
            for (int i = 0; i < 8; i++) {
                registers[i] = random.nextInt(4) == 0 ? random.nextInt() & 0xffff_ffffL : random.nextInt(0x2_0000);
            }
            try (BareMachine real = new BareMachine(); BareMachine narrow = new BareMachine()) {
                prepare(real, code, registers, round);
                prepare(narrow, code, registers, round);
                protect(narrow);
                real.cpu.run(1);
                narrow.cpu.run(1);
                assertThat(narrow.cpu.gpr).as("round %d: %s", round, instruction.row).isEqualTo(real.cpu.gpr);
                assertThat(narrow.cpu.rip).as("round %d: %s", round, instruction.row).isEqualTo(real.cpu.rip);
                assertThat(narrow.cpu.rflags()).as("round %d: %s", round, instruction.row).isEqualTo(real.cpu.rflags());
                for (long at = 0x1_0000; at < 0x2_0000; at += 8) {
                    assertThat(narrow.memory.read64(at)).isEqualTo(real.memory.read64(at));
                }
                executed++;
            }
        }
        assertThat(executed).isGreaterThan(500);
    }

    /** What means the same in both: no segment loads, far transfers or system instructions. */
    private static boolean comparable(OpcodeRow row) {
        String semantic = row.semantic().name();
        return row.intercept().isEmpty() && !row.semantic().program().contains("Segmentation.")
                && !row.semantic().program().contains("ControlTransfer.")
                && !row.semantic().program().contains("SystemCalls.")
                && !row.semantic().program().contains("SystemInstructions.")
                && !row.semantic().program().contains("SystemManagement.")
                // The x87 environment has another layout in each.
                && !semantic.matches("fldenv|fnstenv|frstor|fnsave") && !semantic.equals("ud");
    }

    /** Code and data in one segment of 64 KiB at 10000h; every vector leads to the same place in both modes. */
    private static void prepare(BareMachine machine, byte[] code, long[] registers, int seed) {
        Processor p = machine.cpu;
        Random random = new Random(seed);
        for (long at = 0x1_0000; at < 0x2_0000; at += 8) {
            machine.memory.write64(at, random.nextLong());
        }
        machine.memory.copyIn(code, 0, 0x1_4000, code.length);
        for (int segment : new int[]{Processor.ES, Processor.CS, Processor.SS, Processor.DS, Processor.FS,
            Processor.GS}) {
            p.segmentSelector[segment] = 0x1000;
            p.segmentBase[segment] = 0x1_0000;
            p.segmentLimit[segment] = 0xffff;
        }
        System.arraycopy(registers, 0, p.gpr, 0, 8);
        p.rip = 0x1_4000;
        p.setRflags(random.nextInt() & 0x8d5);
        // No event can be delivered: a fault of either stops it before anything changes.
        p.idtLimit = 0;
        p.updateContext();
    }

    private static void protect(BareMachine machine) {
        Processor p = machine.cpu;
        ControlRegisters.writeCr0(p, p.cr0 | Bits.CR0_PE);
        p.segmentAttributes[Processor.CS] = Segment.CODE | Segment.READABLE | Segment.NON_SYSTEM | Segment.PRESENT;
        for (int segment : new int[]{Processor.ES, Processor.SS, Processor.DS, Processor.FS, Processor.GS}) {
            p.segmentAttributes[segment] = Segment.WRITABLE | Segment.NON_SYSTEM | Segment.PRESENT;
        }
        p.updateContext();
    }
}
