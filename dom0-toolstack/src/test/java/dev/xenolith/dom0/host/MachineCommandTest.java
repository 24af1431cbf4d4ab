package dev.xenolith.dom0.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.xenolith.dom0.xl.TestClient;
import dev.xenolith.dom0.xl.ToolstackException;
import dev.xenolith.dom0.xl.Xenolith;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.io.RandomAccessFile;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class MachineCommandTest {
    /** out 0xf4, 0x10. */
    private static final int[] DEBUG_EXIT = {0xb0, 0x10, 0xe6, 0xf4, 0xf4};
    /** mov dx, 0x604; mov ax, 0x2000; out dx, ax. */
    private static final int[] POWER_OFF = {0x66, 0xba, 0x04, 0x06, 0x66, 0xb8, 0x00, 0x20, 0x66, 0xef, 0xf4};
    /** Sends 'H' at COM1, waits until it has left, powers off. */
    private static final int[] PRINT = {0x66, 0xba, 0xf8, 0x03, 0xb0, 'H', 0xee, 0x66, 0xba, 0xfd, 0x03, 0xec, 0xa8,
        0x40, 0x74, 0xfb};
    /** mov word ptr [b80a2h], 748h. */
    private static final int[] SHOW = {0x66, 0xc7, 0x04, 0x25, 0xa2, 0x80, 0x0b, 0, 'H', 7};
    /** Pulses the keyboard controller's reset line. */
    private static final int[] RESET = {0xb0, 0xfe, 0xe6, 0x64, 0xeb, 0xfe};
    /** mov ebx, 0d0000000h; mov dword ptr [rbx], 1; for ever unless [rbx] is -1. */
    private static final int[] NOWHERE = {0xbb, 0, 0, 0, 0xd0, 0xc7, 0x03, 1, 0, 0, 0, 0x83, 0x3b, 0xff, 0x75, 0xfe};
    /** An endless loop. */
    private static final int[] LOOP = {0xeb, 0xfe};
    /** xor eax, eax; then inc eax; cmp eax, 3; jb three times. */
    private static final int[] COUNT = {0x31, 0xc0, 0xff, 0xc0, 0x83, 0xf8, 0x03, 0x72, 0xf9};
    /** ud2, without an IDT. */
    private static final int[] CRASH = {0x0f, 0x0b};

    @TempDir
    private Path directory = Path.of("");

    private TestClient client = new TestClient(directory, Map.of());

    @BeforeEach
    void prepare() {
        client = new TestClient(directory, Map.of());
    }

    private int machine(String... arguments) {
        List<String> line = new ArrayList<>(List.of("machine", "run"));
        line.addAll(List.of(arguments));
        return Xenolith.run(line, client, () -> {
            throw new AssertionError();
        }, Map.of("machine", new MachineCommand(client)));
    }

    private String error() {
        return client.errText();
    }

    /** Writes a bzImage with {@code code} at its 64-bit entry; returns its name. */
    private String kernel(boolean has64, int[]... code) throws IOException {
        ByteBuffer image = ByteBuffer.allocate(4096).order(ByteOrder.LITTLE_ENDIAN);
        image.put(0x1f1, (byte) 1).putShort(0x1fe, (short) 0xaa55).put(0x201, (byte) 0x66).putInt(0x202, 0x5372_6448)
                .putShort(0x206, (short) 0x20f).put(0x211, (byte) 1).putInt(0x22c, 0x7fff_ffff).put(0x234, (byte) 1)
                .putShort(0x236, (short) (has64 ? 1 : 0)).putInt(0x238, 2047).putLong(0x258, 0x10_0000)
                .putInt(0x260, 0x1_0000).putInt(0x214, 0x10_0000);
        image.position(1024 + 0x200);
        for (int[] part : code) {
            for (int value : part) {
                image.put((byte) value);
            }
        }
        Files.write(directory.resolve("kernel"), image.array());
        return "kernel";
    }

    @Test
    void powerOffIsZero() throws IOException {
        assertThat(machine("--kernel", kernel(true, PRINT, POWER_OFF), "--deterministic", "--stats")).isZero();
        assertThat(client.outText()).isEqualTo(Character.toString('H' & 0x1f));
        assertThat(error()).contains("instructions ", "machine time 0.0", "seed         1");
    }

    @Test
    void serialToAFile() throws IOException {
        assertThat(machine("--kernel", kernel(true, PRINT, POWER_OFF), "--serial", "file:log", "--clock", "virtual"))
                .isZero();
        assertThat(Files.readAllBytes(directory.resolve("log"))).containsExactly('H' & 0x1f);
        assertThat(client.out().size()).isZero();
    }

    @Test
    void debugExit() throws IOException {
        assertThat(machine("--kernel", kernel(true, DEBUG_EXIT), "--debug-exit", "--cpu", "amd", "--cpus", "2"))
                .isEqualTo(0x21);
    }

    @Test
    void tripleFault() throws IOException {
        assertThat(machine("--kernel", kernel(true, CRASH), "--memory", "16")).isEqualTo(MachineRun.TRIPLE_FAULT);
        assertThat(error()).startsWith("xenolith: triple fault\nprocessor 0  RIP=").contains("CR3=");
    }

    @Test
    void instructionLimit() throws IOException {
        assertThat(machine("--kernel", kernel(true, LOOP), "--max-instructions", "100000", "--stats"))
                .isEqualTo(MachineRun.INSTRUCTION_LIMIT);
        assertThat(error()).contains("instructions 100,000");
    }

    @Test
    void lockstepSaysWhatItHasCompared() throws IOException {
        assertThat(machine("--kernel", kernel(true, LOOP), "--max-instructions", "100000", "--translate", "lockstep"))
                .isEqualTo(MachineRun.INSTRUCTION_LIMIT);
        assertThat(error()).containsPattern(
                "xenolith: lockstep: 2 units in [0-9]+ runs of 9[0-9],[0-9]{3} instructions do what the interpreter does");
    }

    @Test
    void controlAXEndsIt() throws IOException {
        client.input(new ByteArrayInputStream(new byte[]{'a', 1, 'x'}));
        assertThat(machine("--kernel", kernel(true, LOOP))).isZero();
    }

    @Test
    void theScreenIsPrintedAtTheEnd() throws IOException {
        assertThat(machine("--kernel", kernel(true, SHOW, PRINT, POWER_OFF), "--screen", "--serial", "file:log",
                "--deterministic")).isZero();
        assertThat(client.outText()).isEqualTo("\n H\n");
    }

    @Test
    void theScreenBecomesAPicture() throws IOException {
        assertThat(machine("--kernel", kernel(true, SHOW, POWER_OFF), "--screenshot", "screen.png", "--serial",
                "file:log", "--deterministic")).isZero();
        var image = ImageIO.read(directory.resolve("screen.png").toFile());
        assertThat(image.getWidth()).isEqualTo(720);
        assertThat(image.getRGB(9, 18)).as("the left stroke of H").isEqualTo(0xffaaaaaa);
        assertThat(image.getRGB(12, 18)).isEqualTo(0xff000000);
        fails("--screenshot: " + directory + "/none/x.png: No such file", "--kernel", kernel(true, POWER_OFF),
                "--screenshot", "none/x.png");
        fails("--vga-bios: kernel: not an expansion ROM", "--kernel", kernel(true, POWER_OFF), "--vga-bios", "kernel");
        assertThat(machine("--kernel", kernel(true, SHOW, POWER_OFF), "--vga", "none")).isZero();
    }

    @Test
    void theScreenIsPrintedOnRequest() throws Exception {
        PipedOutputStream keys = new PipedOutputStream();
        client.input(new PipedInputStream(keys));
        String kernel = kernel(true, SHOW, LOOP);
        CompletableFuture<Integer> exit = CompletableFuture.supplyAsync(() -> machine("--kernel", kernel));
        while (!client.outText().contains("\r\n\r\n H\r\n")) {
            assertThat(exit).isNotDone();
            keys.write(new byte[]{1, 's'});
            keys.flush();
            Thread.sleep(20);
        }
        keys.write(new byte[]{1, 'h', 1, 'x'});
        keys.flush();
        assertThat(exit.get(30, TimeUnit.SECONDS)).isZero();
        assertThat(client.outText()).contains("Ctrl-A x  end the machine\r\n");
    }

    @Test
    void aMachineThatIsAlwaysResetIsEnded() throws IOException {
        client.input(new ByteArrayInputStream(new byte[]{1, 'x'}));
        assertThat(machine("--kernel", kernel(true, RESET))).isZero();
    }

    @Test
    void aFullDiskEndsIt() throws IOException {
        assumeTrue(Files.exists(Path.of("/dev/full")), "there is no /dev/full");
        fails("--serial: No space left on device", "--kernel", kernel(true, PRINT, LOOP), "--serial", "file:/dev/full");
    }

    @Test
    void whereNothingIsOnesAreReadAndWritesAreLost() throws IOException {
        assertThat(machine("--kernel", kernel(true, NOWHERE, DEBUG_EXIT), "--debug-exit")).isEqualTo(0x21);
    }

    @Test
    void firmwareCannotWriteItsRom() throws IOException {
        byte[] image = new byte[0x1_0000];
        image[0] = 0x10;
        // mov al, 55h; mov cs:[0], al; mov al, cs:[0]; out 0f4h, al
        int[] code = {0xb0, 0x55, 0x2e, 0xa2, 0, 0, 0x2e, 0xa0, 0, 0, 0xe6, 0xf4, 0xf4};
        for (int i = 0; i < code.length; i++) {
            image[0xfff0 + i] = (byte) code[i];
        }
        Files.write(directory.resolve("bios"), image);
        assertThat(machine("--bios", "bios", "--debug-exit")).isEqualTo(0x21);
    }

    @Test
    void escapesArePassedOn() throws InterruptedException {
        StringBuilder passed = new StringBuilder();
        EscapeKeys keys = new EscapeKeys(new EscapeKeys.Sink() {
            @Override
            public void pass(byte value) {
                passed.append((int) value).append(' ');
            }

            @Override
            public void end() {
                passed.append("end ");
            }

            @Override
            public void showScreen() {
                passed.append("screen ");
            }

            @Override
            public void help() {
                passed.append("help ");
            }
        });
        for (int value : new int[]{'x', 1, 'a', 1, 1, 1, 'z', 1, 's', 1, 'h', 's', 1, 'x'}) {
            keys.typed((byte) value);
        }
        assertThat(passed).hasToString("120 1 1 1 122 screen help 115 end ");
    }

    private void fails(String message, String... arguments) {
        client.err().reset();
        assertThat(machine(arguments)).isEqualTo(ToolstackException.FAILURE);
        assertThat(error()).startsWith("xenolith: ").contains(message).hasLineCount(1).doesNotContain("Exception");
    }

    private void refuses(String message, String... arguments) {
        client.err().reset();
        assertThat(machine(arguments)).isEqualTo(ToolstackException.USAGE);
        assertThat(error()).contains(message).hasLineCount(1);
    }

    @Test
    void wrongOptionsAreNamed() throws IOException {
        String kernel = kernel(true, LOOP);
        refuses("expected one of --kernel, --bios and --image");
        refuses("expected one of --kernel, --bios and --image", "--kernel", kernel, "--bios", kernel);
        refuses("expected one of --kernel, --bios and --image", "--kernel", kernel, "--image", "linux");
        refuses("--initrd and --module go with --kernel", "--image", "linux", "--initrd", kernel);
        refuses("go with --kernel", "--bios", kernel, "--append", "x");
        refuses("--cpus: expected 1 to 8, found 9", "--kernel", kernel, "--cpus", "9");
        refuses("--cpu: expected intel or amd", "--kernel", kernel, "--cpu", "via");
        refuses("--memory: expected 4M to 1024G, found '3M'", "--kernel", kernel, "--memory", "3M");
        refuses("--clock: expected real or virtual", "--kernel", kernel, "--clock", "wall");
        refuses("--deterministic needs --clock virtual", "--kernel", kernel, "--clock", "real", "--deterministic");
        refuses("--serial: expected stdio or file:FILE", "--kernel", kernel, "--serial", "file:");
        refuses("--gdb: expected [HOST]:PORT, found '1234'", "--kernel", kernel, "--gdb", "1234");
        refuses("--freeze goes with --gdb", "--kernel", kernel, "--freeze");
        refuses("--gdb-arch goes with --gdb", "--kernel", kernel, "--gdb-arch", "i386");
        refuses("--gdb-arch: expected x86-64 or i386", "--kernel", kernel, "--gdb", ":0", "--gdb-arch", "arm");
        refuses("--vga: expected std or none, found 'cirrus'", "--kernel", kernel, "--vga", "cirrus");
        refuses("--vga-bios does not go with --vga none", "--kernel", kernel, "--vga", "none", "--vga-bios", kernel);
        refuses("--screen does not go with --vga none", "--kernel", kernel, "--vga", "none", "--screen");
        refuses("--screenshot does not go with --vga none", "--kernel", kernel, "--vga", "none", "--screenshot", "x");
        refuses("--max-instructions: expected at least 1", "--kernel", kernel, "--max-instructions", "0");
    }

    @Test
    void statistics() throws IOException {
        // inc ebx; mov [200000h], ebx; cmp ebx, 3e8h; jb
        int[] hot = {0xff, 0xc3, 0x89, 0x1c, 0x25, 0, 0, 0x20, 0, 0x81, 0xfb, 0xe8, 3, 0, 0, 0x72, 0xef};
        assertThat(machine("--kernel", kernel(true, new int[]{0x31, 0xdb}, hot, PRINT, POWER_OFF), "--deterministic",
                "--stats")).isZero();
        String said = error();
        assertThat(said).contains("instructions 4,0").contains("events       0 exceptions, 0 interrupts")
                .containsPattern("blocks       1,0\\d\\d executed, 4\\.0 instructions each; 9\\d\\.\\d% found")
                .containsPattern("TLB          1,000 operands in memory, 99\\.\\d% hit")
                .containsPattern("com1 +\\d+ +1 +\\d+\\.\\d%").containsPattern("piix4pm +0 +1 ");
        List<String> lines = said.lines().toList();
        String hottest = lines.get(lines.indexOf("hottest blocks       count  share  instructions") + 1);
        assertThat(hottest).matches("  0000000000100202        999 +9\\d\\.\\d%  4: inc ebx; mov dword ptr .*, ebx;"
                + " cmp ebx, 0x3e8; jb 0x100202");
    }

    @Test
    void traceOfInstructions() throws IOException {
        assertThat(machine("--kernel", kernel(true, COUNT, DEBUG_EXIT), "--debug-exit", "--deterministic", "--trace",
                "instructions")).isEqualTo(0x21);
        List<String> lines = error().lines().toList();
        assertThat(lines).hasSize(12);
        assertThat(lines.get(0)).matches("0 cpu0 0000000000100200 31c0 +xor eax, eax +rflags=.*");
        assertThat(lines.get(1)).matches("1 cpu0 0000000000100202 ffc0 +inc eax +rax=0000000000000001 rflags=.*");
        assertThat(lines.get(3)).matches("3 cpu0 0000000000100207 72f9 +jb 0x100202");
        assertThat(lines.get(11)).matches("11 cpu0 000000000010020b e6f4 +out 0xf4, al");
    }

    @Test
    void traceOfAll() throws IOException {
        assertThat(machine("--kernel", kernel(true, PRINT, CRASH), "--deterministic", "--trace", "interrupts,devices",
                "--trace-file", "trace")).isEqualTo(MachineRun.TRIPLE_FAULT);
        List<String> lines = Files.readAllLines(directory.resolve("trace"));
        assertThat(lines).contains("2 cpu0 out 0x03f8/1 0x48 com1", "4 cpu0 in 0x03fd/1 0x60 com1")
                .anyMatch(line -> line.matches("\\d+ cpu0 exception #UD at 0000000000100210"))
                .anyMatch(line -> line.matches("\\d+ cpu0 exception #DF\\(0000\\) at 0000000000100210"));
        assertThat(error()).startsWith("xenolith: triple fault");
    }

    @Test
    void traceIsFiltered() throws IOException {
        String kernel = kernel(true, COUNT, DEBUG_EXIT);
        machine("--kernel", kernel, "--debug-exit", "--deterministic", "--cpus", "2", "--trace", "all", "--trace-from",
                "2", "--trace-count", "3", "--trace-cpu", "0");
        assertThat(error().lines()).hasSize(3).first().asString().startsWith("2 cpu0 0000000000100204 83f803");
        client.err().reset();
        machine("--kernel", kernel, "--debug-exit", "--deterministic", "--trace", "instructions", "--trace-range",
                "0x100202-100203");
        assertThat(error().lines()).hasSize(3).allMatch(line -> line.contains(" inc eax "));
        client.err().reset();
        machine("--kernel", kernel, "--debug-exit", "--deterministic", "--cpus", "2", "--trace", "all", "--trace-cpu",
                "1");
        assertThat(error()).isEmpty();
        refuses("--trace: expected instructions, interrupts, devices or all, found 'x'", "--kernel", kernel, "--trace",
                "x");
        refuses("--trace-count goes with --trace", "--kernel", kernel, "--trace-count", "1");
        refuses("--trace-count: expected at least 1", "--kernel", kernel, "--trace", "all", "--trace-count", "0");
        refuses("--trace-range: expected FIRST-LAST", "--kernel", kernel, "--trace", "all", "--trace-range", "5-4");
        refuses("--trace-range: expected FIRST-LAST", "--kernel", kernel, "--trace", "all", "--trace-range", "5");
        refuses("--trace-cpu: expected 0 to 0, found 1", "--kernel", kernel, "--trace", "all", "--trace-cpu", "1");
    }

    @Test
    void aDebuggerFindsItFrozen() throws Exception {
        String kernel = kernel(true, LOOP);
        CompletableFuture<Integer> exit = CompletableFuture
                .supplyAsync(() -> machine("--kernel", kernel, "--gdb", ":0", "--freeze", "--clock", "virtual"));
        Matcher waits = Pattern.compile("target remote 127.0.0.1:(\\d+)\n").matcher("");
        while (!waits.reset(error()).find()) {
            assertThat(exit).isNotDone();
            Thread.sleep(5);
        }
        try (Socket gdb = new Socket(InetAddress.getLoopbackAddress(), Integer.parseInt(waits.group(1)))) {
            gdb.getOutputStream().write("$p10#d1".getBytes(StandardCharsets.US_ASCII));
            byte[] entry = "+$0002100000000000#03".getBytes(StandardCharsets.US_ASCII);
            assertThat(gdb.getInputStream().readNBytes(entry.length)).asString().isEqualTo("+$0002100000000000#03");
            gdb.getOutputStream().write("+$k#6b".getBytes(StandardCharsets.US_ASCII));
            assertThat(exit.get(30, TimeUnit.SECONDS)).isZero();
            assertThat(gdb.getInputStream().readAllBytes()).as("no word but its own").asString().isEqualTo("+");
        }
    }

    @Test
    void anAddressInUseIsNamed() throws IOException {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            assertThat(machine("--kernel", kernel(true, LOOP), "--gdb", ":" + taken.getLocalPort()))
                    .isEqualTo(ToolstackException.FAILURE);
            assertThat(error()).contains("--gdb: cannot listen at ").hasLineCount(1);
        }
    }

    @Test
    void badFilesAreNamed() throws IOException {
        assertThat(machine("--kernel", "missing")).isEqualTo(ToolstackException.FAILURE);
        assertThat(error()).contains("--kernel: ", "missing: No such file or directory").hasLineCount(1);
        Files.createDirectory(directory.resolve("folder"));
        fails("--kernel: " + directory + "/folder: Is a directory", "--kernel", "folder");
        fails("--initrd: ", "--kernel", kernel(true, LOOP), "--initrd", "missing");
        fails("--module: ", "--kernel", kernel(true, LOOP), "--module", "missing,arguments");
        fails("--serial: " + directory + "/none/file: No such file or directory", "--kernel", kernel(true, LOOP),
                "--serial", "file:none/file");
        fails("--trace-file: " + directory + "/folder: Is a directory", "--kernel", kernel(true, LOOP), "--trace",
                "all",
                "--trace-file", "folder");
        try (RandomAccessFile large = new RandomAccessFile(directory.resolve("large").toFile(), "rw")) {
            large.setLength(3L << 30);
        }
        fails("large: too large: an image is read into the heap of ", "--kernel", kernel(true, LOOP), "--initrd",
                "large");
        client.err().reset();
        Files.write(directory.resolve("text"), new byte[100]);
        assertThat(machine("--kernel", "text")).isEqualTo(ToolstackException.FAILURE);
        assertThat(error()).contains("text: neither a Linux bzImage").hasLineCount(1);
        client.err().reset();
        assertThat(machine("--bios", "text")).isEqualTo(ToolstackException.FAILURE);
        assertThat(error()).contains("text: 100 bytes; firmware is a multiple of 64 KiB").hasLineCount(1);
    }
}
