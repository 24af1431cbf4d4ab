package dev.xenolith.hypervisor.hypercall;

import static dev.xenolith.hypervisor.abi.Errno.EFAULT;

import dev.xenolith.hypervisor.abi.Bytes;
import dev.xenolith.hypervisor.operations.DomainControl;
import dev.xenolith.hypervisor.operations.HostControl;
import java.util.UUID;

/**
 * A domctl or sysctl under way: the caller's structure, copied once, and what serves it. Offsets are those of the command's argument, the
 * union {@code u} of the structure.
 */
final class ControlCall {
    final Call call;
    final DomainControl control;
    final HostControl host;
    private final byte[] bytes;
    private final int union;

    /**
     * @param bytes the caller's structure, whose union begins at {@code union}
     */
    ControlCall(Call call, Controls controls, byte[] bytes, int union) {
        this.call = call;
        this.bytes = bytes;
        this.union = union;
        control = controls.domains().apply(call.domain);
        host = controls.host().apply(call.domain);
    }

    int get8(int offset) {
        return Bytes.get8(bytes, union + offset);
    }

    int get16(int offset) {
        return Bytes.get16(bytes, union + offset);
    }

    int get32(int offset) {
        return Bytes.get32(bytes, union + offset);
    }

    long get64(int offset) {
        return Bytes.get64(bytes, union + offset);
    }

    void put8(int offset, int value) {
        Bytes.put8(bytes, union + offset, value);
    }

    void put16(int offset, int value) {
        Bytes.put16(bytes, union + offset, value);
    }

    void put32(int offset, int value) {
        Bytes.put32(bytes, union + offset, value);
    }

    void put64(int offset, long value) {
        Bytes.put64(bytes, union + offset, value);
    }

    /** Puts a structure that has been filled in at the beginning of the argument. */
    void put(byte[] structure) {
        System.arraycopy(structure, 0, bytes, union, structure.length);
    }

    /** Changes a 16-bit member of the structure itself, at {@code offset} of it. */
    void putOuter16(int offset, int value) {
        Bytes.put16(bytes, offset, value);
    }

    /** A handle of 16 bytes, in the order of its text. */
    UUID handle(int offset) {
        return new UUID(Long.reverseBytes(get64(offset)), Long.reverseBytes(get64(offset + Long.BYTES)));
    }

    /** {@code result}, after the structure has been given back to the caller; -EFAULT if it cannot be. */
    long copyBack(long result) {
        return call.memory.write(call.argument(0), bytes, 0, bytes.length) == 0 ? result : -EFAULT;
    }

    /** Copies {@code length} bytes to the caller's {@code handle}; 0 or -EFAULT. */
    long write(long handle, byte[] source, int length) {
        return call.memory.write(handle, source, 0, length) == 0 ? 0 : -EFAULT;
    }

    /** What a preemptible operation has returned, for the guest: to make the call again as it was made, or the result. */
    static long preemptible(int result) {
        return result == DomainControl.AGAIN ? Call.RESTART : result;
    }
}
