package dev.xenolith.hypervisor.trace;

import dev.xenolith.cpu.time.MachineClock;
import dev.xenolith.hypervisor.abi.Bytes;
import java.util.Arrays;

/** The trace of one machine: a ring of records per processor, and the digest over all of them. */
public final class Trace {
    /** Bytes of a record as {@link #read} gives it. */
    public static final int RECORD_SIZE = 40;
    /** Records that a processor's ring holds. */
    private static final int RING_RECORDS = 1 << 13;
    /** Longs per record in a ring: its number in the machine, then the record. */
    private static final int STRIDE = 6;

    private final MachineClock clock;
    private final long[][] rings;
    /** Records ever written to each ring. */
    private final long[] written;
    private int mask;
    private long next;
    private long digest = 0xcbf2_9ce4_8422_2325L;

    public Trace(MachineClock clock, int processors) {
        this.clock = clock;
        rings = new long[processors][];
        written = new long[processors];
        Arrays.fill(rings, new long[0]);
    }

    /** Whether records of class {@code classBit} are wanted. */
    public boolean on(int classBit) {
        return (mask & classBit) != 0;
    }

    /** Chooses the recorded classes; the rings are allocated when there first is one. */
    public void setMask(int mask) {
        this.mask = mask & TraceClass.ALL;
        if (this.mask != 0 && rings[0].length == 0) {
            for (int i = 0; i < rings.length; i++) {
                rings[i] = new long[RING_RECORDS * STRIDE];
            }
        }
    }

    public int mask() {
        return mask;
    }

    /** Hash over all records so far: equal for two runs that did the same under the same mask. */
    public long digest() {
        return digest;
    }

    /** Number of records so far; the position of the next one. */
    public long position() {
        return next;
    }

    /** Adds a record; the caller has asked {@link #on}. */
    public void record(int event, int processor, int domid, int vcpu, long a, long b, long c) {
        long time = clock.now();
        long who = event & 0xFFFF | (processor & 0xFFFFL) << 16 | (domid & 0xFFFFL) << 32 | (long) vcpu << 48;
        long[] ring = rings[processor];
        int at = (int) (written[processor]++ & (RING_RECORDS - 1)) * STRIDE;
        ring[at] = next++;
        ring[at + 1] = time;
        ring[at + 2] = who;
        ring[at + 3] = a;
        ring[at + 4] = b;
        ring[at + 5] = c;
        long hash = digest;
        hash = mix(hash, time);
        hash = mix(hash, who);
        hash = mix(hash, a);
        hash = mix(hash, b);
        digest = mix(hash, c);
    }

    private static long mix(long hash, long word) {
        return Long.rotateLeft((hash ^ word) * 0x9E37_79B9_7F4A_7C15L, 29);
    }

    /** A copy of records in the order in which they were written. {@code lost} of those asked for had been overwritten. */
    public record Chunk(byte[] records, long next, long lost) {
    }

    /**
     * Up to {@code maxRecords} records from {@code position} on; {@link Chunk#next} is where to go on. With a limit of
     * {@link Integer#MAX_VALUE}, all that the rings hold, at one moment.
     */
    public Chunk read(long position, int maxRecords) {
        long[] cursor = new long[rings.length];
        long available = 0;
        for (int i = 0; i < rings.length; i++) {
            cursor[i] = firstAtOrAfter(i, position);
            available += written[i] - cursor[i];
        }
        byte[] out = new byte[(int) Math.min(Math.max(0, maxRecords), available) * RECORD_SIZE];
        int count = 0;
        long following = Math.min(Math.max(position, 0), next);
        while (count * RECORD_SIZE < out.length) {
            int from = -1;
            long number = Long.MAX_VALUE;
            for (int i = 0; i < rings.length; i++) {
                if (cursor[i] < written[i] && number(i, cursor[i]) < number) {
                    number = number(i, cursor[i]);
                    from = i;
                }
            }
            if (from < 0) {
                following = next;
                break;
            }
            int at = (int) (cursor[from]++ & (RING_RECORDS - 1)) * STRIDE;
            for (int word = 0; word < RECORD_SIZE / 8; word++) {
                Bytes.put64(out, count * RECORD_SIZE + 8 * word, rings[from][at + 1 + word]);
            }
            count++;
            following = number + 1;
        }
        long lost = following - Math.clamp(position, 0, following) - count;
        return new Chunk(Arrays.copyOf(out, count * RECORD_SIZE), following, lost);
    }

    /** Index in ring {@code i} of its first record whose number is not below {@code position}. */
    private long firstAtOrAfter(int i, long position) {
        long low = Math.max(0, written[i] - RING_RECORDS);
        long high = written[i];
        while (low < high) {
            long middle = (low + high) >>> 1;
            if (number(i, middle) < position) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    private long number(int i, long index) {
        return rings[i][(int) (index & (RING_RECORDS - 1)) * STRIDE];
    }
}
