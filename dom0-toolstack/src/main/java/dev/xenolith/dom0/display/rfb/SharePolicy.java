package dev.xenolith.dom0.display.rfb;

import java.util.Arrays;
import java.util.Optional;

/** What becomes of the others when a viewer says that it wants to be alone. */
public enum SharePolicy {
    /** They have to go. */
    ALLOW_EXCLUSIVE("allow-exclusive"),
    /** It has to go itself. */
    FORCE_SHARED("force-shared"),
    /** Nothing: nobody is asked. */
    IGNORE("ignore");

    private final String text;

    SharePolicy(String text) {
        this.text = text;
    }

    /** The one that is called so on the command line. */
    public static Optional<SharePolicy> named(String text) {
        return Arrays.stream(values()).filter(policy -> policy.text.equals(text)).findAny();
    }

    @Override
    public String toString() {
        return text;
    }
}
