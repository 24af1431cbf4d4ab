package dev.xenolith.hypervisor.hypercall;

import static dev.xenolith.hypervisor.abi.Errno.E2BIG;
import static dev.xenolith.hypervisor.abi.Errno.EFAULT;

import dev.xenolith.hypervisor.abi.Domctl;

/** A set of processors or nodes that lies in the caller's memory, named by a xenctl_bitmap (xen/common/domctl.c). */
final class ControlBitmap {
    /** More bits than anybody counts are refused: what is beyond ours is filled with zeroes. */
    private static final int MOST_BITS = 1 << 16;

    private final ControlCall op;
    private final long handle;
    private final int bits;
    /** Bits that count. */
    private final int known;
    private long value;

    /** The set named at {@code offset}, of which {@code known} bits, at most 64, have a meaning. */
    ControlBitmap(ControlCall op, int offset, int known) {
        this.op = op;
        this.known = known;
        handle = op.get64(offset + Domctl.Bitmap.BITMAP);
        bits = op.get32(offset + Domctl.Bitmap.NR_BITS);
    }

    boolean isNull() { return handle == 0; }

    private int bytes() {
        return (bits + 7) / 8;
    }

    private int knownBytes() {
        return Math.min(bytes(), (known + 7) / 8);
    }

    /** Reads the set; {@link #value} then has it. 0, -EFAULT or -E2BIG. */
    int read() {
        if (Integer.compareUnsigned(bits, MOST_BITS) > 0) {
            return -E2BIG;
        }
        byte[] copy = new byte[Long.BYTES];
        int length = knownBytes();
        if (op.call.memory.read(handle, copy, 0, length) != 0) {
            return -EFAULT;
        }
        value = 0;
        for (int i = 0; i < length; i++) {
            value |= (copy[i] & 0xffL) << 8 * i;
        }
        if (bits < Long.SIZE) {
            value &= (1L << bits) - 1;
        }
        return 0;
    }

    /** What {@link #read} has found. */
    long value() {
        return value;
    }

    /** Writes a set; 0, -EFAULT or -E2BIG. */
    int write(long set) {
        if (Integer.compareUnsigned(bits, MOST_BITS) > 0) {
            return -E2BIG;
        }
        byte[] copy = new byte[bytes()];
        long counted = known < Long.SIZE ? set & (1L << known) - 1 : set;
        for (int i = 0; i < knownBytes(); i++) {
            copy[i] = (byte) (counted >>> 8 * i);
        }
        return op.call.memory.write(handle, copy, 0, copy.length) == 0 ? 0 : -EFAULT;
    }
}
