package dev.xenolith.hypervisor.hypercall;

/** Serves the hypercalls of one number. */
@FunctionalInterface
public interface Handler {
    /**
     * Carries out {@code call}; never throws for what the guest did. Returns what the guest finds in RAX, or
     * {@link Call#RESTART} to have the guest make the call again with the arguments as they stand in {@code call} then, or
     * {@link Call#NO_RESULT} if the guest's registers are already as they are to be.
     */
    long call(Call call);
}
