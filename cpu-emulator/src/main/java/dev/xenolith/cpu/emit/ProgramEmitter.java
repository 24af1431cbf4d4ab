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
import dev.xenolith.cpu.emit.StateAccess.Constant;
import dev.xenolith.cpu.processor.FloatGate;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.lang.reflect.Method;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Writes the program of one row, for one operand size and choice of operand forms, as bytecode. Where operands, registers, flags and
 * memory are found is the business of its {@link StateAccess}; local 1 is the processor, and the locals from {@link #FIRST_LOCAL} to
 * {@link #FIRST_FREE} belong to the program.
 */
public final class ProgramEmitter {
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
    private static final ClassDesc VOID = ClassDesc.ofDescriptor("V");
    /** Type of {@code exec}. */
    static final MethodTypeDesc EXEC = MethodTypeDesc.of(VOID, PROCESSOR);

    /** Local of the {@link StateAccess}. */
    static final int LOCAL_REGISTERS = 2;
    /** First local of the program in an operation. */
    static final int FIRST_LOCAL = 3;
    /** How many locals a program has. */
    public static final int LOCALS = 18;
    private static final int RESULT = 10;
    private static final int T = 12;
    private static final int U = 14;
    /** Locals, counted from a program's first, from which flags are computed: operands, the result and the temporaries. */
    public static final List<Integer> FLAG_LOCALS = List.of(0, 2, 4, RESULT, T, U);
    /** Local of the memory operand's address in an operation. */
    static final int ADDRESS = FIRST_LOCAL + 8;
    /** First local that an operation's program does not use. */
    static final int FIRST_FREE = FIRST_LOCAL + LOCALS;

    private final CodeBuilder code;
    private final StateAccess state;
    private final SemanticMethods methods;
    private final OpcodeRow row;
    private final Semantic semantic;
    private final int operandBits;
    private final List<OperandForm> forms;
    private final Program program;
    /** For use outside 64-bit mode: the stack and the code segment have a base, a limit and a size. */
    private final boolean legacy;
    private final VectorOperands vectors;
    private final int firstLocal;
    private final int addressLocal;
    private final int resultLocal;
    private final int tLocal;
    private final int uLocal;
    private final int scratchLocal;
    /** Lane that the program is being written for: a quadword or a double quadword. */
    private int lane;

    /**
     * An emitter for {@code row} with operand size {@code operandBits}; {@code legacy}: for use outside 64-bit mode;
     * the program has {@link #LOCALS} locals from {@code firstLocal} on, which keep their values until they are used again.
     */
    public ProgramEmitter(StateAccess state, SemanticMethods methods, OpcodeRow row, Program program,
            int operandBits, List<OperandForm> forms, boolean legacy, int firstLocal) {
        this.code = state.code();
        this.state = state;
        this.methods = methods;
        this.row = row;
        this.semantic = row.semantic();
        this.operandBits = operandBits;
        this.forms = forms;
        this.program = program;
        this.legacy = legacy;
        this.vectors = new VectorOperands(state, row, operandBits, forms);
        this.firstLocal = firstLocal;
        addressLocal = firstLocal + 8;
        resultLocal = firstLocal + RESULT;
        tLocal = firstLocal + T;
        uLocal = firstLocal + U;
        scratchLocal = firstLocal + 16;
    }

    /** Name of condition {@code number}, 0..15, and of its method in {@code Flags}. */
    public static String condition(int number) {
        return CONDITIONS.get(number);
    }

    /** Local with the result {@code r}. */
    public int resultLocal() {
        return resultLocal;
    }

    /** Writes the program. */
    public void emit() {
        emit(true);
    }

    /** Writes what the program does to the flags, after it has been written without. */
    public void emitFlags() {
        for (Statement statement : program.statements()) {
            if (statement instanceof SetFlags || isFlags(statement)) {
                statement(statement);
            }
        }
    }

    /** Locals, counted from the first, that {@link #emitFlags} reads: of {@link #FLAG_LOCALS}. */
    public int[] flagLocals() {
        BitSet read = new BitSet();
        for (Statement statement : program.statements()) {
            if (statement instanceof SetFlags) {
                read.set(RESULT);
            }
            if (statement instanceof SetFlags || isFlags(statement)) {
                new Program(List.of(statement)).visit(expression -> {
                    switch (expression) {
                        case Operand(int index, Aspect aspect) -> read.set(2 * index);
                        case Name(String name) when name.equals("r") -> read.set(RESULT);
                        case Name(String name) when name.equals("t") -> read.set(T);
                        case Name(String name) when name.equals("u") -> read.set(U);
                        default -> {
                        }
                    }
                });
            }
        }
        return read.stream().toArray();
    }

    /** The same with its locals from {@code first} on. */
    public ProgramEmitter at(int first) {
        return new ProgramEmitter(state, methods, row, program, operandBits, forms, legacy, first);
    }

    private static boolean isFlags(Statement statement) {
        return statement instanceof Assign assign && assign.target() instanceof Name(String name)
                && (name.equals("FR") || name.equals("FC"));
    }

    /** Writes the program, maybe without what it does to the flags. */
    public void emit(boolean flags) {
        int kinds = gate();
        if (kinds != 0) {
            Label open = code.newLabel();
            code.aload(1).getfield(PROCESSOR, "floatGate", INT).loadConstant(kinds).iand().ifeq(open);
            code.aload(1).loadConstant(kinds).invokevirtual(PROCESSOR, "closedGate", MethodTypeDesc.of(FAULT, INT));
            code.athrow().labelBinding(open);
        }
        state.begin();
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
                if (flags || !(statement instanceof SetFlags) && !isFlags(statement)) {
                    statement(statement);
                }
            }
        }
        if (semantic.floating()) {
            vectors.probe();
            code.aload(1).invokevirtual(PROCESSOR, "commitSse", MethodTypeDesc.of(VOID));
        }
        vectors.writeBack();
        if (program.statements().isEmpty() || !(program.statements().getLast() instanceof Raise)) {
            state.end();
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
            code.aload(1).lload(addressLocal).loadConstant(bits(0) / 8).invokevirtual(PROCESSOR, "probeStore",
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

    /** Local with the value of operand {@code operand}, if the program names it by value. */
    public int local(int operand) {
        return firstLocal + 2 * operand;
    }

    private void loadOperand(int i) {
        switch (forms.get(i)) {
            case REGISTER -> state.readOperand(i, bits(i));
            case IMMEDIATE -> state.constant(Constant.IMMEDIATE);
            case SECOND_IMMEDIATE -> state.constant(Constant.DISPLACEMENT);
            case RELATIVE -> {
                name("next");
                state.constant(Constant.IMMEDIATE);
                code.ladd();
            }
            case SEGMENT -> {
                code.aload(1).getfield(PROCESSOR, "segmentSelector", INT.arrayType());
                state.registerNumber(i);
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
            expression(displace != null ? displace.bytes() : new Number(0), long.class);
            state.checkedAddress(accessedBytes(i), written || semantic.addressedForWrite());
        } else if (displace != null) {
            expression(displace.bytes(), long.class);
            state.displacedAddress();
        } else {
            state.address(forms.get(i));
        }
        code.lstore(addressLocal);
        if (vectors.has(i)) {
            vectors.checkAlignment(i);
            if (loaded) {
                vectors.load(i, 15);
            }
        } else if (loaded) {
            int bits = bits(i);
            state.beginAccess();
            code.lload(addressLocal);
            if (semantic.readsAndWrites(i)) {
                state.loadForWrite(bits);
            } else {
                state.load(bits);
            }
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

    private void signExtend(int bits) {
        signExtend(code, bits);
    }

    private void zeroExtend(int bits) {
        zeroExtend(code, bits);
    }

    /** Sign-extends the low {@code bits} of the long on the stack. */
    public static void signExtend(CodeBuilder code, int bits) {
        switch (bits) {
            case 8 -> code.l2i().i2b().i2l();
            case 16 -> code.l2i().i2s().i2l();
            case 32 -> code.l2i().i2l();
            default -> {
            }
        }
    }

    /** Clears all but the low {@code bits} of the long on the stack. */
    public static void zeroExtend(CodeBuilder code, int bits) {
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
            case Assign(Name(String name), Expression value) when name.equals("rip") ->
                state.jump(() -> expression(value, long.class));
            case Assign(Expression target, Call value) when doubleword(target, value) instanceof Method method -> {
                invoke(method, value);
                code.i2l();
                if (target instanceof Name) {
                    code.lstore(resultLocal);
                } else {
                    assign(target);
                }
            }
            case Assign s -> {
                expression(s.value(), long.class);
                assign(s.target());
            }
            case Load s when legacy && isStack(s.address()) -> {
                legacyCall("Stack", "load", s.address());
                assign(s.target());
            }
            case Load s -> {
                state.beginAccess();
                expression(s.address(), long.class);
                state.load(operandBits);
                assign(s.target());
            }
            case Push s when legacy -> legacyCall("Stack", "push", s.value());
            case Push s -> push(s.value());
            case Pop s when legacy -> {
                legacyCall("Stack", "load", new Name("RSP"));
                assign(s.target());
                code.aload(1);
                state.readRegister(RSP, 64);
                code.loadConstant(operandBits / 8L).ladd();
                invokeLegacy("Stack", "setPointer");
            }
            case Pop s -> {
                state.beginAccess();
                state.readRegister(RSP, 64);
                state.load(operandBits);
                assign(s.target());
                state.readRegister(RSP, 64);
                code.loadConstant(operandBits / 8L).ladd();
                state.writeRegister(RSP, 64);
            }
            case SetFlags s -> {
                code.lload(resultLocal);
                state.writeFlagResult();
                expression(s.vector(), long.class);
                code.loadConstant(operandBits).invokestatic(FLAGS, "carries", MethodTypeDesc.of(LONG, LONG, INT));
                state.writeFlagCarries();
            }
            case Branch s when legacy -> {
                Label not = code.newLabel();
                expression(s.condition(), boolean.class);
                code.ifeq(not);
                legacyCall("NearBranch", "jump", s.target());
                code.labelBinding(not);
            }
            case Branch s -> state.branch(() -> expression(s.condition(), boolean.class),
                    () -> expression(s.target(), long.class));
            case Check s -> {
                Label good = code.newLabel();
                expression(s.condition(), boolean.class);
                code.ifne(good);
                state.raise(s.vector());
                code.labelBinding(good);
            }
            case Raise s -> state.raise(s.vector());
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

    /** What computes {@code value} in ints, if 32 bits of it are what {@code target} takes; null if it is to be computed in longs. */
    private @Nullable Method doubleword(Expression target, Call value) {
        boolean narrow = operandBits == 32 && switch (target) {
            case Name(String name) -> name.equals("r");
            case Operand(int index, Aspect aspect) ->
                aspect == Aspect.SIGNED && !vectors.has(index) && bits(index) == 32;
            default -> false;
        };
        return narrow ? methods.findDoubleword(value.type(), value.method()) : null;
    }

    private void push(Expression value) {
        state.readRegister(RSP, 64);
        code.loadConstant(operandBits / 8L).lsub().lstore(scratchLocal);
        state.beginAccess();
        code.lload(scratchLocal);
        expression(value, long.class);
        state.store(operandBits);
        code.lload(scratchLocal);
        state.writeRegister(RSP, 64);
    }

    /** Stores the value on the stack into {@code target}. */
    private void assign(Expression target) {
        switch (target) {
            case Operand(int index, Aspect aspect) -> {
                if (aspect == Aspect.FULL) {
                    state.writeOperand(index, 64);
                } else if (vectors.has(index)) {
                    vectors.assign(quad(aspect));
                } else if (forms.get(index).isMemory()) {
                    code.lstore(scratchLocal);
                    state.beginAccess();
                    code.lload(addressLocal).lload(scratchLocal);
                    state.store(bits(index));
                } else {
                    state.writeOperand(index, bits(index));
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
                code.lstore(resultLocal);
            }
            case "t" -> code.lstore(tLocal);
            case "u" -> code.lstore(uLocal);
            case "FR" -> state.writeFlagResult();
            case "FC" -> state.writeFlagCarries();
            case "AL", "AH", "AX" ->
                state.writeRegister(name.equals("AH") ? StateAccess.AH : 0, name.equals("AX") ? 16 : 8);
            default -> {
                if (REGISTERS.contains(name)) {
                    state.writeRegister(REGISTERS.indexOf(name), 64);
                } else {
                    Integer sized = SIZED.get(name);
                    if (sized == null) {
                        throw new IllegalArgumentException(row + ": cannot assign to " + name);
                    }
                    state.writeRegister(sized, operandBits);
                }
            }
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
            case NUMBER -> state.registerNumber(i);
            case ADDRESS -> code.lload(addressLocal);
            case OFFSET -> state.offset(forms.get(i));
            case FULL -> state.readOperand(i, 64);
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
            case "r" -> code.lload(resultLocal);
            case "t" -> code.lload(tLocal);
            case "u" -> code.lload(uLocal);
            case "FR" -> state.readFlagResult();
            case "FC" -> state.readFlagCarries();
            case "next" -> {
                if (legacy) {
                    code.aload(1);
                    Method next = methods.find("NearBranch", "next");
                    code.invokestatic(SemanticMethods.owner(next), "next", SemanticMethods.descriptor(next));
                } else {
                    state.next();
                }
            }
            case "cf" -> {
                state.readFlagCarries();
                code.loadConstant(63).lushr();
            }
            case "AL", "AH" -> state.readRegister(name.equals("AH") ? StateAccess.AH : 0, 8);
            case "AX" -> state.readRegister(0, 16);
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
            case "length" -> state.constant(Constant.LENGTH);
            case "segment" -> state.constant(Constant.SEGMENT);
            case "repeat" -> state.constant(Constant.REPEAT);
            case "scale" -> state.constant(Constant.SCALE);
            case "addressBits" -> state.constant(Constant.ADDRESS_BITS);
            case "cc" -> {
                state.condition(row.condition());
                return boolean.class;
            }
            default -> {
                Integer sized = SIZED.get(name);
                int number = sized != null ? sized : REGISTERS.indexOf(name);
                if (number < 0) {
                    throw new IllegalArgumentException(row + ": unknown name " + name);
                }
                state.readRegister(number, sized != null ? operandBits : 64);
                return long.class;
            }
        }
        return name.equals("p") || name.equals("fp") ? Object.class : int.class;
    }

    private Class<?> call(Call call) {
        return invoke(methods.find(call.type(), call.method()), call);
    }

    /** Calls {@code method} with the arguments of {@code call}. */
    private Class<?> invoke(Method method, Call call) {
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
