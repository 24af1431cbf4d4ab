package dev.xenolith.dom0.config;

/** A configuration that cannot be used. The message is one line that begins with the place. */
public final class XlConfigException extends Exception {
    private static final long serialVersionUID = 1L;

    /** Makes an error about syntax: {@code source:line:column: problem}. */
    static XlConfigException syntax(XlPosition position, String problem) {
        return new XlConfigException(position + ": " + problem);
    }

    /** Makes an error about the value of a key: {@code source:line: key: problem}. */
    static XlConfigException key(XlSetting setting, String problem) {
        return new XlConfigException(setting.position().lineText() + ": " + setting.key() + ": " + problem);
    }

    /** Makes an error about the whole of a source. */
    XlConfigException(String message) {
        super(message);
    }
}
