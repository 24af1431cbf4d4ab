package dev.xenolith.dom0.xl;

import java.util.OptionalInt;
import java.util.Set;

/**
 * What {@code xenolith trace} asks for.
 *
 * @param classes names of record classes (hypercall, trap, exit, schedule, event, grant, xenstore); empty for all
 * @param domid only this domain's records
 * @param follow go on with new records until interrupted, instead of ending at the newest
 */
public record TraceOptions(Set<String> classes, OptionalInt domid, boolean follow) {
    /** Copies the set. */
    public TraceOptions {
        classes = Set.copyOf(classes);
    }
}
