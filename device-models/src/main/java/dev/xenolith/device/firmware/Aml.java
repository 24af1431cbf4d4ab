package dev.xenolith.device.firmware;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;

/**
 * Writes ACPI machine language (ACPI 6.4, chapter 20), as much of it as a DSDT needs. Each method appends one term; what a term
 * encloses is given as an action on a writer.
 */
final class Aml {
    private static final int ZERO_OP = 0x00;
    private static final int ONE_OP = 0x01;
    private static final int NAME_OP = 0x08;
    private static final int BYTE_PREFIX = 0x0a;
    private static final int WORD_PREFIX = 0x0b;
    private static final int DWORD_PREFIX = 0x0c;
    private static final int STRING_PREFIX = 0x0d;
    private static final int SCOPE_OP = 0x10;
    private static final int BUFFER_OP = 0x11;
    private static final int PACKAGE_OP = 0x12;
    private static final int METHOD_OP = 0x14;
    private static final int DUAL_NAME_PREFIX = 0x2e;
    private static final int MULTI_NAME_PREFIX = 0x2f;
    private static final int EXT_OP = 0x5b;
    private static final int OP_REGION_OP = 0x80;
    private static final int FIELD_OP = 0x81;
    private static final int DEVICE_OP = 0x82;
    private static final int ARG0_OP = 0x68;
    private static final int LOCAL0_OP = 0x60;
    private static final int STORE_OP = 0x70;
    private static final int SUBTRACT_OP = 0x74;
    private static final int SHIFT_LEFT_OP = 0x79;
    private static final int AND_OP = 0x7b;
    private static final int OR_OP = 0x7d;
    private static final int FIND_SET_RIGHT_BIT_OP = 0x82;
    private static final int CREATE_WORD_FIELD_OP = 0x8b;
    private static final int IF_OP = 0xa0;
    private static final int ELSE_OP = 0xa1;
    private static final int RETURN_OP = 0xa4;
    private static final int NAME_SEGMENT = 4;
    private static final int NULL_NAME = 0;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    byte[] bytes() {
        return out.toByteArray();
    }

    private static byte[] encode(Consumer<Aml> body) {
        Aml aml = new Aml();
        body.accept(aml);
        return aml.bytes();
    }

    private Aml bytes(int... values) {
        for (int value : values) {
            out.write(value);
        }
        return this;
    }

    /** PkgLength (20.2.4), which counts itself, and the body. */
    private Aml packed(byte[] body) {
        int length = body.length;
        if (length + 1 < 0x40) {
            out.write(length + 1);
        } else {
            int extra = length + 2 < 0x1000 ? 1 : length + 3 < 0x10_0000 ? 2 : 3;
            int total = length + 1 + extra;
            out.write(extra << 6 | total & 0xf);
            for (int i = 0; i < extra; i++) {
                out.write(total >>> 4 + 8 * i);
            }
        }
        out.writeBytes(body);
        return this;
    }

    // ---- names -------------------------------------------------------------------------------------------------------

    /** A NameString (20.2.2) from ASL's notation, such as {@code \_SB.PCI0}. */
    Aml path(String path) {
        String rest = path;
        while (rest.startsWith("\\") || rest.startsWith("^")) {
            out.write(rest.charAt(0));
            rest = rest.substring(1);
        }
        if (rest.isEmpty()) {
            return bytes(NULL_NAME);
        }
        String[] segments = rest.split("\\.");
        if (segments.length == 2) {
            out.write(DUAL_NAME_PREFIX);
        } else if (segments.length > 2) {
            bytes(MULTI_NAME_PREFIX, segments.length);
        }
        for (String segment : segments) {
            if (segment.isEmpty() || segment.length() > NAME_SEGMENT) {
                throw new IllegalArgumentException("AML name " + path);
            }
            out.writeBytes((segment + "____").substring(0, NAME_SEGMENT).getBytes(StandardCharsets.US_ASCII));
        }
        return this;
    }

    // ---- data --------------------------------------------------------------------------------------------------------

    /** An integer, 32 bits unsigned. */
    Aml integer(long value) {
        if (value == 0) {
            return bytes(ZERO_OP);
        }
        if (value == 1) {
            return bytes(ONE_OP);
        }
        if (value <= 0xff) {
            return bytes(BYTE_PREFIX, (int) value);
        }
        if (value <= 0xffff) {
            return bytes(WORD_PREFIX, (int) value, (int) value >>> 8);
        }
        if (value > 0xffff_ffffL || value < 0) {
            throw new IllegalArgumentException("AML integer " + value);
        }
        return bytes(DWORD_PREFIX, (int) value, (int) value >>> 8, (int) value >>> 16, (int) value >>> 24);
    }

    Aml string(String value) {
        bytes(STRING_PREFIX);
        out.writeBytes(value.getBytes(StandardCharsets.US_ASCII));
        return bytes(0);
    }

    /** A compressed EISA id (19.3.4), such as PNP0A03: three letters of five bits and four hexadecimal digits. */
    Aml eisaId(String id) {
        int letters = (id.charAt(0) - 0x40 & 0x1f) << 10 | (id.charAt(1) - 0x40 & 0x1f) << 5
                | id.charAt(2) - 0x40 & 0x1f;
        int digits = Integer.parseInt(id.substring(3), 16);
        return integer(Integer.reverseBytes(letters << 16 | digits) & 0xffff_ffffL);
    }

    Aml buffer(byte[] content) {
        bytes(BUFFER_OP);
        return packed(encode(body -> {
            body.integer(content.length);
            body.out.writeBytes(content);
        }));
    }

    /** A package of {@code count} elements. */
    Aml list(int count, Consumer<Aml> elements) {
        bytes(PACKAGE_OP);
        return packed(encode(body -> elements.accept(body.bytes(count))));
    }

    // ---- objects -----------------------------------------------------------------------------------------------------

    /** Name(path, value), the value being what is appended next. */
    Aml name(String path) {
        return bytes(NAME_OP).path(path);
    }

    Aml scope(String path, Consumer<Aml> content) {
        bytes(SCOPE_OP);
        return packed(encode(body -> content.accept(body.path(path))));
    }

    Aml device(String name, Consumer<Aml> content) {
        bytes(EXT_OP, DEVICE_OP);
        return packed(encode(body -> content.accept(body.path(name))));
    }

    /** A method of {@code arguments} arguments that is not serialized. */
    Aml method(String name, int arguments, Consumer<Aml> statements) {
        bytes(METHOD_OP);
        return packed(encode(body -> statements.accept(body.path(name).bytes(arguments))));
    }

    /** An operation region in a PCI function's configuration space, with byte-wide fields of a byte each. */
    Aml pciConfigBytes(String region, int offset, String... fields) {
        bytes(EXT_OP, OP_REGION_OP).path(region).bytes(2).integer(offset).integer(fields.length);
        bytes(EXT_OP, FIELD_OP);
        return packed(encode(body -> {
            // Byte access, no lock, preserve.
            body.path(region).bytes(1);
            for (String field : fields) {
                body.path(field).bytes(8);
            }
        }));
    }

    // ---- statements and expressions ----------------------------------------------------------------------------------

    Aml argument(int index) {
        return bytes(ARG0_OP + index);
    }

    Aml local(int index) {
        return bytes(LOCAL0_OP + index);
    }

    Aml store(Consumer<Aml> value, Consumer<Aml> target) {
        return operation(STORE_OP, value, target);
    }

    Aml returns(Consumer<Aml> value) {
        return operation(RETURN_OP, value);
    }

    Aml and(Consumer<Aml> a, Consumer<Aml> b) {
        return operation(AND_OP, a, b).bytes(NULL_NAME);
    }

    Aml or(Consumer<Aml> a, Consumer<Aml> b, Consumer<Aml> target) {
        return operation(OR_OP, a, b, target);
    }

    Aml subtract(Consumer<Aml> a, Consumer<Aml> b, Consumer<Aml> target) {
        return operation(SUBTRACT_OP, a, b, target);
    }

    Aml shiftLeft(Consumer<Aml> value, Consumer<Aml> count, Consumer<Aml> target) {
        return operation(SHIFT_LEFT_OP, value, count, target);
    }

    /** The number of the lowest bit set in {@code value}, counted from 1, into {@code target}. */
    Aml findSetRightBit(Consumer<Aml> value, Consumer<Aml> target) {
        return operation(FIND_SET_RIGHT_BIT_OP, value, target);
    }

    /** CreateWordField(buffer, byte index, name). */
    Aml createWordField(Consumer<Aml> buffer, int index, String name) {
        return operation(CREATE_WORD_FIELD_OP, buffer).integer(index).path(name);
    }

    @SafeVarargs
    private Aml operation(int op, Consumer<Aml>... operands) {
        bytes(op);
        for (Consumer<Aml> operand : operands) {
            operand.accept(this);
        }
        return this;
    }

    Aml when(Consumer<Aml> condition, Consumer<Aml> then, Consumer<Aml> otherwise) {
        bytes(IF_OP).packed(encode(body -> {
            condition.accept(body);
            then.accept(body);
        }));
        return bytes(ELSE_OP).packed(encode(otherwise));
    }
}
