package dev.xenolith.dom0.xenstore;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * Rules for node names (docs/misc/xenstore.txt): absolute, of {@code [A-Za-z0-9-/_@]}, no doubled or trailing slash. Strings
 * hold one byte per character (ISO 8859-1), as they came over the wire.
 */
final class StorePath {
    /** XENSTORE_REL_PATH_MAX: bytes of a path, not counting a {@code /local/domain/<domid>/} that it starts with. */
    static final int MAX_RELATIVE = 2048;

    private static final String DOMAIN_PREFIX = "/local/domain/";
    private static final int MAX_DOMID_DIGITS = 5;

    private StorePath() {
    }

    /** The directory that relative paths of a domain start from. */
    static String home(int domid) {
        return DOMAIN_PREFIX + Integer.toUnsignedString(domid);
    }

    /** Makes a path absolute: special names (@...) and absolute paths stay, others are below {@code home}. */
    static String canonical(String home, String path) {
        return isAbsolute(path) || isSpecial(path) ? path : home + "/" + path;
    }

    static boolean isAbsolute(String path) {
        return !path.isEmpty() && path.charAt(0) == '/';
    }

    static boolean isSpecial(String path) {
        return !path.isEmpty() && path.charAt(0) == '@';
    }

    static boolean isValid(String path, int maxLength) {
        int length = path.length();
        if (!isAbsolute(path) || length > domainPrefixLength(path) + maxLength) {
            return false;
        }
        if (length > 1 && path.charAt(length - 1) == '/') {
            return false;
        }
        for (int i = 0; i < length; i++) {
            char c = path.charAt(i);
            boolean slash = c == '/';
            if (slash && i > 0 && path.charAt(i - 1) == '/') {
                return false;
            }
            if (!slash && !isNameCharacter(c)) {
                return false;
            }
        }
        return true;
    }

    private static boolean isNameCharacter(char c) {
        return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '@';
    }

    /** Length of {@code /local/domain/<domid>/} at the start of the path, or 0. */
    private static int domainPrefixLength(String path) {
        if (!path.startsWith(DOMAIN_PREFIX)) {
            return 0;
        }
        int start = DOMAIN_PREFIX.length();
        int end = start;
        while (end < path.length() && end < start + MAX_DOMID_DIGITS && Character.digit(path.charAt(end), 10) >= 0) {
            end++;
        }
        return end > start && end < path.length() && path.charAt(end) == '/' ? end + 1 : 0;
    }

    /** The parent of a valid path; of "/" it is "/". */
    static String parent(String path) {
        int slash = path.lastIndexOf('/');
        return slash <= 0 ? "/" : path.substring(0, slash);
    }

    /** The last component of a valid path. */
    static String name(String path) {
        return path.substring(path.lastIndexOf('/') + 1);
    }

    /** How many slashes a path has. */
    static int depth(String path) {
        int depth = 0;
        for (int i = 0; i < path.length(); i++) {
            depth += path.charAt(i) == '/' ? 1 : 0;
        }
        return depth;
    }

    static String child(String path, String name) {
        return path.equals("/") ? "/" + name : path + "/" + name;
    }

    /** The components of a valid path; none of "/". */
    static List<String> components(String path) {
        if (path.equals("/")) {
            return Collections.emptyList();
        }
        List<String> components = new ArrayList<>();
        int start = 1;
        for (int slash; (slash = path.indexOf('/', start)) >= 0; start = slash + 1) {
            components.add(path.substring(start, slash));
        }
        components.add(path.substring(start));
        return components;
    }
}
