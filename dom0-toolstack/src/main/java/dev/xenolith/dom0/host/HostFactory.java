package dev.xenolith.dom0.host;

/** Starts the machine that the daemon puts its socket in front of. */
@FunctionalInterface
public interface HostFactory {
    /**
     * Boots machine, hypervisor and dom0; returns when dom0 is ready for commands.
     *
     * @throws dev.xenolith.dom0.xl.ToolstackException with one line for the user, naming the option at fault
     */
    RunningHost start(HostOptions options);
}
