package dev.xenolith.cpu.interpret;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.cpu.decode.DecodedInstruction;
import dev.xenolith.cpu.decode.OpcodeRow;
import dev.xenolith.cpu.decode.OpcodeTable;
import dev.xenolith.cpu.decode.OperandType;
import dev.xenolith.cpu.decode.RowEncoder;
import dev.xenolith.cpu.processor.Bits;
import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.cpu.processor.Stop;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** An instruction changes nothing until its last access that can fault has succeeded: each row, at each place that can fault. */
class CommitRuleTest {
    private static final int PF = 14;
    /** A page that is not there, a page that cannot be written, each after one that can. */
    private static final long HOLE = TestMachine.DATA + 0x1000;
    private static final long READ_ONLY = TestMachine.DATA + 0x3000;
    /** Semantics whose memory operand is an address only, or that are refused at CPL 3 before they access it. */
    private static final Set<String> NO_ACCESS = Set.of("nop", "lea", "ud", "invlpg", "invpcid", "lgdt", "lidt",
            "lmswm", "lldtm",
            "ltrm", "in",
            "out", "ins", "outs", "xsaves", "xrstors");

    private final Random random = new Random(1);

    @Test
    void aFaultingInstructionChangesNothing() {
        List<String> faulted = new ArrayList<>();
        Set<String> silent = new HashSet<>();
        try (TestMachine machine = new TestMachine()) {
            machine.unmap(HOLE);
            machine.protect(READ_ONLY);
            for (OpcodeRow row : OpcodeTable.load().rows()) {
                // Gathers commit element by element; AvxModesTest has them.
                boolean exists = !row.semantic().name().startsWith("vgather") && row.in64BitMode()
                        && (row.feature().isEmpty() || machine.cpu.model.has(row.feature()));
                if (!exists || !hasMemory(row) && !hasImpliedMemory(row)) {
                    continue;
                }
                for (int bits : row.size().sizesIn64BitMode()) {
                    if (row.allowsSize(bits)) {
                        int faults = 0;
                        for (long address : new long[]{HOLE, HOLE + 0x800, HOLE - 1, READ_ONLY, READ_ONLY - 1}) {
                            faults += faultAt(machine, row, bits, address);
                        }
                        (faults > 0 ? faulted : silent).add(row.semantic().name());
                    }
                }
            }
        }
        silent.removeAll(faulted);
        silent.removeAll(NO_ACCESS);
        assertThat(silent).as("semantics that access memory but were not seen to fault").isEmpty();
        assertThat(faulted).hasSizeGreaterThan(300);
    }

    private static boolean hasMemory(OpcodeRow row) {
        if (row.rmOperand() < 0) {
            return false;
        }
        OperandType type = row.operands().get(row.rmOperand()).type();
        return type == OperandType.RM_MEMORY || type.isRegisterOrMemory();
    }

    private static boolean hasImpliedMemory(OpcodeRow row) {
        return row.operands().stream().anyMatch(operand -> operand.type() == OperandType.STRING_SOURCE
                || operand.type() == OperandType.STRING_DESTINATION || operand.type() == OperandType.OFFSET)
                || Set.of("push", "pop", "pushf", "popf", "call", "calli", "ret", "reti", "enter", "leave", "xlat")
                        .contains(row.semantic().name());
    }

    /** Executes {@code row} with every address at {@code address}; 1 if it raised #PF. */
    private int faultAt(TestMachine machine, OpcodeRow row, int bits, long address) {
        Processor cpu = machine.cpu;
        RowEncoder encoder = new RowEncoder(row, bits).immediate(row.operands().stream()
                .anyMatch(operand -> operand.type() == OperandType.OFFSET) ? address : 0x55).secondImmediate(1);
        int rm = row.rmOperand();
        boolean memory = hasMemory(row);
        if (memory) {
            encoder.memory(Processor.RSI, DecodedInstruction.ZERO, 0, 0);
        }
        for (int i = 0; i < row.operands().size(); i++) {
            if (i != rm || !memory) {
                boolean segment = row.operands().get(i).type() == OperandType.SEGMENT;
                encoder.register(i, segment ? Processor.DS : i == 0 ? 1 : 2);
            }
        }
        byte[] code = encoder.bytes();
        machine.memory.copyIn(code, 0, TestMachine.CODE, code.length);
        for (int i = 0; i < 16; i++) {
            cpu.gpr[i] = random.nextLong();
        }
        // Bit offsets and XLAT's index stay small, so that the address is the one intended.
        cpu.gpr[Processor.RDX] &= 0xf;
        cpu.gpr[Processor.RCX] &= 0xf;
        cpu.gpr[Processor.RAX] = cpu.gpr[Processor.RAX] & ~0xffL;
        cpu.gpr[Processor.RBX] = address;
        cpu.gpr[Processor.RSI] = address;
        cpu.gpr[Processor.RDI] = address;
        cpu.gpr[Processor.RBP] = address;
        boolean pushes = Set.of("push", "pushf", "call", "calli", "enter").contains(row.semantic().name());
        cpu.gpr[Processor.RSP] = pushes && !memory ? address + 8 : memory ? TestMachine.STACK : address;
        cpu.setRflags(cpu.rflags() & ~0x8d5L | random.nextInt() & 0x8d5);
        cpu.rip = TestMachine.CODE;
        prepareFloatingPoint(cpu);

        State before = new State(machine);
        long retired = cpu.retired;
        Stop stop = machine.run(1);
        if (stop.kind != Stop.Kind.EXCEPTION || cpu.retired != retired) {
            return 0;
        }
        assertThat(new State(machine)).as("%s, %d bits, at 0x%x, vector %d", row, bits, address, stop.vector)
                .isEqualTo(before);
        if (stop.vector == PF) {
            assertThat(stop.address).as(row.toString()).isBetween(HOLE - 64, READ_ONLY + 0x1000);
            return 1;
        }
        return 0;
    }

    /** All units enabled, nothing pending, room on the x87's stack for one more. */
    private void prepareFloatingPoint(Processor cpu) {
        cpu.cr4 |= Bits.CR4_OSFXSR | Bits.CR4_OSXMMEXCPT | Bits.CR4_OSXSAVE;
        cpu.xcr0 = 7;
        cpu.fpu.setControl(0x37f);
        cpu.fpu.setStatusWord(0);
        cpu.fpu.valid = 0x7f;
        for (int i = 0; i < 8; i++) {
            cpu.fpu.significand[i] = random.nextLong();
            cpu.fpu.signExponent[i] = random.nextInt() & 0xffff;
        }
        for (int i = 0; i < cpu.vector.length; i++) {
            cpu.vector[i] = random.nextLong();
        }
        cpu.setMxcsr(0x1f80);
        cpu.updateContext();
    }

    private record State(List<Long> registers, long rip, long rflags, List<Integer> selectors, long memory) {
        State(TestMachine machine) {
            this(registers(machine.cpu), machine.cpu.rip, machine.cpu.rflags(), selectors(machine.cpu),
                    machine.memory.digest(TestMachine.DATA, 0x5000)
                            ^ machine.memory.digest(TestMachine.STACK - 0x1000, 0x2000));
        }

        private static List<Long> registers(Processor cpu) {
            List<Long> values = new ArrayList<>();
            for (int i = 0; i < 16; i++) {
                values.add(cpu.gpr[i]);
            }
            for (long quadword : cpu.vector) {
                values.add(quadword);
            }
            for (int i = 0; i < 8; i++) {
                values.add(cpu.fpu.significand[i]);
                values.add((long) cpu.fpu.signExponent[i]);
            }
            values.addAll(List.of((long) cpu.mxcsr(), (long) cpu.fpu.control(), (long) cpu.fpu.statusWord(),
                    (long) cpu.fpu.valid));
            return values;
        }

        private static List<Integer> selectors(Processor cpu) {
            List<Integer> values = new ArrayList<>();
            for (int selector : cpu.segmentSelector) {
                values.add(selector);
            }
            return values;
        }
    }
}
