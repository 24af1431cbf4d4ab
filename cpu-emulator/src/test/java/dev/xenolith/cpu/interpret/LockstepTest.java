package dev.xenolith.cpu.interpret;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xenolith.cpu.model.CpuModel;
import dev.xenolith.cpu.processor.Bits;
import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.cpu.processor.Stop;
import dev.xenolith.cpu.translate.Translation;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a unit does can be undone and repeated, whatever it is; and what it does wrong is found. */
class LockstepTest {
    private static final int UD = 6;
    private static final int PF = 14;
    private static final long HOLE = TestMachine.DATA + 0x1000;
    private static final String UD2 = "0f 0b";

    private final TestMachine machine = new TestMachine();
    private final Processor cpu = machine.cpu;

    @BeforeEach
    void prepare() {
        Translation.ALWAYS_LOCKSTEP.install(machine.interpreter, CpuModel.amd()::has);
        cpu.cr4 |= Bits.CR4_OSFXSR;
        cpu.updateContext();
        cpu.gpr[Processor.RSI] = TestMachine.DATA;
        cpu.gpr[Processor.RDI] = HOLE;
    }

    @AfterEach
    void close() {
        machine.close();
    }

    private Stop run(String code) {
        machine.code(TestMachine.CODE, code);
        return machine.run(1000);
    }

    private Lockstep.Statistics statistics() {
        return Objects.requireNonNull(machine.interpreter.lockstep()).statistics();
    }

    // ---- what can be repeated ----------------------------------------------------------------------------------------

    @Test
    void storesOfTheUnitAreUndone() {
        // 1: add [rsi], rax; push qword ptr [rsi]; dec ecx; jnz 1b
        cpu.gpr[Processor.RAX] = 3;
        cpu.gpr[Processor.RCX] = 5;
        assertThat(run("48 01 06  ff 36  ff c9  75 f7" + UD2).vector).isEqualTo(UD);
        assertThat(machine.memory.read64(TestMachine.DATA)).isEqualTo(15);
        assertThat(machine.memory.read64(TestMachine.STACK - 8)).isEqualTo(3);
        assertThat(machine.memory.read64(TestMachine.STACK - 40)).isEqualTo(15);
        assertThat(statistics()).isEqualTo(new Lockstep.Statistics(1, 1, 20));
    }

    @Test
    void storesOfCalledOperationsAreUndone() {
        machine.memory.write64(TestMachine.DATA, 1);
        // movups xmm0, [rsi]; paddq xmm0, xmm0; movups [rsi], xmm0; 15 bytes of it across two pages
        assertThat(run("0f 10 06  66 0f d4 c0  0f 11 06  0f 11 86 f1 0f 00 00" + UD2).vector).isEqualTo(UD);
        assertThat(machine.memory.read64(TestMachine.DATA)).isEqualTo(2);
        assertThat(machine.memory.read64(TestMachine.DATA + 0xff1)).isEqualTo(2);
        assertThat(statistics().instructions()).isEqualTo(4);
    }

    @Test
    void randomNumbersAreDrawnOnce() {
        AtomicLong source = new AtomicLong();
        cpu.entropy = source::incrementAndGet;
        // rdrand rax; rdseed rbx
        assertThat(run("48 0f c7 f0  48 0f c7 fb" + UD2).vector).isEqualTo(UD);
        assertThat(cpu.gpr[Processor.RAX]).isEqualTo(1);
        assertThat(cpu.gpr[Processor.RBX]).isEqualTo(2);
        assertThat(source.get()).isEqualTo(2);
        assertThat(statistics().instructions()).isEqualTo(2);
    }

    @Test
    void aFaultOfACalledOperationIsDeliveredOnce() {
        machine.unmap(HOLE);
        // inc rax; movups [rsi], xmm0; inc rax; movups [rdi], xmm0
        Stop stop = run("48 ff c0  0f 11 06  48 ff c0  0f 11 07" + UD2);
        assertThat(stop.vector).isEqualTo(PF);
        assertThat(stop.address).isEqualTo(HOLE);
        assertThat(cpu.rip).isEqualTo(TestMachine.CODE + 9);
        assertThat(cpu.retired).isEqualTo(3);
        assertThat(cpu.gpr[Processor.RAX]).isEqualTo(2);
        assertThat(statistics()).isEqualTo(new Lockstep.Statistics(1, 1, 3));
    }

    @Test
    void whatAWalkMarksIsMarkedAgainInTheRepetition() {
        // The entry of the page of [rsi], whose table lies where it is mapped.
        cpu.gpr[Processor.RDI] = 0x4000 + (TestMachine.DATA >> 12) * 8;
        cpu.gpr[Processor.RAX] = 1;
        // mov rbx, [rdi]; mov rcx, [rsi]; mov rdx, [rdi]; mov [rsi], rax; mov r8, [rdi]
        assertThat(run("48 8b 1f  48 8b 0e  48 8b 17  48 89 06  4c 8b 07" + UD2).vector).isEqualTo(UD);
        assertThat(cpu.gpr[Processor.RBX] & 0x60).isZero();
        assertThat(cpu.gpr[Processor.RDX] & 0x60).isEqualTo(0x20);
        assertThat(cpu.gpr[8] & 0x60).isEqualTo(0x60);
        assertThat(statistics().instructions()).isEqualTo(5);
    }

    @Test
    void whatAWalkMarksBeforeTheUnitIsLeftStays() {
        machine.code(TestMachine.DATA, UD2);
        cpu.gpr[Processor.RDI] = 0x4000 + (TestMachine.DATA >> 12) * 8;
        // Makes code of the page of [rsi], to which a unit does not store.
        cpu.rip = TestMachine.DATA;
        machine.run(1);
        cpu.rip = TestMachine.CODE;
        // mov rbx, [rdi]; mov [rsi], rax; mov rdx, [rdi]
        assertThat(run("48 8b 1f  48 89 06  48 8b 17" + UD2).vector).isEqualTo(UD);
        assertThat(cpu.gpr[Processor.RBX] & 0x60).isEqualTo(0x20);
        assertThat(cpu.gpr[Processor.RDX] & 0x60).isEqualTo(0x60);
    }

    @Test
    void codeThatChangesItselfIsRepeatedAsItWas() {
        cpu.vector[0] = 0x0b0f_c1ff_c1ff_c1ffL;
        // movups [rip+3], xmm0; inc eax; inc ecx; the latter becomes inc ecx, inc ecx, inc ecx
        assertThat(run("0f 11 05 02 00 00 00  ff c0  ff c0  90 90 90 90" + UD2).vector).isEqualTo(UD);
        assertThat(cpu.gpr[Processor.RAX]).isEqualTo(1);
        assertThat(cpu.gpr[Processor.RCX]).isEqualTo(3);
    }

    @Test
    void theBudgetEndsARunExactly() {
        // xor eax, eax; 1: inc eax; jmp 1b
        machine.code(TestMachine.CODE, "31 c0  ff c0  eb fc");
        for (int budget = 1; budget < 50; budget++) {
            long end = cpu.retired + budget;
            machine.run(budget);
            assertThat(cpu.retired).isEqualTo(end);
        }
        assertThat(statistics().runs()).isPositive();
    }

    // ---- what is wrong -----------------------------------------------------------------------------------------------

    /** A state that makes {@link PlantedUnit}'s code do something to each register, flag and location it writes. */
    private void plant(PlantedUnit.Error error) {
        machine.interpreter.translateInLockstep(PlantedUnit.source(error));
        cpu.gpr[Processor.RAX] = 1;
        cpu.gpr[Processor.RBX] = 7;
        cpu.setRflags(cpu.rflags() | 1);
        cpu.fpu.setControl(0x37f);
        machine.memory.write64(TestMachine.DATA, error == PlantedUnit.Error.NARROW_STORE ? 0xffL << 56 : 0);
    }

    @Test
    void aUnitWithoutErrorPasses() {
        plant(PlantedUnit.Error.NONE);
        assertThat(run(PlantedUnit.CODE + UD2).vector).isEqualTo(UD);
        assertThat(machine.memory.read64(TestMachine.DATA)).isEqualTo(12);
        assertThat(statistics()).isEqualTo(new Lockstep.Statistics(1, 1, 3));
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
    void everyErrorIsFound(PlantedUnit.Error error) {
        plant(error);
        assertThatThrownBy(() -> run(PlantedUnit.CODE + UD2)).isInstanceOf(LockstepDifference.class)
                .hasMessageContaining("the unit of frame 0x100, offset 0x000")
                .hasMessageContaining(error.report)
                .hasMessageContaining("rbx 0x7")
                .hasMessageContaining("007  4801d8")
                .hasMessageContaining("add rax, rbx");
    }

    @Test
    void afterADifferenceStoresAreNotLogged() {
        plant(PlantedUnit.Error.REGISTER);
        assertThatThrownBy(() -> run(PlantedUnit.CODE + UD2)).isInstanceOf(LockstepDifference.class);
        cpu.store64(TestMachine.DATA, 1);
        long table = cpu.writeTable();
        assertThat(table).isEqualTo(cpu.mmu().tlb.write.address);
        assertThatCode(() -> cpu.store64(TestMachine.DATA, 2)).doesNotThrowAnyException();
    }
}
