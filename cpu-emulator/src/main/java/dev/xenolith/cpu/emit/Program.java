package dev.xenolith.cpu.emit;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** The program of a semantic, parsed; its language is described in {@code opcodes.txt}. */
public record Program(List<Statement> statements) {
    /** How an operand is named. */
    public enum Aspect {
        /** {@code 1}: its value, sign-extended. */
        SIGNED,
        /** {@code 1u}: its value, zero-extended. */
        UNSIGNED,
        /** {@code 1n}: number of the register, or the bare immediate. */
        NUMBER,
        /** {@code 1a}: linear address. */
        ADDRESS,
        /** {@code 1o}: offset in its segment. */
        OFFSET,
        /** {@code 1f}: all 64 bits of the register. */
        FULL,
        /** {@code 1l}: low quadword of the double quadword. */
        LOW,
        /** {@code 1h}: high quadword of the double quadword. */
        HIGH,
        /** {@code 1q}, {@code 1q1} to {@code 1q3}: a quadword by number. */
        QUAD0, QUAD1, QUAD2, QUAD3,
        /** {@code 1p}: what a lane of the first operand takes of a narrower one, sign-extended. */
        PART
    }

    /** Something with a value. */
    public sealed interface Expression {
    }

    /** Operand {@code index}, from 0. */
    public record Operand(int index, Aspect aspect) implements Expression {
    }

    /** A register, temporary, flag word or property by name. */
    public record Name(String text) implements Expression {
    }

    /** A number. */
    public record Number(int value) implements Expression {
    }

    /** A static method's value. */
    public record Call(String type, String method, List<Expression> arguments) implements Expression {
    }

    /** One step. */
    public sealed interface Statement {
    }

    /** {@code target = value}. */
    public record Assign(Expression target, Expression value) implements Statement {
    }

    /** {@code target = load address}. */
    public record Load(Name target, Expression address) implements Statement {
    }

    /** {@code push value}. */
    public record Push(Expression value) implements Statement {
    }

    /** {@code target = pop}. */
    public record Pop(Name target) implements Statement {
    }

    /** {@code flags vector}. */
    public record SetFlags(Expression vector) implements Statement {
    }

    /** {@code branch target if condition}; without one it is the row's. */
    public record Branch(Expression target, Expression condition) implements Statement {
    }

    /** {@code check condition #vector}. */
    public record Check(Expression condition, int vector) implements Statement {
    }

    /** {@code raise #vector}. */
    public record Raise(int vector) implements Statement {
    }

    /** {@code displace 1 bytes}. */
    public record Displace(Expression bytes) implements Statement {
    }

    /** A call for its effect. */
    public record Invoke(Call call) implements Statement {
    }

    /** Parses {@code text}; errors name the place. */
    public static Program parse(String text) {
        return new Parser(text).program();
    }

    /** Shows every expression, parts before wholes, to {@code visitor}. */
    public void visit(Consumer<Expression> visitor) {
        for (Statement statement : statements) {
            switch (statement) {
                case Assign s -> {
                    if (s.target() instanceof Operand operand && operand.aspect() == Aspect.FULL) {
                        visitor.accept(operand);
                    }
                    visit(s.value(), visitor);
                }
                case Load s -> visit(s.address(), visitor);
                case Push s -> visit(s.value(), visitor);
                case SetFlags s -> visit(s.vector(), visitor);
                case Branch s -> {
                    visit(s.target(), visitor);
                    visit(s.condition(), visitor);
                }
                case Check s -> visit(s.condition(), visitor);
                case Displace s -> visit(s.bytes(), visitor);
                case Invoke s -> visit(s.call(), visitor);
                case Pop s -> visit(s.target(), visitor);
                case Raise s -> {
                }
            }
        }
    }

    private static void visit(Expression expression, Consumer<Expression> visitor) {
        if (expression instanceof Call call) {
            call.arguments().forEach(argument -> visit(argument, visitor));
        }
        visitor.accept(expression);
    }

    private static final class Parser {
        private final String text;
        private int position;

        Parser(String text) {
            this.text = text;
        }

        Program program() {
            List<Statement> statements = new ArrayList<>();
            skipSpace();
            while (position < text.length()) {
                statements.add(statement());
                if (position < text.length()) {
                    expect(';');
                }
            }
            return new Program(List.copyOf(statements));
        }

        private Statement statement() {
            int start = position;
            String word = word();
            switch (word) {
                case "flags" :
                    return new SetFlags(expression());
                case "push" :
                    return new Push(expression());
                case "branch" :
                    return branch();
                case "check" :
                    Expression condition = expression();
                    return new Check(condition, number());
                case "raise" :
                    return new Raise(number());
                case "displace" :
                    if (!word().equals("1")) {
                        throw error("only operand 1 can be displaced");
                    }
                    return new Displace(expression());
                default :
                    position = start;
            }
            Expression target = expression();
            if (target instanceof Call call) {
                return new Invoke(call);
            }
            expect('=');
            int before = position;
            String value = word();
            if (target instanceof Name name) {
                if (value.equals("pop")) {
                    return new Pop(name);
                }
                if (value.equals("load")) {
                    return new Load(name, expression());
                }
            }
            position = before;
            return new Assign(target, expression());
        }

        private Branch branch() {
            Expression target = expression();
            int before = position;
            if (word().equals("if")) {
                return new Branch(target, expression());
            }
            position = before;
            return new Branch(target, new Name("cc"));
        }

        private Expression expression() {
            if (position < text.length() && text.charAt(position) == '#') {
                return new Number(number());
            }
            String word = word();
            if (word.isEmpty()) {
                throw error("expected a value");
            }
            if (word.indexOf('.') > 0) {
                String[] parts = word.split("\\.");
                List<Expression> arguments = new ArrayList<>();
                expect('(');
                while (position < text.length() && text.charAt(position) != ')') {
                    arguments.add(expression());
                    if (position < text.length() && text.charAt(position) == ',') {
                        expect(',');
                    }
                }
                expect(')');
                return new Call(parts[0], parts[1], List.copyOf(arguments));
            }
            char first = word.charAt(0);
            if (first >= '1' && first <= '4') {
                Aspect aspect = switch (word.substring(1)) {
                    case "" -> Aspect.SIGNED;
                    case "u" -> Aspect.UNSIGNED;
                    case "n" -> Aspect.NUMBER;
                    case "a" -> Aspect.ADDRESS;
                    case "o" -> Aspect.OFFSET;
                    case "f" -> Aspect.FULL;
                    case "l" -> Aspect.LOW;
                    case "h" -> Aspect.HIGH;
                    case "q" -> Aspect.QUAD0;
                    case "q1" -> Aspect.QUAD1;
                    case "q2" -> Aspect.QUAD2;
                    case "q3" -> Aspect.QUAD3;
                    case "p" -> Aspect.PART;
                    default -> throw error("unknown operand " + word);
                };
                return new Operand(first - '1', aspect);
            }
            return new Name(word);
        }

        private String word() {
            int start = position;
            while (position < text.length()
                    && (Character.isLetterOrDigit(text.charAt(position)) || text.charAt(position) == '.')) {
                position++;
            }
            String word = text.substring(start, position);
            skipSpace();
            return word;
        }

        private int number() {
            expect('#');
            return Integer.parseInt(word());
        }

        private void expect(char c) {
            if (position >= text.length() || text.charAt(position) != c) {
                throw error("expected " + c);
            }
            position++;
            skipSpace();
        }

        private void skipSpace() {
            while (position < text.length() && text.charAt(position) == ' ') {
                position++;
            }
        }

        private IllegalArgumentException error(String message) {
            return new IllegalArgumentException(message + " at column " + (position + 1) + " of: " + text);
        }
    }
}
