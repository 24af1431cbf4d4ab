package dev.xenolith.dom0.monitor;

import dev.xenolith.cpu.interpret.BlockProfile;
import dev.xenolith.cpu.interpret.Interpreter;
import dev.xenolith.cpu.paging.Mmu;
import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.cpu.processor.ProcessorMonitor;
import dev.xenolith.device.board.PcBoard;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Counts what a bare machine does, over its resets: blocks by their executions, how often caches knew, accesses to devices. Belongs to the
 * machine thread while that runs.
 */
public final class MachineStatistics implements ProcessorMonitor {
    private static final int HOTTEST = 20;
    private static final int LINES = 4;

    /** What went to one device. */
    private static final class Accesses {
        private long reads;
        private long writes;

        private long all() {
            return reads + writes;
        }
    }

    private final Map<String, Accesses> devices = new TreeMap<>();
    private final List<BlockProfile.HotBlock> hottest = new ArrayList<>();
    private @Nullable PcBoard board;
    private @Nullable BlockProfile profile;
    private long interrupts;
    private long exceptions;
    private long softwareInterrupts;
    private long executions;
    private long memoryOperands;
    private Interpreter.Statistics blocks = new Interpreter.Statistics(0, 0, 0, 0, 0, 0);
    private Interpreter.UnitStatistics units = new Interpreter.UnitStatistics(0, 0, 0, 0);
    private Mmu.Statistics translations = new Mmu.Statistics(0, 0, 0);

    /** Counts what {@code next} does, which has not started. */
    public void attach(PcBoard next, Monitors monitors) {
        board = next;
        profile = next.machine().interpreter().profile();
        monitors.add(this);
    }

    /** The machine has ended or is about to be reset: takes its counts over. */
    public void detach() {
        PcBoard ended = board;
        BlockProfile counts = profile;
        if (ended == null || counts == null) {
            return;
        }
        executions += counts.executions();
        memoryOperands += counts.memoryOperands();
        hottest.addAll(counts.hottest(HOTTEST));
        hottest.sort(Comparator.comparingLong(BlockProfile.HotBlock::retired).reversed());
        while (hottest.size() > HOTTEST) {
            hottest.removeLast();
        }
        Interpreter.Statistics s = ended.machine().interpreter().statistics();
        blocks = new Interpreter.Statistics(blocks.lookupMisses() + s.lookupMisses(),
                blocks.blockHits() + s.blockHits(), blocks.blocksBuilt() + s.blocksBuilt(),
                blocks.blocksInvalidated() + s.blocksInvalidated(), blocks.restarts() + s.restarts(),
                blocks.faults() + s.faults());
        Interpreter.UnitStatistics u = ended.machine().interpreter().unitStatistics();
        units = new Interpreter.UnitStatistics(units.bound() + u.bound(), u.live(), units.retired() + u.retired(),
                units.instructions() + u.instructions());
        for (Processor processor : ended.machine().processors()) {
            Mmu.Statistics m = processor.mmu().statistics();
            translations = new Mmu.Statistics(translations.dataMisses() + m.dataMisses(),
                    translations.fetchMisses() + m.fetchMisses(), translations.walks() + m.walks());
        }
        board = null;
        profile = null;
    }

    // ---- what it prints ----------------------------------------------------------------------------------------------

    /** Several lines; {@code instructions} is what all processors have retired. */
    public String report(long instructions) {
        StringBuilder out = new StringBuilder();
        long misses = blocks.lookupMisses();
        line(out, "events       %,d exceptions, %,d interrupts, %,d software interrupts", exceptions, interrupts,
                softwareInterrupts);
        line(out,
                "blocks       %,d executed, %.1f instructions each; %s found by address, %s of the others in the cache",
                executions, executions == 0 ? 0.0 : (double) (instructions - units.instructions()) / executions,
                share(executions - misses, executions), share(blocks.blockHits(), misses));
        line(out, "             %,d decoded, %,d dropped because their bytes changed, %,d left for an exact access",
                blocks.blocksBuilt(), blocks.blocksInvalidated(), blocks.restarts());
        units(out, instructions);
        long allMisses = translations.dataMisses() + translations.fetchMisses();
        line(out, "TLB          %,d operands in memory, %s hit; %s of all misses found in the second level",
                memoryOperands, share(memoryOperands - translations.dataMisses(), memoryOperands),
                share(allMisses - translations.walks(), allMisses));
        line(out, "             %,d misses of data, %,d of fetches, %,d walks", translations.dataMisses(),
                translations.fetchMisses(), translations.walks());
        devices(out);
        hottest(out, instructions);
        return out.toString();
    }

    private void units(StringBuilder out, long instructions) {
        if (units.bound() == 0) {
            return;
        }
        line(out,
                "units        %,d translated, %,d of them in place at the end, %,d given up for hotter ones; %s of all instructions",
                units.bound(), units.live(), units.retired(), share(units.instructions(), instructions));
        line(out, "             JVM: classes %,d KiB, compiled code %,d KiB", pools("Metaspace") >> 10,
                pools("Code") >> 10);
    }

    /** Bytes that the JVM uses in the pools of memory whose names, which HotSpot gives them, begin with {@code prefix}. */
    private static long pools(String prefix) {
        return ManagementFactory.getMemoryPoolMXBeans().stream().filter(pool -> pool.getName().startsWith(prefix))
                .mapToLong(pool -> pool.getUsage().getUsed()).sum();
    }

    private void devices(StringBuilder out) {
        long all = devices.values().stream().mapToLong(Accesses::all).sum();
        line(out, "devices      %,d accesses%s", all, all == 0 ? "" : ":        reads       writes  share");
        devices.entrySet().stream()
                .sorted(Comparator.comparingLong((Map.Entry<String, Accesses> each) -> each.getValue().all())
                        .reversed())
                .forEach(each -> line(out, "  %-16s %,18d %,12d %6s", each.getKey(), each.getValue().reads,
                        each.getValue().writes, share(each.getValue().all(), all)));
    }

    private void hottest(StringBuilder out, long instructions) {
        if (hottest.isEmpty()) {
            return;
        }
        line(out, "hottest blocks       count  share  instructions");
        for (BlockProfile.HotBlock block : hottest) {
            List<String> lines = block.lines();
            String text = String.join("; ", lines.subList(0, Math.min(LINES, lines.size())));
            line(out, "  %016x %,10d %6s  %d: %s%s", block.rip(), block.executions(),
                    share(block.retired(), instructions), block.instructions(), text,
                    lines.size() > LINES ? "; ..." : "");
        }
    }

    private static String share(long part, long whole) {
        return whole <= 0 ? "-" : String.format(Locale.ROOT, "%.1f%%", 100.0 * Math.clamp(part, 0, whole) / whole);
    }

    private static void line(StringBuilder out, String format, Object... values) {
        out.append(String.format(Locale.ROOT, format, values)).append('\n');
    }

    // ---- counting ----------------------------------------------------------------------------------------------------

    @Override
    public void interrupt(Processor p, int vector) {
        interrupts++;
    }

    @Override
    public void exception(Processor p, int vector, int errorCode) {
        exceptions++;
    }

    @Override
    public void softwareInterrupt(Processor p, int vector) {
        softwareInterrupts++;
    }

    @Override
    public void portAccess(Processor p, int port, int size, long value, boolean write) {
        PcBoard counted = board;
        if (counted != null) {
            count(counted.deviceAtPort(port), write);
        }
    }

    @Override
    public void deviceAccess(Processor p, long physical, int size, long value, boolean write) {
        PcBoard counted = board;
        if (counted != null) {
            count(counted.deviceAtAddress(p, physical), write);
        }
    }

    private void count(String device, boolean write) {
        Accesses accesses = devices.computeIfAbsent(device, name -> new Accesses());
        if (write) {
            accesses.writes++;
        } else {
            accesses.reads++;
        }
    }
}
