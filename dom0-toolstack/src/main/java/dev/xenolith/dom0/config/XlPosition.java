package dev.xenolith.dom0.config;

/**
 * A place in a configuration.
 *
 * @param source the name of the file as the user gave it, or "command line"
 * @param line from 1
 * @param column from 1, in characters
 */
public record XlPosition(String source, int line, int column) {
    /** Returns {@code source:line}, for messages about a key. */
    public String lineText() {
        return source + ":" + line;
    }

    /** Returns {@code source:line:column}, for messages about syntax. */
    @Override
    public String toString() {
        return source + ":" + line + ":" + column;
    }
}
