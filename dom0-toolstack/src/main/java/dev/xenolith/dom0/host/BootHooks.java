package dev.xenolith.dom0.host;

import dev.xenolith.device.board.Machine;
import dev.xenolith.device.board.Supervisor;
import dev.xenolith.hypervisor.Hypervisor;
import java.nio.file.Path;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * What a test makes different about a host that it boots.
 *
 * @param hypervisor boots the hypervisor, perhaps with a check disabled
 * @param supervisor stands between the machine and the hypervisor, to look at it between turns
 * @param failureInjected names of steps of domain creations that are to fail
 * @param dumps where core dumps of domains that crash go; null for none
 * @param first done on the machine thread before anything else happens there, so at the same instant in each run
 */
record BootHooks(HypervisorBoot hypervisor, UnaryOperator<Supervisor> supervisor, Predicate<String> failureInjected,
        @Nullable Path dumps, Consumer<Host> first) {
    /** As users get it. */
    static final BootHooks NONE = new BootHooks(Hypervisor::boot, hypervisor -> hypervisor, step -> false, null,
            host -> {});

    /** {@link Hypervisor#boot}, or something like it. */
    @FunctionalInterface
    interface HypervisorBoot {
        Hypervisor boot(Machine machine, String commandLine, long wallClockSeconds, Consumer<String> console);
    }

    BootHooks withFailure(Predicate<String> injected) {
        return new BootHooks(hypervisor, supervisor, injected, dumps, first);
    }

    BootHooks withFirst(Consumer<Host> done) {
        return new BootHooks(hypervisor, supervisor, failureInjected, dumps, done);
    }

    BootHooks withHypervisor(HypervisorBoot boot) {
        return new BootHooks(boot, supervisor, failureInjected, dumps, first);
    }

    BootHooks withSupervisor(UnaryOperator<Supervisor> wrapper) {
        return new BootHooks(hypervisor, wrapper, failureInjected, dumps, first);
    }

    BootHooks withDumps(Path directory) {
        return new BootHooks(hypervisor, supervisor, failureInjected, directory, first);
    }
}
