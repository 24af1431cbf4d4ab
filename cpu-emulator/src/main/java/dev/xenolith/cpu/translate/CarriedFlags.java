package dev.xenolith.cpu.translate;

import dev.xenolith.cpu.emit.ProgramEmitter;
import dev.xenolith.cpu.translate.PendingFlags.Entry;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.classfile.instruction.SwitchCase;
import java.util.ArrayList;
import java.util.List;

/**
 * What is pending of the flags where one basic block goes on to the next. The local {@link Locals#CARRIED} says which instructions have set
 * them, and locals of its own keep what these have computed from: so a loop computes no flags that only an exit looks at.
 */
final class CarriedFlags {
    /** What a place where flags are to be written goes to, and comes back from. */
    private record Stub(Label start, Label back) {
    }

    private final CodeBuilder code;
    private final Locals locals;
    /** By number, from 1; 0 says that the flags are as their locals say. */
    private final List<List<Entry>> kinds = new ArrayList<>();
    private final List<Stub> stubs = new ArrayList<>();

    CarriedFlags(CodeBuilder code, Locals locals) {
        this.code = code;
        this.locals = locals;
    }

    /** Nothing is carried, at the beginning of the unit. */
    void begin() {
        for (int slot = 0; slot < Locals.CARRIED_PROGRAMS; slot++) {
            for (int offset : ProgramEmitter.FLAG_LOCALS) {
                code.lconst_0().lstore(locals.carriedProgram(slot) + offset);
            }
        }
        code.iconst_0().istore(Locals.CARRIED);
    }

    /** Has {@code entries} carried from here on; false, and nothing done, if they are too many. */
    boolean carry(List<Entry> entries) {
        if (entries.size() > Locals.CARRIED_PROGRAMS) {
            return false;
        }
        if (entries.isEmpty()) {
            code.iconst_0().istore(Locals.CARRIED);
            return true;
        }
        for (int slot = 0; slot < entries.size(); slot++) {
            int to = locals.carriedProgram(slot);
            for (int offset : entries.get(slot).emitter().flagLocals()) {
                code.lload(locals.program(entries.get(slot).slot()) + offset).lstore(to + offset);
            }
        }
        int kind = kinds.indexOf(entries) + 1;
        if (kind == 0) {
            kinds.add(List.copyOf(entries));
            kind = kinds.size();
        }
        code.loadConstant(kind).istore(Locals.CARRIED);
        return true;
    }

    /** Writes the flags that are carried. */
    void write() {
        Stub stub = new Stub(code.newLabel(), code.newLabel());
        stubs.add(stub);
        code.goto_(stub.start).labelBinding(stub.back);
    }

    /** Writes the code for that, once all that may be carried is known. */
    void finish() {
        for (Stub stub : stubs) {
            code.labelBinding(stub.start);
            if (!kinds.isEmpty()) {
                writeByKind(stub.back);
            }
            code.goto_(stub.back);
        }
    }

    private void writeByKind(Label back) {
        List<SwitchCase> cases = new ArrayList<>();
        for (int i = 0; i < kinds.size(); i++) {
            cases.add(SwitchCase.of(i + 1, code.newLabel()));
        }
        code.iload(Locals.CARRIED).tableswitch(1, kinds.size(), back, cases);
        for (int i = 0; i < kinds.size(); i++) {
            code.labelBinding(cases.get(i).target());
            List<Entry> entries = kinds.get(i);
            for (int slot = 0; slot < entries.size(); slot++) {
                entries.get(slot).emitter().at(locals.carriedProgram(slot)).emitFlags();
            }
            code.goto_(back);
        }
    }
}
