package dev.xenolith.cpu.interpret;

import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.cpu.memory.WriteLog;
import dev.xenolith.cpu.processor.GuestFault;
import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.cpu.processor.ProcessorImage;
import dev.xenolith.cpu.processor.Vector;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Proves the translator while a guest runs: each run of a unit is undone, repeated by the interpreter with blocks, and compared. What the
 * guest gets is the interpreter's; where the two differ a {@link LockstepDifference} ends the machine.
 *
 * <p>It can be undone because a unit reaches nothing but registers and RAM, whose writes are logged: it leaves before an instruction that would
 * touch a device, and what changes modes, tells the time or moves RIP other than by a near branch is never in one. Random numbers, the one thing
 * besides that is not a function of the state, are the same in the repetition. Flags that walks have set in page tables are taken back too,
 * with the TLB entries that came from these walks: else the repetition could read an accessed or dirty flag before the access that sets it.
 *
 * <p>A fault that ends a run comes from an operation that the unit has called. Then the interpreter executes up to that instruction, and
 * the same operation again, which must fault alike; the fault is delivered once, for the repetition.
 */
public final class Lockstep {
    /** Draws from a processor's random numbers, and returns the same again. */
    private static final class Draws implements LongSupplier {
        private final List<Long> drawn = new ArrayList<>();
        private LongSupplier source = () -> 0;
        private boolean repeating;
        private int next;

        void begin(LongSupplier from) {
            source = from;
            drawn.clear();
            next = 0;
            repeating = false;
        }

        void repeat() {
            repeating = true;
        }

        /** Whether all have been drawn again. */
        boolean isOver() { return next == drawn.size(); }

        @Override
        public long getAsLong() {
            if (repeating && next < drawn.size()) {
                return drawn.get(next++);
            }
            long value = source.getAsLong();
            drawn.add(value);
            return value;
        }
    }

    private final Interpreter interpreter;
    private final PhysicalMemory memory;
    private final ProcessorImage before = new ProcessorImage();
    private final ProcessorImage after = new ProcessorImage();
    private final ProcessorImage repeated = new ProcessorImage();
    private final WriteLog log = new WriteLog();
    private final WriteLog repeatedLog = new WriteLog();
    private final Draws draws = new Draws();

    /** Units that have run. */
    long units;
    private long runs;
    private long instructions;

    Lockstep(Interpreter interpreter, PhysicalMemory memory) {
        this.interpreter = interpreter;
        this.memory = memory;
    }

    /** What has been compared so far. */
    public Statistics statistics() {
        return new Statistics(units, runs, instructions);
    }

    /**
     * Counts of what was compared, and found equal.
     *
     * @param units those that have run
     * @param runs of them
     * @param instructions executed in these runs
     */
    public record Statistics(long units, long runs, long instructions) {
        /** These and {@code other}. */
        public Statistics plus(Statistics other) {
            return new Statistics(units + other.units, runs + other.runs, instructions + other.instructions);
        }
    }

    /** As {@link Unit#run} of {@code unit}. */
    void run(Unit unit, Processor p, long end) {
        before.save(p);
        log.clear();
        repeatedLog.clear();
        LongSupplier entropy = p.entropy;
        draws.begin(entropy);
        p.entropy = draws;
        p.log(log);
        GuestFault fault;
        int part = 0;
        List<String> differences = new ArrayList<>(0);
        try {
            fault = run(p, unit, end);
            String description = fault == null ? "none" : description(p);
            if (fault != null) {
                part = p.fusedPart;
                p.rip = p.gpr[Processor.PAGE] + unit.layout.offsets()[part];
                p.retired--;
            }
            after.save(p);
            log.undo();
            log.visitMarks(p.mmu().tlb::forgetPage);
            before.restore(p);
            draws.repeat();
            p.log(repeatedLog);
            if (after.retired() < before.retired() || after.retired() > end) {
                differences.add("instructions: unit " + (after.retired() - before.retired()) + " of at most "
                        + (end - before.retired()));
            } else {
                String other = repeat(p, fault == null ? null : unit.ops[part], part);
                if (!other.equals(description)) {
                    differences.add("exception: unit " + description + ", interpreter " + other);
                }
            }
            repeated.save(p);
        } finally {
            p.log(null);
            p.entropy = entropy;
        }
        compare(unit, differences);
        runs++;
        instructions += after.retired() - before.retired();
        if (fault != null) {
            // As the unit's caller finds it: the instruction is counted.
            p.fusedPart = part;
            p.retired++;
            throw fault;
        }
    }

    private static @Nullable GuestFault run(Processor p, Unit unit, long end) {
        try {
            unit.run(p, end);
            return null;
        } catch (GuestFault e) {
            return e;
        }
    }

    /** Executes what the unit has, and then {@code faulting}; returns a description of the exception that ended it. */
    private String repeat(Processor p, @Nullable Op faulting, int part) {
        try {
            interpreter.repeat(p, after.retired());
            if (faulting == null) {
                return "none";
            }
            p.fusedPart = part;
            p.retired++;
            faulting.exec(p);
            return "none";
        } catch (GuestFault e) {
            if (p.retired > after.retired()) {
                p.retired--;
            }
            return description(p);
        }
    }

    /** The fault that {@code p} has raised, as far as it is something to the guest. */
    private static String description(Processor p) {
        if (p.faultVector == Processor.FAULT_RESTART) {
            return "access that must be exact";
        }
        String address = p.faultVector == Vector.PF || p.faultNonCanonical
                ? " at 0x" + Long.toHexString(p.faultAddress)
                : "";
        return p.faultVector + " (error code " + p.faultErrorCode + (p.faultNonCanonical ? ", not canonical)" : ")")
                + address;
    }

    private void compare(Unit unit, List<String> differences) {
        if (!after.isSame(repeated)) {
            after.differences(repeated, "unit", "interpreter", differences);
        }
        if (!draws.isOver()) {
            differences.add("random numbers: drawn more often by the unit");
        }
        log.compare(repeatedLog, (host, size, own, other) -> differences.add("memory 0x"
                + Long.toHexString(host - memory.hostBase()) + ", " + size + " bytes: unit 0x" + Long.toHexString(own)
                + ", interpreter 0x" + Long.toHexString(other)));
        if (!differences.isEmpty()) {
            throw new LockstepDifference(
                    LockstepReport.of(unit, before, after.retired() - before.retired(), differences));
        }
    }
}
