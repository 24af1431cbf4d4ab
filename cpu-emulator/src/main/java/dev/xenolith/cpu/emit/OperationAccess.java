package dev.xenolith.cpu.emit;

import dev.xenolith.cpu.decode.OperandForm;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;

/** State as an operation of the interpreter reaches it: local 0 is the operation with its operands in fields, local 1 the processor. */
final class OperationAccess implements StateAccess {
    private static final ClassDesc OP = ProgramEmitter.OP;
    private static final ClassDesc PROCESSOR = ProgramEmitter.PROCESSOR;
    private static final ClassDesc LONG = ClassDesc.ofDescriptor("J");
    private static final ClassDesc INT = ClassDesc.ofDescriptor("I");
    private static final ClassDesc BOOLEAN = ClassDesc.ofDescriptor("Z");
    private static final ClassDesc VOID = ClassDesc.ofDescriptor("V");
    private static final ClassDesc LONGS = LONG.arrayType();
    private static final int GPR = ProgramEmitter.LOCAL_REGISTERS;
    private static final int SCRATCH = ProgramEmitter.FIRST_LOCAL + 16;

    private final CodeBuilder code;
    private final OperandFields fields;
    private final boolean last;

    /** For code whose operands are in {@code fields}; {@code last}: nothing follows it in its method. */
    OperationAccess(CodeBuilder code, OperandFields fields, boolean last) {
        this.code = code;
        this.fields = fields;
        this.last = last;
    }

    @Override
    public CodeBuilder code() {
        return code;
    }

    @Override
    public void begin() {
        code.aload(1).getfield(PROCESSOR, "gpr", LONGS).astore(GPR);
    }

    @Override
    public void end() {
        if (last) {
            code.return_();
        }
    }

    // ---- the instruction ---------------------------------------------------------------------------------------------

    @Override
    public void constant(Constant which) {
        switch (which) {
            case IMMEDIATE -> field("immediate");
            case DISPLACEMENT -> field("displacement");
            case LENGTH -> field("length");
            case SEGMENT -> field("segment");
            case REPEAT -> field("repeat");
            case SCALE -> field("scale");
            case ADDRESS_BITS -> {
                code.loadConstant(64);
                field("addressShift");
                code.isub();
            }
        }
    }

    private void field(String name) {
        fields.push(code, name);
    }

    @Override
    public void registerNumber(int operand) {
        fields.pushRegister(code, operand);
    }

    @Override
    public void next() {
        code.aload(1).getfield(PROCESSOR, "rip", LONG);
    }

    // ---- registers ---------------------------------------------------------------------------------------------------

    @Override
    public void readOperand(int operand, int bits) {
        code.aload(GPR);
        registerNumber(operand);
        read(bits);
    }

    @Override
    public void writeOperand(int operand, int bits) {
        code.lstore(SCRATCH).aload(GPR);
        registerNumber(operand);
        code.lload(SCRATCH);
        write(bits);
    }

    @Override
    public void readRegister(int number, int bits) {
        code.aload(GPR).loadConstant(number);
        read(bits);
    }

    @Override
    public void writeRegister(int number, int bits) {
        code.lstore(SCRATCH).aload(GPR).loadConstant(number).lload(SCRATCH);
        write(bits);
    }

    /** On the stack: registers, number. */
    private void read(int bits) {
        if (bits == 8) {
            code.invokestatic(OP, "readByte", MethodTypeDesc.of(LONG, LONGS, INT));
        } else {
            code.laload();
            ProgramEmitter.signExtend(code, bits);
        }
    }

    /** On the stack: registers, number, value. */
    private void write(int bits) {
        switch (bits) {
            case 8 -> code.invokestatic(OP, "writeByte", MethodTypeDesc.of(VOID, LONGS, INT, LONG));
            case 16 -> code.invokestatic(OP, "writeWord", MethodTypeDesc.of(VOID, LONGS, INT, LONG));
            case 32 -> {
                ProgramEmitter.zeroExtend(code, 32);
                code.lastore();
            }
            default -> code.lastore();
        }
    }

    @Override
    public void readFlagResult() {
        code.aload(1).getfield(PROCESSOR, "flagResult", LONG);
    }

    @Override
    public void readFlagCarries() {
        code.aload(1).getfield(PROCESSOR, "flagCarries", LONG);
    }

    @Override
    public void writeFlagResult() {
        writeField("flagResult");
    }

    @Override
    public void writeFlagCarries() {
        writeField("flagCarries");
    }

    @Override
    public void condition(int number) {
        readFlagResult();
        readFlagCarries();
        code.invokestatic(ClassDesc.of("dev.xenolith.cpu.execute.Flags"), ProgramEmitter.condition(number),
                MethodTypeDesc.of(ClassDesc.ofDescriptor("Z"), LONG, LONG));
    }

    private void writeField(String name) {
        code.lstore(SCRATCH).aload(1).lload(SCRATCH).putfield(PROCESSOR, name, LONG);
    }

    // ---- memory ------------------------------------------------------------------------------------------------------

    @Override
    public void address(OperandForm form) {
        offset(form);
        if (form != OperandForm.BASE) {
            code.aload(1).getfield(PROCESSOR, "segmentBase", LONGS);
            field("segment");
            code.laload().ladd();
        }
    }

    @Override
    public void displacedAddress() {
        code.lstore(SCRATCH);
        parts();
        code.lload(SCRATCH).ladd();
        field("addressShift");
        code.invokestatic(OP, "offset", MethodTypeDesc.of(LONG, LONGS, INT, INT, INT, LONG, INT));
        code.aload(1).getfield(PROCESSOR, "segmentBase", LONGS);
        field("segment");
        code.laload().ladd();
    }

    @Override
    public void offset(OperandForm form) {
        if (form == OperandForm.BASE) {
            code.aload(GPR);
            field("base");
            code.laload();
            field("displacement");
            code.ladd();
        } else {
            parts();
            field("addressShift");
            code.invokestatic(OP, "offset", MethodTypeDesc.of(LONG, LONGS, INT, INT, INT, LONG, INT));
        }
    }

    /** Pushes the registers and the parts of the memory operand's offset. */
    private void parts() {
        code.aload(GPR);
        field("base");
        field("index");
        field("scale");
        field("displacement");
    }

    @Override
    public void checkedAddress(int bytes, boolean write) {
        code.lstore(SCRATCH).aload(1);
        parts();
        code.lload(SCRATCH).ladd();
        field("addressShift");
        code.invokestatic(OP, "offset", MethodTypeDesc.of(LONG, LONGS, INT, INT, INT, LONG, INT));
        field("segment");
        code.loadConstant(bytes).loadConstant(write ? 1 : 0);
        code.invokestatic(OP, "checkedAddress", MethodTypeDesc.of(LONG, PROCESSOR, LONG, INT, INT, BOOLEAN));
    }

    @Override
    public void beginAccess() {
        code.aload(1);
    }

    @Override
    public void load(int bits) {
        code.invokevirtual(PROCESSOR, "load" + bits, MethodTypeDesc.of(LONG, LONG));
    }

    @Override
    public void loadForWrite(int bits) {
        code.invokevirtual(PROCESSOR, "loadForWrite" + bits, MethodTypeDesc.of(LONG, LONG));
    }

    @Override
    public void store(int bits) {
        code.invokevirtual(PROCESSOR, "store" + bits, MethodTypeDesc.of(VOID, LONG, LONG));
    }

    // ---- control -----------------------------------------------------------------------------------------------------

    @Override
    public void jump(Runnable target) {
        code.aload(1);
        target.run();
        code.putfield(PROCESSOR, "rip", LONG);
    }

    @Override
    public void branch(Runnable condition, Runnable target) {
        Label not = code.newLabel();
        condition.run();
        code.ifeq(not);
        jump(target);
        code.labelBinding(not);
    }

    @Override
    public void raise(int vector) {
        code.aload(1).loadConstant(vector).loadConstant(0).invokevirtual(PROCESSOR, "raise",
                MethodTypeDesc.of(ProgramEmitter.FAULT, INT, INT));
        code.athrow();
    }
}
