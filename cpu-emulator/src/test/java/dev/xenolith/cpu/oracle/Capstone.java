package dev.xenolith.cpu.oracle;

import java.util.Optional;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.PointerByReference;

/** An independent x86-64 disassembler, libcapstone 4, where the system has it installed. */
final class Capstone implements AutoCloseable {
    private static final String LIBRARY = "libcapstone.so.4";
    private static final int ARCH_X86 = 3; // modes: 16-bit 1 << 1, 32-bit 1 << 2, 64-bit 1 << 3

    /** Offsets in {@code cs_insn} of version 4 (capstone/capstone.h). */
    private static final long SIZE = 16;
    private static final long MNEMONIC = 34;
    private static final long OPERANDS = 66;

    private final Pointer handle;
    private final Pointer instruction;
    private final Memory code = new Memory(16);
    private final Memory arguments = new Memory(24);

    /** The functions of capstone/capstone.h that we call; bound directly, so that JNA caches nothing per call. */
    static final class Functions {
        private Functions() {
        }

        static native int cs_open(int architecture, int mode, PointerByReference handle);

        static native int cs_close(PointerByReference handle);

        static native Pointer cs_malloc(Pointer handle);

        static native void cs_free(Pointer instructions, long count);

        static native boolean cs_disasm_iter(Pointer handle, Pointer code, Pointer size, Pointer address,
                Pointer instruction);
    }

    /** Why there is none; empty if there is. */
    static Optional<String> unavailable() {
        try {
            NativeLibrary.getInstance(LIBRARY);
            return Optional.empty();
        } catch (UnsatisfiedLinkError e) {
            return Optional.of("the disassembler " + LIBRARY + " (Debian: libcapstone4) is not installed");
        }
    }

    /** @param bits code size: 16, 32 or 64 */
    Capstone(int bits) {
        Native.register(Functions.class, LIBRARY);
        PointerByReference opened = new PointerByReference();
        int error = Functions.cs_open(ARCH_X86, bits >> 3, opened);
        if (error != 0) {
            throw new IllegalStateException("cs_open: error " + error);
        }
        handle = opened.getValue();
        instruction = Functions.cs_malloc(handle);
    }

    /**
     * Decodes the first instruction of {@code bytes}, of which at most 15 are looked at.
     *
     * @return its length, or 0 if it is none
     */
    int length(byte[] bytes, int from) {
        int count = Math.min(15, bytes.length - from);
        code.write(0, bytes, from, count);
        arguments.setPointer(0, code);
        arguments.setLong(8, count);
        arguments.setLong(16, AddressMap.CODE);
        boolean decoded = Functions.cs_disasm_iter(handle, arguments, arguments.share(8), arguments.share(16),
                instruction);
        return decoded ? instruction.getShort(SIZE) : 0;
    }

    /** Text of the instruction that {@link #length} decoded last. */
    String text() {
        return (instruction.getString(MNEMONIC) + " " + instruction.getString(OPERANDS)).strip();
    }

    @Override
    public void close() {
        Functions.cs_free(instruction, 1);
        PointerByReference closing = new PointerByReference();
        closing.setValue(handle);
        Functions.cs_close(closing);
    }
}
