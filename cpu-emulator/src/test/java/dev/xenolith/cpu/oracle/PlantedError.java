package dev.xenolith.cpu.oracle;

import dev.xenolith.cpu.ChangedClasses;
import java.lang.classfile.ClassTransform;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.CodeElement;
import java.lang.classfile.CodeTransform;
import java.lang.classfile.MethodTransform;
import java.lang.classfile.Opcode;
import java.lang.classfile.instruction.ReturnInstruction;
import org.jspecify.annotations.Nullable;

/** The emulated processor with an error: one bit of what one method returns is the wrong way round. */
final class PlantedError {
    private final ChangedClasses classes;
    private final int bit;
    private int returns;

    /**
     * An error in {@code method} of {@code className}, a simple name behind the package {@code dev.xenolith.cpu}.
     *
     * @param className null for a processor without an error
     * @param bit 0 to 63, or 0 alone for a method that returns a boolean
     */
    PlantedError(@Nullable String className, String method, int bit) {
        this.bit = bit;
        classes = new ChangedClasses(className, ClassTransform.transformingMethods(
                candidate -> candidate.methodName().equalsString(method),
                MethodTransform.transformingCode(CodeTransform.ACCEPT_ALL.andThen(this::flip))));
    }

    /** Runs the slice until the first difference, which it returns; empty if there is none. */
    String firstDifference(long instances) {
        return (String) classes.call("oracle.ErrorSearch", "firstDifference", instances);
    }

    /** How many places of the method were changed. */
    int returns() {
        return returns;
    }

    private void flip(CodeBuilder code, CodeElement element) {
        if (element instanceof ReturnInstruction instruction) {
            if (instruction.opcode() == Opcode.LRETURN) {
                code.loadConstant(1L << bit).lxor();
            } else {
                code.loadConstant(1 << bit).ixor();
            }
            returns++;
        }
        code.with(element);
    }
}
