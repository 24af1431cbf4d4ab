package dev.xenolith.cpu.oracle;

import java.util.List;

/** A processor that snippets can be given to. */
interface SnippetRunner extends AutoCloseable {
    /** Runs the snippets in order; outcome i belongs to snippet i. */
    void run(List<Snippet> snippets, List<Outcome> outcomes);

    @Override
    void close();
}
