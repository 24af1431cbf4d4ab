package dev.xenolith.cpu.decode;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The rows and semantics of {@code opcodes.txt}, whose head describes the format. Immutable. */
public final class OpcodeTable {
    /** Suffixes of conditional mnemonics, by the low four opcode bits (SDM 2, appendix B.1.4.7). */
    private static final List<String> CONDITIONS = List.of("O", "NO", "B", "AE", "E", "NE", "BE", "A", "S", "NS", "P",
            "NP", "L",
            "GE", "LE", "G");

    private final List<OpcodeRow> rows;
    private final Map<String, Semantic> semantics;
    private final OpcodeRow invalid;
    private final OpcodeRow overlong;

    private OpcodeTable(BufferedReader reader) throws IOException {
        List<OpcodeRow> rows = new ArrayList<>();
        Map<String, Semantic> semantics = new LinkedHashMap<>();
        String line;
        for (int number = 1; (line = reader.readLine()) != null; number++) {
            if (line.isBlank() || line.startsWith("#")) {
                continue;
            }
            try {
                if (line.startsWith("semantic ")) {
                    Semantic semantic = Semantic.parse(columns(line.substring("semantic ".length()), 6));
                    if (semantics.put(semantic.name(), semantic) != null) {
                        throw new IllegalArgumentException("defined twice: " + semantic.name());
                    }
                } else {
                    addRow(rows, semantics, columns(line, 9));
                }
            } catch (RuntimeException e) {
                throw new IllegalStateException("opcodes.txt:" + number + ": " + e.getMessage(), e);
            }
        }
        this.rows = List.copyOf(rows);
        this.semantics = Collections.unmodifiableMap(semantics);
        invalid = special("(bad)", "ud");
        overlong = special("(overlong)", "overlong");
    }

    /** The table of this build, read once. */
    public static OpcodeTable load() {
        return Holder.TABLE;
    }

    private static final class Holder {
        static final OpcodeTable TABLE = read();
    }

    private static OpcodeTable read() {
        try (InputStream in = OpcodeTable.class.getResourceAsStream("opcodes.txt")) {
            if (in == null) {
                throw new IllegalStateException("opcodes.txt is missing from the build");
            }
            return new OpcodeTable(new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** All rows in the order of precedence, those of conditional instructions once per condition. */
    public List<OpcodeRow> rows() {
        return rows;
    }

    /** All semantics by name. */
    public Map<String, Semantic> semantics() {
        return semantics;
    }

    /** The row of bytes that are no instruction: raises #UD. Not in {@link #rows}. */
    public OpcodeRow invalid() {
        return invalid;
    }

    /** The row of an instruction over 15 bytes: raises #GP(0). Not in {@link #rows}. */
    public OpcodeRow overlong() {
        return overlong;
    }

    private OpcodeRow special(String mnemonic, String semantic) {
        return new OpcodeRow(rows.size() + (semantic.equals("ud") ? 0 : 1), "", Encoding.parse("0F 0B"), mnemonic,
                List.of(),
                OperandSize.NONE, 0, OpcodeRow.Modes.ALL, false, OpcodeRow.Repeat.NONE, "", "", "",
                semantic(semantics, semantic),
                -1);
    }

    private static Semantic semantic(Map<String, Semantic> semantics, String name) {
        Semantic semantic = semantics.get(name);
        if (semantic == null) {
            throw new IllegalArgumentException("unknown semantic " + name);
        }
        return semantic;
    }

    private static String[] columns(String line, int count) {
        String[] columns = line.split("\\|", -1);
        if (columns.length != count) {
            throw new IllegalArgumentException(columns.length + " columns instead of " + count);
        }
        for (int i = 0; i < count; i++) {
            columns[i] = columns[i].strip();
        }
        return columns;
    }

    private static void addRow(List<OpcodeRow> rows, Map<String, Semantic> semantics, String[] columns) {
        Encoding encoding = Encoding.parse(columns[0]);
        String[] instruction = columns[1].split(" ", 2);
        List<OperandSpec> operands = new ArrayList<>();
        if (instruction.length == 2) {
            for (String operand : instruction[1].split(", *")) {
                operands.add(OperandSpec.parse(operand));
            }
        }
        String[] size = columns[2].split("=");
        int required = size.length == 1 ? 0 : OperandSize.parse(size[1]).bits(64, false, false);
        OpcodeRow.Repeat repeat = switch (columns[4]) {
            case "rep" -> OpcodeRow.Repeat.REP;
            case "repz" -> OpcodeRow.Repeat.WHILE_EQUAL;
            case "-", "lock" -> OpcodeRow.Repeat.NONE;
            default -> throw new IllegalArgumentException("unknown prefixes " + columns[4]);
        };
        int variants = encoding.opcodeCondition() ? CONDITIONS.size() : 1;
        for (int condition = 0; condition < variants; condition++) {
            boolean conditional = encoding.opcodeCondition();
            rows.add(new OpcodeRow(rows.size(), columns[0], conditional ? encoding.withCondition(condition) : encoding,
                    conditional ? instruction[0].replace("cc", CONDITIONS.get(condition)) : instruction[0],
                    List.copyOf(operands),
                    OperandSize.parse(size[0]), required, OpcodeRow.Modes.parse(columns[3]), columns[4].equals("lock"),
                    repeat,
                    text(columns[5]), text(columns[6]), text(columns[7]), semantic(semantics, columns[8]),
                    conditional ? condition : -1));
        }
    }

    private static String text(String column) {
        return column.equals("-") ? "" : column;
    }
}
