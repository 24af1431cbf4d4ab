package dev.xenolith.cpu.oracle;

import dev.xenolith.cpu.decode.Encoding;
import dev.xenolith.cpu.decode.OpcodeRow;
import dev.xenolith.cpu.decode.OpcodeTable;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Byte strings for comparisons of decoders: half of them random behind prefixes and an escape, half begun as a row of the table has
 * it, so that rare rows come as often as frequent ones.
 */
final class CodeBytes {
    private static final int[] PREFIXES = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x66, 0x67, 0x67, 0xf0, 0xf2,
        0xf3};

    private final List<OpcodeRow> rows;
    private final int bits;
    private SplittableRandom random = new SplittableRandom(0);
    private byte[] code = {};
    private int at;

    /** @param bits code size: 16, 32 or 64 */
    CodeBytes(OpcodeTable table, int bits) {
        rows = table.rows();
        this.bits = bits;
    }

    /** Fills {@code code}, 16 bytes. */
    void fill(SplittableRandom source, byte[] bytes) {
        random = source;
        code = bytes;
        at = 0;
        random.nextBytes(code);
        if (random.nextBoolean()) {
            anything();
        } else {
            row(rows.get(random.nextInt(rows.size())).encoding());
        }
    }

    private void put(int value) {
        code[at++] = (byte) value;
    }

    private void prefixes(int most) {
        for (int count = random.nextInt(most + 1); count > 0; count--) {
            put(PREFIXES[random.nextInt(PREFIXES.length)]);
        }
    }

    private void rex() {
        if (bits == 64 && random.nextBoolean()) {
            put(0x40 | random.nextInt(16));
        }
    }

    private void anything() {
        prefixes(3);
        rex();
        switch (random.nextInt(8)) {
            case 0, 1, 2 -> put(0x0f);
            case 3 -> {
                put(0x0f);
                put(random.nextBoolean() ? 0x38 : 0x3a);
            }
            case 4 -> put(random.nextBoolean() ? 0xc4 : 0xc5);
            default -> {
                // A one-byte opcode, or nothing at all.
            }
        }
    }

    private void row(Encoding encoding) {
        prefixes(2);
        int opcode = encoding.opcode() | (encoding.opcodeRegister() ? random.nextInt(8) : 0);
        if (encoding.vex()) {
            vex(encoding);
        } else {
            switch (encoding.prefix()) {
                case OPERAND_SIZE -> put(0x66);
                case REP -> put(0xf3);
                case REPNE -> put(0xf2);
                case ANY, NONE -> {
                    // Whatever came.
                }
            }
            rex();
            if (encoding.map() > 0) {
                put(0x0f);
            }
            if (encoding.map() > 1) {
                put(encoding.map() == 2 ? 0x38 : 0x3a);
            }
        }
        put(opcode);
        if (encoding.exactModRm() >= 0) {
            put(encoding.exactModRm());
        } else if (encoding.digit() >= 0) {
            put(random.nextInt(256) & ~0x38 | encoding.digit() << 3);
        }
    }

    /** A three-byte VEX prefix, now and then with a field that the row does not allow. */
    private void vex(Encoding encoding) {
        int pp = switch (encoding.prefix()) {
            case ANY, NONE -> 0;
            case OPERAND_SIZE -> 1;
            case REP -> 2;
            case REPNE -> 3;
        };
        put(0xc4);
        put(random.nextInt(8) << 5 | encoding.map());
        int length = encoding.vexLength() >= 0 && random.nextInt(8) != 0 ? encoding.vexLength() : random.nextInt(2);
        int w = encoding.vexW() >= 0 && random.nextInt(8) != 0 ? encoding.vexW() : random.nextInt(2);
        int register = random.nextBoolean() ? 15 : random.nextInt(16);
        put(w << 7 | register << 3 | length << 2 | pp);
    }
}
