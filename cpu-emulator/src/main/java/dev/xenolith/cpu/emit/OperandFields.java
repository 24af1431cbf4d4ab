package dev.xenolith.cpu.emit;

import dev.xenolith.cpu.decode.OperandForm;
import java.lang.classfile.ClassBuilder;
import java.lang.classfile.ClassFile;
import java.lang.classfile.CodeBuilder;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.util.Set;
import java.util.TreeSet;

/**
 * The fields in which a generated class keeps what its code needs of one decoded instruction, and nothing else: code that is executed
 * seldom is slow by the memory it takes. Found while the code is written; then the constructor fills them.
 */
final class OperandFields {
    private static final ClassDesc DECODED = ClassDesc.of("dev.xenolith.cpu.decode.DecodedInstruction");
    private static final ClassDesc LONG = ConstantDescs.CD_long;
    private static final ClassDesc INT = ConstantDescs.CD_int;
    private static final ClassDesc BYTE = ConstantDescs.CD_byte;
    private static final String REGISTER = "register";
    private static final MethodTypeDesc NARROW = MethodTypeDesc.of(INT, LONG);

    private final ClassDesc type;
    private final String prefix;
    private final boolean shortDisplacement;
    private final boolean shortImmediate;
    private final Set<String> names = new TreeSet<>();

    /** Fields of class {@code type} for {@code operation}; their names begin with {@code prefix}. */
    OperandFields(ClassDesc type, String prefix, Operation operation) {
        this.type = type;
        this.prefix = prefix;
        shortDisplacement = operation.forms().contains(OperandForm.BASE);
        shortImmediate = !operation.longImmediate();
    }

    /** Pushes field {@code name}: {@code displacement} and {@code immediate} as longs, the others as ints. */
    void push(CodeBuilder code, String name) {
        names.add(name);
        code.aload(0).getfield(type, prefix + name, type(name));
        if (type(name) == INT) {
            code.i2l();
        }
    }

    /** Pushes the number of the register that operand {@code operand}, from 0, is. */
    void pushRegister(CodeBuilder code, int operand) {
        push(code, REGISTER + operand);
    }

    private ClassDesc type(String name) {
        return switch (name) {
            case "displacement" -> shortDisplacement ? INT : LONG;
            case "immediate" -> shortImmediate ? INT : LONG;
            default -> BYTE;
        };
    }

    /** Declares the fields. */
    void declare(ClassBuilder builder) {
        for (String name : names) {
            builder.withField(prefix + name, type(name), ClassFile.ACC_PRIVATE | ClassFile.ACC_FINAL);
        }
    }

    /** In the constructor: sets the fields from the decoded instruction that {@code instruction} pushes. */
    void initialize(CodeBuilder code, Runnable instruction) {
        for (String name : names) {
            code.aload(0);
            if (name.equals("addressShift")) {
                code.loadConstant(64);
            }
            instruction.run();
            value(code, name);
            code.putfield(type, prefix + name, type(name));
        }
    }

    private void value(CodeBuilder code, String name) {
        if (name.startsWith(REGISTER)) {
            code.loadConstant(Integer.parseInt(name.substring(REGISTER.length())));
            code.invokevirtual(DECODED, REGISTER, MethodTypeDesc.of(INT, INT)).i2b();
        } else if (type(name) != BYTE) {
            code.getfield(DECODED, name, LONG);
            if (type(name) == INT) {
                code.invokestatic(ClassDesc.of("java.lang.Math"), "toIntExact", NARROW);
            }
        } else if (name.equals("addressShift")) {
            code.getfield(DECODED, "addressBits", INT).isub().i2b();
        } else {
            code.getfield(DECODED, name, INT).i2b();
        }
    }
}
