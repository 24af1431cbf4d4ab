package dev.xenolith.device;

/** A wire that remembers. */
public final class TestLine implements InterruptLine {
    private boolean level;
    private int rises;

    @Override
    public void set(boolean asserted) {
        if (asserted && !level) {
            rises++;
        }
        level = asserted;
    }

    public boolean level() {
        return level;
    }

    /** Rising edges since the last call. */
    public int takeRises() {
        int taken = rises;
        rises = 0;
        return taken;
    }
}
