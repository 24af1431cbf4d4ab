package dev.xenolith.cpu.interpret;

import dev.xenolith.cpu.decode.DecodedInstruction;
import dev.xenolith.cpu.decode.Decoder;
import dev.xenolith.cpu.decode.Disassembler;
import dev.xenolith.cpu.decode.Mode;
import dev.xenolith.cpu.decode.OpcodeTable;
import dev.xenolith.cpu.memory.FrameListener;
import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.cpu.processor.ControlTransfer;
import dev.xenolith.cpu.processor.Engine;
import dev.xenolith.cpu.processor.GuestFault;
import dev.xenolith.cpu.processor.Processor;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Executes blocks. Shared by the processors of a machine, which take turns on its thread.
 *
 * <p>A block is entered only if it fits into what is left of the budget; {@code retired} counts all of it on entry, so that the
 * last instruction, the only one that may look, finds it exact, and is corrected if the block is left early. The end of a budget
 * is done by {@link #step}, one instruction at a time, as is all that must not happen before {@code retired} is exact.
 */
public final class Interpreter implements Engine {
    private static final long TRAP_FLAG = 1 << 8;
    private final PhysicalMemory memory;
    private final BlockCache cache;
    private final BlockBuilder builder;
    private final Stepper stepper;
    private final InstructionFetcher fetcher;
    private final Decoder decoder;
    private final long[] before = new long[16];
    private @Nullable InstructionTrace trace;
    private HotCode hot;
    private @Nullable Lockstep lockstep;
    /** The unit that executes. */
    private @Nullable Unit running;

    private long misses;
    private long restarts;
    private long faults;

    /** An interpreter of the instructions that a processor with the CPUID features {@code hasFeature} has. */
    public Interpreter(PhysicalMemory memory, Predicate<String> hasFeature) {
        OpcodeTable table = OpcodeTable.load();
        OpFactory factory = new OpFactory(table);
        decoder = new Decoder(table, hasFeature);
        this.memory = memory;
        cache = new BlockCache(memory);
        hot = new HotCode(memory, cache, UnitSource.NONE, null);
        builder = new BlockBuilder(memory, decoder, factory);
        stepper = new Stepper(factory, decoder);
        fetcher = new InstructionFetcher(decoder);
        memory.addListener(new FrameListener() {
            @Override
            public void codeChanging(long frame) {
                invalidateFrame(frame);
            }
        });
    }

    /** Reports each instruction to {@code sink} from now on, in the stepping loop; null ends that. */
    public void trace(@Nullable InstructionTrace sink) {
        trace = sink;
    }

    /** Has hot code executed by the units that {@code source} makes. */
    public void translate(UnitSource source) {
        hot = new HotCode(memory, cache, source, null);
    }

    /** The same, and has each run of a unit repeated without units and compared, which a {@link LockstepDifference} ends. */
    public void translateInLockstep(UnitSource source) {
        lockstep = new Lockstep(this, memory);
        hot = new HotCode(memory, cache, source, lockstep);
    }

    /** What compares the runs of units; null if nothing does. */
    public @Nullable Lockstep lockstep() {
        return lockstep;
    }

    /** Counts blocks by their executions, which takes time; before anything is executed. */
    public BlockProfile profile() {
        BlockProfile profile = new BlockProfile(decoder);
        builder.count(profile);
        return profile;
    }

    /** What has happened so far. */
    public Statistics statistics() {
        return new Statistics(misses, cache.hits, cache.built, cache.invalidated, restarts, faults);
    }

    /**
     * Counts since the interpreter was made.
     *
     * @param lookupMisses blocks that a processor's own lookup did not have
     * @param blockHits those of them that had been decoded before
     * @param blocksBuilt blocks decoded
     * @param blocksInvalidated blocks dropped because their bytes changed
     * @param restarts blocks left for an access that must be exact, or because they became stale while they executed
     * @param faults exceptions raised by instructions
     */
    public record Statistics(long lookupMisses, long blockHits, long blocksBuilt, long blocksInvalidated, long restarts,
            long faults) {
    }

    /** What units have done so far. */
    public UnitStatistics unitStatistics() {
        return new UnitStatistics(hot.bound(), hot.live(), hot.retired(), hot.executed());
    }

    /**
     * Counts of units.
     *
     * @param bound units put in the place of a block
     * @param live those that are still there
     * @param retired those that were taken out because there were too many
     * @param instructions executed in units
     */
    public record UnitStatistics(long bound, int live, long retired, long instructions) {
    }

    @Override
    public void execute(Processor p, long budget) {
        long end = p.retired + budget;
        p.retireLimit = end;
        Lookup lookup = lookup(p);
        hot.bind();
        while (p.poll == 0 && p.retired < end) {
            if ((p.codeContext & Mode.STEP) != 0 || trace != null || !runBlocks(p, lookup, end)) {
                step(p, lookup, end);
            }
        }
    }

    @Override
    public void invalidateFrame(long frame) {
        cache.invalidateFrame(frame);
    }

    @Override
    public void addressSpaceChanged(Processor p) {
        lookup(p).flush();
    }

    private static Lookup lookup(Processor p) {
        if (p.engineState instanceof Lookup lookup) {
            return lookup;
        }
        Lookup lookup = new Lookup();
        p.engineState = lookup;
        return lookup;
    }

    /** Executes blocks until something is to be looked at; false if the next instruction is for the stepping loop. */
    private boolean runBlocks(Processor p, Lookup lookup, long end) {
        long[] gpr = p.gpr;
        boolean heating = hot.isOn();
        int threshold = hot.threshold;
        // Links know nothing of breakpoints, which are found on the way through the lookup.
        long linked = p.debugger.hasPoints() ? 0 : -1;
        long context = 0;
        long page = 0;
        Block block = null;
        Unit unit = null;
        int i = 0;
        try {
            do {
                long rip = p.rip;
                Block previous = block;
                long last = context & linked;
                context = lookup.context(p.codeContext);
                boolean near = context == last && (rip ^ page) >>> PhysicalMemory.FRAME_SHIFT == 0;
                block = near && previous != null
                        ? successor(previous, unit, (int) rip & PhysicalMemory.FRAME_SIZE - 1)
                        : null;
                if (block == null) {
                    block = lookup.find(rip, context);
                    if (block == null) {
                        if ((p.codeContext & Mode.STEP) != 0 || p.debugger.hasBreakpoints(p.wrap(rip))) {
                            return false;
                        }
                        block = find(p, rip);
                        if (block == null) {
                            return false;
                        }
                        lookup.put(rip, context, block);
                    }
                    if (near && previous != null && previous.mayLink(block)) {
                        if (unit != null) {
                            unit.link(block);
                        } else {
                            previous.link(block);
                        }
                    }
                }
                int count = block.count;
                Unit before = unit;
                unit = block.unit;
                if (heating && unit == null && (block.heat += count) >= threshold) {
                    unit = hot.heated(block);
                }
                if (unit != null && linked != 0 && unit.longest <= end - p.retired) {
                    if (near && before != null && before.links[before.exit] == block) {
                        before.link(unit);
                    }
                    page = rip & -PhysicalMemory.FRAME_SIZE;
                    gpr[Processor.PAGE] = page;
                    long retired = p.retired;
                    unit = runUnits(p, lookup, context, unit, end);
                    page = gpr[Processor.PAGE];
                    if (p.retired != retired) {
                        continue;
                    }
                }
                unit = null;
                if (count > end - p.retired) {
                    return false;
                }
                page = rip & -PhysicalMemory.FRAME_SIZE;
                gpr[Processor.PAGE] = page;
                p.rip = page + block.end;
                p.retired += count;
                i = 0;
                for (Executable next = block.first; next != null; next = next.next) {
                    next.exec(p);
                    i++;
                }
            } while (p.poll == 0 && p.retired < end);
        } catch (GuestFault fault) {
            Unit left = running;
            if (left != null) {
                running = null;
                leave(p, lookup, left, end);
            } else {
                leave(p, lookup, block, block == null ? 0 : block.instruction(i, p.fusedPart), end);
            }
        }
        return true;
    }

    /**
     * Executes {@code first} and the units that follow it: those that it is linked to, and those that {@code lookup} has under {@code context}
     * where it returns, jumps indirectly or leaves the page. Returns the last one.
     */
    private Unit runUnits(Processor p, Lookup lookup, long context, Unit first, long end) {
        Unit unit = first;
        while (true) {
            long retired = p.retired;
            running = unit;
            Code next = unit.run(p, end);
            long executed = p.retired - retired;
            if (unit.isHot(executed)) {
                hot.improve(unit);
            }
            Unit following = null;
            if (next instanceof Unit linked) {
                following = linked;
            } else if (next == null && executed != 0) {
                following = elsewhere(p, lookup, context, unit);
            }
            if (following == null || following.stale || following.longest > end - p.retired || p.poll != 0) {
                running = null;
                return unit;
            }
            p.gpr[Processor.PAGE] = p.rip & -PhysicalMemory.FRAME_SIZE;
            unit = following;
        }
    }

    /** The unit at RIP, where {@code unit} has been left by an exit that has no link; null if none is known to be there. */
    private static @Nullable Unit elsewhere(Processor p, Lookup lookup, long context, Unit unit) {
        long rip = p.rip;
        if ((rip & -PhysicalMemory.FRAME_SIZE) == p.gpr[Processor.PAGE]) {
            if (unit.exit >= Unit.FIRST_LINK) {
                return null;
            }
            unit.leftFor((int) rip & PhysicalMemory.FRAME_SIZE - 1);
        }
        Block block = lookup.find(rip, context);
        return block == null ? null : block.unit;
    }

    /**
     * Executes until {@code retired} is {@code end}: as {@link #runBlocks}, but without units, and looks at nothing that could end it sooner.
     * Throws a fault with RIP and {@code retired} as they are before the instruction, and delivers none.
     */
    void repeat(Processor p, long end) {
        Lookup lookup = lookup(p);
        while (p.retired < end) {
            long rip = p.rip;
            Block block = current(p, lookup, rip);
            if (block == null) {
                throw new IllegalStateException("what was in a unit is code in memory");
            }
            long page = rip & -PhysicalMemory.FRAME_SIZE;
            p.gpr[Processor.PAGE] = page;
            boolean whole = block.count <= end - p.retired;
            int i = 0;
            try {
                if (whole) {
                    p.rip = page + block.end;
                    p.retired += block.count;
                    for (Executable next = block.first; next != null; next = next.next) {
                        next.exec(p);
                        i++;
                    }
                } else {
                    for (Op[] ops = builder.operations(block); p.retired < end; i++) {
                        p.rip = page + block.offsets[i + 1];
                        p.retired++;
                        ops[i].exec(p);
                    }
                }
            } catch (GuestFault fault) {
                int at = whole ? block.instruction(i, p.fusedPart) : i;
                p.rip = page + block.offsets[at];
                p.retired -= whole ? block.count - at : 1;
                if (p.faultVector != Processor.FAULT_RESTART || !block.isStale()) {
                    throw fault;
                }
                // It has changed its own code: what follows is decoded anew.
                lookup.forget(rip);
            }
        }
    }

    /** What was executed after {@code block}, or {@code unit} in its place, at {@code offset} in the page; null if unknown. */
    private static @Nullable Block successor(Block block, @Nullable Unit unit, int offset) {
        return unit != null ? unit.successor(offset) : block.successor(offset);
    }

    /**
     * The block at {@code rip}; null if it is for the stepping loop, because its instruction is not in memory or not all of the
     * block is within the limit of CS. Throws the faults of fetching it.
     */
    private @Nullable Block find(Processor p, long rip) {
        misses++;
        if (rip != p.wrap(rip)) {
            return null;
        }
        int available = p.codeBytes(rip, PhysicalMemory.FRAME_SIZE);
        Block block = findInMemory(p, rip);
        return block == null || block.bytes() > available ? null : block;
    }

    private @Nullable Block findInMemory(Processor p, long rip) {
        long address = p.translateFetch(rip);
        if (address < 0) {
            return null;
        }
        int mode = p.codeContext;
        Block block = cache.find(address, mode);
        if (block != null) {
            if (block.secondFrame == Block.NO_FRAME) {
                cache.hits++;
                return block;
            }
            long second = p.translateFetch(p.wrap(BlockBuilder.secondPage(rip)));
            if (second >>> PhysicalMemory.FRAME_SHIFT == block.secondFrame) {
                cache.hits++;
                return block;
            }
            // The two pages are next to each other only in another address space.
            cache.drop(block);
        }
        block = builder.build(p, rip, address, mode);
        if (block != null) {
            cache.add(block);
        }
        return block;
    }

    /** Takes the processor back to before instruction {@code i} of {@code block}, or of the fetch if null, and handles the fault. */
    private void leave(Processor p, Lookup lookup, @Nullable Block block, int i, long end) {
        if (block == null) {
            faults++;
            p.fault(0);
            return;
        }
        p.rip = p.gpr[Processor.PAGE] + block.offsets[i];
        p.retired -= block.count - i;
        if (p.faultVector == Processor.FAULT_RESTART) {
            restarts++;
            if (block.isStale()) {
                lookup.forget(p.gpr[Processor.PAGE] + block.start);
            }
            step(p, lookup, end);
        } else {
            faults++;
            Faults.deliver(p, builder.instruction(block, i));
        }
    }

    /** Takes the processor back to before the instruction of {@code unit} whose operation has faulted, and handles the fault. */
    private void leave(Processor p, Lookup lookup, Unit unit, long end) {
        Unit.Layout layout = unit.layout;
        int i = p.fusedPart;
        p.rip = p.gpr[Processor.PAGE] + layout.offsets()[i];
        p.retired--;
        if (p.faultVector == Processor.FAULT_RESTART) {
            restarts++;
            step(p, lookup, end);
        } else {
            faults++;
            Faults.deliver(p, layout.instructions()[i]);
        }
    }

    /**
     * Executes instructions of one block, or one instruction if each is to be looked at, with {@code retired} exact throughout;
     * stops at {@code end}.
     */
    private void step(Processor p, Lookup lookup, long end) {
        boolean trap = (p.rflagsSystem & TRAP_FLAG) != 0;
        long rip = p.wrap(p.rip);
        p.rip = rip;
        boolean debugged = p.debugger.hasBreakpoints(rip);
        if (debugged && p.debugger.stopsBefore(rip)) {
            return;
        }
        boolean single = (p.codeContext & Mode.STEP) != 0 || trace != null || debugged;
        long first = p.retired;
        p.retireLimit = single ? first + 1 : end;
        p.precise = true;
        p.enteredHandler = false;
        Block block = null;
        int i = 0;
        DecodedInstruction traced = null;
        try {
            if (trace != null && trace.wants(p, rip)) {
                traced = fetcher.fetch(p);
                System.arraycopy(p.gpr, 0, before, 0, before.length);
            }
            block = current(p, lookup, rip);
            if (block == null) {
                stepper.step(p, p.retireLimit);
            } else {
                long page = rip & -4096;
                Op[] ops = builder.operations(block);
                p.gpr[Processor.PAGE] = page;
                do {
                    p.instructionStart = page + block.offsets[i];
                    p.rip = page + block.offsets[i + 1];
                    p.retired++;
                    ops[i].exec(p);
                    i++;
                } while (i < ops.length && !single && p.retired < end && p.poll == 0);
            }
        } catch (GuestFault fault) {
            if (block == null) {
                faults++;
                p.fault(0);
            } else {
                p.rip = (rip & -4096) + block.offsets[i];
                p.retired--;
                if (p.faultVector == Processor.FAULT_RESTART && block.isStale()) {
                    lookup.forget(rip);
                } else {
                    faults++;
                    Faults.deliver(p, builder.instruction(block, i));
                }
            }
        } finally {
            p.precise = false;
            p.retireLimit = end;
        }
        if (debugged && p.rip == rip && block != null && builder.instruction(block, 0).repeat != 0
                && p.retired != first) {
            // Another iteration of the same instruction.
            p.debugger.passBreakpoint();
        }
        if (p.retired != first) {
            if (trace != null && traced != null) {
                trace.retired(p, rip, fetcher.bytes(traced.length), Disassembler.format(traced, rip), before);
            }
            if (trap && !p.holdsTrap() && !p.enteredHandler && (p.poll & Processor.POLL_STOP) == 0) {
                ControlTransfer.singleStepTrap(p);
            }
        }
    }

    /** As {@link #find}, but looks in {@code lookup} first. */
    private @Nullable Block current(Processor p, Lookup lookup, long rip) {
        Block block = lookup.find(rip, lookup.context(p.codeContext));
        return block != null ? block : find(p, rip);
    }

    @Override
    public String toString() {
        return "Interpreter of " + memory.layout() + ": " + statistics();
    }
}
