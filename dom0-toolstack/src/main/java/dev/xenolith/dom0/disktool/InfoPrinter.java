package dev.xenolith.dom0.disktool;

import dev.xenolith.dom0.disk.DiskInfo;
import java.io.PrintStream;
import java.io.StringWriter;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/** What {@code xenolith disk info} says of an image and of those below it. */
final class InfoPrinter {
    private InfoPrinter() {
    }

    static void print(DiskInfo image, PrintStream out) {
        for (DiskInfo info = image; info != null; info = info.backing()) {
            if (info != image) {
                out.println();
            }
            line(out, "image", info.file());
            line(out, "format", info.format().key());
            line(out, "size", DiskSize.text(info.size()) + " (" + info.size() + " bytes)");
            line(out, "file", DiskSize.text(info.fileBytes()) + ", " + DiskSize.text(info.allocatedBytes())
                    + " of it stored");
            info.details().forEach((name, value) -> line(out, name, text(value)));
            if (info.backingName() != null) {
                line(out, "based on", info.backingName());
            }
        }
    }

    private static String text(Object value) {
        return value instanceof Boolean is ? is ? "yes" : "no" : value.toString();
    }

    private static void line(PrintStream out, String name, Object value) {
        out.println(name + ": " + value);
    }

    /** Prints the same as one object of JSON. */
    static void printJson(DiskInfo image, PrintStream out) {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = new JsonFactory().createGenerator(ObjectWriteContext.empty(), text)) {
            write(json, image);
        }
        out.println(text);
    }

    private static void write(JsonGenerator json, DiskInfo info) {
        json.writeStartObject();
        json.writeStringProperty("image", info.file().toString());
        json.writeStringProperty("format", info.format().key());
        json.writeNumberProperty("size", info.size());
        json.writeNumberProperty("file_bytes", info.fileBytes());
        json.writeNumberProperty("stored_bytes", info.allocatedBytes());
        for (Map.Entry<String, Object> detail : info.details().entrySet()) {
            json.writeName(detail.getKey().replace(' ', '_'));
            switch (detail.getValue()) {
                case Long number -> json.writeNumber(number);
                case Boolean is -> json.writeBoolean(is);
                default -> json.writeString(detail.getValue().toString());
            }
        }
        @Nullable
        DiskInfo backing = info.backing();
        if (backing != null) {
            json.writeStringProperty("backing_name", String.valueOf(info.backingName()));
            json.writeName("backing");
            write(json, backing);
        }
        json.writeEndObject();
    }
}
