package dev.xenolith.cpu.processor;

/** Executes instructions on a processor; the interpreter is one, its stepping loop another, the translator a third. */
public interface Engine {
    /**
     * Retires exactly {@code budget} instructions on {@code processor} or stops earlier with {@link Processor#stop} filled.
     *
     * <p>{@link Processor#retired} is exact on return. A REP iteration counts as one instruction. Returns when the budget is
     * used up, when an instruction or exception has recorded a stop, or when {@link Processor#poll} is not zero at a block
     * boundary. The engine never delivers events itself: it calls {@link Processor#fault} for exceptions.
     */
    void execute(Processor processor, long budget);

    /** Forgets decoded code of the 4 KiB frame {@code frame}, because its bytes are about to change. */
    void invalidateFrame(long frame);

    /** Forgets all that depends on the linear address space of {@code processor}: called on any TLB flush or CR3 load. */
    void addressSpaceChanged(Processor processor);

    /** Executes nothing: the engine of a scratch processor that only lends its state and methods. */
    Engine NONE = new Engine() {
        @Override
        public void execute(Processor processor, long budget) {
            throw new IllegalStateException("this processor has no engine");
        }

        @Override
        public void invalidateFrame(long frame) {}

        @Override
        public void addressSpaceChanged(Processor processor) {}
    };
}
