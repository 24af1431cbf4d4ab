package dev.xenolith.device.display;

import dev.xenolith.device.ByteRegisters;
import dev.xenolith.device.Clock;
import dev.xenolith.device.Saveable;
import dev.xenolith.device.StateException;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;

/**
 * The registers of a VGA (IBM Personal System/2 Hardware Interface Technical Reference, "Video Subsystem") at ports 0x3c0 to 0x3cf and,
 * for the CRT controller, at 0x3b4 or 0x3d4. After reset they are as a video BIOS leaves them in mode 3.
 */
final class VgaRegisters implements ByteRegisters, Saveable {
    /** Offsets from 0x3c0. */
    private static final int ATTRIBUTE = 0x0;
    private static final int ATTRIBUTE_DATA = 0x1;
    private static final int MISCELLANEOUS_WRITE = 0x2;
    private static final int SUBSYSTEM_ENABLE = 0x3;
    private static final int SEQUENCER_INDEX = 0x4;
    private static final int SEQUENCER_DATA = 0x5;
    private static final int PEL_MASK = 0x6;
    private static final int PEL_READ_INDEX = 0x7;
    private static final int PEL_WRITE_INDEX = 0x8;
    private static final int PEL_DATA = 0x9;
    private static final int FEATURE_READ = 0xa;
    private static final int MISCELLANEOUS_READ = 0xc;
    private static final int GRAPHICS_INDEX = 0xe;
    private static final int GRAPHICS_DATA = 0xf;
    /** Offsets from 0x3d4. */
    private static final int CRTC_DATA = 1;
    private static final int STATUS_1 = 6;

    private static final int COLOUR_ADDRESSES = 1;
    private static final int RAM_ENABLE = 1 << 1;
    private static final int SWITCH_SENSE = 1 << 4;
    /** Of the CRT controller: registers 0 to 7 are write-protected by a bit of 0x11, but for a bit of the overflow register. */
    private static final int RETRACE_END = 0x11;
    private static final int PROTECT = 7;
    private static final int OVERFLOW = 0x07;
    private static final int LINE_COMPARE_8 = 1 << 4;
    /** In the attribute controller's index: palette registers belong to the display, not to software. */
    private static final int PALETTE_ADDRESS_SOURCE = 1 << 5;
    private static final int ATTRIBUTE_INDEX = 0x1f;

    final RegisterFile sequencer = new RegisterFile("sequencer", 0x03, 0x00, 0x03, 0x00, 0x02);
    final RegisterFile crtc = new RegisterFile("crtc", 0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0x00, 0x4f, 0x0d,
            0x0e, 0x00, 0x00, 0x00, 0x00, 0x9c, 0x8e, 0x8f, 0x28, 0x1f, 0x96, 0xb9, 0xa3, 0xff);
    final RegisterFile graphics = new RegisterFile("graphics", 0x00, 0x00, 0x00, 0x00, 0x00, 0x10, 0x0e, 0x00, 0xff);
    final RegisterFile attribute = new RegisterFile("attribute", 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x14, 0x07, 0x38,
            0x39, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f, 0x0c, 0x00, 0x0f, 0x08, 0x00);
    final Dac dac = new Dac();
    private final Clock clock;
    private final Beam beam = new Beam(this);
    private int miscellaneous = 0x67;
    private int feature;
    private int subsystem = 1;
    /** Whether the next write to the attribute controller is data. */
    private boolean attributeData;

    VgaRegisters(Clock clock) {
        this.clock = clock;
        attribute.index = PALETTE_ADDRESS_SOURCE;
    }

    int miscellaneous() {
        return miscellaneous;
    }

    /** Whether the processor reaches video memory. */
    boolean memoryAnswers() {
        return isAwake() && (miscellaneous & RAM_ENABLE) != 0;
    }

    private boolean isAwake() { return (subsystem & 1) != 0; }

    /** Whether the screen is dark: switched off, or without a palette while software sets that. */
    boolean isBlank() {
        return sequencer.has(1, 5) || (attribute.index & PALETTE_ADDRESS_SOURCE) == 0;
    }

    /** Pictures that have been shown since the machine was started. */
    long frames() {
        return beam.frames(clock.now());
    }

    @Override
    public int readByte(int offset) {
        if (!isAwake() && offset != SUBSYSTEM_ENABLE) {
            return 0xff;
        }
        return switch (offset) {
            case ATTRIBUTE -> attribute.index;
            case ATTRIBUTE_DATA -> attribute.get(attribute.index & ATTRIBUTE_INDEX);
            // Input status 0: the switches say that a monitor is there.
            case MISCELLANEOUS_WRITE -> SWITCH_SENSE;
            case SUBSYSTEM_ENABLE -> subsystem;
            case SEQUENCER_INDEX -> sequencer.index;
            case SEQUENCER_DATA -> sequencer.get(sequencer.index);
            case PEL_MASK -> dac.mask();
            case PEL_READ_INDEX -> dac.state();
            case PEL_WRITE_INDEX -> dac.writeIndex();
            case PEL_DATA -> dac.read();
            case FEATURE_READ -> feature;
            case MISCELLANEOUS_READ -> miscellaneous;
            case GRAPHICS_INDEX -> graphics.index;
            case GRAPHICS_DATA -> graphics.get(graphics.index);
            default -> 0xff;
        };
    }

    @Override
    public void writeByte(int offset, int value) {
        if (!isAwake() && offset != SUBSYSTEM_ENABLE) {
            return;
        }
        switch (offset) {
            case ATTRIBUTE -> writeAttribute(value);
            case MISCELLANEOUS_WRITE -> miscellaneous = value;
            case SUBSYSTEM_ENABLE -> subsystem = value;
            case SEQUENCER_INDEX -> sequencer.index = value;
            case SEQUENCER_DATA -> sequencer.set(sequencer.index, value);
            case PEL_MASK -> dac.setMask(value);
            case PEL_READ_INDEX -> dac.setReadIndex(value);
            case PEL_WRITE_INDEX -> dac.setWriteIndex(value);
            case PEL_DATA -> dac.write(value);
            case GRAPHICS_INDEX -> graphics.index = value;
            case GRAPHICS_DATA -> graphics.set(graphics.index, value);
            default -> {
                // Read-only, or nobody's.
            }
        }
    }

    /** Index and data take turns at one port; reading input status 1 makes the index next. */
    private void writeAttribute(int value) {
        if (attributeData) {
            attribute.set(attribute.index & ATTRIBUTE_INDEX, value);
        } else {
            attribute.index = value & (PALETTE_ADDRESS_SOURCE | ATTRIBUTE_INDEX);
        }
        attributeData = !attributeData;
    }

    /** The CRT controller and input status 1 at 0x3b4, where they are if the miscellaneous register says so. */
    ByteRegisters monochrome() {
        return crtController(0);
    }

    /** The same at 0x3d4. */
    ByteRegisters colour() {
        return crtController(COLOUR_ADDRESSES);
    }

    private ByteRegisters crtController(int selectedBy) {
        return new ByteRegisters() {
            private boolean answers() {
                return isAwake() && (miscellaneous & COLOUR_ADDRESSES) == selectedBy;
            }

            @Override
            public int readByte(int offset) {
                if (!answers()) {
                    return 0xff;
                }
                return switch (offset) {
                    case 0 -> crtc.index;
                    case CRTC_DATA -> crtc.get(crtc.index);
                    case STATUS_1 -> {
                        attributeData = false;
                        yield beam.status(clock.now());
                    }
                    default -> 0xff;
                };
            }

            @Override
            public void writeByte(int offset, int value) {
                if (!answers()) {
                    return;
                }
                switch (offset) {
                    case 0 -> crtc.index = value;
                    case CRTC_DATA -> writeCrtc(value);
                    case STATUS_1 -> feature = value;
                    default -> {
                        // Nobody's.
                    }
                }
            }
        };
    }

    private void writeCrtc(int value) {
        int register = crtc.index;
        if (register > OVERFLOW || !crtc.has(RETRACE_END, PROTECT)) {
            crtc.set(register, value);
        } else if (register == OVERFLOW) {
            crtc.set(register, crtc.get(register) & ~LINE_COMPARE_8 | value & LINE_COMPARE_8);
        }
    }

    @Override
    public String stateName() {
        return "vgaRegisters";
    }

    @Override
    public void save(StateWriter out) {
        sequencer.save(out);
        crtc.save(out);
        graphics.save(out);
        attribute.save(out);
        dac.save(out);
        out.put("miscellaneous", miscellaneous).put("feature", feature).put("subsystem", subsystem);
        out.put("attributeData", attributeData);
    }

    @Override
    public void restore(StateReader in) throws StateException {
        sequencer.restore(in);
        crtc.restore(in);
        graphics.restore(in);
        attribute.restore(in);
        dac.restore(in);
        miscellaneous = in.getByte("miscellaneous");
        feature = in.getByte("feature");
        subsystem = in.getByte("subsystem");
        attributeData = in.getBoolean("attributeData");
    }
}
