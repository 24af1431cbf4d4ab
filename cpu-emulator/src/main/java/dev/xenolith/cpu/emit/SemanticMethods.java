package dev.xenolith.cpu.emit;

import dev.xenolith.cpu.execute.Doublewords;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.lang.invoke.MethodType;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Finds the static methods that semantics name: in package {@code execute} or {@code fpu}, or {@code processor} for what is not
 * arithmetic. */
public final class SemanticMethods {
    private static final List<String> PACKAGES = List.of("dev.xenolith.cpu.execute.", "dev.xenolith.cpu.processor.",
            "dev.xenolith.cpu.fpu.");

    /** Classes whose methods have the results of instructions. */
    private static final Set<String> WITH_DOUBLEWORDS = Set.of("Arithmetic", "Logic", "Shift", "Rotate", "Multiply");
    private static final Map<String, Method> DOUBLEWORDS = Stream.of(Doublewords.class.getDeclaredMethods())
            .collect(Collectors.toUnmodifiableMap(Method::getName, method -> method));

    private final ClassLoader loader;
    private final Map<String, Method> found = new HashMap<>();

    public SemanticMethods(ClassLoader loader) {
        this.loader = loader;
    }

    /** The public static method {@code method} of class {@code type}, which must be its only one of that name. */
    Method find(String type, String method) {
        return found.computeIfAbsent(type + '.' + method, name -> search(type, method));
    }

    /** The method that does in ints what {@code method} of {@code type} does to 32-bit operands; null if there is none. */
    @Nullable
    Method findDoubleword(String type, String method) {
        return WITH_DOUBLEWORDS.contains(type) ? DOUBLEWORDS.get(method) : null;
    }

    private Method search(String type, String name) {
        for (String prefix : PACKAGES) {
            Class<?> owner;
            try {
                owner = Class.forName(prefix + type, false, loader);
            } catch (ClassNotFoundException e) {
                continue;
            }
            List<Method> methods = List.of(owner.getDeclaredMethods()).stream()
                    .filter(m -> m.getName().equals(name) && Modifier.isStatic(m.getModifiers())
                            && Modifier.isPublic(m.getModifiers()))
                    .toList();
            if (methods.size() != 1) {
                throw new IllegalArgumentException(
                        type + "." + name + ": " + methods.size() + " public static methods instead of one");
            }
            return methods.getFirst();
        }
        throw new IllegalArgumentException("no class " + type + " in " + PACKAGES);
    }

    static ClassDesc owner(Method method) {
        return method.getDeclaringClass().describeConstable().orElseThrow();
    }

    static MethodTypeDesc descriptor(Method method) {
        return MethodTypeDesc.ofDescriptor(MethodType
                .methodType(method.getReturnType(), method.getParameterTypes()).toMethodDescriptorString());
    }
}
