package dev.xenolith.dom0.gdb;

import dev.xenolith.dom0.pv.PvAbi;
import dev.xenolith.hypervisor.abi.Bytes;
import dev.xenolith.hypervisor.operations.DomainControl;
import dev.xenolith.hypervisor.operations.OperationException;
import dev.xenolith.hypervisor.operations.SharedPage;

/**
 * Memory of a PV domain by linear addresses, through page tables of its own (SDM 3A 4.5), as a toolstack sees it. Rights are not looked at.
 * What may not be written by anybody outside, for it is a page table or descriptors, is refused.
 */
final class GuestMemory {
    private static final int PAGE = 4096;
    private static final int INDEX_BITS = 9;
    private static final int PAGE_BITS = 12;
    private static final long PRESENT = 1;
    private static final long LARGE = 1 << 7;
    private static final long FRAME = 0x000f_ffff_ffff_f000L;
    private static final int NOT_THERE = -1;

    private final DomainControl control;
    private final int domid;
    private final PvAbi abi;
    private final byte[] page = new byte[PAGE];

    GuestMemory(DomainControl control, int domid, PvAbi abi) {
        this.control = control;
        this.domid = domid;
        this.abi = abi;
    }

    /** Reads from {@code address} on by the tables below the frame {@code root}; returns how many bytes are there in a row. */
    int read(long root, long address, byte[] into, int length) {
        int done = 0;
        while (done < length) {
            int offset = (int) (address + done) & PAGE - 1;
            int count = Math.min(length - done, PAGE - offset);
            long frame = translate(root, address + done);
            if (frame == NOT_THERE || control.copyFrame(domid, frame, page, 0) != 0) {
                break;
            }
            System.arraycopy(page, offset, into, done, count);
            done += count;
        }
        return done;
    }

    /** Reads a frame; false if it is not the domain's. */
    boolean readFrame(long frame, byte[] into) {
        return control.copyFrame(domid, frame, into, 0) == 0;
    }

    /** Writes likewise; returns how many bytes were written. */
    int write(long root, long address, byte[] from, int length) {
        int done = 0;
        while (done < length) {
            int offset = (int) (address + done) & PAGE - 1;
            int count = Math.min(length - done, PAGE - offset);
            long frame = translate(root, address + done);
            if (frame == NOT_THERE) {
                break;
            }
            try {
                SharedPage mapped = control.mapForeign(domid, frame);
                mapped.write(offset, from, done, count);
                mapped.unmap();
            } catch (OperationException e) {
                break;
            }
            done += count;
        }
        return done;
    }

    /** The frame where {@code address} is, or {@link #NOT_THERE}. */
    private long translate(long root, long address) {
        if (!abi.mayMap(address, address)) {
            return NOT_THERE;
        }
        long table = root;
        for (int level = abi.levels(); level > 0; level--) {
            if (control.copyFrame(domid, table, page, 0) != 0) {
                return NOT_THERE;
            }
            int shift = PAGE_BITS + (level - 1) * INDEX_BITS;
            long entry = Bytes.get64(page, (int) (address >>> shift & (1 << INDEX_BITS) - 1) * Long.BYTES);
            if ((entry & PRESENT) == 0) {
                return NOT_THERE;
            }
            table = (entry & FRAME) >>> PAGE_BITS;
            if ((entry & LARGE) != 0 && (level == 2 || level == 3)) {
                long within = (1L << shift - PAGE_BITS) - 1;
                return table & ~within | address >>> PAGE_BITS & within;
            }
        }
        return table;
    }
}
