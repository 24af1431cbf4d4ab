package dev.xenolith.cpu.emit;

import java.lang.classfile.ClassFile;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.util.ArrayList;
import java.util.List;

/** Writes the classes of operations, see {@code interpret.Op}, and of several in a row, see {@code interpret.Fused}. */
final class OperationEmitter {
    private static final ClassDesc FUSED = ClassDesc.of("dev.xenolith.cpu.interpret.Fused");
    private static final ClassDesc DECODED = ClassDesc.of("dev.xenolith.cpu.decode.DecodedInstruction");
    private static final MethodTypeDesc SINGLE_CONSTRUCTOR = MethodTypeDesc.of(ConstantDescs.CD_void, DECODED);
    private static final MethodTypeDesc FUSED_CONSTRUCTOR = MethodTypeDesc.of(ConstantDescs.CD_void,
            DECODED.arrayType(),
            ConstantDescs.CD_int);
    private static final int CLASS = ClassFile.ACC_PUBLIC | ClassFile.ACC_FINAL | ClassFile.ACC_SUPER;

    private final SemanticMethods methods;

    OperationEmitter(SemanticMethods methods) {
        this.methods = methods;
    }

    /** Class file of {@code operation}, with simple name {@code name}. */
    byte[] single(String name, Operation operation) {
        ClassDesc type = ClassDesc.of(OperationName.PACKAGE, name);
        OperandFields fields = new OperandFields(type, "", operation);
        return ClassFile.of().build(type, builder -> {
            builder.withFlags(CLASS).withSuperclass(ProgramEmitter.OP);
            builder.withMethodBody("exec", ProgramEmitter.EXEC, ClassFile.ACC_PUBLIC,
                    code -> program(code, operation, fields, true));
            fields.declare(builder);
            builder.withMethodBody(ConstantDescs.INIT_NAME, SINGLE_CONSTRUCTOR, ClassFile.ACC_PUBLIC, code -> {
                code.aload(0).invokespecial(ProgramEmitter.OP, ConstantDescs.INIT_NAME, ConstantDescs.MTD_void);
                fields.initialize(code, () -> code.aload(1));
                code.return_();
            });
        });
    }

    /** Class file, with simple name {@code name}, of what executes {@code parts} one after the other. */
    byte[] fused(String name, List<Operation> parts) {
        ClassDesc type = ClassDesc.of(OperationName.PACKAGE, name);
        List<OperandFields> fields = new ArrayList<>();
        for (int i = 0; i < parts.size(); i++) {
            fields.add(new OperandFields(type, "part" + i + "_", parts.get(i)));
        }
        return ClassFile.of().build(type, builder -> {
            builder.withFlags(CLASS).withSuperclass(FUSED);
            builder.withMethodBody("exec", ProgramEmitter.EXEC, ClassFile.ACC_PUBLIC,
                    code -> parts(code, parts, fields));
            fields.forEach(part -> part.declare(builder));
            builder.withMethodBody(ConstantDescs.INIT_NAME, FUSED_CONSTRUCTOR, ClassFile.ACC_PUBLIC, code -> {
                code.aload(0).loadConstant(parts.size()).invokespecial(FUSED, ConstantDescs.INIT_NAME,
                        MethodTypeDesc.of(ConstantDescs.CD_void, ConstantDescs.CD_int));
                for (int i = 0; i < parts.size(); i++) {
                    int part = i;
                    fields.get(i).initialize(code, () -> code.aload(1).iload(2).loadConstant(part).iadd().aaload());
                }
                code.return_();
            });
        });
    }

    private void parts(CodeBuilder code, List<Operation> parts, List<OperandFields> fields) {
        for (int i = 0; i < parts.size(); i++) {
            if (i > 0 && parts.get(i - 1).effects().writesMemory()) {
                Label fresh = code.newLabel();
                code.aload(0).getfield(FUSED, "stale", ConstantDescs.CD_boolean).ifeq(fresh);
                setPart(code, i);
                code.aload(1).invokevirtual(ProgramEmitter.PROCESSOR, "restartPrecisely",
                        MethodTypeDesc.of(ProgramEmitter.FAULT));
                code.athrow().labelBinding(fresh);
            }
            if (parts.get(i).effects().raises()) {
                setPart(code, i);
            }
            program(code, parts.get(i), fields.get(i), i == parts.size() - 1);
        }
    }

    private static void setPart(CodeBuilder code, int i) {
        code.aload(1).loadConstant(i).putfield(ProgramEmitter.PROCESSOR, "fusedPart", ConstantDescs.CD_int);
    }

    private void program(CodeBuilder code, Operation operation, OperandFields fields, boolean last) {
        try {
            new ProgramEmitter(new OperationAccess(code, fields, last), methods, operation.row(),
                    Program.parse(operation.row().semantic().program()), operation.bits(),
                    operation.forms(), operation.legacy(), ProgramEmitter.FIRST_LOCAL).emit();
        } catch (IllegalArgumentException e) {
            throw new IllegalStateException(
                    operation.row() + ", semantic " + operation.row().semantic().name() + ": " + e.getMessage(), e);
        }
    }
}
