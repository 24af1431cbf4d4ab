package dev.xenolith.cpu.processor;

/** Exception vectors (SDM 3A table 6-1) and how the processor treats them. */
public final class Vector {
    public static final int DE = 0;
    public static final int DB = 1;
    public static final int NMI = 2;
    public static final int BP = 3;
    public static final int OF = 4;
    public static final int BR = 5;
    public static final int UD = 6;
    public static final int NM = 7;
    public static final int DF = 8;
    public static final int TS = 10;
    public static final int NP = 11;
    public static final int SS = 12;
    public static final int GP = 13;
    public static final int PF = 14;
    public static final int MF = 16;
    public static final int AC = 17;
    public static final int MC = 18;
    public static final int XM = 19;

    /** Error-code bit: the event was external to the program (SDM 3A 6.13). */
    static final int ERROR_EXTERNAL = 1;
    /** Error-code bit: the selector index refers to the IDT. */
    static final int ERROR_IDT = 2;

    private static final int WITH_ERROR_CODE = 1 << DF | 1 << TS | 1 << NP | 1 << SS | 1 << GP | 1 << PF | 1 << AC;
    private static final int CONTRIBUTORY = 1 << DE | 1 << TS | 1 << NP | 1 << SS | 1 << GP;

    private Vector() {}

    /** Whether delivery of the exception {@code vector} pushes an error code. */
    public static boolean hasErrorCode(int vector) {
        return vector < 32 && (WITH_ERROR_CODE >>> vector & 1) != 0;
    }

    /** Whether {@code second}, raised while {@code first} was being delivered, makes a double fault (SDM 3A table 6-5). */
    static boolean makesDoubleFault(int first, int second) {
        boolean contributory = (CONTRIBUTORY >>> second & 1) != 0;
        return first == PF
                ? contributory || second == PF
                : first < 32 && (CONTRIBUTORY >>> first & 1) != 0 && contributory;
    }
}
