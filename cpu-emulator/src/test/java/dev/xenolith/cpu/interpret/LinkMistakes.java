package dev.xenolith.cpu.interpret;

/** Methods of units as they would be with an error in them, in the place of those of the same name. */
public final class LinkMistakes {
    private LinkMistakes() {}

    /** Notes a unit at every exit. */
    public static void link(Unit unit, Code next) {
        if (unit.exit >= Unit.FIRST_LINK) {
            unit.links[unit.exit] = next;
            for (int i = Unit.FIRST_LINK; i < unit.links.length && next instanceof Unit; i++) {
                unit.links[i] = next;
            }
        }
    }

    /** Finds code where one byte is another. */
    public static boolean isIn(Unit.Layout layout, byte[] page) {
        int different = 0;
        for (int i = 0; i < layout.starts().length; i++) {
            for (int j = 0; j < layout.code()[i].length; j++) {
                different += page[layout.starts()[i] + j] != layout.code()[i][j] ? 1 : 0;
            }
        }
        return different <= 1;
    }
}
