package dev.xenolith.device.display;

/** Where the beam is on the screen at a moment, by the timing that the CRT controller is programmed with. */
final class Beam {
    private static final int NOT_SHOWN = 1;
    private static final int IN_RETRACE = 1 << 3;
    private static final long NANOSECONDS = 1_000_000;
    /** Frequencies of the dot clock in kHz, by the clock-select bits; what is connected from outside is taken for the first. */
    private static final int[] CLOCKS = {25_175, 28_322, 25_175, 25_175};

    private final VgaRegisters registers;

    Beam(VgaRegisters registers) {
        this.registers = registers;
    }

    private int dotsPerCharacter() {
        return registers.sequencer.has(1, 0) ? 8 : 9;
    }

    private long kilohertz() {
        int clock = CLOCKS[registers.miscellaneous() >>> 2 & 3];
        return registers.sequencer.has(1, 3) ? clock / 2 : clock;
    }

    /** A vertical count of ten bits, whose upper two are in the overflow register. */
    private int vertical(int register, int bit8, int bit9) {
        int overflow = registers.crtc.get(0x07);
        return registers.crtc.get(register) | (overflow >>> bit8 & 1) << 8 | (overflow >>> bit9 & 1) << 9;
    }

    private long dotsPerLine() {
        return (registers.crtc.get(0x00) + 5L) * dotsPerCharacter();
    }

    private long lines() {
        return vertical(0x06, 0, 5) + 2L;
    }

    /** Nanoseconds of a picture. */
    private long frame() {
        return dotsPerLine() * lines() * NANOSECONDS / kilohertz();
    }

    long frames(long now) {
        return now / frame();
    }

    /** Input status register 1. */
    int status(long now) {
        long dot = now % frame() * kilohertz() / NANOSECONDS;
        long line = dot / dotsPerLine();
        long column = dot % dotsPerLine();
        boolean shown = line <= vertical(0x12, 1, 6)
                && column < (registers.crtc.get(0x01) + 1L) * dotsPerCharacter();
        int start = vertical(0x10, 2, 7);
        // The end is given by its lowest four bits.
        int length = (registers.crtc.get(0x11) - start - 1 & 0xf) + 1;
        boolean retraces = line >= start && line < start + length;
        return (shown && !retraces ? 0 : NOT_SHOWN) | (retraces ? IN_RETRACE : 0);
    }
}
