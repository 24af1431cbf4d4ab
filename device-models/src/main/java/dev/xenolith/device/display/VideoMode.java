package dev.xenolith.device.display;

/** What the registers make of video memory. Two modes are equal if the same memory and the same colours give the same picture. */
sealed interface VideoMode {
    /** Pixels in a row of the picture. */
    int width();

    /** Rows of the picture. */
    int height();

    /** Nothing is shown. */
    record Blank(int width, int height) implements VideoMode {
    }

    /**
     * Characters.
     *
     * @param columns characters in a line
     * @param dots pixels of a character, 8 or 9
     * @param stretch 2 if each is twice as wide, else 1
     * @param pan how many dots the picture is moved to the left
     * @param panAbove whether it is so above a split only
     * @param fontA address in plane 2 of the font for attributes with bit 3
     * @param fontB of the font for the others
     * @param lineGraphics whether the ninth dot repeats the eighth of the characters for lines, 0xc0 to 0xdf
     * @param blinks whether bit 7 of an attribute is for blinking, and not a background's
     * @param underline the row in which characters with attribute 1 are underlined
     */
    record Text(Raster raster, Addressing addressing, int columns, int dots, int stretch, int pan, boolean panAbove,
            int fontA, int fontB, boolean lineGraphics, boolean blinks, int underline) implements VideoMode {
        @Override
        public int width() {
            return columns * dots * stretch;
        }

        @Override
        public int height() {
            return raster.lines();
        }
    }

    /** How the planes' bytes of an address become pixels ("Graphics Mode Register", shift register modes). */
    enum Shift {
        /** Eight pixels, a bit of each from each plane. */
        PLANAR,
        /** Four pixels of planes 0 and 2, two bits of each, then four of planes 1 and 3. */
        INTERLEAVED,
        /** Four pixels of eight bits, one from each plane, twice as wide. */
        PACKED
    }

    /**
     * Pixels in planes.
     *
     * @param characters fetches in a row, of eight dots each
     */
    record Planar(Raster raster, Addressing addressing, Shift shift, int characters, int stretch, int pan,
            boolean panAbove, int width) implements VideoMode {
        @Override
        public int height() {
            return raster.lines();
        }
    }

    /**
     * Pixels one after the other.
     *
     * @param depth bits of colour: 8, 15, 16, 24 or 32
     * @param start where the picture begins in memory
     * @param pitch bytes from a row to the next
     */
    record Linear(int width, int height, int depth, int start, int pitch, boolean bigEndian) implements VideoMode {
    }

    static VideoMode of(VgaRegisters registers, Dispi dispi, VideoMemory memory, boolean bigEndian) {
        if (dispi.isEnabled()) {
            return extended(registers, dispi, memory, bigEndian);
        }
        VideoMode mode = registers.graphics.has(6, 0) ? graphics(registers) : text(registers);
        return registers.isBlank() ? new Blank(mode.width(), mode.height()) : mode;
    }

    private static VideoMode extended(VgaRegisters registers, Dispi dispi, VideoMemory memory, boolean bigEndian) {
        int width = dispi.get(Dispi.XRES);
        int height = dispi.get(Dispi.YRES);
        int x = dispi.get(Dispi.X_OFFSET);
        int row = dispi.get(Dispi.Y_OFFSET) * dispi.pitch();
        if (registers.isBlank()) {
            return new Blank(width, height);
        }
        if (dispi.isLinear()) {
            return new Linear(width, height, dispi.get(Dispi.BPP), row + x * dispi.bytes(), dispi.pitch(), bigEndian);
        }
        Raster raster = new Raster(height, 0, false, row + x / 8, dispi.pitch(), 0, Raster.NO_SPLIT);
        return new Planar(raster, Addressing.plain(memory.size() / 4), Shift.PLANAR, width / 8, 1, x % 8, false, width);
    }

    static Text text(VgaRegisters registers) {
        RegisterFile sequencer = registers.sequencer;
        RegisterFile attribute = registers.attribute;
        int dots = sequencer.has(1, 0) ? 8 : 9;
        int panning = attribute.get(0x13) & 0xf;
        // With nine dots 8 is not to move, 0 is to move by one.
        int pan = dots == 8 ? panning & 7 : panning >= 8 ? 0 : panning + 1;
        int maps = sequencer.get(3);
        return new Text(Raster.of(registers.crtc), Addressing.of(registers.crtc), registers.crtc.get(0x01) + 1, dots,
                sequencer.has(1, 3) ? 2 : 1, pan, attribute.has(0x10, 5), font(maps >>> 2 & 3, maps >>> 5 & 1),
                font(maps & 3, maps >>> 4 & 1), attribute.has(0x10, 2), attribute.has(0x10, 3),
                registers.crtc.get(0x14) & 0x1f);
    }

    private static int font(int low, int high) {
        return low << 14 | high << 13;
    }

    private static Planar graphics(VgaRegisters registers) {
        Shift shift = registers.graphics.has(5, 6)
                ? Shift.PACKED
                : registers.graphics.has(5, 5) ? Shift.INTERLEAVED : Shift.PLANAR;
        int characters = registers.crtc.get(0x01) + 1;
        int stretch = registers.sequencer.has(1, 3) ? 2 : 1;
        return new Planar(Raster.of(registers.crtc), Addressing.of(registers.crtc), shift, characters, stretch,
                registers.attribute.get(0x13) & 7, registers.attribute.has(0x10, 5), characters * 8 * stretch);
    }
}
