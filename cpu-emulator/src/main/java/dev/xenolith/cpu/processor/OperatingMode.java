package dev.xenolith.cpu.processor;

/** The operating modes of a processor (SDM 3A 2.2), and whether software that starts in one is executed in full. */
public enum OperatingMode {
    REAL("real-address mode", false), PROTECTED("32-bit protected mode", false), LONG("64-bit mode", true);

    private final String title;
    private final boolean complete;

    OperatingMode(String title, boolean complete) {
        this.title = title;
        this.complete = complete;
    }

    /** The name that the manual gives it. */
    public String title() {
        return title;
    }

    /** Whether the processor executes software that starts in this mode; if not, whoever would start it says so by name. */
    public boolean isComplete() {
        return complete;
    }
}
