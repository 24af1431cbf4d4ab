package dev.xenolith.hypervisor.schedule;

import dev.xenolith.hypervisor.time.TimerQueue;

/** What scheduling needs of the machine's processors. */
public interface ProcessorControl {
    /** Number of processors; they are numbered from 0. */
    int processors();

    /** Has {@code processor} schedule anew as soon as it can: a softirq, and an interprocessor interrupt if it is another one. */
    void kick(int processor);

    /** Has {@code processor} schedule at machine time {@code deadline}, instead of at the end of the slice it was given. */
    void scheduleAt(int processor, long deadline);

    /** Timers that expire on {@code processor}. */
    TimerQueue timers(int processor);
}
