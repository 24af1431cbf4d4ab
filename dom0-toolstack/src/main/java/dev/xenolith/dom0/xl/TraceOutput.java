package dev.xenolith.dom0.xl;

/** Where a trace is printed. Called on the command's own thread, and may make it wait. */
public interface TraceOutput {
    /** A record, or in its place how many are missing. */
    void line(String text);

    /** Something about the recording itself, which is no part of the trace. */
    void note(String text);

    /** These were the records that there are for now. */
    void flush();
}
