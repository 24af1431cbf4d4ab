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

    /** Processor numbers end below this: XEN's NR_CPUS. */
    public static final int MAX_CPUS = 256;

    /**
     * Parses a selection such as {@code 0-3,^1} or {@code node:0,^2}. The machine has one NUMA node, so {@code node:0} is
     * {@link #MAX_CPUS every} processor; exclusions apply to what stands before them.
     *
     * @throws IllegalArgumentException with what was expected and found
     */
    public static CpuSelection parse(String text) {
        boolean all = false;
        BitSet cpus = new BitSet();
        for (String part : text.split(",", -1)) {
            String range = part.strip();
            boolean exclude = range.startsWith("^");
            if (exclude) {
                range = range.substring(1);
            }
            boolean nodes = range.startsWith("node:") || range.startsWith("nodes:");
            if (nodes) {
                range = range.substring(range.indexOf(':') + 1);
            }
            if (range.equals("all")) {
                if (exclude) {
                    throw new IllegalArgumentException("expected processors after '^', found \"all\"");
                }
                all = true;
                cpus.set(0, MAX_CPUS);
                continue;
            }
            int dash = range.indexOf('-');
            int first = number(dash < 0 ? range : range.substring(0, dash), part);
            int last = dash < 0 ? first : number(range.substring(dash + 1), part);
            if (last < first) {
                throw new IllegalArgumentException("expected an ascending range, found \"" + part.strip() + "\"");
            }
            if (nodes) {
                if (first > 0) {
                    throw new IllegalArgumentException("expected node 0, the only one, found \"" + part.strip() + "\"");
                }
                first = 0;
                last = MAX_CPUS - 1;
            }
            cpus.set(first, last + 1, !exclude);
            all = cpus.cardinality() == MAX_CPUS;
        }
        if (cpus.isEmpty()) {
            throw new IllegalArgumentException("expected at least one processor, found none in \"" + text + "\"");
        }
        return new CpuSelection(all, cpus);
    }

    private static int number(String digits, String part) {
        try {
            int value = Integer.parseInt(digits.strip());
            if (value >= 0 && value < MAX_CPUS) {
                return value;
            }
        } catch (NumberFormatException e) {
            // The message below says it better.
        }
        throw new IllegalArgumentException("expected processor numbers from 0 to " + (MAX_CPUS - 1) + ", found \""
                + part.strip() + "\"");
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
