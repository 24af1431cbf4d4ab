package dev.xenolith.cpu.processor;

import dev.xenolith.cpu.decode.Mode;

/** The mode word of a processor's present state. */
final class ModeWord {
    private ModeWord() {}

    static int of(Processor p) {
        int code = p.segmentAttributes[Processor.CS];
        int mode;
        if ((p.efer & Bits.EFER_LMA) != 0 && (code & Segment.LONG) != 0) {
            mode = Mode.CODE_64 | Mode.FLAT;
        } else {
            mode = (code & Segment.DEFAULT_32) != 0 ? Mode.CODE_32 : Mode.CODE_16;
            if (isFlat(p)) {
                mode |= Mode.FLAT;
            }
        }
        if ((mode & Mode.CODE_SIZE) == Mode.CODE_64 || (p.segmentAttributes[Processor.SS] & Segment.DEFAULT_32) != 0) {
            mode |= Mode.STACK_32;
        }
        if (p.cpl == 3) {
            mode |= Mode.USER;
            if ((p.cr0 & Bits.CR0_AM) != 0 && (p.rflagsSystem & Bits.RFLAGS_AC) != 0) {
                mode |= Mode.ALIGNMENT;
            }
        }
        if ((p.cr0 & Bits.CR0_PE) == 0) {
            mode |= Mode.REAL;
        } else if ((p.rflagsSystem & Bits.RFLAGS_VM) != 0) {
            mode |= Mode.VIRTUAL_8086;
        }
        if ((p.rflagsSystem & Bits.RFLAGS_TF) != 0) {
            mode |= Mode.STEP;
        }
        return mode;
    }

    private static boolean isFlat(Processor p) {
        for (int segment = Processor.ES; segment <= Processor.DS; segment++) {
            if (p.segmentBase[segment] != 0 || p.segmentLimit[segment] != 0xffff_ffffL
                    || (p.segmentAttributes[segment] & Segment.UNUSABLE) != 0) {
                return false;
            }
            int type = p.segmentAttributes[segment];
            // Flat code needs no checks, so expand-down and unreadable or read-only segments are not flat.
            boolean plain = segment == Processor.CS || (type & (Segment.CODE | Segment.EXPAND_DOWN)) == 0
                    && (type & Segment.WRITABLE) != 0;
            if (!plain) {
                return false;
            }
        }
        return true;
    }
}
