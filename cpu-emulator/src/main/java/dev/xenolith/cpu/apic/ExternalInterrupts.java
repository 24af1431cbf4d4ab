package dev.xenolith.cpu.apic;

/** What answers INTA cycles: an 8259A behind INTR, or a hypervisor that injects. */
public interface ExternalInterrupts {
    /** There is none. */
    ExternalInterrupts NONE = new ExternalInterrupts() {
        @Override
        public boolean isPending() { return false; }

        @Override
        public int acknowledge() {
            throw new IllegalStateException("no external interrupt controller");
        }
    };

    /** Whether INTR is asserted. */
    boolean isPending();

    /** Acknowledges an interrupt and returns its vector, 0 to 255; the controller's spurious one if INTR has gone. */
    int acknowledge();
}
