package dev.xenolith.cpu.emit;

import dev.xenolith.cpu.decode.OpcodeRow;
import dev.xenolith.cpu.decode.OperandForm;
import dev.xenolith.cpu.decode.OperandSpec;
import dev.xenolith.cpu.decode.Semantic;
import dev.xenolith.cpu.emit.Program.Aspect;
import dev.xenolith.cpu.emit.Program.Assign;
import dev.xenolith.cpu.emit.Program.Branch;
import dev.xenolith.cpu.emit.Program.Call;
import dev.xenolith.cpu.emit.Program.Check;
import dev.xenolith.cpu.emit.Program.Displace;
import dev.xenolith.cpu.emit.Program.Expression;
import dev.xenolith.cpu.emit.Program.Invoke;
import dev.xenolith.cpu.emit.Program.Load;
import dev.xenolith.cpu.emit.Program.Name;
import dev.xenolith.cpu.emit.Program.Number;
import dev.xenolith.cpu.emit.Program.Operand;
import dev.xenolith.cpu.emit.Program.Pop;
import dev.xenolith.cpu.emit.Program.Push;
import dev.xenolith.cpu.emit.Program.Raise;
import dev.xenolith.cpu.emit.Program.SetFlags;
import dev.xenolith.cpu.emit.Program.Statement;
import dev.xenolith.cpu.processor.FloatGate;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.lang.reflect.Method;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Writes the program of one row, for one operand size and choice of operand forms, as the body of {@code exec(Processor)} of an
 * operation: local 0 is the operation with the operands, local 1 the processor.
 */
final class ProgramEmitter {
    private static final List<String> CONDITIONS = List.of("o", "no", "b", "ae", "e", "ne", "be", "a", "s", "ns", "p",
            "np", "l",
            "ge", "le", "g");
    private static final List<String> REGISTERS = List.of("RAX", "RCX", "RDX", "RBX", "RSP", "RBP", "RSI", "RDI");
    /** Registers of operand size, by the register's number. */
    private static final Map<String, Integer> SIZED = Map.of("rAX", 0, "rCX", 1, "rDX", 2, "rBP", 5);
    private static final int RSP = 4;

    static final ClassDesc PROCESSOR = ClassDesc.of("dev.xenolith.cpu.processor.Processor");
    static final ClassDesc OP = ClassDesc.of("dev.xenolith.cpu.interpret.Op");
    private static final ClassDesc FLAGS = ClassDesc.of("dev.xenolith.cpu.execute.Flags");
    static final ClassDesc FAULT = ClassDesc.of("dev.xenolith.cpu.processor.GuestFault");
    private static final ClassDesc ENVIRONMENT = ClassDesc.of("dev.xenolith.cpu.fpu.FloatEnvironment");
    private static final ClassDesc LONG = ClassDesc.ofDescriptor("J");
    private static final ClassDesc INT = ClassDesc.ofDescriptor("I");
    private static final ClassDesc BYTE = ClassDesc.ofDescriptor("B");
    private static final ClassDesc BOOLEAN = ClassDesc.ofDescriptor("Z");
    private static final ClassDesc VOID = ClassDesc.ofDescriptor("V");
    private static final ClassDesc LONGS = LONG.arrayType();
    /** Type of {@code exec}. */
    static final MethodTypeDesc EXEC = MethodTypeDesc.of(VOID, PROCESSOR);

    private static final int GPR = 2;
    private static final int FIRST_OPERAND = 3;
    static final int ADDRESS = 11;
    private static final int R = 13;
    private static final int T = 15;
    private static final int U = 17;
    private static final int SCRATCH = 19;
    /** First local that is not used here. */
    static final int FIRST_FREE = 21;

    private final CodeBuilder code;
    private final SemanticMethods methods;
    private final OpcodeRow row;
    private final Semantic semantic;
    private final int operandBits;
    private final List<OperandForm> forms;
    private final Program program;
    /** For use outside 64-bit mode: the stack and the code segment have a base, a limit and a size. */
    private final boolean legacy;
    private final VectorOperands vectors;
    /** Lane that the program is being written for: a quadword or a double quadword. */
    private int lane;

    ProgramEmitter(CodeBuilder code, SemanticMethods methods, OpcodeRow row, int operandBits, List<OperandForm> forms,
            boolean legacy) {
        this.code = code;
        this.methods = methods;
        this.row = row;
        this.semantic = row.semantic();
        this.operandBits = operandBits;
        this.forms = forms;
        this.program = Program.parse(semantic.program());
        this.legacy = legacy;
        this.vectors = new VectorOperands(code, row, operandBits, forms);
    }

    /** Name of condition {@code number}, 0..15, and of its method in {@code Flags}. */
    static String condition(int number) {
        return CONDITIONS.get(number);
    }

    void emit() {
        int kinds = gate();
        if (kinds != 0) {
            Label open = code.newLabel();
            code.aload(1).getfield(PROCESSOR, "floatGate", INT).loadConstant(kinds).iand().ifeq(open);
            code.aload(1).loadConstant(kinds).invokevirtual(PROCESSOR, "closedGate", MethodTypeDesc.of(FAULT, INT));
            code.athrow().labelBinding(open);
        }
        code.aload(1).getfield(PROCESSOR, "gpr", LONGS).astore(GPR);
        Displace displace = null;
        for (Statement statement : program.statements()) {
            if (statement instanceof Displace d) {
                displace = d;
            }
        }
        boolean[] loaded = new boolean[forms.size()];
        int[] quads = new int[forms.size()];
        program.visit(expression -> {
            if (expression instanceof Operand operand && isValue(operand.aspect())) {
                loaded[operand.index()] = true;
                quads[operand.index()] |= quads(operand.aspect());
            }
        });
        // Registers first: a displaced address depends on one.
        for (int i = 0; i < loaded.length; i++) {
            if (loaded[i] && !forms.get(i).isMemory()) {
                if (vectors.has(i)) {
                    vectors.load(i, quads[i]);
                } else {
                    loadOperand(i);
                }
            }
        }
        for (int i = 0; i < loaded.length; i++) {
            if (forms.get(i).isMemory()) {
                memoryOperand(i, loaded[i], displace);
            }
        }
        if (row.hasVector(true)) {
            enterMmx();
        }
        if (legacy) {
            checkTargetBeforePush();
        }
        for (lane = 0; lane < lanes(); lane++) {
            for (Statement statement : program.statements()) {
                statement(statement);
            }
        }
        if (semantic.floating()) {
            vectors.probe();
            code.aload(1).invokevirtual(PROCESSOR, "commitSse", MethodTypeDesc.of(VOID));
        }
        vectors.writeBack();
        if (program.statements().isEmpty() || !(program.statements().getLast() instanceof Raise)) {
            code.return_();
        }
    }

    /** CALL: whether it can branch there must be known before it pushes. */
    private void checkTargetBeforePush() {
        boolean pushes = false;
        for (Statement statement : program.statements()) {
            pushes |= statement instanceof Push;
            if (pushes && statement instanceof Assign(Name(String name), Expression target) && name.equals("rip")) {
                legacyCall("NearBranch", "check", target);
            }
        }
    }

    /** Calls {@code method} of a class in {@code processor} with the processor, a value and the operand size. */
    private void legacyCall(String type, String method, Expression value) {
        code.aload(1);
        expression(value, long.class);
        invokeLegacy(type, method);
    }

    private void invokeLegacy(String type, String method) {
        Method found = methods.find(type, method);
        if (found.getParameterCount() == 3) {
            code.loadConstant(operandBits);
        }
        code.invokestatic(SemanticMethods.owner(found), method, SemanticMethods.descriptor(found));
    }

    /** Whether {@code address} is the stack pointer or frame pointer rather than an operand's address. */
    private static boolean isStack(Expression address) {
        return address instanceof Name(String name) && (name.equals("RSP") || name.equals("RBP"));
    }

    // ---- kinds and lanes ---------------------------------------------------------------------------------------------

    /** The kinds of {@link FloatGate} that the operation belongs to. */
    private int gate() {
        if (row.hasVector(true)) {
            return (row.hasVector(false) ? FloatGate.SSE : FloatGate.MMX) | FloatGate.PENDING;
        }
        if (row.hasVector(false)) {
            return row.encoding().vex() ? FloatGate.AVX : FloatGate.SSE;
        }
        return switch (semantic.unit()) {
            case NONE -> 0;
            case X87 -> FloatGate.X87 | FloatGate.PENDING;
            case X87_NO_WAIT -> FloatGate.X87;
            case MMX -> FloatGate.MMX | FloatGate.PENDING;
            case WAIT -> FloatGate.WAIT | FloatGate.PENDING;
            case SSE -> row.encoding().vex() ? FloatGate.AVX : FloatGate.SSE;
            case XSAVE -> FloatGate.XSAVE;
        };
    }

    /** After the operands are loaded; a memory operand that is only written may still fault, so it is probed. */
    private void enterMmx() {
        if (!forms.isEmpty() && forms.getFirst().isMemory()) {
            code.aload(1).lload(ADDRESS).loadConstant(bits(0) / 8).invokevirtual(PROCESSOR, "probeStore",
                    MethodTypeDesc.of(VOID, LONG, INT));
        }
        code.aload(1).invokevirtual(PROCESSOR, "enterMmx", MethodTypeDesc.of(VOID));
    }

    private int lanes() {
        return switch (semantic.lanes()) {
            case ONCE -> 1;
            case QUADWORDS -> vectors.quads(0);
            case DOUBLE_QUADWORDS -> vectors.quads(0) / 2;
        };
    }

    private static boolean isValue(Aspect aspect) {
        return switch (aspect) {
            case SIGNED, UNSIGNED, LOW, HIGH, QUAD0, QUAD1, QUAD2, QUAD3, PART -> true;
            default -> false;
        };
    }

    /** Quadwords, as bits, that an aspect names in any lane. */
    private int quads(Aspect aspect) {
        return switch (aspect) {
            case SIGNED, UNSIGNED -> semantic.lanes() == Semantic.Lanes.QUADWORDS ? 15 : 1;
            case LOW -> semantic.lanes() == Semantic.Lanes.DOUBLE_QUADWORDS ? 5 : 1;
            case HIGH -> semantic.lanes() == Semantic.Lanes.DOUBLE_QUADWORDS ? 10 : 2;
            case PART -> 3;
            default -> 1 << aspect.ordinal() - Aspect.QUAD0.ordinal();
        };
    }

    /** The quadword that an aspect names in the present lane. */
    private int quad(Aspect aspect) {
        return switch (aspect) {
            case SIGNED, UNSIGNED -> lane;
            case LOW -> 2 * lane;
            case HIGH -> 2 * lane + 1;
            default -> aspect.ordinal() - Aspect.QUAD0.ordinal();
        };
    }

    // ---- operands ----------------------------------------------------------------------------------------------------

    private int bits(int operand) {
        return row.operands().get(operand).bits(operandBits);
    }

    private static int local(int operand) {
        return FIRST_OPERAND + 2 * operand;
    }

    private void loadOperand(int i) {
        switch (forms.get(i)) {
            case REGISTER -> readRegister(i);
            case IMMEDIATE -> field("immediate", LONG);
            case SECOND_IMMEDIATE -> field("displacement", LONG);
            case RELATIVE -> {
                name("next");
                field("immediate", LONG);
                code.ladd();
            }
            case SEGMENT -> {
                code.aload(1).getfield(PROCESSOR, "segmentSelector", INT.arrayType());
                registerNumber(i);
                code.iaload().i2l();
            }
            default -> throw new IllegalStateException(row + ": operand " + (i + 1) + " has no value");
        }
        code.lstore(local(i));
    }

    private void memoryOperand(int i, boolean loaded, @Nullable Displace displace) {
        boolean written = semantic.writes(i);
        boolean addressed = loaded || written;
        boolean[] named = new boolean[1];
        boolean segmented = forms.get(i) == OperandForm.SEGMENTED;
        program.visit(expression -> named[0] |= expression instanceof Operand operand && operand.index() == i
                && operand.aspect() == Aspect.ADDRESS);
        if (!addressed && !named[0]) {
            return;
        }
        if (segmented) {
            code.aload(0).aload(1);
            expression(displace != null ? displace.bytes() : new Number(0), long.class);
            code.loadConstant(accessedBytes(i)).loadConstant(written || semantic.addressedForWrite() ? 1 : 0);
            code.invokevirtual(OP, "checkedAddress", MethodTypeDesc.of(LONG, PROCESSOR, LONG, INT, BOOLEAN));
        } else if (displace != null) {
            code.aload(0).aload(1);
            expression(displace.bytes(), long.class);
            code.invokevirtual(OP, "displacedAddress", MethodTypeDesc.of(LONG, PROCESSOR, LONG));
        } else if (forms.get(i) == OperandForm.BASE) {
            base();
        } else {
            code.aload(0).aload(1).invokevirtual(OP, "address", MethodTypeDesc.of(LONG, PROCESSOR));
        }
        code.lstore(ADDRESS);
        if (vectors.has(i)) {
            vectors.checkAlignment(i);
            if (loaded) {
                vectors.load(i, 15);
            }
        } else if (loaded) {
            int bits = bits(i);
            code.aload(1).lload(ADDRESS);
            String method = (semantic.readsAndWrites(i) ? "loadForWrite" : "load") + bits;
            code.invokevirtual(PROCESSOR, method, MethodTypeDesc.of(LONG, LONG));
            signExtend(bits);
            code.lstore(local(i));
        }
    }

    private int accessedBytes(int i) {
        OperandSpec spec = row.operands().get(i);
        if (spec.width() != '-') {
            return spec.memoryBytes(operandBits);
        }
        int bytes = semantic.addressedBytes(operandBits);
        if (bytes < 0) {
            throw new IllegalArgumentException(
                    row + ": no attribute m says how much is accessed at operand " + (i + 1));
        }
        return bytes;
    }

    /** Base register plus displacement. */
    private void base() {
        code.aload(GPR);
        field("base", BYTE);
        code.laload();
        field("displacement", LONG);
        code.ladd();
    }

    private void field(String name, ClassDesc type) {
        code.aload(0).getfield(OP, name, type);
    }

    private void registerNumber(int operand) {
        field("register" + (operand + 1), BYTE);
    }

    private void readRegister(int operand) {
        code.aload(GPR);
        registerNumber(operand);
        int bits = bits(operand);
        if (bits == 8) {
            code.invokestatic(OP, "readByte", MethodTypeDesc.of(LONG, LONGS, INT));
        } else {
            code.laload();
            signExtend(bits);
        }
    }

    private void signExtend(int bits) {
        switch (bits) {
            case 8 -> code.l2i().i2b().i2l();
            case 16 -> code.l2i().i2s().i2l();
            case 32 -> code.l2i().i2l();
            default -> {
            }
        }
    }

    private void zeroExtend(int bits) {
        if (bits < 64) {
            code.loadConstant((1L << bits) - 1).land();
        }
    }

    // ---- statements --------------------------------------------------------------------------------------------------

    private void statement(Statement statement) {
        switch (statement) {
            case Assign(Name(String name), Expression value) when legacy && name.equals("rip") ->
                legacyCall("NearBranch", "jump", value);
            case Assign(Name(String name), Expression value) when legacy && name.equals("RSP") ->
                legacyCall("Stack", "setPointer", value);
            case Assign s -> {
                expression(s.value(), long.class);
                assign(s.target());
            }
            case Load s when legacy && isStack(s.address()) -> {
                legacyCall("Stack", "load", s.address());
                assign(s.target());
            }
            case Load s -> {
                code.aload(1);
                expression(s.address(), long.class);
                code.invokevirtual(PROCESSOR, "load" + operandBits, MethodTypeDesc.of(LONG, LONG));
                assign(s.target());
            }
            case Push s when legacy -> legacyCall("Stack", "push", s.value());
            case Push s -> push(s.value());
            case Pop s when legacy -> {
                legacyCall("Stack", "load", new Name("RSP"));
                assign(s.target());
                code.aload(1).aload(GPR).loadConstant(RSP).laload().loadConstant(operandBits / 8L).ladd();
                invokeLegacy("Stack", "setPointer");
            }
            case Pop s -> {
                code.aload(1).aload(GPR).loadConstant(RSP).laload();
                code.invokevirtual(PROCESSOR, "load" + operandBits, MethodTypeDesc.of(LONG, LONG));
                assign(s.target());
                code.aload(GPR).loadConstant(RSP).dup2().laload().loadConstant(operandBits / 8L).ladd().lastore();
            }
            case SetFlags s -> {
                code.aload(1).lload(R).putfield(PROCESSOR, "flagResult", LONG);
                code.aload(1);
                expression(s.vector(), long.class);
                code.loadConstant(operandBits).invokestatic(FLAGS, "carries", MethodTypeDesc.of(LONG, LONG, INT));
                code.putfield(PROCESSOR, "flagCarries", LONG);
            }
            case Branch s -> {
                Label not = code.newLabel();
                expression(s.condition(), boolean.class);
                code.ifeq(not);
                if (legacy) {
                    legacyCall("NearBranch", "jump", s.target());
                } else {
                    code.aload(1);
                    expression(s.target(), long.class);
                    code.putfield(PROCESSOR, "rip", LONG);
                }
                code.labelBinding(not);
            }
            case Check s -> {
                Label good = code.newLabel();
                expression(s.condition(), boolean.class);
                code.ifne(good);
                raise(s.vector());
                code.labelBinding(good);
            }
            case Raise s -> raise(s.vector());
            case Displace s -> {
            }
            case Invoke s -> {
                Class<?> type = call(s.call());
                if (type == long.class) {
                    code.pop2();
                } else if (type != void.class) {
                    code.pop();
                }
            }
        }
    }

    private void raise(int vector) {
        code.aload(1).loadConstant(vector).loadConstant(0).invokevirtual(PROCESSOR, "raise",
                MethodTypeDesc.of(FAULT, INT, INT));
        code.athrow();
    }

    private void push(Expression value) {
        code.aload(GPR).loadConstant(RSP).laload().loadConstant(operandBits / 8L).lsub().lstore(SCRATCH);
        code.aload(1).lload(SCRATCH);
        expression(value, long.class);
        code.invokevirtual(PROCESSOR, "store" + operandBits, MethodTypeDesc.of(VOID, LONG, LONG));
        code.aload(GPR).loadConstant(RSP).lload(SCRATCH).lastore();
    }

    /** Stores the value on the stack into {@code target}. */
    private void assign(Expression target) {
        switch (target) {
            case Operand(int index, Aspect aspect) -> {
                if (aspect == Aspect.FULL) {
                    code.lstore(SCRATCH).aload(GPR);
                    registerNumber(index);
                    code.lload(SCRATCH).lastore();
                } else if (vectors.has(index)) {
                    vectors.assign(quad(aspect));
                } else if (forms.get(index).isMemory()) {
                    code.lstore(SCRATCH).aload(1).lload(ADDRESS).lload(SCRATCH);
                    code.invokevirtual(PROCESSOR, "store" + bits(index), MethodTypeDesc.of(VOID, LONG, LONG));
                } else {
                    code.lstore(SCRATCH).aload(GPR);
                    registerNumber(index);
                    code.lload(SCRATCH);
                    writeRegister(bits(index));
                }
            }
            case Name(String name) -> assignNamed(name);
            default -> throw new IllegalArgumentException(row + ": cannot assign to " + target);
        }
    }

    private void assignNamed(String name) {
        switch (name) {
            case "r" -> {
                signExtend(operandBits);
                code.lstore(R);
            }
            case "t" -> code.lstore(T);
            case "u" -> code.lstore(U);
            case "FR" -> processorField("flagResult");
            case "FC" -> processorField("flagCarries");
            case "rip" -> processorField("rip");
            case "AL", "AH", "AX" -> implied(name.equals("AH") ? 16 : 0, name.equals("AX") ? 16 : 8);
            default -> {
                if (REGISTERS.contains(name)) {
                    implied(REGISTERS.indexOf(name), 64);
                } else {
                    Integer sized = SIZED.get(name);
                    if (sized == null) {
                        throw new IllegalArgumentException(row + ": cannot assign to " + name);
                    }
                    implied(sized, operandBits);
                }
            }
        }
    }

    private void processorField(String name) {
        code.lstore(SCRATCH).aload(1).lload(SCRATCH).putfield(PROCESSOR, name, LONG);
    }

    private void implied(int register, int bits) {
        code.lstore(SCRATCH).aload(GPR).loadConstant(register).lload(SCRATCH);
        writeRegister(bits);
    }

    /** On the stack: registers, number, value. */
    private void writeRegister(int bits) {
        switch (bits) {
            case 8 -> code.invokestatic(OP, "writeByte", MethodTypeDesc.of(VOID, LONGS, INT, LONG));
            case 16 -> code.invokestatic(OP, "writeWord", MethodTypeDesc.of(VOID, LONGS, INT, LONG));
            case 32 -> {
                zeroExtend(32);
                code.lastore();
            }
            default -> code.lastore();
        }
    }

    // ---- expressions -------------------------------------------------------------------------------------------------

    private void expression(Expression expression, Class<?> wanted) {
        Class<?> type = switch (expression) {
            case Operand operand -> operand(operand);
            case Name name -> name(name.text());
            case Number number -> {
                if (wanted == long.class) {
                    code.loadConstant((long) number.value());
                    yield long.class;
                }
                code.loadConstant(number.value());
                yield int.class;
            }
            case Call call -> call(call);
        };
        if (wanted == long.class && (type == int.class || type == boolean.class)) {
            code.i2l();
        } else if (wanted == int.class && type == long.class) {
            code.l2i();
        } else if (wanted == boolean.class && type == long.class) {
            // A temporary that holds a condition.
            code.l2i();
        }
    }

    private Class<?> operand(Operand operand) {
        int i = operand.index();
        if (operand.aspect() == Aspect.PART) {
            part(i);
            return long.class;
        }
        if (isValue(operand.aspect()) && vectors.has(i)) {
            vectors.read(i, quad(operand.aspect()));
            if (operand.aspect() == Aspect.SIGNED) {
                signExtend(bits(i));
            } else if (operand.aspect() == Aspect.UNSIGNED) {
                zeroExtend(bits(i));
            }
            return long.class;
        }
        switch (operand.aspect()) {
            // Of an operand that is no vector, which the lanes of one have in common.
            case QUAD0 -> code.lload(local(i));
            case LOW, HIGH, QUAD1, QUAD2, QUAD3, PART -> throw new IllegalArgumentException(
                    row + ": operand " + (i + 1) + " has no quadwords");
            case SIGNED -> code.lload(local(i));
            case UNSIGNED -> {
                code.lload(local(i));
                zeroExtend(bits(i));
            }
            case NUMBER -> registerNumber(i);
            case ADDRESS -> code.lload(ADDRESS);
            case OFFSET -> {
                if (forms.get(i) == OperandForm.BASE) {
                    base();
                } else {
                    code.aload(0).aload(GPR).invokevirtual(OP, "offset", MethodTypeDesc.of(LONG, LONGS));
                }
            }
            case FULL -> {
                code.aload(GPR);
                registerNumber(i);
                code.laload();
            }
        }
        return operand.aspect() == Aspect.NUMBER ? int.class : long.class;
    }

    /** What the present lane takes of operand {@code i}, which is narrower than the first. */
    private void part(int i) {
        int parts = bits(0) / bits(i);
        int bits = 64 / parts;
        if (vectors.has(i)) {
            vectors.read(i, lane / parts);
        } else {
            code.lload(local(i));
        }
        code.loadConstant(64 - bits - bits * (lane % parts)).lshl().loadConstant(64 - bits).lshr();
    }

    private Class<?> name(String name) {
        switch (name) {
            case "r" -> code.lload(R);
            case "t" -> code.lload(T);
            case "u" -> code.lload(U);
            case "FR" -> code.aload(1).getfield(PROCESSOR, "flagResult", LONG);
            case "FC" -> code.aload(1).getfield(PROCESSOR, "flagCarries", LONG);
            case "next" -> {
                code.aload(1);
                if (legacy) {
                    Method next = methods.find("NearBranch", "next");
                    code.invokestatic(SemanticMethods.owner(next), "next", SemanticMethods.descriptor(next));
                } else {
                    code.getfield(PROCESSOR, "rip", LONG);
                }
            }
            case "cf" -> code.aload(1).getfield(PROCESSOR, "flagCarries", LONG).loadConstant(63).lushr();
            case "AL", "AH" -> code.aload(GPR).loadConstant(name.equals("AH") ? 16 : 0)
                    .invokestatic(OP, "readByte", MethodTypeDesc.of(LONG, LONGS, INT));
            case "AX" -> {
                code.aload(GPR).loadConstant(0).laload();
                signExtend(16);
            }
            default -> {
                return property(name);
            }
        }
        return long.class;
    }

    private Class<?> property(String name) {
        switch (name) {
            case "p" -> code.aload(1);
            case "fp" -> code.aload(1).getfield(PROCESSOR, "sse", ENVIRONMENT);
            case "bits" -> code.loadConstant(operandBits);
            case "bytes" -> code.loadConstant(operandBits / 8);
            case "bits2" -> code.loadConstant(bits(1));
            case "lane" -> code.loadConstant(lane);
            case "length", "segment", "repeat", "scale" -> field(name, BYTE);
            case "addressBits" -> {
                code.loadConstant(64);
                field("addressShift", BYTE);
                code.isub();
            }
            case "cc" -> {
                code.aload(1).getfield(PROCESSOR, "flagResult", LONG);
                code.aload(1).getfield(PROCESSOR, "flagCarries", LONG);
                code.invokestatic(FLAGS, condition(row.condition()), MethodTypeDesc.of(BOOLEAN, LONG, LONG));
                return boolean.class;
            }
            default -> {
                Integer sized = SIZED.get(name);
                int number = sized != null ? sized : REGISTERS.indexOf(name);
                if (number < 0) {
                    throw new IllegalArgumentException(row + ": unknown name " + name);
                }
                code.aload(GPR).loadConstant(number).laload();
                if (sized != null) {
                    signExtend(operandBits);
                }
                return long.class;
            }
        }
        return name.equals("p") || name.equals("fp") ? Object.class : int.class;
    }

    private Class<?> call(Call call) {
        Method method = methods.find(call.type(), call.method());
        Class<?>[] parameters = method.getParameterTypes();
        if (parameters.length != call.arguments().size()) {
            throw new IllegalArgumentException(
                    row + ": " + call.type() + "." + call.method() + " takes " + parameters.length
                            + " arguments, not " + call.arguments().size());
        }
        for (int i = 0; i < parameters.length; i++) {
            expression(call.arguments().get(i), parameters[i]);
        }
        code.invokestatic(SemanticMethods.owner(method), method.getName(), SemanticMethods.descriptor(method));
        return method.getReturnType();
    }
}
