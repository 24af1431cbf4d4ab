package dev.xenolith.cpu.oracle;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** Offsets in the file that the runner and we share: the twin of {@code protocol.h}. */
final class SharedLayout {
    static final long MAGIC = 0x3130_4e4f_4349_4c49L;
    static final long SLOTS = 3L * AddressMap.PAGE;
    static final int SLOT_BYTES = 4 * AddressMap.PAGE;
    static final int REGISTERS_BYTES = 256;

    static final long HEADER_MAGIC = 0;
    static final long HEADER_SLOT_BYTES = 8;
    static final long HEADER_REGISTERS_BYTES = 12;
    static final long HEADER_CAPACITY = 16;
    static final long HEADER_CURRENT = 20;
    static final long HEADER_MXCSR_MASK = 24;
    static final long READ_ONLY_LOW_CONTENTS = AddressMap.PAGE;
    static final long READ_ONLY_HIGH_CONTENTS = 2L * AddressMap.PAGE;

    private static final long RFLAGS = 128;
    private static final long FS_BASE = 136;
    private static final long GS_BASE = 144;
    private static final long SELECTORS = 152;
    private static final long ENTRY = 164;
    private static final long CODE_LENGTH = 168;
    private static final long END = 172;
    private static final long RIP = 176;
    private static final long VECTOR = 184;
    private static final long ERROR_CODE = 188;
    private static final long CR2 = 192;

    private static final long OUT = REGISTERS_BYTES;
    private static final long CODE = 512;
    private static final long FX_IN = 1024;
    private static final long FX_OUT = 1536;
    private static final long YMM_HIGH_IN = 2048;
    private static final long YMM_HIGH_OUT = 2304;
    private static final long PAGES = AddressMap.PAGE;

    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final MemorySegment file;

    SharedLayout(MemorySegment file) {
        this.file = file;
    }

    static long fileBytes(int capacity) {
        return SLOTS + (long) capacity * SLOT_BYTES;
    }

    long headerLong(long field) {
        return file.get(LONG, field);
    }

    int headerInt(long field) {
        return file.get(INT, field);
    }

    void putHeader(long field, int value) {
        file.set(INT, field, value);
    }

    void putBytes(long offset, byte[] bytes) {
        MemorySegment.copy(bytes, 0, file, ValueLayout.JAVA_BYTE, offset, bytes.length);
    }

    void put(int slot, Snippet snippet) {
        long at = SLOTS + (long) slot * SLOT_BYTES;
        Registers registers = snippet.registers;
        MemorySegment.copy(registers.gpr, 0, file, LONG, at, 16);
        file.set(LONG, at + RFLAGS, registers.rflags);
        file.set(LONG, at + FS_BASE, registers.fsBase);
        file.set(LONG, at + GS_BASE, registers.gsBase);
        for (int i = 0; i < 6; i++) {
            file.set(SHORT, at + SELECTORS + 2L * i, (short) registers.selector[i]);
        }
        file.set(INT, at + ENTRY, snippet.entry);
        file.set(INT, at + CODE_LENGTH, snippet.code.length);
        putBytes(at + CODE, snippet.code);
        putBytes(at + FX_IN, snippet.fx);
        putBytes(at + YMM_HIGH_IN, snippet.ymmHigh);
        putBytes(at + PAGES, snippet.pages);
    }

    void get(int slot, Outcome outcome) {
        long at = SLOTS + (long) slot * SLOT_BYTES;
        long out = at + OUT;
        Registers registers = outcome.registers;
        MemorySegment.copy(file, LONG, out, registers.gpr, 0, 16);
        registers.rflags = file.get(LONG, out + RFLAGS);
        registers.fsBase = file.get(LONG, out + FS_BASE);
        registers.gsBase = file.get(LONG, out + GS_BASE);
        for (int i = 0; i < 6; i++) {
            registers.selector[i] = file.get(SHORT, out + SELECTORS + 2L * i) & 0xffff;
        }
        outcome.ending = switch (file.get(INT, out + END)) {
            case 1 -> Outcome.Ending.EXCEPTION;
            case 2 -> Outcome.Ending.TIMEOUT;
            case 3 -> Outcome.Ending.SYSTEM_CALL;
            default -> throw new IllegalStateException("slot " + slot + " was not run");
        };
        outcome.rip = file.get(LONG, out + RIP);
        outcome.vector = file.get(INT, out + VECTOR);
        outcome.errorCode = file.get(INT, out + ERROR_CODE);
        outcome.cr2 = file.get(LONG, out + CR2);
        MemorySegment.copy(file, ValueLayout.JAVA_BYTE, at + FX_OUT, outcome.fx, 0, Snippet.FX_BYTES);
        MemorySegment.copy(file, ValueLayout.JAVA_BYTE, at + YMM_HIGH_OUT, outcome.ymmHigh, 0, Snippet.YMM_HIGH_BYTES);
        MemorySegment.copy(file, ValueLayout.JAVA_BYTE, at + PAGES, outcome.pages, 0, AddressMap.WRITABLE_BYTES);
    }
}
