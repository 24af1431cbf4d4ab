package dev.xenolith.hypervisor.console;

/** XENLOG_* levels, most severe first. */
public enum LogLevel {
    ERROR("Errors"), WARNING("Errors and warnings"), INFO("Errors, warnings and info"), DEBUG("All");

    private final String upTo;

    LogLevel(String upTo) {
        this.upTo = upTo;
    }

    /** What a threshold at this level lets through, as Xen's boot log names it. */
    String upTo() {
        return upTo;
    }
}
