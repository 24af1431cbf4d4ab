package dev.xenolith.dom0.config;

/** What becomes of a domain that stopped: libxl_action_on_shutdown (tools/libs/light/libxl_types.idl). */
public enum LifecycleAction {
    /** Free everything. */
    DESTROY("destroy"),
    /** Free everything and build it again from its configuration. */
    RESTART("restart"),
    /** Rename the dead domain and build a new one under its name. */
    RENAME_RESTART("rename-restart"),
    /** Keep the dead domain, memory included. */
    PRESERVE("preserve"),
    /** Write a core file, then destroy. */
    COREDUMP_DESTROY("coredump-destroy"),
    /** Write a core file, then restart. */
    COREDUMP_RESTART("coredump-restart"),
    /** Reset the hypervisor's view of the domain and let its kernel go on. */
    SOFT_RESET("soft-reset");

    private final String key;

    LifecycleAction(String key) {
        this.key = key;
    }

    /** Returns the word of xl.cfg; libxl's JSON has underscores instead of hyphens. */
    public String key() {
        return key;
    }
}
