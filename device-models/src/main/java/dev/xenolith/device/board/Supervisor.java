package dev.xenolith.device.board;

import dev.xenolith.cpu.processor.Processor;

/** Says what a processor does with its turn on the machine thread: software in ring 0 of its own, or a Java hypervisor. */
public interface Supervisor {
    /**
     * Lets {@code processor} work for at most {@code budget} nanoseconds of machine time, advancing the machine clock by what
     * was used. Returns false if the processor is idle: it has nothing to do until its local APIC or the inbox brings an event.
     */
    boolean turn(Processor processor, long budget);

    /** A Throwable escaped a turn: our own bug. Returns true if the machine can go on (the culprit was contained). */
    boolean contain(Processor processor, Throwable bug);
}
