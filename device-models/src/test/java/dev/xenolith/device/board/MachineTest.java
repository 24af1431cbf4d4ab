package dev.xenolith.device.board;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xenolith.cpu.processor.MemoryPort;
import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.cpu.time.MachineClock;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class MachineTest {
    /** A supervisor whose processors have nothing to do. */
    private static final Supervisor IDLE = new Supervisor() {
        @Override
        public boolean turn(Processor processor, long budget) {
            return false;
        }

        @Override
        public boolean contain(Processor processor, Throwable bug) {
            return false;
        }
    };

    private static Machine machine(ClockMode mode, long seed) {
        return new Machine(new Machine.Configuration(mode, seed), new MachineClock(), List.of(), () -> Long.MAX_VALUE);
    }

    @Test
    void callsRunOnTheMachineThreadInOrder() {
        try (Machine machine = machine(ClockMode.VIRTUAL, 1)) {
            machine.start(IDLE);
            List<Integer> order = new ArrayList<>();
            for (int i = 0; i < 1000; i++) {
                int n = i;
                machine.post(() -> order.add(n));
            }
            assertThat(machine.call(() -> Thread.currentThread().getName()).join()).isEqualTo("machine");
            assertThat(order).hasSize(1000).isSorted();
        }
    }

    @Test
    void aCallThatFailsFailsItsCallerOnly() {
        try (Machine machine = machine(ClockMode.VIRTUAL, 1)) {
            machine.start(IDLE);
            CompletableFuture<Object> failing = machine.call(() -> {
                throw new IOException("no");
            });
            assertThatThrownBy(failing::join).isInstanceOf(CompletionException.class).hasRootCauseMessage("no");
            assertThat(machine.call(() -> 1).join()).isEqualTo(1);
        }
    }

    @Test
    void callsToAMachineThatHasEndedAreRefused() {
        Machine machine = machine(ClockMode.VIRTUAL, 1);
        machine.start(IDLE);
        machine.close();
        assertThat(machine.ended()).isDone();
        assertThatThrownBy(() -> machine.call(() -> 1).join()).hasCauseInstanceOf(RejectedExecutionException.class);
    }

    @Test
    void virtualTimeShowsAResultExactlyWhenItIsDue() {
        try (Machine machine = machine(ClockMode.VIRTUAL, 1)) {
            CountDownLatch host = new CountDownLatch(1);
            CompletableFuture<List<Long>> seen = new CompletableFuture<>();
            List<Long> times = new ArrayList<>();
            machine.post(() -> {
                // The later one is finished first by the host, and still appears second.
                machine.submit(5_000, () -> {
                    host.await();
                    return "slow";
                }, (result, failure) -> times.add(machine.clock().now()));
                machine.submit(70_000, () -> {
                    host.countDown();
                    return "fast";
                }, (result, failure) -> {
                    times.add(machine.clock().now());
                    seen.complete(times);
                });
            });
            machine.start(IDLE);
            assertThat(seen.join()).containsExactly(5_000L, 70_000L);
        }
    }

    @Test
    void hostWorkThatRunsOutOfMemoryFailsInsteadOfNeverEnding() {
        for (ClockMode mode : ClockMode.values()) {
            try (Machine machine = machine(mode, 1)) {
                CompletableFuture<Exception> seen = new CompletableFuture<>();
                machine.post(() -> machine.submit(5_000, () -> {
                    throw new OutOfMemoryError("as if");
                }, (result, failure) -> seen.complete(failure)));
                machine.start(IDLE);
                assertThat(seen.join()).hasRootCauseMessage("as if");
            }
        }
    }

    @Test
    void aSeedDecidesTheQuanta() {
        assertThat(quanta(7)).isEqualTo(quanta(7)).isNotEqualTo(quanta(8));
        assertThat(quanta(7)).allMatch(q -> q > 0 && q <= Machine.MAX_QUANTUM);
    }

    /** A processor that only takes turns: whatever reaches memory would be a mistake. */
    private static Processor processor(MachineClock clock) {
        MemoryPort none = (MemoryPort) Proxy.newProxyInstance(MemoryPort.class.getClassLoader(),
                new Class<?>[]{MemoryPort.class},
                (proxy, method, arguments) -> {
                    throw new AssertionError(method);
                });
        return new Processor(0, clock, none);
    }

    private static List<Long> quanta(long seed) {
        MachineClock clock = new MachineClock();
        Processor processor = processor(clock);
        CompletableFuture<List<Long>> result = new CompletableFuture<>();
        List<Long> quanta = new ArrayList<>();
        try (Machine machine = new Machine(new Machine.Configuration(ClockMode.VIRTUAL, seed), clock,
                List.of(processor),
                () -> Long.MAX_VALUE)) {
            machine.start(new Supervisor() {
                @Override
                public boolean turn(Processor p, long budget) {
                    clock.advance(budget);
                    if (quanta.size() < 50) {
                        quanta.add(budget);
                    } else {
                        result.complete(List.copyOf(quanta));
                    }
                    return true;
                }

                @Override
                public boolean contain(Processor p, Throwable bug) {
                    return false;
                }
            });
            return result.join();
        }
    }

    @Test
    void aContainedBugDoesNotEndTheMachine() {
        MachineClock clock = new MachineClock();
        CompletableFuture<Throwable> contained = new CompletableFuture<>();
        try (Machine machine = new Machine(new Machine.Configuration(ClockMode.VIRTUAL, 1), clock,
                List.of(processor(clock)), () -> Long.MAX_VALUE)) {
            machine.start(new Supervisor() {
                @Override
                public boolean turn(Processor p, long budget) {
                    if (!contained.isDone()) {
                        throw new IllegalStateException("bug");
                    }
                    return false;
                }

                @Override
                public boolean contain(Processor p, Throwable bug) {
                    contained.complete(bug);
                    return true;
                }
            });
            assertThat(contained.join()).hasMessage("bug");
            assertThat(machine.call(() -> "alive").join()).isEqualTo("alive");
        }
    }
}
