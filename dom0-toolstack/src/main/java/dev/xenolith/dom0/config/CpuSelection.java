package dev.xenolith.dom0.config;

import java.util.BitSet;

/**
 * A set of processors as {@code cpus} writes it: {@code all}, or numbers, ranges, {@code node:N} and exclusions by
 * {@code ^}, evaluated from left to right (xl.cfg(5)). Which numbers the host has is not known here.
 *
 * @param all every processor of the host, whatever {@code cpus} holds
 * @param cpus processor numbers
 */
public record CpuSelection(boolean all, BitSet cpus) {
    /** Every processor of the host. */
    public static final CpuSelection ALL = new CpuSelection(true, new BitSet());

    /** Copies the set. */
    public CpuSelection {
        cpus = (BitSet) cpus.clone();
    }

    /** Returns a copy of the numbers. */
    @Override
    public BitSet cpus() {
        return (BitSet) cpus.clone();
    }

    /** Returns whether a processor is in the set. */
    public boolean contains(int cpu) {
        return all || cpus.get(cpu);
    }
}
