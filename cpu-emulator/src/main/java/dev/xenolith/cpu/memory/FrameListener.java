package dev.xenolith.cpu.memory;

/** Told about frames that need attention: processors drop write translations, engines drop code, watchers look. */
public interface FrameListener {
    /** Writes to {@code count} frames from {@code firstFrame} need attention from now on: forget translations for writing. */
    default void writeAttentionAdded(long firstFrame, long count) {}

    /** Frames have become memory or have ceased to be it: forget all translations to them. */
    default void framesMoved() {}

    /** A guest's write of the low {@code size} bytes of {@code value} at physical {@code address}, in a ROM frame, is being ignored. */
    default void writeIgnored(long address, int size, long value) {}

    /** The bytes of a frame that holds decoded code are about to change; its code mark is already gone. */
    default void codeChanging(long frame) {}

    /** The {@code length} bytes at physical {@code address}, within one watched frame, are about to be written. */
    default void watchedWrite(long address, int length) {}
}
