package dev.xenolith.cpu.emit;

import dev.xenolith.cpu.decode.OperandForm;
import java.lang.classfile.CodeBuilder;

/**
 * How the code of an instruction reaches its operands, the registers, the flags and memory: {@link OperationAccess} as fields of an
 * operation and of the processor, the translator as locals and constants. Values are longs on the operand stack of the JVM, those of
 * registers and memory sign-extended or zero-extended as said.
 */
public interface StateAccess {
    /** Number of 8-bit register AH in {@link #readRegister} and {@link #writeRegister}. */
    int AH = 16;

    /** A constant of the decoded instruction. */
    enum Constant {
        IMMEDIATE, DISPLACEMENT, LENGTH, SEGMENT, REPEAT, SCALE, ADDRESS_BITS
    }

    /** Before the program; {@link ProgramEmitter#LOCAL_REGISTERS} is free for it. */
    void begin();

    /** After the program. */
    void end();

    // ---- the instruction ---------------------------------------------------------------------------------------------

    /** Pushes a constant: IMMEDIATE and DISPLACEMENT as longs, the others as ints. */
    void constant(Constant which);

    /** Pushes, as an int, the number of the register that operand {@code operand} is. */
    void registerNumber(int operand);

    /** Pushes the linear address of the next instruction; only in 64-bit mode. */
    void next();

    // ---- registers ---------------------------------------------------------------------------------------------------

    /** Pushes the general register that is operand {@code operand}, of {@code bits}, sign-extended. */
    void readOperand(int operand, int bits);

    /** Pops a value into that register: 8 and 16 bits merge, 32 are zero-extended. */
    void writeOperand(int operand, int bits);

    /** Pushes general register {@code number}, of {@code bits}, sign-extended. */
    void readRegister(int number, int bits);

    /** Pops a value into general register {@code number}. */
    void writeRegister(int number, int bits);

    /** Pushes the first word of the lazy flags. */
    void readFlagResult();

    void readFlagCarries();

    void writeFlagResult();

    void writeFlagCarries();

    /** Pushes, as a boolean, whether condition {@code number}, 0..15, holds. */
    void condition(int number);

    // ---- memory ------------------------------------------------------------------------------------------------------

    /** Pushes the linear address of the memory operand, which has {@code form}, in a segment without checks. */
    void address(OperandForm form);

    /** Pops a distance and pushes the linear address that far from the memory operand. */
    void displacedAddress();

    /**
     * Pops a distance and pushes the linear address that far from the memory operand, in a segment that is checked for an access to
     * {@code bytes} bytes there; only outside 64-bit mode.
     */
    void checkedAddress(int bytes, boolean write);

    /** Pushes the offset of the memory operand in its segment. */
    void offset(OperandForm form);

    /** Before the address for {@link #load} and its kin is pushed. */
    void beginAccess();

    /** Pops an address and pushes the {@code bits} there, zero-extended. */
    void load(int bits);

    /** The same where a store follows: checked for it. */
    void loadForWrite(int bits);

    /** Pops an address and a value above it, and stores {@code bits}. */
    void store(int bits);

    // ---- control -----------------------------------------------------------------------------------------------------

    /** After the program, execution goes on at the linear address that {@code target} pushes. */
    void jump(Runnable target);

    /** The same if the boolean that {@code condition} pushes is true. */
    void branch(Runnable condition, Runnable target);

    /** Raises exception {@code vector} with error code 0; the instruction has changed nothing. */
    void raise(int vector);

    /** Where code goes. */
    CodeBuilder code();
}
