package dev.xenolith.device.board;

import dev.xenolith.cpu.processor.Processor;
import java.util.Locale;

/** A processor's registers as text. */
final class RegisterDump {
    private static final String[] GENERAL = {"RAX", "RCX", "RDX", "RBX", "RSP", "RBP", "RSI", "RDI", "R8 ", "R9 ",
        "R10",
        "R11", "R12", "R13", "R14", "R15"};
    private static final String[] SEGMENTS = {"ES", "CS", "SS", "DS", "FS", "GS", "LDTR", "TR"};

    private RegisterDump() {}

    static String of(Processor p) {
        StringBuilder text = new StringBuilder();
        line(text, "processor %d  RIP=%016x RFLAGS=%08x CPL=%d", p.index, p.rip, p.rflags(), p.cpl);
        for (int i = 0; i < GENERAL.length; i += 4) {
            line(text, "%s=%016x %s=%016x %s=%016x %s=%016x", GENERAL[i], p.gpr[i], GENERAL[i + 1], p.gpr[i + 1],
                    GENERAL[i + 2], p.gpr[i + 2], GENERAL[i + 3], p.gpr[i + 3]);
        }
        for (int i = 0; i < SEGMENTS.length; i++) {
            line(text, "%-4s=%04x base=%016x limit=%08x attributes=%05x", SEGMENTS[i], p.segmentSelector[i],
                    p.segmentBase[i], p.segmentLimit[i], p.segmentAttributes[i]);
        }
        line(text, "GDT base=%016x limit=%04x  IDT base=%016x limit=%04x", p.gdtBase, p.gdtLimit, p.idtBase,
                p.idtLimit);
        line(text, "CR0=%08x CR2=%016x CR3=%016x CR4=%08x EFER=%04x", p.cr0, p.cr2, p.cr3, p.cr4, p.efer);
        return text.toString();
    }

    private static void line(StringBuilder text, String format, Object... values) {
        text.append(String.format(Locale.ROOT, format, values)).append('\n');
    }
}
