package dev.xenolith.dom0.gdb;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.device.board.Outcome;
import dev.xenolith.device.board.PcBoard;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/** A scripted debugger and a bare machine. */
@Timeout(60)
class GdbStubTest {
    private static final int RAX = 0;
    private static final int RBX = 1;
    private static final int RDX = 3;
    private static final int RIP = 16;
    private static final int CS = 18;
    private static final int DS = 20;
    private static final int ST0 = 24;
    private static final int FTAG = 34;
    private static final int FISEG = 35;
    private static final int XMM0 = 40;
    private static final int MXCSR = 56;
    private static final int FS_BASE = 57;
    private static final int CR0 = 60;
    private static final int CR3 = 62;
    private static final int EFER = 65;

    private static final long ENTRY = TestMachine.ENTRY;
    private static final long LOOP = ENTRY + 0xa;
    /**
     * mov eax, 1; mov ebx, 110000h; loop: add eax, eax; mov [rbx], eax; mov edx, [100200h + ah]; nop; cmp byte [110010h], 0; je loop;
     * out 0f4h, al.
     */
    static final String GUEST = "b801000000 bb00001100 01c0 8903 8b14250a021000 90 803c251000110000 74ea"
            + " b007 e6f4 f4";
    private static final long FLAG = 0x11_0010;

    private static String address(long value) {
        return Long.toHexString(value);
    }

    private static TestMachine machine() throws Exception {
        return new TestMachine(1, Architecture.X86_64, GUEST);
    }

    private static String at(long rip) {
        return String.format("%016x", Long.reverseBytes(rip));
    }

    @Test
    void saysWhatItCan() throws Exception {
        try (TestMachine machine = machine(); TestClient gdb = machine.connect()) {
            assertThat(gdb.ask("qSupported:multiprocess+;swbreak+;hwbreak+;xmlRegisters=i386"))
                    .contains("PacketSize=4000", "qXfer:features:read+", "vContSupported+", "QStartNoAckMode+");
            assertThat(gdb.ask("?")).isEqualTo("T05thread:1;core:0;");
            assertThat(gdb.ask("vCont?")).isEqualTo("vCont;c;C;s;S;r");
            assertThat(gdb.ask("qAttached")).isEqualTo("1");
            assertThat(gdb.ask("qC")).isEqualTo("QC1");
            assertThat(gdb.ask("qfThreadInfo")).isEqualTo("m1");
            assertThat(gdb.ask("qsThreadInfo")).isEqualTo("l");
            assertThat(gdb.ask("Hg1")).isEqualTo("OK");
            assertThat(gdb.ask("Hg2")).isEqualTo("E22");
            assertThat(gdb.ask("T1")).isEqualTo("OK");
            assertThat(gdb.ask("T2")).isEqualTo("E22");
        }
    }

    private static List<Element> registers(TestClient gdb) throws Exception {
        StringBuilder xml = new StringBuilder();
        String part;
        do {
            part = gdb.ask("qXfer:features:read:target.xml:" + Integer.toHexString(xml.length()) + ",200");
            xml.append(part, 1, part.length());
        } while (part.charAt(0) == 'm');
        assertThat(part.charAt(0)).isEqualTo('l');
        DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
        factory.setFeature("http://apache.org/xml/features/nonvalidating/load-external-dtd", false);
        NodeList nodes = factory.newDocumentBuilder()
                .parse(new ByteArrayInputStream(xml.toString().getBytes(StandardCharsets.UTF_8)))
                .getElementsByTagName("reg");
        List<Element> registers = new ArrayList<>();
        for (int i = 0; i < nodes.getLength(); i++) {
            registers.add((Element) nodes.item(i));
        }
        return registers;
    }

    private static void checkDescription(TestClient gdb, String... named) throws Exception {
        List<Element> registers = registers(gdb);
        assertThat(registers).extracting(register -> register.getAttribute("name")).contains(named)
                .doesNotHaveDuplicates();
        int digits = 0;
        for (int i = 0; i < registers.size(); i++) {
            int bits = Integer.parseInt(registers.get(i).getAttribute("bitsize"));
            assertThat(gdb.ask("p" + Integer.toHexString(i))).as(registers.get(i).getAttribute("name"))
                    .hasSize(bits / 4);
            digits += bits / 4;
        }
        assertThat(gdb.ask("g")).hasSize(digits);
        assertThat(gdb.ask("p" + Integer.toHexString(registers.size()))).isEqualTo("E22");
    }

    @Test
    void theDescriptionFitsTheRegisters() throws Exception {
        try (TestMachine machine = machine(); TestClient gdb = machine.connect()) {
            checkDescription(gdb, "rax", "r15", "rip", "eflags", "cs", "gs", "st7", "fop", "xmm15", "mxcsr", "fs_base",
                    "gs_base", "k_gs_base", "cr0", "cr2", "cr3", "cr4", "cr8", "efer");
            assertThat(registers(gdb).get(CR3).getAttribute("name")).isEqualTo("cr3");
        }
        try (TestMachine machine = new TestMachine(1, Architecture.I386, GUEST); TestClient gdb = machine.connect()) {
            checkDescription(gdb, "eax", "edi", "eip", "xmm7", "fs_base", "cr4");
        }
    }

    @Test
    void readsAndWritesRegisters() throws Exception {
        try (TestMachine machine = machine(); TestClient gdb = machine.connect()) {
            assertThat(gdb.register(RIP)).isEqualTo(ENTRY);
            assertThat(gdb.ask("P0=8877665544332211")).isEqualTo("OK");
            assertThat(gdb.register(RAX)).isEqualTo(0x1122_3344_5566_7788L);
            assertThat(gdb.ask("P0=88")).isEqualTo("E22");
            String before = gdb.ask("g");
            assertThat(gdb.ask("G" + "0100000000000000" + before.substring(16))).isEqualTo("OK");
            assertThat(gdb.register(RAX)).isEqualTo(1);
            assertThat(gdb.ask("g").substring(16)).isEqualTo(before.substring(16));
            assertThat(gdb.ask("G00")).isEqualTo("E22");
            String vector = "000102030405060708090a0b0c0d0e0f";
            assertThat(gdb.ask("P" + Integer.toHexString(XMM0) + "=" + vector)).isEqualTo("OK");
            assertThat(gdb.ask("P" + Integer.toHexString(MXCSR) + "=c01f0000")).isEqualTo("OK");
            assertThat(gdb.ask("P" + Integer.toHexString(MXCSR) + "=ffffffff")).isEqualTo("E22");
            assertThat(gdb.ask("p" + Integer.toHexString(MXCSR))).isEqualTo("c01f0000");
            assertThat(gdb.ask("P" + Integer.toHexString(ST0) + "=0000000000000080ff3f")).isEqualTo("OK");
            assertThat(gdb.ask("p" + Integer.toHexString(ST0))).isEqualTo("0000000000000080ff3f");
            assertThat(gdb.ask("P" + Integer.toHexString(FTAG) + "=fcff0000")).isEqualTo("OK");
            assertThat(gdb.ask("p" + Integer.toHexString(FTAG))).isEqualTo("fcff0000");
            assertThat(gdb.ask("P" + Integer.toHexString(FISEG) + "=01000000")).isEqualTo("E22");
            assertThat(gdb.ask("p" + Integer.toHexString(XMM0))).as("neither changes it").isEqualTo(vector);
            assertThat(gdb.ask("P" + Integer.toHexString(FS_BASE) + "=" + at(0x7000_1234_5678L))).isEqualTo("OK");
            assertThat(gdb.register(FS_BASE)).isEqualTo(0x7000_1234_5678L);
            assertThat(gdb.ask("P" + Integer.toHexString(FS_BASE) + "=" + at(1L << 60))).isEqualTo("E22");
        }
    }

    @Test
    void systemRegistersKeepTheProcessorsRules() throws Exception {
        try (TestMachine machine = machine(); TestClient gdb = machine.connect()) {
            long cr0 = gdb.register(CR0);
            assertThat(cr0 & 0x8000_0001L).isEqualTo(0x8000_0001L);
            assertThat(gdb.register(EFER) & 0x500).isEqualTo(0x500);
            assertThat(gdb.ask("P" + Integer.toHexString(CR0) + "=" + at(cr0 & ~1))).as("paging without protection")
                    .isEqualTo("E22");
            assertThat(gdb.ask("P" + Integer.toHexString(CR0) + "=" + at(cr0 | 1 << 16))).isEqualTo("OK");
            assertThat(gdb.register(CR0)).isEqualTo(cr0 | 1 << 16);
            assertThat(gdb.ask("P" + Integer.toHexString(CR3) + "=" + at(1L << 60))).isEqualTo("E22");
            assertThat(gdb.ask("P" + Integer.toHexString(DS) + "=f8ff0000")).as("beyond the GDT").isEqualTo("E22");
            assertThat(gdb.ask("P" + Integer.toHexString(DS) + "=00000000")).isEqualTo("OK");
            assertThat(gdb.ask("p" + Integer.toHexString(DS))).isEqualTo("00000000");
            assertThat(gdb.ask("P" + Integer.toHexString(CS) + "=00000000")).isEqualTo("E22");
        }
    }

    @Test
    void readsAndWritesMemory() throws Exception {
        try (TestMachine machine = machine(); TestClient gdb = machine.connect()) {
            assertThat(gdb.ask("m" + address(ENTRY) + ",5")).isEqualTo("b801000000");
            assertThat(gdb.ask("M110000,3:a1b2c3")).isEqualTo("OK");
            assertThat(gdb.ask("X110003,4:}\u0003}\u0004}]x")).isEqualTo("OK");
            assertThat(gdb.ask("m110000,7")).isEqualTo("a1b2c323247d78");
            assertThat(gdb.ask("m7fffffff0000,4")).as("no page").isEqualTo("E14");
            assertThat(gdb.ask("M7fffffff0000,1:00")).isEqualTo("E14");
            assertThat(gdb.ask("mfee00020,4")).as("a device").isEqualTo("E14");
            assertThat(gdb.ask("m800000000000,1")).as("not canonical").isEqualTo("E14");
            assertThat(gdb.ask("mfffffffffffffff0,20")).isEqualTo("E14");
            assertThat(gdb.ask("mfffff8,20")).as("as far as memory goes").hasSize(2 * 8);
            assertThat(gdb.ask("m110000,0")).isEmpty();
        }
    }

    @Test
    void malformedPacketsAreAnswered() throws Exception {
        try (TestMachine machine = machine(); TestClient gdb = machine.connect()) {
            for (String bad : List.of("m", "m1", "mx,1", "m1,1,1", "M0,2:00", "M0,1:0", "M0,1:zz", "P", "P0", "Pff=00",
                    "p", "pffffffffff", "Hx1", "H", "Z0,1", "Z0,1,1,1", "Z2,ffffffffffffffff,2", "vCont", "vCont;",
                    "vCont;x", "vCont;r1", "vCont;c:9", "C", "Cxyz", "qXfer:features:read:target.xml:0", "Tx",
                    "m11111111111111111,1", "qRcmd,0")) {
                assertThat(gdb.ask(bad)).as(bad).isEqualTo("E22");
            }
            for (String unknown : List.of("", "vMustReplyEmpty", "Z5,0,1", "qNothing", "QNothing", "!", "R00",
                    "qXfer:features:read:other.xml:0,10")) {
                assertThat(gdb.ask(unknown)).as(unknown).isEmpty();
            }
            gdb.raw("$g#00");
            assertThat(gdb.read()).isEqualTo('-');
            gdb.raw("noise$qC$qC#b4");
            assertThat(gdb.receive()).isEqualTo("QC1");
            gdb.raw("-");
            assertThat(gdb.receive()).as("again").isEqualTo("QC1");
            gdb.raw("$" + "m".repeat(0x5000) + "#" + String.format("%02x", 'm' * 0x5000 & 0xff));
            assertThat(gdb.read()).as("too long").isEqualTo('-');
            assertThat(gdb.ask("QStartNoAckMode")).isEqualTo("OK");
            gdb.send("qC");
            assertThat(gdb.read()).as("no acknowledgement").isEqualTo('$');
        }
    }

    @Test
    void breakpointsStopAndAreNotSeen() throws Exception {
        try (TestMachine machine = machine(); TestClient gdb = machine.connect()) {
            gdb.ask("qSupported:swbreak+;hwbreak+");
            for (String type : List.of("Z0", "Z1")) {
                assertThat(gdb.ask(type + "," + address(LOOP) + ",1")).isEqualTo("OK");
                assertThat(gdb.ask("c")).isEqualTo(
                        "T05thread:1;core:0;" + (type.equals("Z0") ? "swbreak" : "hwbreak") + ":;");
                assertThat(gdb.register(RIP)).isEqualTo(LOOP);
                assertThat(gdb.ask("m" + address(LOOP) + ",2")).isEqualTo("01c0");
                assertThat(gdb.ask("c")).startsWith("T05");
                assertThat(gdb.register(RIP)).isEqualTo(LOOP);
                assertThat(gdb.register(RDX)).as("the guest's own view").isEqualTo(0x0389_c001L);
                assertThat(gdb.ask(type.replace('Z', 'z') + "," + address(LOOP) + ",1")).isEqualTo("OK");
            }
            assertThat(gdb.ask("M" + address(FLAG) + ",1:01")).isEqualTo("OK");
            gdb.send("c");
            assertThat(machine.outcome()).isEqualTo(new Outcome(Outcome.Kind.DEBUG_EXIT, 15, ""));
            machine.server.exited(15);
            assertThat(gdb.receive()).isEqualTo("W0f");
            assertThat(gdb.read()).isEqualTo(-1);
        }
    }

    @Test
    void stepsAreExact() throws Exception {
        try (TestMachine machine = machine(); TestClient gdb = machine.connect()) {
            for (long offset : new long[]{5, 10, 12, 14, 21, 22, 30, 10}) {
                assertThat(gdb.ask("vCont;s:1")).isEqualTo("T05thread:1;core:0;");
                assertThat(gdb.register(RIP)).isEqualTo(ENTRY + offset);
            }
            assertThat(gdb.ask("s")).startsWith("T05");
            assertThat(gdb.register(RIP)).isEqualTo(ENTRY + 12);
            assertThat(gdb.ask("vCont;r" + address(ENTRY) + "," + address(ENTRY + 30) + ":1")).startsWith("T05");
            assertThat(gdb.register(RIP)).isEqualTo(ENTRY + 30);
            assertThat(gdb.ask("s" + address(ENTRY))).startsWith("T05");
            assertThat(gdb.register(RIP)).isEqualTo(ENTRY + 5);
        }
    }

    @Test
    void watchpoints() throws Exception {
        try (TestMachine machine = machine(); TestClient gdb = machine.connect()) {
            assertThat(gdb.ask("Z2,110002,1")).isEqualTo("OK");
            assertThat(gdb.ask("c")).isEqualTo("T05thread:1;core:0;watch:110002;");
            assertThat(gdb.register(RIP)).isEqualTo(ENTRY + 14);
            assertThat(gdb.ask("z2,110002,1")).isEqualTo("OK");
            assertThat(gdb.ask("Z3," + address(FLAG) + ",1")).isEqualTo("OK");
            assertThat(gdb.ask("c")).isEqualTo("T05thread:1;core:0;rwatch:110010;");
            assertThat(gdb.register(RIP)).isEqualTo(ENTRY + 30);
            assertThat(gdb.ask("z3," + address(FLAG) + ",1")).isEqualTo("OK");
            assertThat(gdb.ask("Z4,110000,8")).isEqualTo("OK");
            assertThat(gdb.ask("c")).isEqualTo("T05thread:1;core:0;awatch:110000;");
        }
    }

    @Test
    void controlCStopsAndNothingMoves() throws Exception {
        try (TestMachine machine = machine(); TestClient gdb = machine.connect()) {
            gdb.send("c");
            gdb.raw("\u0003");
            assertThat(gdb.receive()).isEqualTo("T02thread:1;core:0;");
            String before = gdb.ask("g");
            long time = machine.board.machine().clock().now();
            Thread.sleep(20);
            assertThat(gdb.ask("g")).isEqualTo(before);
            assertThat(machine.board.machine().clock().now()).isEqualTo(time);
            assertThat(gdb.ask("?")).isEqualTo("T02thread:1;core:0;");
        }
    }

    private static void setFlag(TestClient gdb) throws IOException {
        assertThat(gdb.ask("Z0," + address(LOOP) + ",1")).isEqualTo("OK");
        assertThat(gdb.ask("M" + address(FLAG) + ",1:01")).isEqualTo("OK");
    }

    @Test
    void detachingLetsItRun() throws Exception {
        try (TestMachine machine = machine(); TestClient gdb = machine.connect()) {
            setFlag(gdb);
            assertThat(gdb.ask("D")).isEqualTo("OK");
            assertThat(machine.outcome().kind()).isEqualTo(Outcome.Kind.DEBUG_EXIT);
        }
    }

    @Test
    void aDebuggerThatDisappearsLetsItRun() throws Exception {
        try (TestMachine machine = machine()) {
            try (TestClient gdb = machine.connect()) {
                setFlag(gdb);
                gdb.raw("$m1");
            }
            assertThat(machine.outcome().kind()).isEqualTo(Outcome.Kind.DEBUG_EXIT);
        }
    }

    @Test
    void theNextDebuggerIsWelcomeASecondIsNot() throws Exception {
        try (TestMachine machine = machine()) {
            try (TestClient gdb = machine.connect()) {
                gdb.ask("?");
                try (TestClient second = machine.connect()) {
                    assertThat(second.read()).isEqualTo(-1);
                }
                assertThat(gdb.ask("D;1")).isEqualTo("OK");
            }
            for (int i = 0; i < 100; i++) {
                try (TestClient gdb = machine.connect()) {
                    if (gdb.ask("?").equals("T05thread:1;core:0;")) {
                        return;
                    }
                } catch (IOException e) {
                    // The first one's end has not been seen yet.
                    Thread.sleep(10);
                }
            }
            throw new AssertionError("never let in");
        }
    }

    @Test
    void killEndsTheMachine() throws Exception {
        try (TestMachine machine = machine(); TestClient gdb = machine.connect()) {
            assertThat(gdb.ask("vKill;1")).isEqualTo("OK");
            assertThat(machine.outcome().kind()).isEqualTo(Outcome.Kind.STOPPED);
        }
        try (TestMachine machine = machine(); TestClient gdb = machine.connect()) {
            gdb.send("k");
            assertThat(machine.outcome().kind()).isEqualTo(Outcome.Kind.STOPPED);
        }
    }

    @Test
    void aTripleFaultIsLookedAtBeforeItEndsTheMachine() throws Exception {
        // lidt [nothing]; ud2
        try (TestMachine machine = new TestMachine(1, Architecture.X86_64, "0f011c2500001100 0f0b");
                TestClient gdb = machine.connect()) {
            assertThat(gdb.ask("c")).isEqualTo("T0bthread:1;core:0;");
            assertThat(gdb.register(RIP)).isEqualTo(ENTRY + 8);
            gdb.send("c");
            assertThat(machine.outcome().kind()).isEqualTo(Outcome.Kind.TRIPLE_FAULT);
        }
    }

    @Test
    void aResetKeepsTheSession() throws Exception {
        // mov al, 0feh; out 64h, al; jmp self
        String code = "b0fe e664 ebfe";
        try (TestMachine machine = new TestMachine(1, Architecture.X86_64, code);
                TestClient gdb = machine.connect()) {
            assertThat(gdb.ask("Z0," + address(ENTRY + 2) + ",1")).isEqualTo("OK");
            assertThat(gdb.ask("c")).startsWith("T05");
            gdb.send("c");
            assertThat(machine.outcome().kind()).isEqualTo(Outcome.Kind.RESET);
            try (PcBoard next = TestMachine.board(1, code)) {
                machine.server.target(new BoardTarget(next));
                next.start();
                assertThat(gdb.receive()).startsWith("T05");
                assertThat(gdb.register(RIP)).isEqualTo(ENTRY + 2);
            }
        }
    }

    @Test
    void processorsAreThreads() throws Exception {
        try (TestMachine machine = new TestMachine(2, Architecture.X86_64, GUEST);
                TestClient gdb = machine.connect()) {
            assertThat(gdb.ask("qfThreadInfo")).isEqualTo("m1,2");
            String waits = gdb.ask("qThreadExtraInfo,2");
            assertThat(new String(HexFormat.of().parseHex(waits), StandardCharsets.US_ASCII))
                    .isEqualTo("processor 1, waits for a start-up IPI");
            assertThat(gdb.ask("qXfer:threads:read::0,1000")).startsWith("l")
                    .contains("<thread id=\"1\" core=\"0\">processor 0, running</thread>", "<thread id=\"2\"");
            assertThat(gdb.ask("vCont;s:1;c")).isEqualTo("T05thread:1;core:0;");
            assertThat(gdb.ask("Hg2")).isEqualTo("OK");
            assertThat(gdb.register(RIP)).isNotEqualTo(ENTRY + 5);
            gdb.send("vCont;c:2");
            gdb.raw("\u0003");
            assertThat(gdb.receive()).startsWith("T02");
            assertThat(gdb.ask("Hg1")).isEqualTo("OK");
            assertThat(gdb.register(RIP)).as("held").isEqualTo(ENTRY + 5);
            assertThat(gdb.register(RBX)).isNotEqualTo(0x11_0000);
        }
    }

    @Test
    void monitorCommands() throws Exception {
        try (TestMachine machine = machine(); TestClient gdb = machine.connect()) {
            assertThat(text(gdb, "registers")).contains("processor 0  RIP=0000000000100200", "LDTR");
            assertThat(text(gdb, "help")).contains("registers");
            assertThat(text(gdb, "reboot")).isEqualTo("unknown command 'reboot'; see 'monitor help'\n");
        }
    }

    private static String text(TestClient gdb, String command) throws IOException {
        String digits = HexFormat.of().formatHex(command.getBytes(StandardCharsets.US_ASCII));
        return new String(HexFormat.of().parseHex(gdb.ask("qRcmd," + digits)), StandardCharsets.US_ASCII);
    }

    @Test
    void addresses() {
        assertThat(GdbAddress.parse(":1234").getAddress().isLoopbackAddress()).isTrue();
        assertThat(GdbAddress.parse("0.0.0.0:1").getAddress().isAnyLocalAddress()).isTrue();
        assertThat(GdbAddress.parse("[::1]:5").getPort()).isEqualTo(5);
        for (String bad : List.of("1234", ":", ":65536", "::1:5", ":x")) {
            assertThat(org.assertj.core.api.Assertions.catchThrowable(() -> GdbAddress.parse(bad))).as(bad)
                    .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("expected [HOST]:PORT");
        }
    }
}
