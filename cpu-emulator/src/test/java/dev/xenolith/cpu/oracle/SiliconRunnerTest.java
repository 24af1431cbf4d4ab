package dev.xenolith.cpu.oracle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** The oracle itself, on instructions whose outcome the manuals leave no doubt about. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class SiliconRunnerTest {
    private static final int RAX = 0;
    private static final int RCX = 1;
    private static final int RDX = 2;
    private static final int RBX = 3;
    private static final int RSP = 4;

    private static final long CF = 1;
    private static final long PF = 1 << 2;
    private static final long AF = 1 << 4;
    private static final long SF = 1 << 7;
    private static final long TF = 1 << 8;
    private static final long AC = 1 << 18;
    private static final long OF = 1 << 11;
    private static final long STATUS = CF | PF | AF | 1 << 6 | SF | OF;

    private SiliconRunner runner;

    @BeforeAll
    void start() {
        Optional<String> unavailable = SiliconRunner.unavailable();
        assumeTrue(unavailable.isEmpty(), () -> unavailable.orElseThrow());
        runner = new SiliconRunner(256);
    }

    @AfterAll
    void stop() {
        if (runner != null) {
            runner.close();
        }
    }

    private Outcome run(Snippet snippet) {
        Outcome outcome = new Outcome();
        runner.run(List.of(snippet), List.of(outcome));
        return outcome;
    }

    private Outcome fault(Snippet snippet, int vector) {
        Outcome outcome = run(snippet);
        assertThat(outcome.ending).isEqualTo(Outcome.Ending.EXCEPTION);
        assertThat(outcome.vector).isEqualTo(vector);
        return outcome;
    }

    private Outcome pageFault(Snippet snippet, long address, int errorCode) {
        Outcome outcome = fault(snippet, Outcome.PAGE_FAULT);
        assertThat(outcome.cr2).as("CR2").isEqualTo(address);
        assertThat(outcome.errorCode).as("error code").isEqualTo(errorCode);
        return outcome;
    }

    @Test
    void everyRegisterGoesInAndComesBack() {
        Snippet snippet = new Snippet();
        for (int i = 0; i < 16; i++) {
            snippet.registers.gpr[i] = 0x0123_4567_89ab_cdefL * (i + 1);
        }
        snippet.registers.fsBase = 0x1234_5678_9000L;
        long gsBase = HostCode.setsAnySegmentBase() ? -0x1000L : 0x4321_8765_9000L;
        snippet.registers.gsBase = gsBase;
        snippet.registers.rflags = 0x202 | STATUS | 1 << 10 | AC | 1 << 21 | 1 << 14;
        for (int i = 160; i < 416; i++) {
            snippet.fx[i] = (byte) i;
        }

        Outcome outcome = run(snippet);

        assertThat(outcome.completed(snippet)).isTrue();
        assertThat(outcome.registers.gpr).isEqualTo(snippet.registers.gpr);
        assertThat(outcome.registers.rflags & ~(1L << 16)).isEqualTo(snippet.registers.rflags);
        assertThat(outcome.registers.fsBase).isEqualTo(0x1234_5678_9000L);
        assertThat(outcome.registers.gsBase).isEqualTo(gsBase);
        assertThat(outcome.registers.selector).isEqualTo(snippet.registers.selector);
        assertThat(outcome.pages).isEqualTo(snippet.pages);
        assertThat(Arrays.copyOfRange(outcome.fx, 160, 416))
                .isEqualTo(Arrays.copyOfRange(snippet.fx,
                        160, 416));
    }

    @Test
    void addCarriesOutOfEveryBit() {
        Snippet snippet = new Snippet(0x48, 0x01, 0xc8); // add rax, rcx
        snippet.registers.gpr[RAX] = Long.MIN_VALUE;
        snippet.registers.gpr[RCX] = -1;

        Outcome outcome = run(snippet);

        assertThat(outcome.completed(snippet)).isTrue();
        assertThat(outcome.registers.gpr[RAX]).isEqualTo(Long.MAX_VALUE);
        assertThat(outcome.registers.rflags & STATUS).isEqualTo(CF | OF | PF);
    }

    @Test
    void adcTakesTheCarry() {
        Snippet snippet = new Snippet(0x48, 0x11, 0xc8); // adc rax, rcx
        snippet.registers.gpr[RAX] = Long.MAX_VALUE;
        snippet.registers.rflags |= CF;

        Outcome outcome = run(snippet);

        assertThat(outcome.registers.gpr[RAX]).isEqualTo(Long.MIN_VALUE);
        assertThat(outcome.registers.rflags & STATUS).isEqualTo(OF | SF | AF | PF);
    }

    @Test
    void imulGivesBothHalves() {
        Snippet snippet = new Snippet(0x48, 0xf7, 0xe9); // imul rcx
        snippet.registers.gpr[RAX] = Long.MIN_VALUE;
        snippet.registers.gpr[RCX] = 2;

        Outcome outcome = run(snippet);

        assertThat(outcome.registers.gpr[RAX]).isZero();
        assertThat(outcome.registers.gpr[RDX]).isEqualTo(-1);
        assertThat(outcome.registers.rflags & (CF | OF)).isEqualTo(CF | OF);
    }

    @Test
    void divisionByZeroFaultsAndChangesNothing() {
        Snippet snippet = new Snippet(0x48, 0xf7, 0xf1); // div rcx
        snippet.registers.gpr[RAX] = 5;
        snippet.registers.rflags |= STATUS;

        Outcome outcome = fault(snippet, 0);

        assertThat(outcome.rip).isEqualTo(snippet.start());
        assertThat(outcome.registers.gpr).isEqualTo(snippet.registers.gpr);
        assertThat(outcome.registers.rflags & STATUS).isEqualTo(STATUS);
    }

    @Test
    void invalidOpcodePrivilegedAndAlignment() {
        Snippet ud2 = new Snippet(0x0f, 0x0b);
        assertThat(fault(ud2, 6).rip).isEqualTo(ud2.start());
        Snippet hlt = new Snippet(0xf4);
        assertThat(fault(hlt, 13).rip).isEqualTo(hlt.start());
        Snippet unaligned = new Snippet(0x8b, 0x01); // mov eax, [rcx]
        unaligned.registers.gpr[RCX] = AddressMap.WRITABLE + 1;
        unaligned.registers.rflags |= AC;
        assertThat(fault(unaligned, 17).errorCode).isZero();
    }

    @Test
    void nonCanonicalAddressesGiveTheFaultOfTheirSegment() {
        Snippet data = new Snippet(0x8b, 0x01); // mov eax, [rcx]
        data.registers.gpr[RCX] = 0x8000_0000_0000_0000L;
        fault(data, 13);
        Snippet stack = new Snippet(0x50); // push rax
        stack.registers.gpr[RSP] = 0x8000_0000_0000_0000L;
        fault(stack, 12);
    }

    @Test
    void pageFaultsCarryAddressAndErrorCode() {
        Snippet read = new Snippet(0x8b, 0x01); // mov eax, [rcx]
        read.registers.gpr[RCX] = 0x1000;
        pageFault(read, 0x1000, 4);
        Snippet writeAbsent = new Snippet(0x89, 0x01); // mov [rcx], eax
        writeAbsent.registers.gpr[RCX] = AddressMap.WRITABLE_TOP + AddressMap.PAGE - 2;
        pageFault(writeAbsent, 0x1_0000_0000L, 6);
        Snippet writeProtected = new Snippet(0x89, 0x01);
        writeProtected.registers.gpr[RCX] = AddressMap.READ_ONLY_LOW + 8;
        pageFault(writeProtected, AddressMap.READ_ONLY_LOW + 8, 7);
        Snippet fetch = new Snippet(0xff, 0xe1); // jmp rcx
        fetch.registers.gpr[RCX] = AddressMap.WRITABLE;
        assertThat(pageFault(fetch, AddressMap.WRITABLE, 0x15).rip).isEqualTo(AddressMap.WRITABLE);
    }

    @Test
    void storeAcrossIntoAReadOnlyPageLeavesTheFirstPageAlone() {
        Snippet snippet = new Snippet(0x48, 0x01, 0x01); // add [rcx], rax
        snippet.registers.gpr[RAX] = -1;
        snippet.registers.gpr[RCX] = AddressMap.READ_ONLY_HIGH - 4;

        Outcome outcome = pageFault(snippet, AddressMap.READ_ONLY_HIGH, 7);

        assertThat(outcome.pages).isEqualTo(snippet.pages);
        assertThat(outcome.registers.gpr).isEqualTo(snippet.registers.gpr);
    }

    @Test
    void instructionAcrossTheEndOfTheCodeFaultsOnItsFetch() {
        Snippet snippet = new Snippet(0x48, 0xb8); // mov rax, imm64, whose immediate is not there
        snippet.entry = AddressMap.CODE_BYTES - 2;
        Outcome outcome = pageFault(snippet, AddressMap.CODE + AddressMap.CODE_BYTES, 0x14);
        assertThat(outcome.rip).isEqualTo(snippet.start());
    }

    @Test
    void writesAreSeenInAllWritablePages() {
        Snippet snippet = new Snippet(0x88, 0x01, 0x88, 0x02, 0x88, 0x03); // mov [rcx], al; mov [rdx], al; mov [rbx], al
        snippet.registers.gpr[RAX] = 0x5a;
        snippet.registers.gpr[RCX] = AddressMap.WRITABLE;
        snippet.registers.gpr[RDX] = AddressMap.WRITABLE + AddressMap.PAGE + 7;
        snippet.registers.gpr[RBX] = AddressMap.WRITABLE_TOP + AddressMap.PAGE - 1;
        Arrays.fill(snippet.pages, (byte) 0x11);

        Outcome outcome = run(snippet);

        byte[] expected = snippet.pages.clone();
        expected[0] = 0x5a;
        expected[AddressMap.PAGE + 7] = 0x5a;
        expected[AddressMap.TOP_OFFSET + AddressMap.PAGE - 1] = 0x5a;
        assertThat(outcome.pages).isEqualTo(expected);
    }

    @Test
    void readOnlyPagesHoldTheirContents() {
        Snippet snippet = new Snippet(0x48, 0x8b, 0x01); // mov rax, [rcx]
        snippet.registers.gpr[RCX] = AddressMap.READ_ONLY_HIGH + 16;
        long expected = ByteBuffer.wrap(AddressMap.readOnlyContents(AddressMap.READ_ONLY_HIGH))
                .order(ByteOrder.LITTLE_ENDIAN).getLong(16);
        assertThat(run(snippet).registers.gpr[RAX]).isEqualTo(expected);
    }

    @Test
    void endlessLoopTimesOut() {
        Snippet snippet = new Snippet(0xeb, 0xfe); // jmp to itself
        Outcome outcome = run(snippet);
        assertThat(outcome.ending).isEqualTo(Outcome.Ending.TIMEOUT);
        assertThat(outcome.rip).isEqualTo(snippet.start());
    }

    @Test
    void singleStepTrapsAfterTheFirstInstruction() {
        Snippet snippet = new Snippet(0xff, 0xc0, 0xff, 0xc0); // inc eax; inc eax
        snippet.registers.rflags |= TF;
        Outcome outcome = fault(snippet, 1);
        assertThat(outcome.rip).isEqualTo(snippet.start() + 2);
        assertThat(outcome.registers.gpr[RAX]).isEqualTo(1);
    }

    @Test
    void systemCallsAreStoppedAtTheDoor() {
        Snippet exit = new Snippet(0x0f, 0x05); // syscall: exit_group
        exit.registers.gpr[RAX] = 231;
        Outcome outcome = run(exit);
        assertThat(outcome.ending).isEqualTo(Outcome.Ending.SYSTEM_CALL);
        assertThat(outcome.vector).isEqualTo(0x100);
        assertThat(outcome.registers.gpr[RAX]).isEqualTo(231);
        assertThat(outcome.registers.gpr[RCX]).isEqualTo(exit.end());
        assumeTrue(HostCode.has32Bit(), "the host's kernel has no INT 80h");
        Snippet old = new Snippet(0xcd, 0x80); // int 0x80: exit
        old.registers.gpr[RAX] = 1;
        assertThat(run(old).ending).isEqualTo(Outcome.Ending.SYSTEM_CALL);
    }

    @Test
    void compatibilityModeRuns32BitCode() {
        assumeTrue(HostCode.has32Bit(), "the host's kernel runs no 32-bit code");
        Snippet snippet = new Snippet(0x40, 0x37); // inc eax; aaa
        snippet.registers.selector[Registers.CS] = AddressMap.CODE_SELECTOR_32;
        snippet.registers.selector[Registers.DS] = AddressMap.DATA_SELECTOR;
        snippet.registers.selector[Registers.ES] = AddressMap.DATA_SELECTOR;
        snippet.registers.gpr[RAX] = 0x0e;
        Outcome outcome = run(snippet);
        assertThat(outcome.completed(snippet)).isTrue();
        assertThat(outcome.registers.gpr[RAX]).isEqualTo(0x105);
        assertThat(outcome.registers.selector).isEqualTo(snippet.registers.selector);
    }

    @Test
    void deathOfTheChildIsReportedAndTheRestOfTheBatchRuns() {
        Snippet overwritesItsRunner = new Snippet(0xf3, 0xaa); // rep stosb over the runner's data
        overwritesItsRunner.registers.gpr[RCX] = 0x10000;
        overwritesItsRunner.registers.gpr[7] = 0x6000_0000_3000L;
        Snippet before = new Snippet(0xff, 0xc0); // inc eax
        Snippet after = new Snippet(0xff, 0xc0, 0xff, 0xc0);
        List<Outcome> outcomes = List.of(new Outcome(), new Outcome(), new Outcome());

        runner.run(List.of(before, overwritesItsRunner, after), outcomes);

        assertThat(outcomes.get(0).registers.gpr[RAX]).isEqualTo(1);
        assertThat(outcomes.get(1).ending).isEqualTo(Outcome.Ending.CRASH);
        assertThat(outcomes.get(2).registers.gpr[RAX]).isEqualTo(2);
    }

    @Test
    void batchesLargerThanTheCapacityRunInOrder() {
        List<Snippet> snippets = new ArrayList<>();
        List<Outcome> outcomes = new ArrayList<>();
        for (int i = 0; i < 1000; i++) {
            Snippet snippet = new Snippet(0x48, 0x8d, 0x41, 0x01); // lea rax, [rcx + 1]
            snippet.registers.gpr[RCX] = i;
            snippets.add(snippet);
            outcomes.add(new Outcome());
        }
        runner.run(snippets, outcomes);
        for (int i = 0; i < 1000; i++) {
            assertThat(outcomes.get(i).registers.gpr[RAX]).isEqualTo(i + 1);
        }
    }
}
