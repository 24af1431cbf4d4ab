package dev.xenolith.cpu.translate;

import dev.xenolith.cpu.decode.DecodedInstruction;
import dev.xenolith.cpu.decode.Decoder;
import dev.xenolith.cpu.decode.Disassembler;
import dev.xenolith.cpu.decode.Mode;
import dev.xenolith.cpu.decode.OpcodeTable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;

/** A program as a list of instructions that name each other by labels, so that some can be left out and the rest still makes sense. */
final class GuestProgram {
    /** Most bytes of code. */
    static final int MAXIMUM_BYTES = 4 * 4096;
    private static final byte FILLER = (byte) 0xcc;
    /** Distance up to which a branch has a displacement of 8 bits; others in between may still become shorter, none longer. */
    private static final int SHORT = 100;

    /** What is filled in when it is known where things are. */
    enum Fix {
        NONE,
        /** The last four bytes: distance to the label from the end of the instruction. */
        BRANCH,
        /** Four bytes: address of the label plus an addend. */
        ADDRESS
    }

    /**
     * One instruction, or a few that stay together.
     *
     * @param bytes its bytes
     * @param fix what is to be filled in
     * @param at where in its bytes
     * @param label what that refers to
     * @param addend what is added to the label's address
     * @param gap bytes that are left free in front of it
     */
    record Item(byte[] bytes, Fix fix, int at, int label, int addend, int gap) {
    }

    private final List<Item> items;
    /** Number of the item at each label. */
    private final int[] labels;
    /** Labels whose addresses are in the table for indirect branches. */
    private final int[] table;
    private final boolean[] removed;
    private final int entry;

    GuestProgram(List<Item> items, int[] labels, int[] table, int entry) {
        this(items, labels, table, entry, new boolean[items.size()]);
    }

    private GuestProgram(List<Item> items, int[] labels, int[] table, int entry, boolean[] removed) {
        this.items = items;
        this.labels = labels;
        this.table = table;
        this.entry = entry;
        this.removed = removed;
    }

    /** Number of items, those that are left out included. */
    int size() {
        return items.size();
    }

    int remaining() {
        int count = 0;
        for (boolean one : removed) {
            count += one ? 0 : 1;
        }
        return count;
    }

    /** The same without items {@code from} to {@code to}, excluded. */
    GuestProgram without(int from, int to) {
        boolean[] fewer = removed.clone();
        Arrays.fill(fewer, from, to, true);
        return new GuestProgram(items, labels, table, entry, fewer);
    }

    /**
     * A program in its place.
     *
     * @param code all its pages
     * @param resume for each byte of it the address at which to go on after a fault there
     * @param table addresses for indirect branches
     * @param start of each item, from the beginning of the code; of one that is left out that of the next
     */
    record Image(byte[] code, int[] resume, long[] table, int[] start) {
    }

    /** Puts it at {@code base}. */
    Image assemble(long base) {
        int[] start = new int[items.size() + 1];
        boolean[] narrow = new boolean[items.size()];
        place(start, narrow);
        for (int i = 0; i < narrow.length; i++) {
            Item item = items.get(i);
            narrow[i] = item.fix == Fix.BRANCH && shortForm(item) != 0
                    && Math.abs(start[labels[item.label]] - start[i]) < SHORT;
        }
        place(start, narrow);
        byte[] code = new byte[MAXIMUM_BYTES];
        Arrays.fill(code, FILLER);
        for (int i = 0; i < narrow.length; i++) {
            if (!removed[i]) {
                byte[] bytes = bytes(items.get(i), narrow[i], start, start[i], base);
                System.arraycopy(bytes, 0, code, start[i], bytes.length);
            }
        }
        int[] resume = new int[MAXIMUM_BYTES];
        int next = 0;
        for (int offset = 0; offset < resume.length; offset++) {
            while (next < items.size() && (start[next] <= offset || removed[next])) {
                next++;
            }
            resume[offset] = (int) base + start[next < items.size() ? next : 0];
        }
        long[] addresses = new long[table.length];
        for (int i = 0; i < table.length; i++) {
            addresses[i] = base + start[labels[table[i]]];
        }
        return new Image(code, resume, addresses, start);
    }

    private void place(int[] start, boolean[] narrow) {
        int at = entry;
        for (int i = 0; i < items.size(); i++) {
            Item item = items.get(i);
            at += item.gap;
            start[i] = at;
            at += removed[i] ? 0 : narrow[i] ? 2 : item.bytes.length;
        }
        start[items.size()] = at;
        if (at > MAXIMUM_BYTES) {
            throw new IllegalStateException("a program of " + at + " bytes");
        }
    }

    private byte[] bytes(Item item, boolean narrow, int[] start, int at, long base) {
        switch (item.fix) {
            case BRANCH -> {
                int length = narrow ? 2 : item.bytes.length;
                int distance = start[labels[item.label]] - at - length;
                if (narrow) {
                    return new byte[]{shortForm(item), (byte) distance};
                }
                byte[] bytes = item.bytes.clone();
                put32(bytes, bytes.length - 4, distance);
                return bytes;
            }
            case ADDRESS -> {
                byte[] bytes = item.bytes.clone();
                put32(bytes, item.at, (int) base + start[labels[item.label]] + item.addend);
                return bytes;
            }
            default -> {
                return item.bytes;
            }
        }
    }

    /** Opcode of the same branch with a displacement of 8 bits; 0 if there is none. */
    private static byte shortForm(Item item) {
        byte[] bytes = item.bytes;
        if (bytes.length == 5 && bytes[0] == (byte) 0xe9) {
            return (byte) 0xeb;
        }
        return bytes.length == 6 && bytes[0] == 0x0f && (bytes[1] & 0xf0) == 0x80 ? (byte) (bytes[1] & 0xf | 0x70) : 0;
    }

    private static void put32(byte[] bytes, int at, int value) {
        for (int i = 0; i < 4; i++) {
            bytes[at + i] = (byte) (value >> 8 * i);
        }
    }

    /** What it looks like at {@code base}, an instruction a line. */
    List<String> disassemble(long base) {
        Decoder decoder = new Decoder(OpcodeTable.load());
        Image image = assemble(base);
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < items.size(); i++) {
            int at = image.start[i];
            int end = at + (removed[i] ? 0 : items.get(i).bytes.length);
            end = i + 1 < items.size() ? Math.min(end, image.start[i + 1]) : end;
            while (at < end) {
                DecodedInstruction decoded = decoder.decode(image.code, at, image.code.length, at & 0xfff,
                        Mode.CODE_64 | Mode.FLAT);
                int length = decoded == null ? end - at : decoded.length;
                lines.add("%8x  %-30s  %s".formatted(base + at,
                        HexFormat.ofDelimiter(" ").formatHex(image.code, at, at + length),
                        decoded == null ? "?" : Disassembler.format(decoded, base + at)));
                at += length;
            }
        }
        return lines;
    }
}
