package dev.xenolith.hypervisor.operations;

import java.util.Objects;

/** Grant table operations in the name of one domain (xen/include/public/grant_table.h). */
public interface Grants {
    /**
     * Maps one granted page.
     *
     * @throws OperationException with the grant status when the grant cannot be mapped
     */
    SharedPage map(int domid, int reference, boolean readOnly) throws OperationException;

    /**
     * Maps granted pages of one domain as one range: the page of {@code references[i]} at offset {@code i * 4096}. All or none.
     *
     * @param references of that domain, any values; the same one may come more than once
     * @throws OperationException with the grant status of the first that cannot be mapped, which it names
     */
    SharedPage map(int domid, int[] references, boolean readOnly) throws OperationException;

    /** Pages that are mapped, each as often as it is: what must come back to what it was when a backend has disconnected. */
    int mapped();

    /**
     * Copies between a granted page and a byte array without mapping. Returns 0 or a negative GNTST_* status.
     *
     * @param offset byte offset in the granted page; offset + length at most 4096
     */
    int copyFrom(int domid, int reference, int offset, byte[] target, int targetOffset, int length);

    /** As {@link #copyFrom(int, int, int, byte[], int, int)}, into the granted page. */
    int copyTo(int domid, int reference, int offset, byte[] source, int sourceOffset, int length);

    /**
     * Gathers parts of granted pages of one domain, one after the other, in {@code target} from {@code targetOffset} on. Stops at the
     * first that cannot be copied; what comes before it is there.
     *
     * @param parts any values
     * @return 0 or a negative GNTST_* status
     */
    default int copyFrom(int domid, Parts parts, byte[] target, int targetOffset) {
        Objects.checkFromIndexSize(targetOffset, parts.bytes(), target.length);
        int status = 0;
        int at = targetOffset;
        for (int i = 0; i < parts.count() && status == 0; i++) {
            status = copyFrom(domid, parts.reference(i), parts.offset(i), target, at, parts.length(i));
            at += parts.length(i);
        }
        return status;
    }

    /** Scatters bytes of {@code source}, from {@code sourceOffset} on, over parts of granted pages; else as the other way. */
    default int copyTo(int domid, Parts parts, byte[] source, int sourceOffset) {
        Objects.checkFromIndexSize(sourceOffset, parts.bytes(), source.length);
        int status = 0;
        int at = sourceOffset;
        for (int i = 0; i < parts.count() && status == 0; i++) {
            status = copyTo(domid, parts.reference(i), parts.offset(i), source, at, parts.length(i));
            at += parts.length(i);
        }
        return status;
    }

    /**
     * Copies {@code length} bytes from one granted page to another. All values may be any. Returns 0 or a negative GNTST_* status.
     * GNTTABOP_copy.
     */
    int copy(int sourceDomid, int sourceReference, int sourceOffset, int targetDomid, int targetReference,
            int targetOffset, int length);

    /** A list of parts of granted pages, to be filled anew for each batch. */
    final class Parts {
        private final int[] references;
        private final int[] offsets;
        private final int[] lengths;
        private int count;
        private int bytes;

        /** Room for {@code capacity} parts. */
        public Parts(int capacity) {
            references = new int[capacity];
            offsets = new int[capacity];
            lengths = new int[capacity];
        }

        /** Forgets all parts. */
        public void clear() {
            count = 0;
            bytes = 0;
        }

        /**
         * Appends a part; a page's bytes are {@code offset} to {@code offset + length}.
         *
         * @return false if there is no room, or these are no bytes of a page: nothing has changed
         */
        public boolean add(int reference, int offset, int length) {
            if (count == references.length || offset < 0 || length < 0 || offset > PAGE - length || length > PAGE) {
                return false;
            }
            references[count] = reference;
            offsets[count] = offset;
            lengths[count++] = length;
            bytes += length;
            return true;
        }

        /** Number of parts. */
        public int count() {
            return count;
        }

        /** Bytes of all parts together. */
        public int bytes() {
            return bytes;
        }

        public int reference(int part) {
            return references[part];
        }

        public int offset(int part) {
            return offsets[part];
        }

        public int length(int part) {
            return lengths[part];
        }
    }

    /** Bytes of a page. */
    int PAGE = 4096;
}
