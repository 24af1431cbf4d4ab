package dev.xenolith.cpu.oracle;

/** The integer registers of a snippet, before or after it. */
final class Registers {
    static final int RSP = 4;

    static final int ES = 0;
    static final int CS = 1;
    static final int SS = 2;
    static final int DS = 3;
    static final int FS = 4;
    static final int GS = 5;

    static final String[] NAMES = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11",
        "r12",
        "r13", "r14", "r15"};
    static final String[] SELECTOR_NAMES = {"es", "cs", "ss", "ds", "fs", "gs"};

    /** In the order of their numbers in an encoding. */
    final long[] gpr = new long[16];
    /** In the order of their numbers in an encoding. */
    final int[] selector = new int[6];
    long rflags;
    long fsBase;
    long gsBase;
}
