package dev.xenolith.cpu.emit;

import dev.xenolith.cpu.decode.OpcodeRow;
import dev.xenolith.cpu.decode.OperandForm;
import dev.xenolith.cpu.emit.Program.Aspect;
import dev.xenolith.cpu.emit.Program.Call;
import dev.xenolith.cpu.emit.Program.Expression;
import dev.xenolith.cpu.emit.Program.Name;
import dev.xenolith.cpu.emit.Program.Number;
import dev.xenolith.cpu.emit.Program.Operand;
import dev.xenolith.cpu.emit.StateAccess.Constant;
import java.lang.classfile.CodeBuilder;
import java.lang.constant.ClassDesc;
import java.lang.reflect.Method;
import java.util.List;
import java.util.Map;

/**
 * Writes, for the program of one row, what an expression and the target of an assignment are as bytecode: the one puts a value on the
 * stack, the other takes it from there. Operands that a program names by value have been loaded into their locals before.
 */
final class ExpressionEmitter {
    private static final List<String> REGISTERS = List.of("RAX", "RCX", "RDX", "RBX", "RSP", "RBP", "RSI", "RDI");
    /** Registers of operand size, by the register's number. */
    private static final Map<String, Integer> SIZED = Map.of("rAX", 0, "rCX", 1, "rDX", 2, "rBP", 5);
    private static final ClassDesc PROCESSOR = ProgramEmitter.PROCESSOR;
    private static final ClassDesc ENVIRONMENT = ClassDesc.of("dev.xenolith.cpu.fpu.FloatEnvironment");

    private final CodeBuilder code;
    private final StateAccess state;
    private final SemanticMethods methods;
    private final OpcodeRow row;
    private final int operandBits;
    private final List<OperandForm> forms;
    private final boolean legacy;
    private final VectorOperands vectors;
    private final int firstLocal;
    /** Local with the address of the memory operand. */
    final int addressLocal;
    /** Local with the result {@code r}. */
    final int resultLocal;
    private final int tLocal;
    private final int uLocal;
    /** Local for no longer than one statement. */
    final int scratchLocal;
    /** Lane that the program is being written for: a quadword or a double quadword. */
    private int lane;

    /** See {@link ProgramEmitter#ProgramEmitter}; {@code vectors} has the operands that are vectors. */
    ExpressionEmitter(StateAccess state, SemanticMethods methods, OpcodeRow row, int operandBits,
            List<OperandForm> forms, boolean legacy, VectorOperands vectors, int firstLocal) {
        code = state.code();
        this.state = state;
        this.methods = methods;
        this.row = row;
        this.operandBits = operandBits;
        this.forms = forms;
        this.legacy = legacy;
        this.vectors = vectors;
        this.firstLocal = firstLocal;
        addressLocal = firstLocal + ProgramEmitter.ADDRESS - ProgramEmitter.FIRST_LOCAL;
        resultLocal = firstLocal + ProgramEmitter.RESULT;
        tLocal = firstLocal + ProgramEmitter.T;
        uLocal = firstLocal + ProgramEmitter.U;
        scratchLocal = firstLocal + ProgramEmitter.SCRATCH;
    }

    /** What is written from now on is for lane {@code number}. */
    void setLane(int number) { lane = number; }

    /** Width in bits of operand {@code operand}. */
    int bits(int operand) {
        return row.operands().get(operand).bits(operandBits);
    }

    /** Local with the value of operand {@code operand}, if the program names it by value. */
    int local(int operand) {
        return firstLocal + 2 * operand;
    }

    /** Whether {@code aspect} is an operand's value or part of it, rather than where it is. */
    static boolean isValue(Aspect aspect) {
        return switch (aspect) {
            case SIGNED, UNSIGNED, LOW, HIGH, QUAD0, QUAD1, QUAD2, QUAD3, PART -> true;
            default -> false;
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

    /** Stores the value on the stack into {@code target}. */
    void assign(Expression target) {
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
                ProgramEmitter.signExtend(code, operandBits);
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

    /** Puts the value of {@code expression} on the stack, as a method's parameter of type {@code wanted} takes it. */
    void push(Expression expression, Class<?> wanted) {
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
                ProgramEmitter.signExtend(code, bits(i));
            } else if (operand.aspect() == Aspect.UNSIGNED) {
                ProgramEmitter.zeroExtend(code, bits(i));
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
                ProgramEmitter.zeroExtend(code, bits(i));
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

    /** Calls the method that {@code call} names; returns the type of what it leaves on the stack. */
    Class<?> call(Call call) {
        return invoke(methods.find(call.type(), call.method()), call);
    }

    /** Calls {@code method} with the arguments of {@code call}; returns its type. */
    Class<?> invoke(Method method, Call call) {
        Class<?>[] parameters = method.getParameterTypes();
        if (parameters.length != call.arguments().size()) {
            throw new IllegalArgumentException(
                    row + ": " + call.type() + "." + call.method() + " takes " + parameters.length
                            + " arguments, not " + call.arguments().size());
        }
        for (int i = 0; i < parameters.length; i++) {
            push(call.arguments().get(i), parameters[i]);
        }
        code.invokestatic(SemanticMethods.owner(method), method.getName(), SemanticMethods.descriptor(method));
        return method.getReturnType();
    }
}
