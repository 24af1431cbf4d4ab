package dev.xenolith.cpu.translate;

import dev.xenolith.cpu.ChangedClasses;
import java.lang.classfile.ClassTransform;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.CodeElement;
import java.lang.classfile.CodeTransform;
import java.lang.classfile.MethodModel;
import java.lang.classfile.MethodTransform;
import java.lang.classfile.Opcode;
import java.lang.classfile.TypeKind;
import java.lang.classfile.instruction.FieldInstruction;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.lang.reflect.AccessFlag;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * An error that a translator may have, to be planted into ours as its classes are loaded.
 *
 * @param name what is wrong
 * @param className the class, behind the package {@code dev.xenolith.cpu}
 * @param change what makes it wrong
 * @param places how many places have been changed
 */
record PlantedMistake(String name, String className, ClassTransform change, AtomicInteger places) {
    private static final String PACKAGE = "dev.xenolith.cpu.";

    /** What differs first by this error; empty if nothing does in {@code programs} programs. */
    String firstDifference(long programs) {
        return (String) new ChangedClasses(className, change).call("translate.ProgramSearch", "firstDifference",
                programs);
    }

    /** None. */
    static PlantedMistake none() {
        return new PlantedMistake("nothing", "None", ClassTransform.ACCEPT_ALL, new AtomicInteger());
    }

    /** {@code method} returns at once. */
    static PlantedMistake skipped(String name, String className, String method) {
        return method(name, className, method, (code, model) -> code.return_());
    }

    /** {@code method} always returns {@code value}. */
    static PlantedMistake returning(String name, String className, String method, int value) {
        return method(name, className, method, (code, model) -> code.loadConstant(value).ireturn());
    }

    /** {@code method} is that of {@code mistakes}. */
    static PlantedMistake replaced(String name, String className, String method, String mistakes) {
        return method(name, className, method, (code, model) -> {
            List<ClassDesc> parameters = new ArrayList<>(model.methodTypeSymbol().parameterList());
            if (!model.flags().has(AccessFlag.STATIC)) {
                parameters.addFirst(ClassDesc.of(PACKAGE + className));
            }
            int slot = 0;
            for (ClassDesc parameter : parameters) {
                TypeKind kind = TypeKind.from(parameter);
                code.loadLocal(kind, slot);
                slot += kind.slotSize();
            }
            code.invokestatic(ClassDesc.of(PACKAGE + mistakes), method,
                    MethodTypeDesc.of(model.methodTypeSymbol().returnType(), parameters));
            code.return_(TypeKind.from(model.methodTypeSymbol().returnType()));
        });
    }

    /** What has the body of a method written. */
    private interface Body {
        void write(CodeBuilder code, MethodModel model);
    }

    private static PlantedMistake method(String name, String className, String method, Body body) {
        AtomicInteger places = new AtomicInteger();
        return new PlantedMistake(name, className, (builder, element) -> {
            if (element instanceof MethodModel model && model.methodName().equalsString(method)) {
                places.incrementAndGet();
                builder.withMethodBody(model.methodName().stringValue(), model.methodTypeSymbol(),
                        model.flags().flagsMask(),
                        code -> body.write(code, model));
            } else {
                builder.with(element);
            }
        }, places);
    }

    /** {@code method} takes field {@code field} for {@code value}. */
    static PlantedMistake constant(String name, String className, String method, String field, int value) {
        AtomicInteger places = new AtomicInteger();
        return code(name, className, model -> model.methodName().equalsString(method), places, (code, element) -> {
            if (element instanceof FieldInstruction access && access.opcode() == Opcode.GETFIELD
                    && access.name().equalsString(field)) {
                places.incrementAndGet();
                code.pop().loadConstant(value);
            } else {
                code.with(element);
            }
        });
    }

    /** {@code method} of the type {@code type} is given one more in local {@code slot} than it should be. */
    static PlantedMistake oneMore(String name, String className, String method, String type, int slot) {
        AtomicInteger places = new AtomicInteger();
        return beginning(name, className,
                model -> model.methodName().equalsString(method) && model.methodType().equalsString(type), places,
                code -> code.iinc(slot, 1));
    }

    /** {@link EmitterMistakes#changeEarly} is called first wherever a unit looks for memory. */
    static PlantedMistake changedEarly(String name) {
        ClassDesc access = ClassDesc.of(PACKAGE + "translate.UnitAccess");
        ClassDesc builder = ClassDesc.of("java.lang.classfile.CodeBuilder");
        ClassDesc decoded = ClassDesc.of(PACKAGE + "decode.DecodedInstruction");
        ClassDesc locals = ClassDesc.of(PACKAGE + "translate.Locals");
        return beginning(name, "translate.UnitAccess", model -> model.methodName().equalsString("find"),
                new AtomicInteger(),
                code -> code.aload(0).getfield(access, "code", builder).aload(0).getfield(access, "decoded", decoded)
                        .aload(0).getfield(access, "locals", locals)
                        .invokestatic(ClassDesc.of(PACKAGE + "translate.EmitterMistakes"), "changeEarly",
                                MethodTypeDesc.of(ClassDesc.ofDescriptor("V"), builder, decoded, locals)));
    }

    private static PlantedMistake beginning(String name, String className, Predicate<MethodModel> where,
            AtomicInteger places,
            Consumer<CodeBuilder> first) {
        return new PlantedMistake(name, className,
                ClassTransform.transformingMethods(where, MethodTransform.transformingCode(CodeTransform.ofStateful(
                        () -> new CodeTransform() {
                            @Override
                            public void atStart(CodeBuilder code) {
                                places.incrementAndGet();
                                first.accept(code);
                            }

                            @Override
                            public void accept(CodeBuilder code, CodeElement element) {
                                code.with(element);
                            }
                        }))),
                places);
    }

    private static PlantedMistake code(String name, String className, Predicate<MethodModel> where,
            AtomicInteger places,
            CodeTransform change) {
        return new PlantedMistake(name, className,
                ClassTransform.transformingMethods(where, MethodTransform.transformingCode(change)), places);
    }
}
