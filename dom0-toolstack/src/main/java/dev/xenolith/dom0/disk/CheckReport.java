package dev.xenolith.dom0.disk;

import java.util.List;

/**
 * What a check of an image's metadata has found.
 *
 * @param errors what contradicts itself and could cost or has cost data, one line each, at most the first hundred
 * @param errorCount how many there are, those that were repaired not counted
 * @param leaks clusters of the file that are counted and that nothing uses, those that were repaired not counted
 * @param repairedErrors how many errors are no more
 * @param repairedLeaks how many leaks are no more
 * @param notes what else there is to say
 */
public record CheckReport(List<String> errors, long errorCount, long leaks, long repairedErrors, long repairedLeaks,
        List<String> notes) {
    /** What a check is to mend. */
    public enum Repair {
        /** Nothing; the file is only read. */
        NONE,
        /** Space that is counted and not used. */
        LEAKS,
        /** Whatever can be mended. */
        ALL
    }

    /** The report about an image that has no metadata. */
    static final CheckReport NOTHING_TO_CHECK = new CheckReport(List.of(), 0, 0, 0, 0,
            List.of("the format has nothing that could be checked"));

    /** Returns whether nothing is wrong, or no longer. */
    public boolean clean() {
        return errorCount == 0 && leaks == 0;
    }
}
