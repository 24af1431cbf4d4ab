package dev.xenolith.cpu.interpret;

/** What units have counted, for tests of the translator. */
public final class UnitCounts {
    private UnitCounts() {}

    /** Instructions that {@code unit} has executed. */
    public static long executed(Unit unit) {
        return unit.executed();
    }

    /** What {@code unit} is made of. */
    public static Unit.Layout layout(Unit unit) {
        return unit.layout;
    }
}
