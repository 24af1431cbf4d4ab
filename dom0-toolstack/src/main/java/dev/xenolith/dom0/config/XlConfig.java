package dev.xenolith.dom0.config;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** A parsed configuration: keys with their final values, and typed access that names file, line and key when it fails. */
public final class XlConfig {
    private final String source;
    private final Map<String, XlSetting> settings;

    XlConfig(String source, Map<String, XlSetting> settings) {
        this.source = source;
        this.settings = Collections.unmodifiableMap(new LinkedHashMap<>(settings));
    }

    /** Returns what messages call the file. */
    public String source() {
        return source;
    }

    /** Returns all settings in the order of the last statement about each. */
    public Collection<XlSetting> settings() {
        return settings.values();
    }

    /** Returns one setting, or null. */
    public @Nullable XlSetting setting(String key) {
        return settings.get(key);
    }

    /** Returns a string; a number counts as the string of its digits. */
    public Optional<String> string(String key) throws XlConfigException {
        XlSetting setting = settings.get(key);
        return setting == null ? Optional.empty() : Optional.of(atom(setting, "a string").text());
    }

    /**
     * Returns a number, which may be written in quotes: decimal, hexadecimal after 0x, octal after 0, signed.
     *
     * @param least smallest legal value
     * @param most largest legal value
     */
    public OptionalLong number(String key, long least, long most) throws XlConfigException {
        XlSetting setting = settings.get(key);
        if (setting == null) {
            return OptionalLong.empty();
        }
        XlValue.Atom atom = atom(setting, "a number");
        if (setting.added()) {
            throw XlConfigException.key(setting, "expected a number set by '=', found '+=', which joins text");
        }
        long value;
        try {
            String digits = atom.text().strip();
            if (digits.contains("#")) {
                throw new NumberFormatException(digits);
            }
            value = Long.decode(digits);
        } catch (NumberFormatException e) {
            throw XlConfigException.key(setting, "expected a number, found " + atom.toText());
        }
        if (value < least || value > most) {
            throw XlConfigException.key(setting,
                    "expected a number from " + least + " to " + most + ", found " + value);
        }
        return OptionalLong.of(value);
    }

    /** Returns a truth value: a number, 0 for no and any other for yes. */
    public Optional<Boolean> bool(String key) throws XlConfigException {
        OptionalLong value = number(key, Long.MIN_VALUE, Long.MAX_VALUE);
        return value.isEmpty() ? Optional.empty() : Optional.of(value.getAsLong() != 0);
    }

    /** Returns a list of strings. */
    public Optional<List<String>> strings(String key) throws XlConfigException {
        XlSetting setting = settings.get(key);
        if (setting == null) {
            return Optional.empty();
        }
        if (!(setting.value() instanceof XlValue.Items list)) {
            throw XlConfigException.key(setting, "expected a list, found " + setting.value().toText());
        }
        List<String> strings = new ArrayList<>();
        for (XlValue item : list.items()) {
            if (!(item instanceof XlValue.Atom atom)) {
                throw XlConfigException.key(setting, "expected a list of strings, found a list in it at "
                        + item.position());
            }
            strings.add(atom.text());
        }
        return Optional.of(strings);
    }

    /** Returns the configuration as text that parses to the same settings. */
    public String toText() {
        StringBuilder text = new StringBuilder();
        for (XlSetting setting : settings.values()) {
            text.append(setting.key()).append(" = ").append(setting.value().toText()).append('\n');
        }
        return text.toString();
    }

    private static XlValue.Atom atom(XlSetting setting, String expected) throws XlConfigException {
        if (setting.value() instanceof XlValue.Atom atom) {
            return atom;
        }
        throw XlConfigException.key(setting, "expected " + expected + ", found a list");
    }
}
