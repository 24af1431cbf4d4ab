package dev.xenolith.cpu.emit;

import java.lang.classfile.ClassFile;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.util.List;

/** Writes the classes that execute several operations in a row: see {@code interpret.Fused}. */
final class FusedEmitter {
    private static final ClassDesc FUSED = ClassDesc.of("dev.xenolith.cpu.interpret.Fused");
    private static final MethodTypeDesc CONSTRUCTOR = MethodTypeDesc.of(ConstantDescs.CD_void,
            ProgramEmitter.OP.arrayType(), ConstantDescs.CD_int);

    private FusedEmitter() {}

    /** Class file of {@code sequence}, whose operations have {@code effects}. */
    static byte[] emit(List<String> sequence, List<Effects> effects) {
        ClassDesc type = ClassDesc.of(OperationName.PACKAGE, FrequentSequences.className(sequence));
        return ClassFile.of().build(type, builder -> {
            builder.withFlags(ClassFile.ACC_PUBLIC | ClassFile.ACC_FINAL | ClassFile.ACC_SUPER).withSuperclass(FUSED);
            for (int i = 0; i < sequence.size(); i++) {
                builder.withField(part(i), operation(sequence, i), ClassFile.ACC_PRIVATE | ClassFile.ACC_FINAL);
            }
            builder.withMethodBody(ConstantDescs.INIT_NAME, CONSTRUCTOR, ClassFile.ACC_PUBLIC,
                    code -> constructor(code, type, sequence));
            builder.withMethodBody("exec", ProgramEmitter.EXEC, ClassFile.ACC_PUBLIC,
                    code -> exec(code, type, sequence, effects));
        });
    }

    /** Takes its parts from an array of operations, from an index on. */
    private static void constructor(CodeBuilder code, ClassDesc type, List<String> sequence) {
        code.aload(0).loadConstant(sequence.size()).invokespecial(FUSED, ConstantDescs.INIT_NAME,
                MethodTypeDesc.of(ConstantDescs.CD_void, ConstantDescs.CD_int));
        for (int i = 0; i < sequence.size(); i++) {
            code.aload(0).aload(1).iload(2).loadConstant(i).iadd().aaload();
            code.checkcast(operation(sequence, i)).putfield(type, part(i), operation(sequence, i));
        }
        code.return_();
    }

    private static void exec(CodeBuilder code, ClassDesc type, List<String> sequence, List<Effects> effects) {
        for (int i = 0; i < sequence.size(); i++) {
            if (i > 0 && effects.get(i - 1).writesMemory()) {
                Label fresh = code.newLabel();
                code.aload(0).getfield(FUSED, "stale", ConstantDescs.CD_boolean).ifeq(fresh);
                setPart(code, i);
                code.aload(1).invokevirtual(ProgramEmitter.PROCESSOR, "restartPrecisely",
                        MethodTypeDesc.of(ProgramEmitter.FAULT));
                code.athrow().labelBinding(fresh);
            }
            if (effects.get(i).raises()) {
                setPart(code, i);
            }
            code.aload(0).getfield(type, part(i), operation(sequence, i)).aload(1);
            code.invokevirtual(operation(sequence, i), "exec", ProgramEmitter.EXEC);
        }
        code.return_();
    }

    private static void setPart(CodeBuilder code, int i) {
        code.aload(1).loadConstant(i).putfield(ProgramEmitter.PROCESSOR, "fusedPart", ConstantDescs.CD_int);
    }

    private static String part(int i) {
        return "part" + i;
    }

    private static ClassDesc operation(List<String> sequence, int i) {
        return ClassDesc.of(OperationName.PACKAGE, sequence.get(i));
    }
}
