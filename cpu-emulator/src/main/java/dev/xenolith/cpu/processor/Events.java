package dev.xenolith.cpu.processor;

/** What a processor does between blocks about what has become due: interrupts, NMIs, SMIs, INIT, traps that wait. */
final class Events {
    private Events() {
    }

    /** Looks at what {@link Processor#poll} announces, most important first (SDM 3A 6.9); false if the run is over. */
    static boolean service(Processor p) {
        if ((p.poll & Processor.POLL_STOP) != 0) {
            return false;
        }
        if ((p.poll & Processor.POLL_REQUEST) != 0) {
            p.clear(Processor.POLL_REQUEST);
            p.stop.kind = Stop.Kind.REQUEST;
            return false;
        }
        if (!p.hosted && !servicePlatform(p)) {
            return true;
        }
        if (p.retired < p.shadowEnd) {
            return true;
        }
        p.clear(Processor.POLL_EVENT);
        if (p.pendingDebug != 0) {
            p.post(Processor.POLL_EVENT);
            return ControlTransfer.pendingTrap(p);
        }
        if (p.apic.takeNmi()) {
            p.nmiPending = true;
        }
        if (p.nmiPending && !p.nmiBlocked) {
            p.nmiPending = false;
            p.wake();
            return interrupt(p, Stop.Kind.NMI, Vector.NMI);
        }
        boolean interrupts = (p.rflagsSystem & Bits.RFLAGS_IF) != 0;
        if ((interrupts || p.wakesMasked) && p.apic.hasInterrupt()) {
            p.wake();
        }
        if (interrupts && p.apic.hasInterrupt()) {
            return interrupt(p, Stop.Kind.INTERRUPT, p.apic.acknowledge());
        }
        return true;
    }

    /** INIT, start-up IPI and SMI, which only a bare processor takes; false if it waits for a start-up IPI. */
    private static boolean servicePlatform(Processor p) {
        if (p.apic.takeInit()) {
            Reset.init(p);
        }
        int startup = p.apic.takeStartup();
        if (startup >= 0 && p.waitsForStartup) {
            Reset.startUp(p, startup);
        }
        if (p.waitsForStartup) {
            p.clear(Processor.POLL_EVENT);
            return false;
        }
        p.smiPending |= p.apic.takeSmi();
        if (p.smiPending && !p.inSystemManagement) {
            p.smiPending = false;
            SystemManagement.enter(p);
        }
        return true;
    }

    private static boolean interrupt(Processor p, Stop.Kind kind, int vector) {
        // Another may be waiting behind this one.
        p.post(Processor.POLL_EVENT);
        if (p.hosted) {
            p.stop.kind = kind;
            p.stop.vector = vector;
            return false;
        }
        return Delivery.interrupt(p, vector);
    }
}
