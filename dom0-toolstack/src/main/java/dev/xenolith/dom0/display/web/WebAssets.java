package dev.xenolith.dom0.display.web;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The files that browsers are given: our own, and those of noVNC and xterm.js, which the build puts beside them if it can. */
final class WebAssets {
    static final String PAGE = "index.html";

    /** No name begins with a dot, and no directory has one: there is no way out. */
    private static final Pattern NAME = Pattern
            .compile("([A-Za-z0-9_-]+/){0,6}[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+)*\\.(html|css|js|mjs)");
    private static final Map<String, String> TYPES = Map.of("html", "text/html; charset=utf-8", "css",
            "text/css; charset=utf-8", "js", "text/javascript; charset=utf-8", "mjs",
            "text/javascript; charset=utf-8");
    /** By what must be there of them. */
    private static final Map<String, String> OTHERS = Map.of("novnc/core/rfb.js", "noVNC (@novnc/novnc)",
            "xterm/xterm.mjs", "xterm.js (@xterm/xterm)", "xterm/addon-fit.mjs", "xterm.js's fit (@xterm/addon-fit)");

    private WebAssets() {}

    /** The file of a name; null if there is none. */
    static byte @Nullable [] find(String name) throws IOException {
        if (!NAME.matcher(name).matches()) {
            return null;
        }
        try (InputStream in = WebAssets.class.getResourceAsStream("assets/" + name)) {
            return in == null ? null : in.readAllBytes();
        }
    }

    /** The media type of a name that has been found. */
    static String type(String name) {
        return TYPES.getOrDefault(name.substring(name.lastIndexOf('.') + 1), "application/octet-stream");
    }

    /** What this build lacks, by name. */
    static List<String> missing() {
        List<String> missing = new ArrayList<>();
        OTHERS.forEach((file, name) -> {
            if (WebAssets.class.getResource("assets/" + file) == null) {
                missing.add(name);
            }
        });
        missing.sort(null);
        return missing;
    }
}
