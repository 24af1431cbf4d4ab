package dev.xenolith.dom0.config;

import java.util.ArrayList;
import java.util.List;

/** A value of xl.cfg: like xl, we do not tell numbers from strings until somebody asks for one of them. */
public sealed interface XlValue {
    /** Returns where the value begins. */
    XlPosition position();

    /** Returns the value as it could be written in a file. */
    String toText();

    /**
     * A string or number.
     *
     * @param text without quotes, escapes resolved
     * @param number it was written without quotes
     * @param position where it begins
     */
    record Atom(String text, boolean number, XlPosition position) implements XlValue {
        @Override
        public String toText() {
            return number ? text : quote(text);
        }

        private static String quote(String text) {
            StringBuilder quoted = new StringBuilder(text.length() + 2).append('"');
            for (int i = 0; i < text.length(); i++) {
                char c = text.charAt(i);
                switch (c) {
                    case '"', '\\' -> quoted.append('\\').append(c);
                    case '\n' -> quoted.append("\\n");
                    case '\r' -> quoted.append("\\r");
                    case '\t' -> quoted.append("\\t");
                    default -> {
                        if (c < ' ' || c == 0x7f) {
                            quoted.append(String.format("\\x%02x", (int) c));
                        } else {
                            quoted.append(c);
                        }
                    }
                }
            }
            return quoted.append('"').toString();
        }
    }

    /**
     * A list.
     *
     * @param items atoms and lists
     * @param position of the opening bracket
     */
    record Items(List<XlValue> items, XlPosition position) implements XlValue {
        /** Copies the list. */
        public Items {
            items = List.copyOf(items);
        }

        @Override
        public String toText() {
            List<String> texts = new ArrayList<>();
            for (XlValue item : items) {
                texts.add(item.toText());
            }
            return "[ " + String.join(", ", texts) + " ]";
        }
    }
}
