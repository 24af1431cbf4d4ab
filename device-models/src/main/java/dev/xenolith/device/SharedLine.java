package dev.xenolith.device;

/** A wire that several devices may pull, such as a PCI interrupt: it is asserted while any of them asks. */
public final class SharedLine {
    private static final int MAX_SOURCES = Long.SIZE;

    private final InterruptLine out;
    private int sources;
    private long asserted;

    public SharedLine(InterruptLine out) {
        this.out = out;
    }

    /** One more device's end of the wire. */
    public InterruptLine source() {
        if (sources == MAX_SOURCES) {
            throw new IllegalStateException("more than " + MAX_SOURCES + " devices on one line");
        }
        long bit = 1L << sources++;
        return asks -> {
            long before = asserted;
            asserted = asks ? before | bit : before & ~bit;
            if ((before != 0) != (asserted != 0)) {
                out.set(asserted != 0);
            }
        };
    }

    /** Which sources ask: bit n is the source made n-th. */
    public long asserted() {
        return asserted;
    }

    /** Takes over which sources ask, without driving the wire: what is at its other end has its own state. */
    public void restore(long sourcesAsking) {
        asserted = sourcesAsking;
    }
}
