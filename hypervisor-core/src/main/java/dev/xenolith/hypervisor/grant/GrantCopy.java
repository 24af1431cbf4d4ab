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
 * anything. A grant is marked in use while it is copied. Only copies use grants of parts of a page and transitive grants: those stand
 * for what a third domain has granted to the granter, which must not be transitive again.
 */
public final class GrantCopy {
    /** One end of a copy while it is held. */
    private static final class End {
        /** Whose page it is: by entry {@link #ref}, or its own frame if that is negative. */
        @Nullable
        GrantTable table;
        int ref;
        /** Whose transitive entry led there, if any. */
        @Nullable
        EntryRef through;
        boolean readOnly;
        int mfn;
        /** Part of the page that may be copied. */
        int start;
        int length;
    }

    private record EntryRef(GrantTable table, int ref) {
    }

    private static final int OWN_FRAME = -1;

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
        forget();
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
            rc = bounds(sourceOffset, length, targetOffset);
            if (rc == GNTST_OKAY) {
                ram.copy(address(source, sourceOffset), address(target, targetOffset), length);
            }
            release(target);
        }
        release(source);
        return rc;
    }

    /** Copies {@code length} bytes at {@code offset} of a granted page into {@code bytes}. GNTST_*. */
    public int copyFrom(GrantTable caller, int domid, int ref, int offset, byte[] bytes, int bytesOffset,
            int length) {
        forget();
        int rc = claimGrant(caller, source, domid, ref, true);
        if (rc == GNTST_OKAY) {
            rc = bounds(source, offset, length);
            if (rc == GNTST_OKAY) {
                ram.copyOut(address(source, offset), bytes, bytesOffset, length);
            }
            release(source);
        }
        return rc;
    }

    /** Copies {@code length} bytes of {@code bytes} to {@code offset} of a granted page. GNTST_*. */
    public int copyTo(GrantTable caller, int domid, int ref, int offset, byte[] bytes, int bytesOffset, int length) {
        forget();
        int rc = claimGrant(caller, target, domid, ref, false);
        if (rc == GNTST_OKAY) {
            rc = bounds(target, offset, length);
            if (rc == GNTST_OKAY) {
                ram.copyIn(bytes, bytesOffset, address(target, offset), length);
            }
            release(target);
        }
        return rc;
    }

    private int bounds(int sourceOffset, int length, int targetOffset) {
        if (!fits(sourceOffset, length) || !fits(targetOffset, length)) {
            return GNTST_BAD_COPY_ARG;
        }
        int rc = bounds(source, sourceOffset, length);
        return rc == GNTST_OKAY ? bounds(target, targetOffset, length) : rc;
    }

    /** Whether the bytes are within a page, and within what of it was granted. */
    private static int bounds(End end, int offset, int length) {
        if (!fits(offset, length)) {
            return GNTST_BAD_COPY_ARG;
        }
        return offset >= end.start && offset + length <= end.start + end.length ? GNTST_OKAY : GNTST_GENERAL_ERROR;
    }

    private static boolean fits(int offset, int length) {
        return offset >= 0 && length >= 0 && offset <= PhysicalMemory.FRAME_SIZE
                && length <= PhysicalMemory.FRAME_SIZE - offset;
    }

    private static long address(End end, int offset) {
        return ((long) end.mfn << PhysicalMemory.FRAME_SHIFT) + offset;
    }

    /** A copy that failed half way has left its ends' names behind. */
    private void forget() {
        source.table = null;
        target.table = null;
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
        end.readOnly = readOnly;
        if (ofGrant) {
            return claimEntry(end, table, caller.owner().domid, (int) ref);
        }
        if (!memory.get(ref, table.owner())) {
            return GNTST_BAD_PAGE;
        }
        memory.put((int) ref);
        end.ref = OWN_FRAME;
        end.mfn = (int) ref;
        end.start = 0;
        end.length = PhysicalMemory.FRAME_SIZE;
        return operations.take(end.mfn, table.owner(), !readOnly) ? GNTST_OKAY : GNTST_GENERAL_ERROR;
    }

    private int claimEntry(End end, GrantTable table, int domid, int ref) {
        if (!table.has(ref)) {
            return GNTST_BAD_GNTREF;
        }
        return table.view() instanceof EntriesV2 entries && entries.isTransitive(ref)
                ? claimThrough(end, table, entries, domid, ref)
                : claimPage(end, table, domid, ref);
    }

    private int claimPage(End end, GrantTable table, int domid, int ref) {
        boolean inUse = table.pins(ref) != 0;
        int rc = operations.activate(table, domid, ref, end.readOnly, false, pin(end));
        if (rc != GNTST_OKAY) {
            return rc;
        }
        boolean samePart = inUse && end == target && source.table == table && source.ref == ref;
        end.table = table;
        end.ref = ref;
        end.mfn = table.mfn(ref);
        // What is in use already is a whole page that is mapped, or the other end of this copy.
        end.start = samePart ? source.start : inUse ? 0 : table.view().start(ref);
        end.length = samePart ? source.length : inUse ? PhysicalMemory.FRAME_SIZE : table.view().length(ref);
        if (!operations.take(end.mfn, table.owner(), !end.readOnly)) {
            unpin(end, table, ref);
            return GNTST_GENERAL_ERROR;
        }
        return GNTST_OKAY;
    }

    /** Claims what transitive entry {@code ref} stands for, as its owner, and marks the entry too. */
    private int claimThrough(End end, GrantTable table, EntriesV2 entries, int domid, int ref) {
        EntryRef same = source.through;
        boolean held = end == target && same != null && same.table == table && same.ref == ref;
        if (table.pins(ref) != 0 && !held) {
            // Mapped as what it was before the granter changed it.
            return GNTST_GENERAL_ERROR;
        }
        int rc = table.markUsed(ref, domid, end.readOnly, false);
        if (rc != GNTST_OKAY) {
            return rc;
        }
        int grantedBy = entries.transitiveDomid(ref);
        int theirRef = entries.transitiveRef(ref);
        GrantTable theirs = grantedBy == table.owner().domid ? null : operations.table(grantedBy);
        if (theirs == null) {
            rc = GNTST_GENERAL_ERROR;
        } else if (!theirs.has(theirRef)) {
            rc = GNTST_BAD_GNTREF;
        } else if (theirs.view().isTransitive(theirRef)) {
            rc = GNTST_GENERAL_ERROR;
        } else {
            rc = claimPage(end, theirs, table.owner().domid, theirRef);
        }
        if (rc != GNTST_OKAY) {
            table.markUnused(ref, end.readOnly);
            return rc;
        }
        table.activate(ref, domid, end.mfn);
        table.addPins(ref, pin(end));
        end.through = new EntryRef(table, ref);
        return GNTST_OKAY;
    }

    private static int pin(End end) {
        return end.readOnly ? Pins.HOST_READ : Pins.HOST_WRITE;
    }

    private void release(End end) {
        operations.give(end.mfn, !end.readOnly);
        GrantTable table = end.table;
        if (end.ref != OWN_FRAME && table != null) {
            unpin(end, table, end.ref);
        }
        EntryRef through = end.through;
        if (through != null) {
            unpin(end, through.table, through.ref);
            end.through = null;
        }
        end.table = null;
    }

    private static void unpin(End end, GrantTable table, int ref) {
        table.addPins(ref, -pin(end));
        table.markUnused(ref, end.readOnly);
    }
}
