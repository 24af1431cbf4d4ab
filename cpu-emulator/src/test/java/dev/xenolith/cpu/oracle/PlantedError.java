package dev.xenolith.cpu.oracle;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.ClassTransform;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.CodeElement;
import java.lang.classfile.CodeTransform;
import java.lang.classfile.MethodTransform;
import java.lang.classfile.Opcode;
import java.lang.classfile.instruction.ReturnInstruction;
import org.jspecify.annotations.Nullable;

/**
 * The emulated processor, all of its classes loaded anew, with an error: one bit of what one method returns is the wrong way round.
 * Nothing in the processor knows of it; the method's code is changed as it is loaded.
 */
final class PlantedError extends ClassLoader {
    private static final String PACKAGE = "dev.xenolith.cpu.";

    private final @Nullable String className;
    private final String method;
    private final int bit;
    private int returns;

    /**
     * An error in {@code method} of {@code className}, a simple name behind the package {@code dev.xenolith.cpu}.
     *
     * @param className null for a processor without an error
     * @param bit 0 to 63, or 0 alone for a method that returns a boolean
     */
    PlantedError(@Nullable String className, String method, int bit) {
        super(PlantedError.class.getClassLoader());
        this.className = className == null ? null : PACKAGE + className;
        this.method = method;
        this.bit = bit;
    }

    /** Runs the slice until the first difference, which it returns; empty if there is none. */
    String firstDifference(long instances) {
        try {
            Class<?> search = loadClass(PACKAGE + "oracle.ErrorSearch");
            return (String) search.getMethod("firstDifference", long.class).invoke(null, instances);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    /** How many places of the method were changed. */
    int returns() {
        return returns;
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
        if (!name.startsWith(PACKAGE)) {
            return super.loadClass(name, resolve);
        }
        synchronized (getClassLoadingLock(name)) {
            Class<?> loaded = findLoadedClass(name);
            return loaded != null ? loaded : findClass(name);
        }
    }

    @Override
    protected Class<?> findClass(String name) throws ClassNotFoundException {
        try (InputStream stream = getParent().getResourceAsStream(name.replace('.', '/') + ".class")) {
            if (stream == null) {
                throw new ClassNotFoundException(name);
            }
            byte[] bytes = stream.readAllBytes();
            byte[] changed = name.equals(className) ? plant(bytes) : bytes;
            return defineClass(name, changed, 0, changed.length);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private byte[] plant(byte[] bytes) {
        ClassFile classFile = ClassFile.of();
        ClassModel model = classFile.parse(bytes);
        return classFile.transformClass(model, ClassTransform.transformingMethods(
                candidate -> candidate.methodName().equalsString(method),
                MethodTransform.transformingCode(CodeTransform.ACCEPT_ALL.andThen(this::flip))));
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
