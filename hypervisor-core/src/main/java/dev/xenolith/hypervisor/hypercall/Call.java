package dev.xenolith.hypervisor.hypercall;

import static dev.xenolith.hypervisor.abi.Errno.ERESTART;

import dev.xenolith.hypervisor.abi.Bytes;
import dev.xenolith.hypervisor.domain.Domain;
import dev.xenolith.hypervisor.domain.Vcpu;
import dev.xenolith.hypervisor.memory.GuestLinear;
import dev.xenolith.hypervisor.memory.Preempt;
import org.jspecify.annotations.NullUnmarked;

/**
 * One hypercall under way: who makes it, its arguments, and the caller's memory. Objects are reused from call to call; handlers keep
 * nothing of them. Handles in arguments are linear addresses of the caller (xen/include/public/xen.h).
 */
@NullUnmarked
public final class Call {
    /** Result of a handler that stopped half way: "make the call again". No operation returns it to a guest. */
    public static final long RESTART = -ERESTART;
    /** Result of a handler after which the guest's registers are as they are to be, RAX included. */
    public static final long NO_RESULT = Long.MIN_VALUE;
    /** Largest structure that is copied through {@link #buffer}. */
    private static final int BUFFER = 8192;

    public Vcpu vcpu;
    public Domain domain;
    public GuestLinear memory;
    public Preempt preempt;
    /** RDI, RSI, RDX, R10, R8, R9. A handler that returns {@link #RESTART} has made them say what is left to do. */
    public final long[] arguments = new long[6];
    /** Room for structures copied from and to the guest. */
    public final byte[] buffer = new byte[BUFFER];

    void begin(Vcpu caller, GuestLinear callersMemory, Preempt callersPreempt) {
        vcpu = caller;
        domain = caller.domain;
        memory = callersMemory;
        preempt = callersPreempt;
    }

    /** Argument {@code index}, 0..5. */
    public long argument(int index) {
        return arguments[index];
    }

    /** Copies {@code size} bytes at linear address {@code handle} to the start of {@link #buffer}; false if they are not there. */
    public boolean read(long handle, int size) {
        return memory.read(handle, buffer, 0, size) == 0;
    }

    /** Copies the first {@code size} bytes of {@link #buffer} to linear address {@code handle}; false if they cannot be. */
    public boolean write(long handle, int size) {
        return memory.write(handle, buffer, 0, size) == 0;
    }

    public int get8(int offset) {
        return Bytes.get8(buffer, offset);
    }

    public int get16(int offset) {
        return Bytes.get16(buffer, offset);
    }

    public int get32(int offset) {
        return Bytes.get32(buffer, offset);
    }

    public long get64(int offset) {
        return Bytes.get64(buffer, offset);
    }

    public void put32(int offset, int value) {
        Bytes.put32(buffer, offset, value);
    }

    public void put64(int offset, long value) {
        Bytes.put64(buffer, offset, value);
    }

    /** Writes a 32-bit result at byte {@code offset} of the structure at {@code handle}; false if it cannot be. */
    public boolean writeBack32(long handle, int offset, int value) {
        Bytes.put32(buffer, 0, value);
        return memory.write(handle + offset, buffer, 0, Integer.BYTES) == 0;
    }

    /** Writes a 64-bit result at byte {@code offset} of the structure at {@code handle}; false if it cannot be. */
    public boolean writeBack64(long handle, int offset, long value) {
        Bytes.put64(buffer, 0, value);
        return memory.write(handle + offset, buffer, 0, Long.BYTES) == 0;
    }
}
