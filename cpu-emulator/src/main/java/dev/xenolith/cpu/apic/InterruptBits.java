package dev.xenolith.cpu.apic;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.Arrays;

/** One of the 256-bit registers IRR, ISR and TMR. */
final class InterruptBits {
    private final long[] words = new long[4];

    void set(int vector) {
        words[vector >>> 6] |= 1L << vector;
    }

    void clear(int vector) {
        words[vector >>> 6] &= ~(1L << vector);
    }

    boolean get(int vector) {
        return (words[vector >>> 6] >>> vector & 1) != 0;
    }

    void clearAll() {
        Arrays.fill(words, 0);
    }

    /** Highest vector set, or -1. */
    int highest() {
        for (int i = 3; i >= 0; i--) {
            if (words[i] != 0) {
                return (i << 6) + 63 - Long.numberOfLeadingZeros(words[i]);
            }
        }
        return -1;
    }

    /** Register {@code index}, 0 to 7, of 32 bits each. */
    int register(int index) {
        return (int) (words[index >>> 1] >>> (index & 1) * 32);
    }

    void save(DataOutput out) throws IOException {
        for (long word : words) {
            out.writeLong(word);
        }
    }

    void restore(DataInput in) throws IOException {
        for (int i = 0; i < words.length; i++) {
            words[i] = in.readLong();
        }
    }
}
