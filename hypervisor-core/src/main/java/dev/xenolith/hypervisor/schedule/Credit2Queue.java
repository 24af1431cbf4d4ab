package dev.xenolith.hypervisor.schedule;

import java.util.ArrayList;
import java.util.List;

/** A run queue of credit2: some processors, the units assigned to them, and those of these that wait, by descending credit. */
final class Credit2Queue {
    /** Mask of the processors that take from this queue. */
    final long processors;
    final List<Credit2Unit> waiting = new ArrayList<>();
    private final List<Credit2Unit> assigned = new ArrayList<>();
    private int maxWeight = SchedDomain.MIN_WEIGHT;

    Credit2Queue(long processors) {
        this.processors = processors;
    }

    /** Weight of the heaviest unit: its credit burns one for one with time. */
    int maxWeight() {
        return maxWeight;
    }

    void assign(Credit2Unit unit) {
        assigned.add(unit);
        unit.queue = this;
        updateWeight();
    }

    void release(Credit2Unit unit) {
        assigned.remove(unit);
        updateWeight();
    }

    void updateWeight() {
        int max = SchedDomain.MIN_WEIGHT;
        for (Credit2Unit unit : assigned) {
            max = Math.max(max, unit.domain.domain.weight);
        }
        maxWeight = max;
    }

    /** Puts a unit after those with as much credit or more. */
    void enqueue(Credit2Unit unit) {
        int at = waiting.size();
        while (at > 0 && waiting.get(at - 1).credit < unit.credit) {
            at--;
        }
        waiting.add(at, unit);
        unit.queued = true;
    }

    void dequeue(Credit2Unit unit) {
        waiting.remove(unit);
        unit.queued = false;
    }

    /** Runnable units per processor of the queue, in hundredths. */
    int load() {
        int runnable = 0;
        for (Credit2Unit unit : assigned) {
            if (unit.unit.isRunnable()) {
                runnable++;
            }
        }
        return runnable * 100 / Long.bitCount(processors);
    }

    /** Gives everybody new credit, when the first in line, {@code next}, has used up its own. */
    void resetCredit(Credit2Unit next, long now) {
        long grant = Credit2.CREDIT_INIT;
        if (next.credit < -Credit2.CREDIT_INIT) {
            grant += -next.credit / Credit2.CREDIT_INIT * Credit2.CREDIT_INIT;
        }
        for (Credit2Unit unit : assigned) {
            if (unit.unit.isRunning()) {
                unit.burn(now);
            }
            unit.credit = Math.min(unit.credit + grant, Credit2.CREDIT_INIT + Credit2.CARRYOVER_MAX);
        }
        // Carrying over may have changed who has more; the order among equals stays.
        waiting.sort((a, b) -> Long.compare(b.credit, a.credit));
    }
}
