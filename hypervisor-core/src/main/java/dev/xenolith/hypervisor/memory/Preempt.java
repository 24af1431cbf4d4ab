package dev.xenolith.hypervisor.memory;

/** Says whether an operation over a guest-controlled count should stop here and be called again; asked once per element. */
@FunctionalInterface
public interface Preempt {
    /** Never asks to stop: for work that is known to be short. */
    Preempt NEVER = () -> false;

    /** True if the caller should leave restartable state and return {@code -ERESTART}. */
    boolean check();
}
