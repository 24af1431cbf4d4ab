package dev.xenolith.cpu.translate;

import dev.xenolith.cpu.decode.DecodedInstruction;
import dev.xenolith.cpu.decode.Decoder;
import dev.xenolith.cpu.decode.Disassembler;
import dev.xenolith.cpu.decode.Mode;
import dev.xenolith.cpu.decode.OpcodeTable;
import dev.xenolith.cpu.emit.ProgramEmitter;
import dev.xenolith.cpu.emit.SemanticMethods;
import dev.xenolith.cpu.interpret.UnitSource.Hot;
import dev.xenolith.cpu.interpret.UnitSource.Quality;
import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.cpu.translate.Region.BasicBlock;
import java.lang.classfile.ClassFile;
import java.lang.classfile.CodeElement;
import java.lang.classfile.CodeModel;
import java.lang.classfile.Instruction;
import java.lang.classfile.Label;
import java.lang.classfile.Opcode;
import java.lang.classfile.constantpool.ClassEntry;
import java.lang.classfile.instruction.BranchInstruction;
import java.lang.classfile.instruction.ConstantInstruction;
import java.lang.classfile.instruction.ExceptionCatch;
import java.lang.classfile.instruction.FieldInstruction;
import java.lang.classfile.instruction.IncrementInstruction;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.classfile.instruction.LabelTarget;
import java.lang.classfile.instruction.LoadInstruction;
import java.lang.classfile.instruction.LookupSwitchInstruction;
import java.lang.classfile.instruction.NewObjectInstruction;
import java.lang.classfile.instruction.StoreInstruction;
import java.lang.classfile.instruction.SwitchCase;
import java.lang.classfile.instruction.TableSwitchInstruction;
import java.lang.classfile.instruction.TypeCheckInstruction;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDesc;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Writes guest code, and the unit that the translator makes of it, for people to read. Nothing in the text depends on anything but the
 * guest code and the translator, so that texts can be compared.
 */
final class UnitListing {
    private static final int MODE = Mode.CODE_64 | Mode.FLAT;
    /** HLT, which no unit has: what fills the page, so that a unit ends where the guest code does. */
    private static final byte FILLER = (byte) 0xf4;
    /** What a program's locals, which take two each, are for. */
    private static final List<String> PROGRAM_LOCALS = List.of("op1", "op2", "op3", "op4", "address", "r", "t", "u",
            "scratch");
    private static final List<String> PARAMETERS = List.of("unit", "processor");
    /** From here on a number is easier to read in hexadecimal. */
    private static final int LARGE = 64;

    private final Locals locals;
    private final Map<Integer, String> names = names();
    private final int registers;
    private final Map<Label, String> labels = new HashMap<>();
    private final StringBuilder text = new StringBuilder();

    private UnitListing(int registers) {
        this.registers = registers;
        locals = new Locals(registers);
        for (int i = 0; i < 16; i++) {
            if ((registers >> i & 1) != 0) {
                names.put(locals.register(i), Disassembler.register(i, 64));
            }
        }
    }

    /** Names of the locals that have constants in {@link Locals}. */
    private static Map<Integer, String> names() {
        Map<Integer, String> names = new TreeMap<>();
        for (int i = 0; i < PARAMETERS.size(); i++) {
            names.put(i, PARAMETERS.get(i));
        }
        for (Field field : Locals.class.getDeclaredFields()) {
            String constant = field.getName();
            boolean isLocal = Modifier.isStatic(field.getModifiers()) && field.getType() == int.class
                    && !constant.startsWith("FIRST_") && !constant.endsWith("PROGRAMS");
            if (isLocal) {
                names.merge(value(field), camelCase(constant), (one, other) -> one + "/" + other);
            }
        }
        return names;
    }

    private static int value(Field field) {
        try {
            field.setAccessible(true);
            return field.getInt(null);
        } catch (IllegalAccessException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String camelCase(String constant) {
        String[] words = constant.toLowerCase(Locale.ROOT).split("_", -1);
        return words[0] + Arrays.stream(words).skip(1)
                .map(word -> word.substring(0, 1).toUpperCase(Locale.ROOT) + word.substring(1))
                .collect(Collectors.joining());
    }

    // ---- guest code --------------------------------------------------------------------------------------------------

    /** The instructions {@code code}, which begin at the beginning of a page: offset, bytes, text. */
    static String guest(byte[] code) {
        Decoder decoder = decoder();
        StringBuilder text = new StringBuilder();
        for (int offset = 0; offset < code.length;) {
            DecodedInstruction decoded = decoder.decode(code, offset, code.length, offset, MODE);
            if (decoded == null) {
                throw new IllegalArgumentException("the instruction at %#x is not complete".formatted(offset));
            }
            String bytes = HexFormat.ofDelimiter(" ").formatHex(code, offset, offset + decoded.length);
            text.append("%4x  %-16s %s\n".formatted(offset, bytes, Disassembler.format(decoded, offset)));
            offset += decoded.length;
        }
        return text.toString();
    }

    private static Decoder decoder() {
        return new Decoder(OpcodeTable.load(), ProgramMachine.MODEL::has);
    }

    // ---- the unit ----------------------------------------------------------------------------------------------------

    /** The method of the unit for the block at {@code entry} of {@code code}, all of which has been executed often. */
    static String unit(byte[] code, int entry) {
        byte[] page = new byte[PhysicalMemory.FRAME_SIZE];
        Arrays.fill(page, FILLER);
        System.arraycopy(code, 0, page, 0, code.length);
        BitSet executed = new BitSet();
        executed.set(0, code.length);
        Hot hot = new Hot(0, page, entry, MODE, Quality.QUICK, executed, new BitSet(), () -> 0);
        Region region = new RegionBuilder(decoder()).build(hot, 50);
        if (region == null) {
            throw new IllegalArgumentException("no unit begins at %#x".formatted(entry));
        }
        UnitCode unit = UnitEmitter.emit(ClassDesc.of(UnitListing.class.getPackageName(), "Unit"), region,
                new SemanticMethods(UnitListing.class.getClassLoader()));
        UnitListing listing = new UnitListing(registers(region));
        listing.method(run(unit.bytes()));
        return "unit at %#x\n%s".formatted(entry, listing.text);
    }

    /** The general registers that have locals in the unit of {@code region}, as bits by number. */
    private static int registers(Region region) {
        int registers = 0;
        for (BasicBlock block : region.blocks) {
            for (dev.xenolith.cpu.translate.Instruction instruction : block.instructions) {
                registers |= instruction.reads();
            }
        }
        return registers;
    }

    private static CodeModel run(byte[] unit) {
        return ClassFile.of().parse(unit).methods().stream()
                .filter(method -> method.methodName().equalsString("run"))
                .findFirst().orElseThrow().code().orElseThrow();
    }

    private void method(CodeModel code) {
        for (CodeElement element : code) {
            if (element instanceof LabelTarget target) {
                labels.put(target.label(), "L" + labels.size());
            }
        }
        String label = "";
        for (CodeElement element : code) {
            switch (element) {
                case LabelTarget target -> label = label(target.label()) + ":";
                case ExceptionCatch handler -> line("", "catch %s %s..%s %s".formatted(
                        handler.catchType().map(UnitListing::name).orElse("any"), label(handler.tryStart()),
                        label(handler.tryEnd()), label(handler.handler())));
                case Instruction instruction -> {
                    line(label, text(instruction));
                    label = "";
                }
                default -> {
                    // Attributes say nothing that instructions do not.
                }
            }
        }
    }

    private void line(String label, String instruction) {
        text.append("%-5s %s\n".formatted(label, instruction));
    }

    private String text(Instruction instruction) {
        Opcode opcode = instruction.opcode();
        String mnemonic = opcode.name().toLowerCase(Locale.ROOT);
        return switch (instruction) {
            case LoadInstruction load -> withoutNumber(mnemonic) + " " + local(load.slot());
            case StoreInstruction store -> withoutNumber(mnemonic) + " " + local(store.slot());
            case IncrementInstruction increment -> "iinc " + local(increment.slot()) + " " + increment.constant();
            case BranchInstruction branch -> mnemonic + " " + label(branch.target());
            case FieldInstruction field -> mnemonic + " " + name(field.owner()) + "." + field.name().stringValue();
            case InvokeInstruction call -> mnemonic + " " + name(call.owner()) + "." + call.name().stringValue();
            case TypeCheckInstruction check -> mnemonic + " " + name(check.type());
            case NewObjectInstruction object -> mnemonic + " " + name(object.className());
            case ConstantInstruction constant when constant.sizeInBytes() > 1 ->
                mnemonic + " " + number(constant.constantValue());
            case TableSwitchInstruction table -> mnemonic + cases(table.cases(), table.defaultTarget());
            case LookupSwitchInstruction lookup -> mnemonic + cases(lookup.cases(), lookup.defaultTarget());
            default -> {
                // With an operand that is not written, different code would look the same.
                if (instruction.sizeInBytes() > 1) {
                    throw new IllegalStateException("there is no way to write " + instruction);
                }
                yield mnemonic;
            }
        };
    }

    /** {@code lload} for {@code lload_2}. */
    private static String withoutNumber(String mnemonic) {
        int end = mnemonic.indexOf('_');
        return end < 0 ? mnemonic : mnemonic.substring(0, end);
    }

    private String local(int number) {
        String name = names.get(number);
        if (name != null) {
            return name;
        }
        int place = number - locals.program(0);
        if (place < 0) {
            return Integer.toString(number);
        }
        int local = place % ProgramEmitter.LOCALS;
        String purpose = local % 2 == 0 && local / 2 < PROGRAM_LOCALS.size()
                ? PROGRAM_LOCALS.get(local / 2)
                : Integer.toString(local);
        return purpose + "." + place / ProgramEmitter.LOCALS;
    }

    private String label(Label label) {
        String name = labels.get(label);
        if (name == null) {
            throw new IllegalStateException("a label that is nowhere");
        }
        return name;
    }

    private String cases(List<SwitchCase> cases, Label defaultTarget) {
        return cases.stream().map(one -> " " + one.caseValue() + ":" + label(one.target()))
                .collect(Collectors.joining()) + " default:" + label(defaultTarget);
    }

    private static String name(ClassEntry type) {
        return type.asSymbol().displayName();
    }

    private static String number(@Nullable ConstantDesc constant) {
        return switch (constant) {
            case Integer value -> Integer.toString(value);
            case Long value when value > -LARGE && value < LARGE -> Long.toString(value);
            case Long value -> "0x" + Long.toHexString(value);
            case null, default -> String.valueOf(constant);
        };
    }
}
