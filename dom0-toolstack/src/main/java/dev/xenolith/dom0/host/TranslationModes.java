package dev.xenolith.dom0.host;

import dev.xenolith.cpu.translate.Translation;
import dev.xenolith.dom0.xl.ToolstackException;

/** The words of {@code --translate}. */
final class TranslationModes {
    /** What the option's description says of them. */
    static final String DESCRIPTION = "off: code is interpreted; on: what is hot is translated; always: whatever is executed, at once, which is slow and for tests; lockstep: what is translated is executed by the interpreter too, and compared, which takes many times as long";

    private TranslationModes() {
    }

    /** What a word stands for; throws with {@link ToolstackException#USAGE} if it is none of them. */
    static Translation named(String word) {
        return switch (word) {
            case "off" -> Translation.OFF;
            case "on" -> Translation.ON;
            case "always" -> Translation.ALWAYS;
            case "lockstep" -> Translation.LOCKSTEP;
            default -> throw new ToolstackException(ToolstackException.USAGE,
                    "--translate: expected off, on, always or lockstep, found '" + word + "'");
        };
    }
}
