package dev.xenolith.hypervisor.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.xenolith.hypervisor.schedule.SimulatedProcessors.Load;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class Credit2Test {
    private static final long SECOND = 1_000_000_000;
    private static final long MS = 1_000_000;

    private static SimulatedProcessors machine(int processors) {
        return new SimulatedProcessors(processors, control -> new Credit2(control, Credit2.Parameters.DEFAULT));
    }

    private static Load busy(SimulatedProcessors machine, int domid, int weight, int cap) {
        SchedDomain domain = new SchedDomain(domid);
        Load load = machine.add(domain, 0);
        assertThat(machine.scheduler.adjust(domain, weight, cap, machine.now)).isZero();
        machine.wake(load);
        return load;
    }

    @Test
    void timeIsSharedByWeight() {
        SimulatedProcessors machine = machine(1);
        Load light = busy(machine, 1, 128, 0);
        Load normal = busy(machine, 2, 256, 0);
        Load heavy = busy(machine, 3, 512, 0);
        machine.run(10 * SECOND);
        assertThat(light.ran + normal.ran + heavy.ran).isEqualTo(10 * SECOND);
        assertThat((double) normal.ran / light.ran).isCloseTo(2, within(0.1));
        assertThat((double) heavy.ran / normal.ran).isCloseTo(2, within(0.1));
    }

    @Test
    void capLimitsAnIdleMachineToo() {
        SimulatedProcessors machine = machine(1);
        Load capped = busy(machine, 1, 256, 25);
        machine.run(10 * SECOND);
        assertThat((double) capped.ran / (10 * SECOND)).isCloseTo(0.25, within(0.01));
    }

    @Test
    void capIsCommonToTheUnitsOfADomain() {
        SimulatedProcessors machine = machine(4);
        SchedDomain domain = new SchedDomain(1);
        List<Load> loads = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            loads.add(machine.add(domain, i));
        }
        assertThat(machine.scheduler.adjust(domain, 0, 150, 0)).isZero();
        loads.forEach(machine::wake);
        machine.run(10 * SECOND);
        assertThat((double) loads.stream().mapToLong(l -> l.ran).sum() / (10 * SECOND)).isCloseTo(1.5, within(0.05));
    }

    @Test
    void processorsAreNotLeftIdleWhileUnitsWait() {
        SimulatedProcessors machine = machine(3);
        List<Load> loads = new ArrayList<>();
        for (int i = 1; i <= 5; i++) {
            loads.add(busy(machine, i, 256, 0));
        }
        machine.run(10 * SECOND);
        assertThat(loads.stream().mapToLong(l -> l.ran).sum()).isEqualTo(30 * SECOND);
        assertThat(loads).allSatisfy(l -> assertThat((double) l.ran).isCloseTo(6.0 * SECOND, within(0.1 * SECOND)));
    }

    @Test
    void hardAffinityIsObeyed() {
        SimulatedProcessors machine = machine(2);
        Load pinned = busy(machine, 1, 256, 0);
        Load other = busy(machine, 2, 256, 0);
        Load third = busy(machine, 3, 256, 0);
        machine.run(100 * MS);
        pinned.setAffinity(0b10, SchedUnit.ANY_PROCESSOR);
        machine.scheduler.affinityChanged(pinned, machine.now);
        for (int i = 0; i < 2_000; i++) {
            machine.run(MS / 2);
            assertThat(machine.current(0)).isNotSameAs(pinned);
        }
        assertThat(pinned.ran + other.ran + third.ran).isEqualTo(2 * (100 * MS + 2_000 * MS / 2));
        assertThat(pinned.ran).isGreaterThan(400 * MS);
    }

    @Test
    void aWakingUnitRunsWithinTheRateLimit() {
        SimulatedProcessors machine = machine(1);
        busy(machine, 1, 256, 0);
        Load interactive = machine.add(new SchedDomain(2), 0);
        machine.run(5 * MS);
        machine.wake(interactive);
        machine.run(1 * MS);
        assertThat(machine.current(0)).isSameAs(interactive);
    }

    @Test
    void yieldLetsTheOtherRun() {
        SimulatedProcessors machine = machine(1);
        Load a = busy(machine, 1, 256, 0);
        machine.run(MS);
        Load b = busy(machine, 2, 256, 0);
        machine.run(MS / 2);
        Load running = Objects.requireNonNull(machine.current(0));
        machine.scheduler.yield(running);
        machine.kick(0);
        machine.run(1);
        assertThat(machine.current(0)).isSameAs(running == a ? b : a);
    }

    @Test
    void weightAndCapOutOfRangeAreRefused() {
        SimulatedProcessors machine = machine(1);
        Load load = busy(machine, 1, 256, 0);
        assertThat(machine.scheduler.adjust(load.schedDomain, 65536, -1, 0)).isNegative();
        assertThat(machine.scheduler.adjust(load.schedDomain, 0, 101, 0)).isNegative();
        assertThat(load.schedDomain.weight()).isEqualTo(256);
    }

    /** Whatever wakes, sleeps, moves and ends: nobody runs twice or while asleep, no processor idles beside a unit it may run. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6})
    void randomHistories(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        boolean perProcessor = random.nextBoolean();
        SimulatedProcessors machine = new SimulatedProcessors(1 + random.nextInt(4),
                control -> new Credit2(control, new Credit2.Parameters(MS, 10 * MS, perProcessor)));
        List<Load> loads = new ArrayList<>();
        for (int step = 0; step < 4_000; step++) {
            if (loads.isEmpty()) {
                loads.add(machine.add(new SchedDomain(step), 0));
            }
            Load load = loads.get(random.nextInt(loads.size()));
            switch (random.nextInt(10)) {
                case 0 -> {
                    if (loads.size() < 12) {
                        loads.add(machine.add(new SchedDomain(step), 0));
                    }
                }
                case 1 -> {
                    machine.sleep(load);
                    machine.run(1);
                    machine.scheduler.remove(load, machine.now);
                    loads.remove(load);
                }
                case 2, 3, 4 -> machine.wake(load);
                case 5, 6 -> machine.sleep(load);
                case 7 -> {
                    load.setAffinity(1 + random.nextInt((1 << machine.processors()) - 1), random.nextLong());
                    machine.scheduler.affinityChanged(load, machine.now);
                }
                case 8 -> machine.scheduler.adjust(load.schedDomain, 1 + random.nextInt(1000),
                        random.nextBoolean() ? 0 : 1 + random.nextInt(100), machine.now);
                default -> {
                    if (load.isRunning()) {
                        machine.scheduler.yield(load);
                        machine.kick(load.processor());
                    }
                }
            }
            machine.run(random.nextLong(3 * MS));
            for (int i = 0; i < machine.processors(); i++) {
                Load running = machine.current(i);
                if (running == null) {
                    int processor = i;
                    assertThat(loads).as("seed %d step %d: idle processor %d", seed, step, i)
                            .noneMatch(l -> l.awake && !l.isRunning() && l.schedDomain.cap() == 0
                                    && (l.hardAffinity() >>> processor & 1) != 0);
                } else {
                    assertThat(running.awake).as("seed %d step %d: %s sleeps", seed, step, running).isTrue();
                    assertThat(running.hardAffinity() >>> i & 1).as("seed %d step %d", seed, step).isEqualTo(1);
                }
            }
        }
    }
}
