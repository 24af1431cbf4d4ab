package dev.xenolith.hypervisor.hypercall;

import static dev.xenolith.hypervisor.abi.Errno.ERESTART;

import dev.xenolith.hypervisor.abi.ArchX86;
import dev.xenolith.hypervisor.abi.Bytes;
import dev.xenolith.hypervisor.abi.Struct;
import dev.xenolith.hypervisor.domain.Domain;
import dev.xenolith.hypervisor.domain.Vcpu;
import dev.xenolith.hypervisor.memory.GuestLinear;
import dev.xenolith.hypervisor.memory.Preempt;
import org.jspecify.annotations.NullUnmarked;

/**
 * One hypercall under way: who makes it, its arguments, and the caller's memory. Objects are reused from call to call; handlers keep
 * nothing of them. Handles in arguments are linear addresses of the caller (xen/include/public/xen.h).
 *
 * <p>Handlers see structures in their 64-bit layout whoever calls: those of 32-bit callers are translated on the way in and out. What
 * handlers have to ask for is how far apart elements of an array are ({@link #sizeOf}, {@link #wordBytes}).
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
    /** Whether the caller is a 32-bit guest. */
    public boolean compat;
    public Domain domain;
    public GuestLinear memory;
    public Preempt preempt;
    /** RDI, RSI, RDX, R10, R8, R9; of 32-bit guests EBX, ECX, EDX, ESI, EDI, EBP. A handler that returns {@link #RESTART} has made them say what is left to do. */
    public final long[] arguments = new long[6];
    /** Room for structures copied from and to the guest. */
    public final byte[] buffer = new byte[BUFFER];
    /** Structures as 32-bit callers have them, on their way from and to {@link #buffer}. */
    private final byte[] compatBuffer = new byte[BUFFER];

    void begin(Vcpu caller, GuestLinear callersMemory, Preempt callersPreempt) {
        vcpu = caller;
        domain = caller.domain;
        compat = domain.memory.isCompat();
        memory = callersMemory;
        preempt = callersPreempt;
    }

    /** Argument {@code index}, 0..5. */
    public long argument(int index) {
        return arguments[index];
    }

    /** Whether the caller may use {@code linear}: an address below the hypervisor's, or of a 64-bit guest beyond them. */
    public boolean isGuestAddress(long linear) {
        return compat ? linear < ArchX86.HYPERVISOR_COMPAT_VIRT_START : GuestLinear.isGuestAddress(linear);
    }

    /** Copies {@code size} bytes at linear address {@code handle} to the start of {@link #buffer}; false if they are not there. */
    public boolean read(long handle, int size) {
        return memory.read(handle, buffer, 0, size) == 0;
    }

    /** Copies the first {@code size} bytes of {@link #buffer} to linear address {@code handle}; false if they cannot be. */
    public boolean write(long handle, int size) {
        return memory.write(handle, buffer, 0, size) == 0;
    }

    /** Copies the structure at {@code handle} to {@link #buffer}, in its 64-bit layout; false if it is not there. */
    public boolean read(long handle, Struct layout) {
        if (!compat || layout.translation().isIdentity()) {
            return read(handle, layout.size());
        }
        if (memory.read(handle, compatBuffer, 0, layout.compatSize()) != 0) {
            return false;
        }
        layout.translation().expand(compatBuffer, buffer);
        return true;
    }

    /** Copies the structure in {@link #buffer}, in its 64-bit layout, to {@code handle}; false if it cannot be. */
    public boolean write(long handle, Struct layout) {
        if (!compat || layout.translation().isIdentity()) {
            return write(handle, layout.size());
        }
        layout.translation().narrow(buffer, compatBuffer);
        return memory.write(handle, compatBuffer, 0, layout.compatSize()) == 0;
    }

    /** Bytes of the structure as the caller has it: distance of the elements of an array. */
    public int sizeOf(Struct layout) {
        return compat ? layout.compatSize() : layout.size();
    }

    /** Bytes of the caller's {@code unsigned long}, {@code xen_pfn_t} and guest handles. */
    public int wordBytes() {
        return compat ? Integer.BYTES : Long.BYTES;
    }

    /** A guest handle in a member of 64 bits, of which 32-bit callers set the lower half. */
    public long handle64(int offset) {
        return compat ? get32(offset) & 0xffff_ffffL : get64(offset);
    }

    /** Copies the {@code unsigned long} at {@code handle} to the first 64 bits of {@link #buffer}; false if it is not there. */
    public boolean readWord(long handle) {
        if (!read(handle, wordBytes())) {
            return false;
        }
        if (compat) {
            put32(Integer.BYTES, 0);
        }
        return true;
    }

    /** Writes an {@code unsigned long} to {@code handle}; false if it cannot be. */
    public boolean writeWord(long handle, long value) {
        Bytes.put64(buffer, 0, value);
        return memory.write(handle, buffer, 0, wordBytes()) == 0;
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

    private long member(long handle, Struct layout, int offset) {
        return handle + (compat ? layout.translation().compatOffset(offset) : offset);
    }

    /** Writes a 32-bit result to {@code handle}; false if it cannot be. */
    public boolean writeBack32(long handle, int value) {
        Bytes.put32(buffer, 0, value);
        return memory.write(handle, buffer, 0, Integer.BYTES) == 0;
    }

    /** Writes a 16-bit result to the member at {@code offset} of the structure at {@code handle}; false if it cannot be. */
    public boolean writeBack16(long handle, Struct layout, int offset, int value) {
        Bytes.put16(buffer, 0, value);
        return memory.write(member(handle, layout, offset), buffer, 0, Short.BYTES) == 0;
    }

    /** Writes a 32-bit result to the member at {@code offset} of the structure at {@code handle}; false if it cannot be. */
    public boolean writeBack32(long handle, Struct layout, int offset, int value) {
        return writeBack32(member(handle, layout, offset), value);
    }

    /** Writes an {@code unsigned long} to the member at {@code offset} of the structure at {@code handle}; false if it cannot be. */
    public boolean writeBackWord(long handle, Struct layout, int offset, long value) {
        return writeWord(member(handle, layout, offset), value);
    }
}
