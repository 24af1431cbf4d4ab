package dev.xenolith.cpu.oracle;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** What a snippet did. Objects are reused from batch to batch. */
final class Outcome {
    enum Ending {
        /** Vector, error code and CR2 say which; the INT3 after the code counts as one. */
        EXCEPTION,
        /** Did not end by itself; the registers are those of some later moment. */
        TIMEOUT,
        /** SYSCALL (vector 0x100) or INT 0x80 (vector 0x80), stopped at the kernel's door. */
        SYSTEM_CALL,
        /** The runner itself failed in this snippet; nothing but the note is valid. */
        CRASH
    }

    static final int DEBUG = 1;
    static final int BREAKPOINT = 3;
    static final int PAGE_FAULT = 14;

    final Registers registers = new Registers();
    Ending ending = Ending.CRASH;
    long rip;
    int vector;
    int errorCode;
    /** Valid for a page fault, otherwise 0. */
    long cr2;
    /** What happened, for {@link Ending#CRASH}. */
    String note = "";
    final byte[] pages = new byte[AddressMap.WRITABLE_BYTES];
    final byte[] fx = new byte[Snippet.FX_BYTES];

    final byte[] ymmHigh = new byte[Snippet.YMM_HIGH_BYTES];

    /** Ran to the INT3 behind its last byte, or trapped there by single-stepping. */
    boolean completed(Snippet snippet) {
        return ending == Ending.EXCEPTION && (vector == BREAKPOINT && rip == snippet.end() + 1
                || vector == DEBUG && rip == snippet.end());
    }

    /** Ended in an exception, and not at an INT3 that surrounds the code or by single-stepping. */
    boolean faulted(Snippet snippet) {
        if (ending != Ending.EXCEPTION || vector == DEBUG) {
            return false;
        }
        boolean ownBreakpoint = rip > snippet.start() && rip <= snippet.end();
        return vector != BREAKPOINT || ownBreakpoint;
    }

    ByteBuffer data() {
        return ByteBuffer.wrap(pages).order(ByteOrder.LITTLE_ENDIAN);
    }
}
