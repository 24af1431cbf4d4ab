package dev.xenolith.dom0.config;

/**
 * One key with what it is set to in the end.
 *
 * @param key lower-case letters, digits, dots and underscores
 * @param value the last assignment, with all later additions
 * @param added the last statement about it was {@code +=}
 * @param position of the key in that statement
 */
public record XlSetting(String key, XlValue value, boolean added, XlPosition position) {
}
