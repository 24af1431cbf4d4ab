package dev.xenolith.cpu.interpret;

import dev.xenolith.cpu.decode.Disassembler;
import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.cpu.processor.ProcessorImage;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;

/** Writes what is known of a difference: enough to repeat it in a test. */
final class LockstepReport {
    private static final int COLUMNS = 4;

    private LockstepReport() {}

    /** The report of a run of {@code unit} from the state {@code before}, in which it counted {@code instructions}. */
    static String of(Unit unit, ProcessorImage before, long instructions, List<String> differences) {
        Unit.Layout layout = unit.layout;
        List<String> lines = new ArrayList<>();
        lines.add(String.format(Locale.ROOT,
                "the unit of frame 0x%x, offset 0x%03x, mode 0x%x, differs after %d instructions",
                unit.frame, layout.entry(), layout.mode(), instructions));
        // A difference may be found in what either has written.
        differences.stream().distinct().forEach(difference -> lines.add("  " + difference));
        lines.add("before");
        List<String> registers = new ArrayList<>();
        before.describe(registers);
        for (int i = 0; i < registers.size(); i += COLUMNS) {
            lines.add("  " + String.join("  ", registers.subList(i, Math.min(i + COLUMNS, registers.size()))));
        }
        lines.add("code");
        long page = before.rip() & -PhysicalMemory.FRAME_SIZE;
        for (int i = 0; i < layout.offsets().length; i++) {
            int offset = layout.offsets()[i];
            lines.add(String.format(Locale.ROOT, "  %03x  %-30s %s %s", offset, bytes(layout, i),
                    layout.ops()[i] == null ? " " : "*",
                    Disassembler.format(layout.instructions()[i], page + offset)));
        }
        lines.add("  (*: executed by the interpreter's operation)");
        return String.join("\n", lines);
    }

    private static String bytes(Unit.Layout layout, int i) {
        int offset = layout.offsets()[i];
        int length = layout.instructions()[i].length;
        for (int run = 0; run < layout.starts().length; run++) {
            int at = offset - layout.starts()[run];
            if (at >= 0 && at + length <= layout.code()[run].length) {
                return HexFormat.of().formatHex(layout.code()[run], at, at + length);
            }
        }
        return "";
    }
}
