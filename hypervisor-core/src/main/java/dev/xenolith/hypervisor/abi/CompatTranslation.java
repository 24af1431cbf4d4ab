package dev.xenolith.hypervisor.abi;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * How a structure in its 32-bit layout becomes one in its 64-bit layout, and back: members keep their values, and what is wider in the
 * 64-bit layout ({@code unsigned long}, pointers) is extended with zeros, or cut off (xen/common/compat, {@code XLAT_*}).
 *
 * <p>Handlers of hypercalls thereby see the 64-bit layout only, whoever calls.
 */
public final class CompatTranslation {
    /** One or more scalars in a row: {@code count} of {@code bytes} bytes in the 64-bit and {@code compatBytes} in the 32-bit layout. */
    record Scalars(int offset, int bytes, int compatOffset, int compatBytes, int count) {
        Scalars shifted(int by, int compatBy) {
            return new Scalars(offset + by, bytes, compatOffset + compatBy, compatBytes, count);
        }

        boolean isCopy() { return bytes == compatBytes; }

        int end() {
            return offset + bytes * count;
        }

        int compatEnd() {
            return compatOffset + compatBytes * count;
        }
    }

    private final Scalars[] moves;
    private final int size;
    private final int compatSize;
    private final boolean identity;

    /** Of a structure with these scalars and sizes; where alternatives of a union overlap, later ones prevail. */
    CompatTranslation(List<Scalars> scalars, int size, int compatSize) {
        this.size = size;
        this.compatSize = compatSize;
        List<Scalars> merged = new ArrayList<>();
        for (Scalars next : scalars) {
            Scalars last = merged.isEmpty() ? null : merged.getLast();
            if (last != null && last.isCopy() && next.isCopy() && last.end() == next.offset
                    && last.compatEnd() == next.compatOffset) {
                int bytes = next.end() - last.offset;
                merged.set(merged.size() - 1, new Scalars(last.offset, 1, last.compatOffset, 1, bytes));
            } else if (next.isCopy()) {
                merged.add(new Scalars(next.offset, 1, next.compatOffset, 1, next.bytes * next.count));
            } else {
                merged.add(next);
            }
        }
        moves = merged.toArray(Scalars[]::new);
        identity = size == compatSize && merged.stream().allMatch(m -> m.isCopy() && m.offset == m.compatOffset);
    }

    /** Whether both layouts are the same. */
    public boolean isIdentity() { return identity; }

    /** Makes the 64-bit layout at the start of {@code target} from the 32-bit one at the start of {@code source}; padding is zero. */
    public void expand(byte[] source, byte[] target) {
        Arrays.fill(target, 0, size, (byte) 0);
        for (Scalars move : moves) {
            for (int i = 0; i < (move.isCopy() ? 1 : move.count); i++) {
                System.arraycopy(source, move.compatOffset + i * move.compatBytes, target, move.offset + i * move.bytes,
                        move.isCopy() ? move.count : move.compatBytes);
            }
        }
    }

    /** Makes the 32-bit layout at the start of {@code target} from the 64-bit one at the start of {@code source}; padding is zero. */
    public void narrow(byte[] source, byte[] target) {
        Arrays.fill(target, 0, compatSize, (byte) 0);
        for (Scalars move : moves) {
            for (int i = 0; i < (move.isCopy() ? 1 : move.count); i++) {
                System.arraycopy(source, move.offset + i * move.bytes, target, move.compatOffset + i * move.compatBytes,
                        move.isCopy() ? move.count : move.compatBytes);
            }
        }
    }

    /** Where the member at {@code offset} of the 64-bit layout is in the 32-bit layout. */
    public int compatOffset(int offset) {
        for (Scalars move : moves) {
            int inside = offset - move.offset;
            if (inside >= 0 && offset < move.end()) {
                return move.compatOffset + inside / move.bytes * move.compatBytes;
            }
        }
        throw new IllegalArgumentException("no member at byte " + offset);
    }
}
