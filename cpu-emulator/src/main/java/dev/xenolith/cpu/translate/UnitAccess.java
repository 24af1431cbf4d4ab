package dev.xenolith.cpu.translate;

import dev.xenolith.cpu.decode.DecodedInstruction;
import dev.xenolith.cpu.decode.OperandForm;
import dev.xenolith.cpu.emit.ProgramEmitter;
import dev.xenolith.cpu.emit.StateAccess;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;

/**
 * State as the code of a unit reaches it: registers and flags are locals, operands are constants. What cannot be done goes to the
 * instruction's exit, with the operand stack empty and nothing changed.
 */
final class UnitAccess implements StateAccess {
    private static final ClassDesc LONG = ClassDesc.ofDescriptor("J");
    private static final ClassDesc INT = ClassDesc.ofDescriptor("I");
    private static final ClassDesc BOOLEAN = ClassDesc.ofDescriptor("Z");
    private static final ClassDesc FLAGS = ClassDesc.of("dev.xenolith.cpu.execute.Flags");
    private static final ClassDesc VOID = ClassDesc.ofDescriptor("V");
    private static final ClassDesc PROCESSOR = UnitEmitter.PROCESSOR;
    private static final ClassDesc GUEST_MEMORY = ClassDesc.of("dev.xenolith.cpu.translate.GuestMemory");
    private static final ClassDesc HOST_MEMORY = ClassDesc.of("dev.xenolith.cpu.memory.HostMemory");
    private static final MethodTypeDesc FIND = MethodTypeDesc.of(LONG, PROCESSOR, LONG, LONG, LONG, INT);

    private final CodeBuilder code;
    private final DecodedInstruction decoded;
    private final int next;
    private final UnitEmitter.Exit exit;
    private final PendingFlags pending;
    private final Locals locals;
    /** The present instruction has loaded its destination: where that is on the host is known. */
    private boolean hostKnown;
    /** The present instruction has set {@link Locals#TAKEN}, or {@link Locals#VALUE}. */
    private boolean conditional;
    private boolean indirect;
    /** The present instruction branches by this condition, which has not been looked at; -1 if not. */
    private int condition = -1;

    /** Of {@code instruction}; {@code exit} leaves the unit before it. */
    UnitAccess(CodeBuilder code, Instruction instruction, UnitEmitter.Exit exit, PendingFlags pending,
            Locals locals) {
        this.pending = pending;
        this.locals = locals;
        this.code = code;
        this.exit = exit;
        decoded = instruction.decoded();
        next = instruction.next();
    }

    @Override
    public CodeBuilder code() {
        return code;
    }

    @Override
    public void begin() {}

    @Override
    public void end() {}

    // ---- the instruction ---------------------------------------------------------------------------------------------

    @Override
    public void constant(Constant which) {
        switch (which) {
            case IMMEDIATE -> code.loadConstant(decoded.immediate);
            case DISPLACEMENT -> code.loadConstant(decoded.displacement);
            case LENGTH -> code.loadConstant(decoded.length);
            case SEGMENT -> code.loadConstant(decoded.segment);
            case REPEAT -> code.loadConstant(decoded.repeat);
            case SCALE -> code.loadConstant(decoded.scale);
            case ADDRESS_BITS -> code.loadConstant(decoded.addressBits);
        }
    }

    @Override
    public void registerNumber(int operand) {
        code.loadConstant(decoded.register(operand));
    }

    @Override
    public void next() {
        code.lload(Locals.PAGE).loadConstant((long) next).ladd();
    }

    // ---- registers ---------------------------------------------------------------------------------------------------

    @Override
    public void readOperand(int operand, int bits) {
        readRegister(decoded.register(operand), bits);
    }

    @Override
    public void writeOperand(int operand, int bits) {
        writeRegister(decoded.register(operand), bits);
    }

    @Override
    public void readRegister(int number, int bits) {
        code.lload(locals.register(number & 15));
        if (bits == 8 && (number & AH) != 0) {
            code.loadConstant(8).lshr();
        }
        ProgramEmitter.signExtend(code, bits);
    }

    @Override
    public void writeRegister(int number, int bits) {
        int local = locals.register(number & 15);
        switch (bits) {
            case 64 -> {
            }
            case 32 -> ProgramEmitter.zeroExtend(code, 32);
            default -> {
                ProgramEmitter.zeroExtend(code, bits);
                int shift = bits == 8 && (number & AH) != 0 ? 8 : 0;
                if (shift != 0) {
                    code.loadConstant(shift).lshl();
                }
                code.lload(local).loadConstant(~((1L << bits) - 1 << shift)).land().lor();
            }
        }
        code.lstore(local);
    }

    @Override
    public void readFlagResult() {
        code.lload(Locals.FLAG_RESULT);
    }

    @Override
    public void readFlagCarries() {
        code.lload(Locals.FLAG_CARRIES);
    }

    @Override
    public void writeFlagResult() {
        code.lstore(Locals.FLAG_RESULT);
    }

    @Override
    public void writeFlagCarries() {
        code.lstore(Locals.FLAG_CARRIES);
    }

    // ---- memory ------------------------------------------------------------------------------------------------------

    @Override
    public void address(OperandForm form) {
        offset(form);
        segment();
    }

    private void segment() {
        if (decoded.segment != DecodedInstruction.FLAT) {
            code.lload(Locals.segmentBase(decoded.segment)).ladd();
        }
    }

    @Override
    public void displacedAddress() {
        sum();
        code.ladd();
        wrap();
        segment();
    }

    @Override
    public void checkedAddress(int bytes, boolean write) {
        throw new IllegalStateException("segments of 64-bit code are not checked");
    }

    @Override
    public void offset(OperandForm form) {
        sum();
        wrap();
    }

    /** Pushes base, index and displacement, added up. */
    private void sum() {
        boolean empty = true;
        if (decoded.base != DecodedInstruction.ZERO) {
            code.lload(decoded.base == DecodedInstruction.PAGE ? Locals.PAGE : locals.register(decoded.base));
            empty = false;
        }
        if (decoded.index != DecodedInstruction.ZERO) {
            code.lload(locals.register(decoded.index));
            if (decoded.scale != 0) {
                code.loadConstant(decoded.scale).lshl();
            }
            if (!empty) {
                code.ladd();
            }
            empty = false;
        }
        if (empty || decoded.displacement != 0) {
            code.loadConstant(decoded.displacement);
            if (!empty) {
                code.ladd();
            }
        }
    }

    private void wrap() {
        if (decoded.addressBits < 64) {
            ProgramEmitter.zeroExtend(code, decoded.addressBits);
        }
    }

    @Override
    public void beginAccess() {}

    @Override
    public void load(int bits) {
        find("readable", Locals.READ_TABLE, bits);
        fetch(bits);
    }

    @Override
    public void loadForWrite(int bits) {
        find("writable", Locals.WRITE_TABLE, bits);
        fetch(bits);
        hostKnown = true;
    }

    /** Pops a linear address and sets {@link Locals#HOST} to where it is. */
    private void find(String method, int table, int bits) {
        code.lstore(Locals.ADDRESS);
        code.aload(1).lload(table).lload(Locals.CONTEXT).lload(Locals.ADDRESS).loadConstant(bits / 8 - 1);
        code.invokestatic(GUEST_MEMORY, method, FIND).lstore(Locals.HOST);
        code.lload(Locals.HOST).lconst_0().lcmp().ifeq(exit.use());
    }

    private void fetch(int bits) {
        code.lload(Locals.HOST);
        if (bits == 64) {
            code.invokestatic(HOST_MEMORY, "get64", MethodTypeDesc.of(LONG, LONG));
        } else {
            code.invokestatic(HOST_MEMORY, "get" + bits, MethodTypeDesc.of(INT, LONG)).i2l();
            if (bits == 32) {
                ProgramEmitter.zeroExtend(code, 32);
            }
        }
    }

    @Override
    public void store(int bits) {
        code.lstore(Locals.VALUE);
        if (hostKnown) {
            code.pop2();
        } else {
            find("writable", Locals.WRITE_TABLE, bits);
        }
        code.lload(Locals.HOST).lload(Locals.VALUE);
        if (bits == 64) {
            code.invokestatic(HOST_MEMORY, "put64", MethodTypeDesc.of(VOID, LONG, LONG));
        } else {
            code.l2i().invokestatic(HOST_MEMORY, "put" + bits, MethodTypeDesc.of(VOID, LONG, INT));
        }
    }

    // ---- control -----------------------------------------------------------------------------------------------------

    @Override
    public void jump(Runnable target) {
        if (decoded.operands() > 0 && decoded.form(0) == OperandForm.RELATIVE) {
            return;
        }
        target.run();
        code.lstore(Locals.VALUE);
        indirect = true;
    }

    @Override
    public void branch(Runnable condition, Runnable target) {
        conditional = true;
        if (decoded.row.condition() >= 0) {
            this.condition = decoded.row.condition();
        } else {
            condition.run();
            code.istore(Locals.TAKEN);
        }
    }

    @Override
    public void raise(int vector) {
        code.goto_(exit.use());
    }

    /** Goes to {@code not} unless the instruction branches. */
    void jumpUnlessTaken(Label not) {
        if (condition >= 0) {
            jumpUnless(condition, not);
        } else {
            code.iload(Locals.TAKEN).ifeq(not);
        }
    }

    private void jumpUnless(int number, Label not) {
        if (pending.tells(number)) {
            pending.jumpUnless(code, number, not);
        } else {
            readFlagResult();
            readFlagCarries();
            code.invokestatic(FLAGS, ProgramEmitter.condition(number), MethodTypeDesc.of(BOOLEAN, LONG, LONG))
                    .ifeq(not);
        }
    }

    @Override
    public void condition(int number) {
        Label not = code.newLabel();
        Label end = code.newLabel();
        jumpUnless(number, not);
        code.iconst_1().goto_(end).labelBinding(not).iconst_0().labelBinding(end);
    }

    /** Whether the instruction may go on at the next. */
    boolean isConditional() { return conditional; }

    /** Whether the instruction has left in {@link Locals#VALUE} where it branches to. */
    boolean isIndirect() {
        return indirect;
    }
}
