package dev.xenolith.device.board;

import dev.xenolith.cpu.ProcessorBuilder;
import dev.xenolith.cpu.Processors;
import dev.xenolith.cpu.interpret.Interpreter;
import dev.xenolith.cpu.memory.MemoryLayout;
import dev.xenolith.cpu.memory.PhysicalMap;
import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.cpu.model.CpuModel;
import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.cpu.time.MachineClock;
import dev.xenolith.cpu.translate.Translation;
import dev.xenolith.device.ClockTimers;
import java.security.SecureRandom;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A machine: its processors, its clock, and the one thread that executes them and owns all state reachable from here.
 *
 * <p>The processors take turns of at most {@value #MAX_QUANTUM} ns; what a processor does with a turn is up to the
 * {@link Supervisor}. Between turns the inbox is drained. When every processor is idle, a machine with a virtual clock skips to
 * the next deadline and one with a real clock parks until then. Several machines may live in one JVM.
 */
public final class Machine implements AutoCloseable {
    /** Longest turn of a processor, in nanoseconds of machine time. */
    public static final long MAX_QUANTUM = 50_000;
    /** The seeds vary quantum lengths between this and {@link #MAX_QUANTUM}. */
    private static final long MIN_QUANTUM = 20_000;
    /** With a real clock, which is put forward after each run, an instruction takes so little time that none waits for the host's clock. */
    private static final int REAL_INSTRUCTION_SHIFT = 2;

    private static final Logger LOG = LoggerFactory.getLogger(Machine.class);

    /** Receives the result of host work on the machine thread; exactly one of the arguments counts: a failure, or else a result. */
    @FunctionalInterface
    public interface Completion<T> {
        void completed(@Nullable T result, @Nullable Exception failure);
    }

    /**
     * How a machine runs.
     *
     * @param clockMode how it tells the time
     * @param seed of everything that real hardware leaves open
     * @param translation whether hot code is translated; the guest cannot tell
     */
    public record Configuration(ClockMode clockMode, long seed, Translation translation) {
        /** A machine that translates as is the default. */
        public Configuration(ClockMode clockMode, long seed) {
            this(clockMode, seed, Translation.byDefault());
        }
    }

    /**
     * What a machine is built of.
     *
     * @param memoryBytes RAM, a multiple of 4 KiB
     * @param processors 1..8
     * @param model what the processors are
     */
    public record Hardware(long memoryBytes, int processors, CpuModel model) {
    }

    private final Configuration configuration;
    private final MachineClock clock;
    private final List<Processor> processors;
    private final LongSupplier nextDeadline;
    private final ClockTimers timers;
    private final Inbox inbox = new Inbox();
    private final Thread thread;
    private final Completions completions;
    private final RandomGenerator quanta;
    private final CompletableFuture<Void> ended = new CompletableFuture<>();
    /** Calls that other threads wait for; they fail when the machine ends. */
    private final Set<CompletableFuture<?>> waiting = ConcurrentHashMap.newKeySet();
    private @Nullable Processors set;
    private @Nullable PhysicalMemory memory;
    private @Nullable Interpreter interpreter;
    private @Nullable Supervisor supervisor;
    private long hostStart;
    private long frozenSince;
    private boolean frozen;
    private boolean stopping;
    private boolean closed;

    /** Builds a machine: memory, processors on one interpreter, and the bus between their local APICs. */
    public static Machine of(Configuration configuration, Hardware hardware) {
        return of(configuration, hardware, MemoryLayout.pc(hardware.memoryBytes()));
    }

    /** The same with memory where {@code layout} says, in place of {@link Hardware#memoryBytes}. */
    public static Machine of(Configuration configuration, Hardware hardware, MemoryLayout layout) {
        MachineClock clock = new MachineClock(configuration.clockMode() == ClockMode.REAL ? REAL_INSTRUCTION_SHIFT : 0);
        CpuModel model = hardware.model();
        PhysicalMemory memory = new PhysicalMemory(layout);
        PhysicalMap map = new PhysicalMap(memory);
        Interpreter interpreter = new Interpreter(memory, model::has);
        configuration.translation().install(interpreter, model::has);
        Processors processors = new ProcessorBuilder(clock, map, interpreter).model(model).count(hardware.processors())
                .entropy(entropy(configuration)).build();
        Machine machine = new Machine(configuration, clock, processors.all(), processors::nextDeadline);
        machine.set = processors;
        machine.memory = memory;
        machine.interpreter = interpreter;
        return machine;
    }

    /** What guests get as hardware's randomness: the host's, unless runs with one seed are to be identical. */
    private static LongSupplier entropy(Configuration configuration) {
        return switch (configuration.clockMode()) {
            case REAL -> new SecureRandom()::nextLong;
            case VIRTUAL -> random(configuration.seed(), "rdrand")::nextLong;
        };
    }

    /**
     * @param nextDeadline machine time at which some processor's local APIC timer fires next, Long.MAX_VALUE if none is armed
     */
    public Machine(Configuration configuration, MachineClock clock, List<Processor> processors,
            LongSupplier nextDeadline) {
        this.configuration = configuration;
        this.clock = clock;
        this.processors = List.copyOf(processors);
        this.nextDeadline = nextDeadline;
        this.timers = new ClockTimers(clock);
        this.thread = new Thread(this::loop, "machine");
        this.completions = new Completions(inbox, configuration.clockMode(), thread);
        this.quanta = random("quantum");
        thread.setDaemon(true);
        inbox.ownedBy(thread);
    }

    public MachineClock clock() {
        return clock;
    }

    /** The timers of devices; the machine lets them expire between turns and idles no longer than to the next. */
    public ClockTimers timers() {
        return timers;
    }

    public List<Processor> processors() {
        return processors;
    }

    /** The processors with what they share; only of a machine that {@link #of} has built. */
    public Processors processorSet() {
        return Objects.requireNonNull(set);
    }

    /** RAM; only of a machine that {@link #of} has built. */
    public PhysicalMemory memory() {
        return Objects.requireNonNull(memory);
    }

    /** What executes instructions; only of a machine that {@link #of} has built. */
    public Interpreter interpreter() {
        return Objects.requireNonNull(interpreter);
    }

    public Configuration configuration() {
        return configuration;
    }

    /** Instructions that all processors together have retired; on the machine thread or when the machine has ended. */
    public long retired() {
        long sum = 0;
        for (Processor processor : processors) {
            sum += processor.retired;
        }
        return sum;
    }

    /** A generator of its own for {@code purpose}, derived from the machine's seed; equal for equal seeds. */
    public RandomGenerator random(String purpose) {
        return random(configuration.seed(), purpose);
    }

    private static RandomGenerator random(long seed, String purpose) {
        long mixed = seed * 0x9E3779B97F4A7C15L;
        for (int i = 0; i < purpose.length(); i++) {
            mixed = (mixed ^ purpose.charAt(i)) * 0xFF51AFD7ED558CCDL;
            mixed ^= mixed >>> 32;
        }
        return RandomGeneratorFactory.of("SplittableRandom").create(mixed);
    }

    /** Starts the machine thread; processors begin to take turns under {@code supervisor}. */
    public void start(Supervisor supervisor) {
        this.supervisor = supervisor;
        frozenSince = System.nanoTime();
        hostStart = frozenSince - clock.now();
        thread.start();
    }

    /** Runs {@code message} on the machine thread between two turns. Any thread; messages of one thread keep their order. */
    public void post(Runnable message) {
        inbox.post(message);
    }

    /** Runs {@code call} on the machine thread; the future ends with its result, or exceptionally when the machine has ended. */
    public <T extends @Nullable Object> CompletableFuture<T> call(Callable<T> call) {
        CompletableFuture<T> future = whilePowered(new CompletableFuture<>());
        inbox.post(() -> {
            try {
                future.complete(call.call());
            } catch (Throwable t) {
                future.completeExceptionally(t);
            }
        });
        return future;
    }

    /**
     * Ties {@code future} to the machine's life: if the machine ends before somebody completes it, it fails with
     * {@link RejectedExecutionException}, so that nobody waits for ever. Returns its argument.
     */
    public <T extends @Nullable Object> CompletableFuture<T> whilePowered(CompletableFuture<T> future) {
        waiting.add(future);
        future.whenComplete((result, failure) -> waiting.remove(future));
        if (ended.isDone()) {
            refuse(future);
        }
        return future;
    }

    /**
     * Hands host work to another thread and shows its result on the machine thread.
     *
     * @param latency modelled duration in ns; with a virtual clock the result appears exactly then
     */
    public <T> void submit(long latency, Callable<T> work, Completion<? super T> completion) {
        assertOwner();
        completions.submit(clock.now() + latency, work, completion);
    }

    /** The same with the moment at which the result appears in place of a duration; one that has passed is as good as now. */
    public <T> void submitAt(long due, Callable<T> work, Completion<? super T> completion) {
        assertOwner();
        completions.submit(due, work, completion);
    }

    /** Fails if the caller is not the machine thread (once it runs). */
    public void assertOwner() {
        assert Thread.currentThread() == thread || !thread.isAlive() : "not on the machine thread";
    }

    /**
     * Corrects the clock by host time (real clock only); a supervisor calls it after each run, so that what a guest used is what
     * it is charged.
     */
    public void settle() {
        if (configuration.clockMode() == ClockMode.REAL) {
            clock.advanceTo(System.nanoTime() - hostStart);
        }
    }

    /** Stops processors, devices and time; the inbox is still drained. Machine thread, or before it starts. */
    void freeze() {
        if (!frozen) {
            frozen = true;
            frozenSince = System.nanoTime();
        }
    }

    /** Ends {@link #freeze}: time goes on where it was. */
    void thaw() {
        if (frozen) {
            frozen = false;
            hostStart += System.nanoTime() - frozenSince;
        }
    }

    boolean isFrozen() { return frozen; }

    /** Ends the machine thread after the current turn. Any thread; {@link #ended} says when it is done. */
    public void stop() {
        inbox.post(() -> stopping = true);
    }

    /** Completes when the machine thread has ended; exceptionally if a bug ended it. */
    public CompletableFuture<Void> ended() {
        return ended;
    }

    @Override
    public void close() {
        if (thread.isAlive()) {
            stop();
            ended.exceptionally(t -> null).join();
        }
        completions.close();
        if (memory != null && !closed) {
            closed = true;
            memory.close();
        }
    }

    private static void refuse(CompletableFuture<?> call) {
        call.completeExceptionally(new RejectedExecutionException("the machine has been switched off"));
    }

    private void loop() {
        try {
            while (!stopping) {
                drainInbox();
                if (!frozen) {
                    moveOn();
                } else if (!stopping) {
                    inbox.await(Long.MAX_VALUE);
                }
            }
            ended.complete(null);
        } catch (Throwable bug) {
            LOG.error("BUG: the machine thread ended", bug);
            ended.completeExceptionally(bug);
        }
        waiting.forEach(Machine::refuse);
    }

    /** Does what is due, and gives each processor a turn. */
    private void moveOn() {
        completions.deliverDue(clock.now());
        timers.expire();
        boolean busy = round();
        if (!frozen) {
            if (!busy && !stopping && inbox.isEmpty()) {
                idle();
            }
            pace();
        }
    }

    /** One turn of each processor. Returns whether any of them had something to do. */
    private boolean round() {
        Supervisor current = supervisor;
        if (current == null) {
            return false;
        }
        boolean busy = false;
        for (Processor processor : processors) {
            try {
                busy |= current.turn(processor, quanta.nextLong(MIN_QUANTUM, MAX_QUANTUM + 1));
            } catch (Throwable bug) {
                if (!current.contain(processor, bug)) {
                    throw bug;
                }
                busy = true;
            }
        }
        return busy;
    }

    private void drainInbox() {
        Runnable message;
        while ((message = inbox.poll()) != null) {
            message.run();
        }
    }

    private void idle() {
        long next = Math.min(Math.min(nextDeadline.getAsLong(), timers.nextDeadline()), completions.nextDue());
        if (configuration.clockMode() == ClockMode.VIRTUAL) {
            if (next != Long.MAX_VALUE) {
                clock.advanceTo(next);
            } else {
                inbox.await(Long.MAX_VALUE);
            }
        } else {
            settle();
            long wait = next == Long.MAX_VALUE ? Long.MAX_VALUE : next - clock.now();
            if (wait > 0) {
                inbox.await(wait);
            }
            settle();
        }
    }

    /** Real clock: machine time never runs ahead of the host's by more than a few quanta. */
    private void pace() {
        if (configuration.clockMode() == ClockMode.REAL) {
            long ahead = clock.now() - (System.nanoTime() - hostStart);
            if (ahead > 4 * MAX_QUANTUM) {
                inbox.await(ahead);
            }
            settle();
        }
    }
}
