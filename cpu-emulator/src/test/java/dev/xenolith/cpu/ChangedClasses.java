package dev.xenolith.cpu;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassTransform;
import java.lang.reflect.InvocationTargetException;
import org.jspecify.annotations.Nullable;

/**
 * The emulated processor, all of its classes loaded anew, with one of them changed as it is loaded: for errors planted on purpose, of which
 * nothing in the processor knows.
 */
public class ChangedClasses extends ClassLoader {
    private static final String PACKAGE = "dev.xenolith.cpu.";

    private final @Nullable String className;
    private final ClassTransform change;

    /**
     * Classes of which {@code className}, a name behind the package {@code dev.xenolith.cpu}, is changed by {@code change}.
     *
     * @param className null for a processor without a change
     */
    public ChangedClasses(@Nullable String className, ClassTransform change) {
        super(ChangedClasses.class.getClassLoader());
        this.className = className == null ? null : PACKAGE + className;
        this.change = change;
    }

    /** What the static method {@code method} of {@code type}, named as in the constructor, returns for {@code argument}. */
    public final Object call(String type, String method, long argument) {
        try {
            return loadClass(PACKAGE + type).getMethod(method, long.class).invoke(null, argument);
        } catch (InvocationTargetException e) {
            throw new IllegalStateException(e.getCause());
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    protected final Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
        if (!name.startsWith(PACKAGE)) {
            return super.loadClass(name, resolve);
        }
        synchronized (getClassLoadingLock(name)) {
            Class<?> loaded = findLoadedClass(name);
            return loaded != null ? loaded : findClass(name);
        }
    }

    @Override
    protected final Class<?> findClass(String name) throws ClassNotFoundException {
        try (InputStream stream = getParent().getResourceAsStream(name.replace('.', '/') + ".class")) {
            if (stream == null) {
                throw new ClassNotFoundException(name);
            }
            byte[] bytes = stream.readAllBytes();
            if (name.equals(className)) {
                ClassFile classFile = ClassFile.of();
                bytes = classFile.transformClass(classFile.parse(bytes), change);
            }
            return defineClass(name, bytes, 0, bytes.length);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
