package dev.xenolith.cpu.interpret;

import dev.xenolith.cpu.processor.Processor;
import org.jspecify.annotations.Nullable;

/** A unit whose every run is repeated by the interpreter; stands in its place. */
final class CheckedUnit extends Unit {
    private final Unit unit;
    private final Lockstep lockstep;
    private boolean hasRun;

    CheckedUnit(Unit unit, Lockstep lockstep) {
        super(unit.layout, unit.frame);
        this.unit = unit;
        this.lockstep = lockstep;
    }

    @Override
    public @Nullable Code run(Processor p, long end) {
        if (!hasRun) {
            hasRun = true;
            lockstep.units++;
        }
        lockstep.run(unit, p, end);
        exit = unit.exit;
        return links[exit];
    }

    @Override
    void retire() {
        super.retire();
        unit.retire();
    }
}
