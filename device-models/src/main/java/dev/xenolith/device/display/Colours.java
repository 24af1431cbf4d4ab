package dev.xenolith.device.display;

import java.util.Arrays;

/** The colours of pixels of four and of eight bits, as the attribute controller and the DAC make them. */
final class Colours {
    private static final int PALETTE = 16;

    final int[] four = new int[PALETTE];
    final int[] eight = new int[Dac.COLOURS];
    private final int[] oldFour = new int[PALETTE];
    private final int[] oldEight = new int[Dac.COLOURS];

    /** Computes all anew. Returns whether any has changed. */
    boolean update(VgaRegisters registers) {
        System.arraycopy(four, 0, oldFour, 0, four.length);
        System.arraycopy(eight, 0, oldEight, 0, eight.length);
        RegisterFile attribute = registers.attribute;
        int select = attribute.get(0x14);
        for (int i = 0; i < four.length; i++) {
            int index = attribute.get(i & attribute.get(0x12) & 0xf) & 0x3f;
            if (attribute.has(0x10, 7)) {
                index = index & 0xf | (select & 3) << 4;
            }
            four[i] = registers.dac.colour(index | (select & 0xc) << 4);
        }
        for (int i = 0; i < eight.length; i++) {
            eight[i] = registers.dac.colour(i);
        }
        return !Arrays.equals(four, oldFour) || !Arrays.equals(eight, oldEight);
    }
}
