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
    private static final int RSP = 4;

    static final ClassDesc PROCESSOR = ClassDesc.of("dev.xenolith.cpu.processor.Processor");
    static final ClassDesc OP = ClassDesc.of("dev.xenolith.cpu.interpret.Op");
    private static final ClassDesc FLAGS = ClassDesc.of("dev.xenolith.cpu.execute.Flags");
    static final ClassDesc FAULT = ClassDesc.of("dev.xenolith.cpu.processor.GuestFault");
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
    /** Places among them: of the result and the temporaries {@code t} and {@code u}, and of what lasts no longer than a statement. */
    static final int RESULT = 10;
    static final int T = 12;
    static final int U = 14;
    static final int SCRATCH = 16;
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
    private final ExpressionEmitter values;

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
        values = new ExpressionEmitter(state, methods, row, operandBits, forms, legacy, vectors, firstLocal);
    }

    /** Name of condition {@code number}, 0..15, and of its method in {@code Flags}. */
    public static String condition(int number) {
        return CONDITIONS.get(number);
    }

    /** Local with the result {@code r}. */
    public int resultLocal() {
        return values.resultLocal;
    }

    /** Local with the value of operand {@code operand}, if the program names it by value. */
    public int local(int operand) {
        return values.local(operand);
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
            if (expression instanceof Operand operand && ExpressionEmitter.isValue(operand.aspect())) {
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
        for (int lane = 0; lane < lanes(); lane++) {
            values.setLane(lane);
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
        values.push(value, long.class);
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
            code.aload(1).lload(values.addressLocal).loadConstant(values.bits(0) / 8).invokevirtual(PROCESSOR,
                    "probeStore",
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

    // ---- operands ----------------------------------------------------------------------------------------------------

    private void loadOperand(int i) {
        switch (forms.get(i)) {
            case REGISTER -> state.readOperand(i, values.bits(i));
            case IMMEDIATE -> state.constant(Constant.IMMEDIATE);
            case SECOND_IMMEDIATE -> state.constant(Constant.DISPLACEMENT);
            case RELATIVE -> {
                values.push(new Name("next"), long.class);
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
        code.lstore(values.local(i));
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
            values.push(displace != null ? displace.bytes() : new Number(0), long.class);
            state.checkedAddress(accessedBytes(i), written || semantic.addressedForWrite());
        } else if (displace != null) {
            values.push(displace.bytes(), long.class);
            state.displacedAddress();
        } else {
            state.address(forms.get(i));
        }
        code.lstore(values.addressLocal);
        if (vectors.has(i)) {
            vectors.checkAlignment(i);
            if (loaded) {
                vectors.load(i, 15);
            }
        } else if (loaded) {
            int bits = values.bits(i);
            state.beginAccess();
            code.lload(values.addressLocal);
            if (semantic.readsAndWrites(i)) {
                state.loadForWrite(bits);
            } else {
                state.load(bits);
            }
            signExtend(code, bits);
            code.lstore(values.local(i));
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
                state.jump(() -> values.push(value, long.class));
            case Assign(Expression target, Call value) when doubleword(target, value) instanceof Method method -> {
                values.invoke(method, value);
                code.i2l();
                if (target instanceof Name) {
                    code.lstore(values.resultLocal);
                } else {
                    values.assign(target);
                }
            }
            case Assign s -> {
                values.push(s.value(), long.class);
                values.assign(s.target());
            }
            case Load s when legacy && isStack(s.address()) -> {
                legacyCall("Stack", "load", s.address());
                values.assign(s.target());
            }
            case Load s -> {
                state.beginAccess();
                values.push(s.address(), long.class);
                state.load(operandBits);
                values.assign(s.target());
            }
            case Push s when legacy -> legacyCall("Stack", "push", s.value());
            case Push s -> push(s.value());
            case Pop s when legacy -> {
                legacyCall("Stack", "load", new Name("RSP"));
                values.assign(s.target());
                code.aload(1);
                state.readRegister(RSP, 64);
                code.loadConstant(operandBits / 8L).ladd();
                invokeLegacy("Stack", "setPointer");
            }
            case Pop s -> {
                state.beginAccess();
                state.readRegister(RSP, 64);
                state.load(operandBits);
                values.assign(s.target());
                state.readRegister(RSP, 64);
                code.loadConstant(operandBits / 8L).ladd();
                state.writeRegister(RSP, 64);
            }
            case SetFlags s -> {
                code.lload(values.resultLocal);
                state.writeFlagResult();
                values.push(s.vector(), long.class);
                code.loadConstant(operandBits).invokestatic(FLAGS, "carries", MethodTypeDesc.of(LONG, LONG, INT));
                state.writeFlagCarries();
            }
            case Branch s when legacy -> {
                Label not = code.newLabel();
                values.push(s.condition(), boolean.class);
                code.ifeq(not);
                legacyCall("NearBranch", "jump", s.target());
                code.labelBinding(not);
            }
            case Branch s -> state.branch(() -> values.push(s.condition(), boolean.class),
                    () -> values.push(s.target(), long.class));
            case Check s -> {
                Label good = code.newLabel();
                values.push(s.condition(), boolean.class);
                code.ifne(good);
                state.raise(s.vector());
                code.labelBinding(good);
            }
            case Raise s -> state.raise(s.vector());
            case Displace s -> {
            }
            case Invoke s -> {
                Class<?> type = values.call(s.call());
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
                aspect == Aspect.SIGNED && !vectors.has(index) && values.bits(index) == 32;
            default -> false;
        };
        return narrow ? methods.findDoubleword(value.type(), value.method()) : null;
    }

    private void push(Expression value) {
        state.readRegister(RSP, 64);
        code.loadConstant(operandBits / 8L).lsub().lstore(values.scratchLocal);
        state.beginAccess();
        code.lload(values.scratchLocal);
        values.push(value, long.class);
        state.store(operandBits);
        code.lload(values.scratchLocal);
        state.writeRegister(RSP, 64);
    }
}
