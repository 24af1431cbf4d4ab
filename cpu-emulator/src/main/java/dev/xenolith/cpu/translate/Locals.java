package dev.xenolith.cpu.translate;

import dev.xenolith.cpu.emit.ProgramEmitter;
import dev.xenolith.cpu.processor.Processor;

/**
 * The locals of a unit's method: 0 the unit, 1 the processor, and these. There are as few as can be: what C1 takes for a method grows with
 * its blocks times its locals.
 */
final class Locals {
    /** Value of {@code retired} at which the run ends: the second parameter. */
    static final int END = 2;
    /** Number of the exit's link. */
    static final int EXIT = 4;
    /** Instructions left until the end, as of the beginning of the present block. */
    static final int LEFT = 5;
    /** Linear address of the page. */
    static final int PAGE = 7;
    /** RIP to leave with. */
    static final int RIP = 9;
    static final int FLAG_RESULT = 11;
    static final int FLAG_CARRIES = 13;
    /** What TLB tags of data are compared with besides the page. */
    static final int CONTEXT = 15;
    /** Linear address of the present access. */
    static final int ADDRESS = 17;
    /** Host address of the present access. */
    static final int HOST = 19;
    /** Value to be stored, target of the present branch, or description of the exit. */
    static final int VALUE = 21;
    /** Whether the present branch is taken. */
    static final int TAKEN = 23;
    /** {@code Processor.gpr}. */
    static final int GPR = 24;
    /** Address of the TLB's table for reading. */
    static final int READ_TABLE = 25;
    static final int WRITE_TABLE = 27;
    private static final int FS_BASE = 29;
    private static final int GS_BASE = 31;
    /** Which instructions' flags are pending from the block before, see {@link CarriedFlags}. */
    static final int CARRIED = 33;
    private static final int FIRST_REGISTER = 34;
    /** How many programs have locals of their own at a time. */
    static final int PROGRAMS = 3;
    /** How many programs' locals are kept from one block to the next. */
    static final int CARRIED_PROGRAMS = 2;

    private final int registers;

    /** Locals for a unit that uses {@code registers}, as bits by number. */
    Locals(int registers) {
        this.registers = registers;
    }

    /** First local of program {@code slot}, below {@link #PROGRAMS}. */
    int program(int slot) {
        return FIRST_REGISTER + 2 * Integer.bitCount(registers) + slot * ProgramEmitter.LOCALS;
    }

    /** First local of what is kept of the {@code slot}th program whose flags are carried. */
    int carriedProgram(int slot) {
        return program(PROGRAMS + slot);
    }

    /** Local of general register {@code number}, which the unit uses. */
    int register(int number) {
        return FIRST_REGISTER + 2 * Integer.bitCount(registers & (1 << number) - 1);
    }

    /** Local of the base of segment {@code segment}, FS or GS. */
    static int segmentBase(int segment) {
        return segment == Processor.FS ? FS_BASE : GS_BASE;
    }
}
