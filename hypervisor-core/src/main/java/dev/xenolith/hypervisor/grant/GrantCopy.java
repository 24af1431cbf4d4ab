package dev.xenolith.hypervisor.grant;

import static dev.xenolith.hypervisor.abi.Grant.GNTCOPY_DEST_GREF;
import static dev.xenolith.hypervisor.abi.Grant.GNTCOPY_SOURCE_GREF;
import static dev.xenolith.hypervisor.abi.Grant.GNTST_BAD_COPY_ARG;
import static dev.xenolith.hypervisor.abi.Grant.GNTST_BAD_DOMAIN;
import static dev.xenolith.hypervisor.abi.Grant.GNTST_BAD_GNTREF;
import static dev.xenolith.hypervisor.abi.Grant.GNTST_BAD_PAGE;
import static dev.xenolith.hypervisor.abi.Grant.GNTST_GENERAL_ERROR;
import static dev.xenolith.hypervisor.abi.Grant.GNTST_OKAY;
import static dev.xenolith.hypervisor.abi.Grant.GNTST_PERMISSION_DENIED;

import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.hypervisor.abi.Xen;
import dev.xenolith.hypervisor.memory.Memory;
import org.jspecify.annotations.Nullable;

/**
 * GNTTABOP_copy: copies within one page each, between grants and the caller's own frames, or a Java domain's arrays, without mapping
 * anything. A grant is marked in use while it is copied.
 */
public final class GrantCopy {
    /** One end of a copy while it is held. */
    private static final class End {
        @Nullable
        GrantTable table;
        int ref;
        boolean ofGrant;
        boolean readOnly;
        int mfn;
    }

    private final Memory memory;
    private final PhysicalMemory ram;
    private final GrantOperations operations;
    private final End source = new End();
    private final End target = new End();

    public GrantCopy(GrantOperations operations) {
        this.operations = operations;
        memory = operations.types().memory();
        ram = memory.ram();
    }

    /**
     * One copy; all arguments may have any value.
     *
     * @param sourceRef grant reference with GNTCOPY_source_gref in {@code flags}, else a frame of the caller
     * @param targetRef likewise with GNTCOPY_dest_gref
     * @param sourceDomid domain of the reference; DOMID_SELF for a frame
     * @return GNTST_*
     */
    public int copy(GrantTable caller, long sourceRef, int sourceDomid, int sourceOffset, long targetRef,
            int targetDomid, int targetOffset, int length, int flags) {
        boolean fromGrant = (flags & GNTCOPY_SOURCE_GREF) != 0;
        boolean toGrant = (flags & GNTCOPY_DEST_GREF) != 0;
        int rc = find(caller, source, sourceDomid, fromGrant);
        if (rc == GNTST_OKAY) {
            rc = find(caller, target, targetDomid, toGrant);
        }
        if (rc == GNTST_OKAY) {
            rc = claim(caller, source, sourceRef, fromGrant, true);
        }
        if (rc != GNTST_OKAY) {
            return rc;
        }
        rc = claim(caller, target, targetRef, toGrant, false);
        if (rc == GNTST_OKAY) {
            if (fits(sourceOffset, length) && fits(targetOffset, length)) {
                ram.copy(address(source, sourceOffset), address(target, targetOffset), length);
            } else {
                rc = GNTST_BAD_COPY_ARG;
            }
            release(target);
        }
        release(source);
        return rc;
    }

    /** Copies {@code length} bytes at {@code offset} of a granted page into {@code bytes}. GNTST_*. */
    public int copyFrom(GrantTable caller, int domid, int ref, int offset, byte[] bytes, int bytesOffset,
            int length) {
        int rc = claimGrant(caller, source, domid, ref, true);
        if (rc == GNTST_OKAY) {
            if (fits(offset, length)) {
                ram.copyOut(address(source, offset), bytes, bytesOffset, length);
            } else {
                rc = GNTST_BAD_COPY_ARG;
            }
            release(source);
        }
        return rc;
    }

    /** Copies {@code length} bytes of {@code bytes} to {@code offset} of a granted page. GNTST_*. */
    public int copyTo(GrantTable caller, int domid, int ref, int offset, byte[] bytes, int bytesOffset, int length) {
        int rc = claimGrant(caller, target, domid, ref, false);
        if (rc == GNTST_OKAY) {
            if (fits(offset, length)) {
                ram.copyIn(bytes, bytesOffset, address(target, offset), length);
            } else {
                rc = GNTST_BAD_COPY_ARG;
            }
            release(target);
        }
        return rc;
    }

    private static boolean fits(int offset, int length) {
        return offset >= 0 && length >= 0 && offset <= PhysicalMemory.FRAME_SIZE
                && length <= PhysicalMemory.FRAME_SIZE - offset;
    }

    private static long address(End end, int offset) {
        return ((long) end.mfn << PhysicalMemory.FRAME_SHIFT) + offset;
    }

    private int claimGrant(GrantTable caller, End end, int domid, int ref, boolean readOnly) {
        int rc = find(caller, end, domid, true);
        return rc == GNTST_OKAY ? claim(caller, end, ref & 0xffff_ffffL, true, readOnly) : rc;
    }

    private int find(GrantTable caller, End end, int domid, boolean ofGrant) {
        if (domid != Xen.DOMID_SELF && !ofGrant) {
            return GNTST_PERMISSION_DENIED;
        }
        end.table = domid == Xen.DOMID_SELF ? caller : operations.table(domid);
        return end.table == null ? GNTST_BAD_DOMAIN : GNTST_OKAY;
    }

    private int claim(GrantTable caller, End end, long ref, boolean ofGrant, boolean readOnly) {
        GrantTable table = end.table;
        if (table == null) {
            return GNTST_BAD_DOMAIN;
        }
        end.ofGrant = ofGrant;
        end.readOnly = readOnly;
        if (!ofGrant) {
            if (!memory.get(ref, table.owner())) {
                return GNTST_BAD_PAGE;
            }
            memory.put((int) ref);
            end.mfn = (int) ref;
            return operations.take(end.mfn, table.owner(), !readOnly) ? GNTST_OKAY : GNTST_GENERAL_ERROR;
        }
        end.ref = (int) ref;
        if (!table.has(end.ref)) {
            return GNTST_BAD_GNTREF;
        }
        int increment = readOnly ? Pins.HOST_READ : Pins.HOST_WRITE;
        int rc = operations.activate(table, caller.owner().domid, end.ref, readOnly, false, increment);
        if (rc != GNTST_OKAY) {
            return rc;
        }
        end.mfn = table.mfn(end.ref);
        if (!operations.take(end.mfn, table.owner(), !readOnly)) {
            unpin(end, table);
            return GNTST_GENERAL_ERROR;
        }
        return GNTST_OKAY;
    }

    private void release(End end) {
        operations.give(end.mfn, !end.readOnly);
        GrantTable table = end.table;
        if (end.ofGrant && table != null) {
            unpin(end, table);
        }
        end.table = null;
    }

    private static void unpin(End end, GrantTable table) {
        table.addPins(end.ref, -(end.readOnly ? Pins.HOST_READ : Pins.HOST_WRITE));
        table.markUnused(end.ref, end.readOnly);
    }
}
