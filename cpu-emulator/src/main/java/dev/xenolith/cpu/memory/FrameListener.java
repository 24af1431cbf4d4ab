package dev.xenolith.cpu.memory;

/** Told about frames that need attention: processors drop write translations, engines drop code, watchers look. */
public interface FrameListener {
    /** Writes to {@code count} frames from {@code firstFrame} need attention from now on: forget translations for writing. */
    default void writeAttentionAdded(long firstFrame, long count) {}

    /** The bytes of a frame that holds decoded code are about to change; its code mark is already gone. */
    default void codeChanging(long frame) {}

    /** The {@code length} bytes at physical {@code address}, within one watched frame, are about to be written. */
    default void watchedWrite(long address, int length) {}
}
