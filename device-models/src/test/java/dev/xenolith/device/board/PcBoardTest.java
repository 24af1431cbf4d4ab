package dev.xenolith.device.board;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xenolith.cpu.model.CpuModel;
import dev.xenolith.cpu.processor.Msrs;
import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.device.RoundTrip;
import dev.xenolith.device.boot.BootException;
import dev.xenolith.device.boot.BootRequest;
import dev.xenolith.device.boot.FirmwareImage;
import dev.xenolith.device.serial.CharacterBackend;
import dev.xenolith.device.serial.StreamBackend;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Small 64-bit guests on the whole board. */
@Timeout(60)
class PcBoardTest {
    private static final long ENTRY = 0x10_0200;
    private static final long HANDLER = 0x30_0000;
    private static final long IDT = 0x31_0000;
    private static final long IDT_POINTER = 0x31_2000;
    private static final long COUNTER = 0x32_0000;
    private static final long RESULT = 0x32_0010;
    private static final long LAPIC = 0xfee0_0000L;
    private static final long IO_APIC = 0xfec0_0000L;
    private static final long HPET = 0xfed0_0000L;
    private static final int VECTOR = 0x40;
    private static final int COM1 = 0x3f8;
    private static final int PM_BASE = 0x600;

    /** What a run left behind. */
    private record Run(Outcome outcome, String output, long time, long retired, long[] results) {
    }

    private final ByteArrayOutputStream output = new ByteArrayOutputStream();
    private @Nullable StreamBackend backend;

    private PcBoard board(int processors, long limit) {
        return new PcBoard(new PcBoard.Options(64 << 20, processors, CpuModel.intel(),
                new Machine.Configuration(ClockMode.VIRTUAL, 1),
                machine -> backend = new StreamBackend(output, machine, PcBoardTest::noFailure),
                1_700_000_000L, null, true, true, limit));
    }

    private static GuestCode guest() {
        return new GuestCode(ENTRY);
    }

    /** A handler that counts in COUNTER, does {@code acknowledge}, and returns. */
    private static GuestCode counting(GuestCode acknowledge) {
        return new GuestCode(HANDLER).pushRax().loadEax(COUNTER).incEax().storeEax(COUNTER).bytes(0x90)
                .bytes(toInts(acknowledge.code())).popRaxAndReturn();
    }

    private static int[] toInts(byte[] bytes) {
        int[] ints = new int[bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            ints[i] = bytes[i] & 0xff;
        }
        return ints;
    }

    /** Waits with HLT until COUNTER is {@code count}, then ends with debug-exit code 1. */
    private static GuestCode await(GuestCode code, int count) {
        long loop = code.sti().here();
        return code.hlt().loadEax(COUNTER).cmpEax(count).jb(loop).cli().out(0xf4, 1, 0);
    }

    private void load(PcBoard board, GuestCode code, @Nullable GuestCode handler) throws BootException {
        board.boot(new BootRequest(new BootRequest.File("guest", GuestCode.bzImage(code.code())), null, "", List.of()));
        var memory = board.machine().memory();
        for (int vector = 0; vector < 256; vector++) {
            long gate = IDT + vector * 16L;
            memory.write64(gate, HANDLER & 0xffff | 0x10L << 16 | 0x8e00L << 32 | (HANDLER & 0xffff_0000L) << 32);
        }
        memory.write16(IDT_POINTER, 0xfff);
        memory.write64(IDT_POINTER + 2, IDT);
        if (handler != null) {
            byte[] bytes = handler.code();
            memory.copyIn(bytes, 0, HANDLER, bytes.length);
        }
    }

    private Run run(PcBoard board) throws InterruptedException, ExecutionException, TimeoutException {
        board.start();
        Outcome outcome = board.outcome().get(30, TimeUnit.SECONDS);
        var memory = board.machine().memory();
        return new Run(outcome, output.toString(StandardCharsets.ISO_8859_1), board.machine().clock().now(),
                board.retired(), new long[]{memory.read32(RESULT), memory.read32(RESULT + 4)});
    }

    private Run run(GuestCode code, @Nullable GuestCode handler) throws Exception {
        try (PcBoard board = board(1, Long.MAX_VALUE)) {
            load(board, code, handler);
            return run(board);
        }
    }

    /** Initializes the 8259As at vectors 0x20 and 0x28 with all but {@code irq} masked, 16 for all. */
    private static GuestCode pics(GuestCode code, int irq) {
        int mask = 0xffff & ~(irq == 16 ? 0 : 1 << irq | 4);
        return code.out(0x20, 1, 0x11).out(0x21, 1, 0x20).out(0x21, 1, 4).out(0x21, 1, 1).out(0xa0, 1, 0x11)
                .out(0xa1, 1, 0x28).out(0xa1, 1, 2).out(0xa1, 1, 1).out(0x21, 1, mask & 0xff).out(0xa1, 1, mask >>> 8);
    }

    private static GuestCode route(GuestCode code, int pin) {
        return code.store(IO_APIC, 0x11 + 2 * pin).store(IO_APIC + 0x10, 0).store(IO_APIC, 0x10 + 2 * pin)
                .store(IO_APIC + 0x10, VECTOR);
    }

    private static GuestCode apicEoi() {
        return new GuestCode(0).store(LAPIC + 0xb0, 0);
    }

    /** PIT counter 0 in mode 2, about 1 kHz. */
    private static GuestCode pit1000(GuestCode code) {
        return code.out(0x43, 1, 0x34).out(0x40, 1, 1193 & 0xff).out(0x40, 1, 1193 >>> 8);
    }

    private static GuestCode print(GuestCode code, String text) {
        for (char c : text.toCharArray()) {
            long wait = code.here();
            code.in(COM1 + 5, 1).testAl(0x20).jz(wait).out(COM1, 1, c);
        }
        return code;
    }

    @Test
    void eitherGateOpensA20() throws Exception {
        // With both gates closed 0x332000 is 0x232000.
        GuestCode code = guest().store(0x23_2000, 1).store(0x33_2000, 2).out(0x64, 1, 0xd1).out(0x60, 1, 0xdd)
                .loadEax(0x33_2000).storeEax(0x22_0010).out(0x92, 1, 2).loadEax(0x33_2000).storeEax(RESULT)
                .out(0xf4, 1, 0);
        try (PcBoard board = board(1, Long.MAX_VALUE)) {
            load(board, code, null);
            // The code itself stands at 1 MiB, and without A20 at 0.
            byte[] image = new byte[0x1000];
            board.machine().memory().copyOut(0x10_0000, image, 0, image.length);
            board.machine().memory().copyIn(image, 0, 0, image.length);
            Run run = run(board);
            assertThat(board.machine().memory().read32(0x22_0010)).isEqualTo(1);
            assertThat(run.results[0]).isEqualTo(2);
        }
    }

    @Test
    void printsAndPowersOff() throws Exception {
        Run run = run(print(guest().out(COM1 + 3, 1, 3), "hello").out(PM_BASE + 4, 2, 0x2000).hlt(), null);
        assertThat(run.outcome.kind()).isEqualTo(Outcome.Kind.POWER_OFF);
        assertThat(run.output).isEqualTo("hello");
        assertThat(run.time).as("the line has no speed of its own").isLessThan(100_000);
    }

    @Test
    void debugExit() throws Exception {
        Run run = run(guest().out(0xf4, 4, 0x10).hlt(), null);
        assertThat(run.outcome).isEqualTo(new Outcome(Outcome.Kind.DEBUG_EXIT, 0x21, ""));
        assertThat(run(guest().out(0x501, 1, 0).hlt(), null).outcome.code()).isEqualTo(1);
    }

    @Test
    void resets() throws Exception {
        assertThat(run(guest().out(0x64, 1, 0xfe).hlt(), null).outcome.kind()).isEqualTo(Outcome.Kind.RESET);
        assertThat(run(guest().out(0xcf9, 1, 6).hlt(), null).outcome.kind()).isEqualTo(Outcome.Kind.RESET);
        assertThat(run(guest().out(0x92, 1, 3).hlt(), null).outcome.kind()).isEqualTo(Outcome.Kind.RESET);
    }

    @Test
    void pitThroughThePics() throws Exception {
        GuestCode code = await(pit1000(pics(guest().lidt(IDT_POINTER), 0)), 10);
        Run run = run(code, counting(new GuestCode(0).out(0x20, 1, 0x20)));
        assertThat(run.outcome.code()).isEqualTo(1);
        assertThat(run.time).as("OUT rises when its mode is set, then nine periods of 999.85 us").isBetween(8_998_000L,
                9_100_000L);
        assertThat(run.retired).as("HLT skips idle time").isLessThan(1000);
    }

    @Test
    void pitThroughTheIoApic() throws Exception {
        GuestCode code = await(
                pit1000(route(pics(guest().lidt(IDT_POINTER), 16).out(0x21, 1, 0xff).out(0xa1, 1, 0xff), 2)),
                10);
        Run run = run(code, counting(apicEoi()));
        assertThat(run.outcome.code()).isEqualTo(1);
        assertThat(run.time).isBetween(8_998_000L, 9_100_000L);
    }

    @Test
    void theTestDeviceHasARegisterAWindowAndTheInterruptLines() throws Exception {
        GuestCode code = pics(guest().lidt(IDT_POINTER), 5).out(0xe0, 4, 0x1234_5678).in(0xe0, 4).storeEax(RESULT)
                .store(0xff00_fffcL, 0x55aa).loadEax(0xff00_fffcL).storeEax(RESULT + 4).out(0x2005, 1, 1);
        Run run = run(await(code, 1), counting(new GuestCode(0).out(0x20, 1, 0x20)));
        assertThat(run.outcome.code()).isEqualTo(1);
        assertThat(run.results).containsExactly(0x1234_5678, 0x55aa);
        GuestCode beyond = route(guest().lidt(IDT_POINTER), 23).out(0x2017, 1, 1);
        assertThat(run(await(beyond, 1), counting(apicEoi())).outcome.code()).isEqualTo(1);
    }

    @Test
    void rtcPeriodicThroughThePics() throws Exception {
        GuestCode code = pics(guest().lidt(IDT_POINTER), 8);
        code.out(0x70, 1, 0x0b).out(0x71, 1, 0x42);
        GuestCode acknowledge = new GuestCode(0).out(0x70, 1, 0x0c).in(0x71, 1).out(0xa0, 1, 0x20).out(0x20, 1, 0x20);
        Run run = run(await(code, 1024), counting(acknowledge));
        assertThat(run.outcome.code()).isEqualTo(1);
        assertThat(run.time).as("1024 Hz").isBetween(1_000_000_000L, 1_001_000_000L);
    }

    @Test
    void hpetPeriodicThroughTheIoApic() throws Exception {
        GuestCode code = route(guest().lidt(IDT_POINTER), 20);
        // Timer 0: input 20, 32 bits, periodic, value set; every 10,000 ticks of 10 ns.
        code.store(HPET + 0x100, 20 << 9 | 0x14c).store(HPET + 0x108, 10_000).store(HPET + 0x108, 10_000)
                .store(HPET + 0x10, 1);
        Run run = run(await(code, 100), counting(apicEoi()));
        assertThat(run.outcome.code()).isEqualTo(1);
        assertThat(run.time).isBetween(10_000_000L, 10_100_000L);
    }

    @Test
    void thePmTimerAgreesWithMachineTime() throws Exception {
        GuestCode code = route(guest().lidt(IDT_POINTER), 20);
        code.store(HPET + 0x100, 20 << 9 | 0x104).store(HPET + 0x108, 100_000_000).in(PM_BASE + 8, 4).storeEax(RESULT)
                .store(HPET + 0x10, 1).sti().hlt().in(PM_BASE + 8, 4).storeEax(RESULT + 4).out(0xf4, 1, 0);
        Run run = run(code, counting(apicEoi()));
        assertThat(run.results[1] - run.results[0]).as("one second of 3.579545 MHz").isBetween(3_579_545L, 3_579_600L);
    }

    @Test
    void sciArrivesWhenThePowerButtonIsPressed() throws Exception {
        GuestCode code = route(guest().lidt(IDT_POINTER), 9);
        code.store(IO_APIC + 0x10, VECTOR | 1 << 15).out(0xb2, 1, 0xf1).out(PM_BASE + 2, 2, 0x100);
        GuestCode acknowledge = new GuestCode(0).out(PM_BASE, 2, 0x100).store(LAPIC + 0xb0, 0);
        try (PcBoard board = board(1, Long.MAX_VALUE)) {
            load(board, await(code, 1), counting(acknowledge));
            board.start();
            board.pressPowerButton();
            assertThat(board.outcome().get(30, TimeUnit.SECONDS).kind()).isEqualTo(Outcome.Kind.DEBUG_EXIT);
        }
    }

    @Test
    void serialInputInterrupts() throws Exception {
        GuestCode code = pics(guest().lidt(IDT_POINTER), 4);
        code.out(COM1 + 4, 1, 0x0b).out(COM1 + 3, 1, 3).out(COM1 + 2, 1, 7).out(COM1 + 1, 1, 1);
        print(code, ">").sti();
        code.jmp(code.hlt().here() - 1);
        // Echoes all there is, for the line falls only then; 'q' switches off.
        GuestCode handler = new GuestCode(HANDLER).pushRax();
        long next = handler.here();
        handler.in(COM1 + 5, 1).testAl(1).bytes(0x74, 28).in(COM1, 1).bytes(0xee).bytes(0x3c, 'q');
        handler.bytes(0x75, 12).out(PM_BASE + 4, 2, 0x2000).jmp(next).out(0x20, 1, 0x20).popRaxAndReturn();
        try (PcBoard board = board(1, Long.MAX_VALUE)) {
            load(board, code, handler);
            board.start();
            while (!board.machine().call(output::toString).get().contains(">")) {
                Thread.onSpinWait();
            }
            StreamBackend keyboard = Objects.requireNonNull(backend);
            for (byte b : "abcq".getBytes(StandardCharsets.ISO_8859_1)) {
                keyboard.feed(b);
            }
            assertThat(board.outcome().get(30, TimeUnit.SECONDS).kind()).isEqualTo(Outcome.Kind.POWER_OFF);
            assertThat(output.toString(StandardCharsets.ISO_8859_1)).startsWith(">");
        }
    }

    @Test
    void aTripleFaultShowsTheRegisters() throws Exception {
        Run run = run(guest().lidt(0x32_0100).movEax(0x1234_5678).ud2(), null);
        assertThat(run.outcome.kind()).isEqualTo(Outcome.Kind.TRIPLE_FAULT);
        assertThat(run.outcome.details()).contains("RIP=000000000010020d", "RAX=0000000012345678");
    }

    @Test
    void theInstructionLimitIsExact() throws Exception {
        try (PcBoard board = board(1, 123_456)) {
            GuestCode code = guest();
            load(board, code.jmp(code.here()), null);
            Run run = run(board);
            assertThat(run.outcome.kind()).isEqualTo(Outcome.Kind.INSTRUCTION_LIMIT);
            assertThat(run.retired).isEqualTo(123_456);
        }
    }

    @Test
    void runsAreIdentical() throws Exception {
        GuestCode handler = counting(new GuestCode(0).out(0x20, 1, 0x20));
        Run first = run(await(print(pit1000(pics(guest().lidt(IDT_POINTER), 0)), "x"), 50), handler);
        Run second = run(await(print(pit1000(pics(guest().lidt(IDT_POINTER), 0)), "x"), 50), handler);
        assertThat(second.time).isEqualTo(first.time);
        assertThat(second.retired).isEqualTo(first.retired);
    }

    /** Kernels compare the MTRRs of processors, and do without PAT if they are off. */
    @Test
    void everyProcessorHasTheSameMemoryTypes() throws Exception {
        for (long mebibytes : new long[]{4, 100, 512, 3072, 3084, 4096}) {
            for (CpuModel model : List.of(CpuModel.intel(), CpuModel.amd())) {
                try (PcBoard board = new PcBoard(new PcBoard.Options(mebibytes << 20, 2, model,
                        new Machine.Configuration(ClockMode.VIRTUAL, 1), machine -> CharacterBackend.NULL, 0, null,
                        false, false, 1))) {
                    load(board, guest().hlt(), null);
                    for (Processor p : board.machine().processors()) {
                        assertThat(Msrs.read(p, 0x2ff)).as("enabled, write-back").isEqualTo(0xc06);
                        assertThat(Msrs.read(p, 0x250)).isEqualTo(0x0606_0606_0606_0606L);
                        assertThat(Msrs.read(p, 0x259)).as("display memory").isZero();
                        assertThat(isUncached(p, 0)).isFalse();
                        long low = Math.min(mebibytes, 3072) << 20;
                        assertThat(isUncached(p, low - 1)).as("%d MiB", mebibytes).isFalse();
                        assertThat(isUncached(p, low + (16 << 20))).as("behind %d MiB", mebibytes).isTrue();
                        assertThat(isUncached(p, IO_APIC)).isTrue();
                        assertThat(isUncached(p, 0xffff_ffffL)).isTrue();
                        assertThat(isUncached(p, 0x1_0000_0000L)).isFalse();
                    }
                }
            }
        }
    }

    /** Whether a variable MTRR makes {@code address} uncached. */
    private static boolean isUncached(Processor p, long address) {
        for (int msr = 0x200; msr < 0x210; msr += 2) {
            long base = Msrs.read(p, msr);
            long mask = Msrs.read(p, msr + 1);
            if ((mask & 0x800) != 0 && (base & 0xff) == 0 && ((address ^ base) & mask & -4096) == 0) {
                return true;
            }
        }
        return false;
    }

    @Test
    void pciInterruptsAreRouted() throws Exception {
        GuestCode code = guest().out(0xcf8, 4, 0x8000_0860L).in(0xcfc, 4).storeEax(RESULT).in(0x4d1, 1)
                .storeEax(RESULT + 4).out(0xf4, 1, 0);
        Run run = run(code, null);
        assertThat(run.results[0]).as("PIRQRC[A:D]").isEqualTo(0x0b0b_0a0a);
        assertThat(run.results[1] & 0xff).as("9, 10, 11 are levels").isEqualTo(0x0e);
    }

    @Test
    void pciAndFwCfgAnswer() throws Exception {
        GuestCode code = guest().out(0xcf8, 4, 0x8000_0000L).in(0xcfc, 4).storeEax(RESULT).out(0x510, 2, 5).in(0x511, 1)
                .storeEax(RESULT + 4).out(0xf4, 1, 0);
        Run run = run(code, null);
        assertThat(run.results[0]).isEqualTo(0x1237_8086);
        assertThat(run.results[1] & 0xff).isEqualTo(1);
    }

    @Test
    void anotherProcessorIsStartedInRealMode() throws Exception {
        GuestCode code = guest();
        // At 8000h: mov dx, 3fbh; mov al, 3; out dx, al; mov dl, f8h; mov al, 'A'; out dx, al; hlt
        code.store(0x8000, 0xb003_fbba).store(0x8004, 0xf8b2_ee03).store(0x8008, 0xf4ee_41b0);
        code.store(LAPIC + 0x310, 1 << 24).store(LAPIC + 0x300, 0x4500).store(LAPIC + 0x300, 0x4608);
        code.jmp(code.here());
        try (PcBoard board = board(2, 4_000_000)) {
            load(board, code, null);
            Run run = run(board);
            assertThat(run.outcome.kind()).isEqualTo(Outcome.Kind.INSTRUCTION_LIMIT);
            assertThat(output.toString(StandardCharsets.US_ASCII)).isEqualTo("A");
        }
    }

    @Test
    void firmwareStartsAtTheResetVector() throws Exception {
        byte[] image = new byte[64 << 10];
        // mov dx, 3fbh; mov al, 3; out dx, al; mov dl, f8h; mov al, 'F'; out dx, al; jmp $
        byte[] code = {(byte) 0xba, (byte) 0xfb, 3, (byte) 0xb0, 3, (byte) 0xee, (byte) 0xb2, (byte) 0xf8, (byte) 0xb0,
            'F',
            (byte) 0xee, (byte) 0xeb, (byte) 0xfe};
        System.arraycopy(code, 0, image, image.length - 16, code.length);
        PcBoard.Options options = new PcBoard.Options(64 << 20, 1, CpuModel.amd(),
                new Machine.Configuration(ClockMode.VIRTUAL, 1),
                machine -> new StreamBackend(output, machine, PcBoardTest::noFailure), 0,
                FirmwareImage.of(new BootRequest.File("bios", image)), false, false, 4_000_000);
        try (PcBoard board = new PcBoard(options)) {
            board.bootFirmware();
            assertThat(board.machine().memory().read8(0xffff_fff0L)).isEqualTo(0xba);
            assertThat(board.machine().memory().read8(0xf_fff0L)).isEqualTo(0xba);
            assertThat(run(board).outcome.kind()).isEqualTo(Outcome.Kind.INSTRUCTION_LIMIT);
            assertThat(output.toString(StandardCharsets.US_ASCII)).isEqualTo("F");
        }
        assertThatThrownBy(() -> FirmwareImage.of(new BootRequest.File("bios", new byte[1000])))
                .hasMessageContaining("multiple of 64 KiB");
    }

    @Test
    void stateComesBack() throws Exception {
        GuestCode handler = counting(new GuestCode(0).out(0x20, 1, 0x20));
        GuestCode code = await(pit1000(pics(guest().lidt(IDT_POINTER), 0)), 3);
        try (PcBoard board = board(1, Long.MAX_VALUE); PcBoard copy = board(1, Long.MAX_VALUE)) {
            load(board, code, handler);
            run(board);
            copy.machine().clock().advanceTo(board.machine().clock().now());
            RoundTrip.check(board, copy);
        }
    }

    private static void noFailure(IOException e) {
        throw new AssertionError(e);
    }
}
