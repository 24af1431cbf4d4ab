package dev.xenolith.hypervisor.hypercall;

/** The handler of calls that guests may not make, or that are not there: always the same error. */
public record Refusal(int error) implements Handler {
    @Override
    public long call(Call call) {
        return -error;
    }
}
