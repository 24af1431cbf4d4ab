package dev.xenolith.dom0.image;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Loadable modules of a kernel, each with those that it needs, which its ".modinfo" names (linux/include/linux/module.h). */
final class KernelModules {
    /** In ".modinfo" each string begins after the NUL of the one before it. */
    private static final byte[] DEPENDS = "\0depends=".getBytes(StandardCharsets.US_ASCII);
    private static final String SUFFIX = ".ko";

    private final Map<String, byte[]> modules = new LinkedHashMap<>();

    /** Adds a module under the name of its file; those that are compressed are none that we can use. */
    void add(String path, byte[] content) {
        String file = path.substring(path.lastIndexOf('/') + 1);
        if (file.endsWith(SUFFIX)) {
            modules.put(canonical(file.substring(0, file.length() - SUFFIX.length())), content);
        }
    }

    /** The kernel does not tell '-' from '_' in names of modules. */
    private static String canonical(String name) {
        return name.replace('-', '_');
    }

    /** {@code wanted}, as far as they are there and not built into the kernel, and what they need, in an order in which they can be loaded. */
    Map<String, byte[]> closure(List<String> wanted) throws IOException {
        Map<String, byte[]> loaded = new LinkedHashMap<>();
        for (String name : wanted) {
            load(canonical(name), loaded, new ArrayList<>());
        }
        return loaded;
    }

    private void load(String name, Map<String, byte[]> loaded, List<String> under) throws IOException {
        byte[] content = modules.get(name);
        if (content == null || loaded.containsKey(name)) {
            return;
        }
        if (under.contains(name)) {
            throw new IOException("module " + name + " needs itself");
        }
        under.add(name);
        for (String needed : needs(content)) {
            load(canonical(needed), loaded, under);
        }
        loaded.put(name, content);
    }

    private static List<String> needs(byte[] module) {
        for (int i = 0; i <= module.length - DEPENDS.length; i++) {
            if (module[i] == 0 && matches(module, i)) {
                int start = i + DEPENDS.length;
                int end = start;
                while (end < module.length && module[end] != 0) {
                    end++;
                }
                String names = new String(module, start, end - start, StandardCharsets.US_ASCII);
                return names.isEmpty() ? List.of() : List.of(names.split(","));
            }
        }
        return List.of();
    }

    private static boolean matches(byte[] module, int at) {
        for (int i = 0; i < DEPENDS.length; i++) {
            if (module[at + i] != DEPENDS[i]) {
                return false;
            }
        }
        return true;
    }
}
