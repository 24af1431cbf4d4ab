package dev.xenolith.hypervisor.operations;

/** Grant table operations in the name of one domain (xen/include/public/grant_table.h). */
public interface Grants {
    /**
     * Maps one granted page.
     *
     * @throws OperationException with the grant status when the grant cannot be mapped
     */
    SharedPage map(int domid, int reference, boolean readOnly) throws OperationException;

    /**
     * Copies between a granted page and a byte array without mapping. Returns 0 or a negative GNTST_* status.
     *
     * @param offset byte offset in the granted page; offset + length at most 4096
     */
    int copyFrom(int domid, int reference, int offset, byte[] target, int targetOffset, int length);

    int copyTo(int domid, int reference, int offset, byte[] source, int sourceOffset, int length);
}
