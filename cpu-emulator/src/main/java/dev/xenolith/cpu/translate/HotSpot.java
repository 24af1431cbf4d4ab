package dev.xenolith.cpu.translate;

import java.lang.classfile.ClassFile;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Executable;
import java.lang.reflect.Method;
import jdk.internal.misc.Unsafe;
import org.jspecify.annotations.Nullable;

/**
 * Has HotSpot compile a method by the compiler that is asked for, at once, instead of when it has counted enough executions, twice by C1
 * before C2. The JVM offers that to its own tests only: through a class of a certain name of the boot loader whose native methods it
 * provides if {@code -XX:+WhiteBoxAPI} is set. Without it {@link #open} has nothing to give, and methods are compiled as HotSpot sees fit.
 */
final class HotSpot {
    /** Compiled by C1, without counters. */
    static final int C1 = 1;
    /** Compiled by C2. */
    static final int C2 = 4;

    private static final String NAME = "jdk.test.whitebox.WhiteBox";
    private static final int ENTRY = -1;

    private final MethodHandle enqueue;
    private final MethodHandle level;

    private HotSpot(MethodHandle enqueue, MethodHandle level) {
        this.enqueue = enqueue;
        this.level = level;
    }

    /** The JVM's door; null if it has none. */
    static @Nullable HotSpot open() {
        try {
            Class<?> type = find();
            Object instance = type.getConstructor().newInstance();
            MethodHandles.Lookup lookup = MethodHandles.publicLookup();
            HotSpot door = new HotSpot(
                    lookup.findVirtual(type, "enqueueMethodForCompilation0",
                            MethodType.methodType(boolean.class, Executable.class, int.class, int.class))
                            .bindTo(instance),
                    lookup.findVirtual(type, "getMethodCompilationLevel0",
                            MethodType.methodType(int.class, Executable.class, boolean.class)).bindTo(instance));
            door.level(HotSpot.class.getDeclaredMethod("open"));
            return door;
        } catch (ReflectiveOperationException | LinkageError e) {
            return null;
        }
    }

    private static synchronized Class<?> find() throws ClassNotFoundException {
        try {
            return Class.forName(NAME, true, null);
        } catch (ClassNotFoundException e) {
            byte[] bytes = write();
            Unsafe.getUnsafe().defineClass(NAME.replace('.', '/'), bytes, 0, bytes.length, null, null);
            return Class.forName(NAME, true, null);
        }
    }

    private static byte[] write() {
        ClassDesc type = ClassDesc.of(NAME);
        ClassDesc executable = ClassDesc.of("java.lang.reflect.Executable");
        int open = ClassFile.ACC_PUBLIC | ClassFile.ACC_NATIVE;
        return ClassFile.of().build(type, builder -> builder.withFlags(ClassFile.ACC_PUBLIC | ClassFile.ACC_SUPER)
                .withMethodBody(ConstantDescs.INIT_NAME, ConstantDescs.MTD_void, ClassFile.ACC_PUBLIC,
                        code -> code.aload(0)
                                .invokespecial(ConstantDescs.CD_Object, ConstantDescs.INIT_NAME, ConstantDescs.MTD_void)
                                .return_())
                .withMethodBody(ConstantDescs.CLASS_INIT_NAME, ConstantDescs.MTD_void, ClassFile.ACC_STATIC,
                        code -> code.invokestatic(type, "registerNatives", ConstantDescs.MTD_void).return_())
                .withMethod("registerNatives", ConstantDescs.MTD_void,
                        ClassFile.ACC_PRIVATE | ClassFile.ACC_STATIC | ClassFile.ACC_NATIVE, method -> {})
                .withMethod("enqueueMethodForCompilation0", MethodTypeDesc.of(ConstantDescs.CD_boolean, executable,
                        ConstantDescs.CD_int, ConstantDescs.CD_int), open, method -> {})
                .withMethod("getMethodCompilationLevel0",
                        MethodTypeDesc.of(ConstantDescs.CD_int, executable, ConstantDescs.CD_boolean), open,
                        method -> {}));
    }

    /** Asks for {@code method} to be compiled, in the background, by {@link #C1} or {@link #C2}; false if that compiler cannot. */
    boolean compile(Method method, int compiler) {
        try {
            return (boolean) enqueue.invokeExact((Executable) method, compiler, ENTRY);
        } catch (Throwable e) {
            throw new IllegalStateException("compilation of " + method, e);
        }
    }

    /** What {@code method} is executed by: 0 as bytecode, 1 to 3 by code of C1, 4 of C2. */
    int level(Method method) {
        try {
            return (int) level.invokeExact((Executable) method, false);
        } catch (Throwable e) {
            if (e instanceof LinkageError missing) {
                throw missing;
            }
            throw new IllegalStateException("level of " + method, e);
        }
    }
}
