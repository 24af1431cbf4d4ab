package dev.xenolith.cpu.translate;

import dev.xenolith.cpu.decode.DecodedInstruction;
import dev.xenolith.cpu.decode.OperandForm;
import dev.xenolith.cpu.emit.OperationName;
import dev.xenolith.cpu.emit.ProgramEmitter;
import dev.xenolith.cpu.emit.SemanticMethods;
import dev.xenolith.cpu.interpret.Unit;
import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.cpu.translate.Region.BasicBlock;
import java.lang.classfile.Attributes;
import java.lang.classfile.ClassFile;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.classfile.instruction.SwitchCase;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Writes a region as the class of a unit.
 *
 * <p>The general registers that the region uses, and the flags, are locals: loaded at the beginning, and written back where the unit is
 * left, all of them at one place, which every exit reaches with RIP and the number of instructions left. An exit before an instruction
 * finds everything as that instruction finds it, so nothing need be undone. The budget is looked at where a loop begins; between two
 * looks there are at most {@link BasicBlock#longest} instructions.
 */
final class UnitEmitter {
    static final ClassDesc PROCESSOR = ClassDesc.of("dev.xenolith.cpu.processor.Processor");
    private static final ClassDesc UNIT = ClassDesc.of("dev.xenolith.cpu.interpret.Unit");
    private static final ClassDesc LAYOUT = ClassDesc.of("dev.xenolith.cpu.interpret.Unit$Layout");
    private static final ClassDesc CODE = ClassDesc.of("dev.xenolith.cpu.interpret.Code");
    private static final ClassDesc OP = ClassDesc.of("dev.xenolith.cpu.interpret.Op");
    private static final ClassDesc LONG = ClassDesc.ofDescriptor("J");
    private static final ClassDesc INT = ClassDesc.ofDescriptor("I");
    private static final ClassDesc BOOLEAN = ClassDesc.ofDescriptor("Z");
    private static final ClassDesc VOID = ClassDesc.ofDescriptor("V");
    private static final ClassDesc LONGS = LONG.arrayType();
    private static final MethodTypeDesc RUN = MethodTypeDesc.of(CODE, PROCESSOR, LONG);
    private static final MethodTypeDesc CONSTRUCTOR = MethodTypeDesc.of(VOID, LAYOUT, INT);
    private static final MethodTypeDesc EXEC = MethodTypeDesc.of(VOID, PROCESSOR);
    private static final int REGISTERS = 16;

    // The description of an exit: distance of the next instruction from the beginning of the page, number of the link, and how many
    // instructions of the present block have been executed.
    private static final int DONE_MASK = 255;
    private static final int LINK_SHIFT = 8;
    private static final int LINK_MASK = 255;
    private static final int OFFSET_SHIFT = 16;

    /** A place where the unit is left. */
    static final class Exit {
        private final Label label;
        private final PendingFlags pending;
        private final long description;
        private boolean used;

        private Exit(Label label, PendingFlags pending, long description) {
            this.label = label;
            this.pending = pending;
            this.description = description;
        }

        /** Its label, to which the caller branches. */
        Label use() {
            used = true;
            return label;
        }
    }

    private final SemanticMethods methods;
    private final Region region;
    private final CodeBuilder code;
    private final Map<BasicBlock, Label> labels = new HashMap<>();
    private final List<Exit> exits = new ArrayList<>();
    private final Locals locals;
    private final Label leave;
    private final CarriedFlags carried;
    private final PendingFlags pending;
    private int used;
    private int written;
    private boolean flagsWritten;
    /** Highest number of a linked exit. */
    private int links = Unit.INDIRECT;
    /** Number of the next instruction. */
    private int number;

    private UnitEmitter(CodeBuilder code, SemanticMethods methods, Region region) {
        this.code = code;
        this.methods = methods;
        this.region = region;
        leave = code.newLabel();
        for (BasicBlock block : region.blocks) {
            labels.put(block, code.newLabel());
            for (Instruction instruction : block.instructions) {
                used |= instruction.reads();
                written |= instruction.writes();
                flagsWritten |= instruction.flags().writes();
            }
        }
        locals = new Locals(used);
        carried = new CarriedFlags(code, locals);
        pending = new PendingFlags(carried);
    }

    /** The unit for {@code region}, named {@code type}. */
    static UnitCode emit(ClassDesc type, Region region, SemanticMethods methods) {
        int[] links = new int[1];
        byte[] bytes = ClassFile.of().build(type, builder -> builder
                .withFlags(ClassFile.ACC_PUBLIC | ClassFile.ACC_FINAL | ClassFile.ACC_SUPER).withSuperclass(UNIT)
                .withMethodBody(ConstantDescs.INIT_NAME, CONSTRUCTOR, ClassFile.ACC_PUBLIC,
                        code -> code.aload(0).aload(1).iload(2)
                                .invokespecial(UNIT, ConstantDescs.INIT_NAME, CONSTRUCTOR).return_())
                .withMethodBody("run", RUN, ClassFile.ACC_PUBLIC, code -> {
                    // Once more if a branch turns out to be too far for the short form.
                    UnitEmitter emitter = new UnitEmitter(code, methods, region);
                    emitter.emit();
                    links[0] = emitter.links;
                }));
        return new UnitCode(bytes, links[0], length(bytes));
    }

    private static int length(byte[] unit) {
        return ClassFile.of().parse(unit).methods().stream().filter(method -> method.methodName().equalsString("run"))
                .mapToInt(method -> method.findAttribute(Attributes.code()).orElseThrow().codeLength()).sum();
    }

    private void emit() {
        enter();
        for (int i = 0; i < region.blocks.size(); i++) {
            block(region.blocks.get(i), i + 1 < region.blocks.size() ? region.blocks.get(i + 1) : null);
        }
        Label leaveAsDescribed = code.newLabel();
        exits(leaveAsDescribed);
        carried.finish();
        leave(leaveAsDescribed);
    }

    /** Writes the exits: those that find the same flags pending share what writes them. */
    private void exits(Label leaveAsDescribed) {
        List<Exit> rest = new ArrayList<>(exits.stream().filter(exit -> exit.used).toList());
        while (!rest.isEmpty()) {
            PendingFlags flags = rest.getFirst().pending;
            List<Exit> group = rest.stream().filter(exit -> exit.pending.isSame(flags)).toList();
            rest.removeAll(group);
            Label writeFlags = code.newLabel();
            for (Exit exit : group) {
                code.labelBinding(exit.label).loadConstant(exit.description).lstore(Locals.VALUE);
                if (exit != group.getLast()) {
                    code.goto_(writeFlags);
                }
            }
            code.labelBinding(writeFlags);
            flags.write();
            code.goto_(leaveAsDescribed);
        }
    }

    // ---- beginning and end -------------------------------------------------------------------------------------------

    private void enter() {
        code.lload(Locals.END).aload(1).getfield(PROCESSOR, "retired", LONG).lsub().lstore(Locals.LEFT);
        code.aload(1).getfield(PROCESSOR, "gpr", LONGS).astore(Locals.GPR);
        code.aload(Locals.GPR).loadConstant(Processor.PAGE).laload().lstore(Locals.PAGE);
        loadRegisters(used);
        loadFlags();
        code.aload(1).invokevirtual(PROCESSOR, "dataContext", MethodTypeDesc.of(LONG)).lstore(Locals.CONTEXT);
        code.aload(1).invokevirtual(PROCESSOR, "readTable", MethodTypeDesc.of(LONG)).lstore(Locals.READ_TABLE);
        code.aload(1).invokevirtual(PROCESSOR, "writeTable", MethodTypeDesc.of(LONG)).lstore(Locals.WRITE_TABLE);
        segmentBase(Processor.FS);
        segmentBase(Processor.GS);
        carried.begin();
    }

    private void segmentBase(int segment) {
        for (BasicBlock block : region.blocks) {
            for (Instruction instruction : block.instructions) {
                if (instruction.decoded().segment == segment) {
                    code.aload(1).getfield(PROCESSOR, "segmentBase", LONGS).loadConstant(segment).laload()
                            .lstore(Locals.segmentBase(segment));
                    return;
                }
            }
        }
    }

    private void loadRegisters(int set) {
        for (int i = 0; i < REGISTERS; i++) {
            if ((set >> i & 1) != 0) {
                code.aload(Locals.GPR).loadConstant(i).laload().lstore(locals.register(i));
            }
        }
    }

    private void loadFlags() {
        code.aload(1).getfield(PROCESSOR, "flagResult", LONG).lstore(Locals.FLAG_RESULT);
        code.aload(1).getfield(PROCESSOR, "flagCarries", LONG).lstore(Locals.FLAG_CARRIES);
    }

    private void writeBack() {
        for (int i = 0; i < REGISTERS; i++) {
            if ((written >> i & 1) != 0) {
                code.aload(Locals.GPR).loadConstant(i).lload(locals.register(i)).lastore();
            }
        }
        if (flagsWritten) {
            code.aload(1).lload(Locals.FLAG_RESULT).putfield(PROCESSOR, "flagResult", LONG);
            code.aload(1).lload(Locals.FLAG_CARRIES).putfield(PROCESSOR, "flagCarries", LONG);
        }
    }

    private void leave(Label asDescribed) {
        code.labelBinding(asDescribed);
        code.lload(Locals.PAGE).lload(Locals.VALUE).loadConstant(OFFSET_SHIFT).lshr().ladd().lstore(Locals.RIP);
        code.lload(Locals.LEFT).lload(Locals.VALUE).loadConstant((long) DONE_MASK).land().lsub().lstore(Locals.LEFT);
        code.lload(Locals.VALUE).l2i().loadConstant(LINK_SHIFT).ishr().loadConstant(LINK_MASK).iand()
                .istore(Locals.EXIT);
        code.labelBinding(leave);
        code.aload(1).lload(Locals.RIP).putfield(PROCESSOR, "rip", LONG);
        code.aload(1).lload(Locals.END).lload(Locals.LEFT).lsub().putfield(PROCESSOR, "retired", LONG);
        writeBack();
        code.aload(0).iload(Locals.EXIT).putfield(UNIT, "exit", INT);
        code.aload(0).getfield(UNIT, "links", CODE.arrayType()).iload(Locals.EXIT).aaload().areturn();
    }

    /** An exit before the instruction at {@code offset}, {@code done} instructions of the present block having been executed. */
    private Exit exit(long offset, int done) {
        return exit(offset, Unit.NO_LINK, done);
    }

    /** An exit at the end of a block that always leads to {@code offset}; linked to what is there, if that is in the page. */
    private Exit linkedExit(long offset) {
        boolean inPage = offset >= 0 && offset < PhysicalMemory.FRAME_SIZE;
        return exit(offset, inPage && links < LINK_MASK ? ++links : Unit.NO_LINK, 0);
    }

    private Exit exit(long offset, int link, int done) {
        Exit exit = new Exit(code.newLabel(), pending.copy(), offset << OFFSET_SHIFT | link << LINK_SHIFT | done);
        exits.add(exit);
        return exit;
    }

    // ---- blocks ------------------------------------------------------------------------------------------------------

    private void block(BasicBlock block, @Nullable BasicBlock following) {
        code.labelBinding(labels.get(block));
        pending.inherit(block.flagsNeeded);
        int count = block.instructions.size();
        UnitAccess last = null;
        for (int i = 0; i < count; i++) {
            Instruction instruction = block.instructions.get(i);
            if (instruction.kind() == InstructionForm.Kind.CALL) {
                call(instruction, i);
            } else {
                last = inline(instruction, i);
            }
            number++;
        }
        code.lload(Locals.LEFT).loadConstant((long) count).lsub().lstore(Locals.LEFT);
        if (block.branches() && last != null) {
            branch(block, last, following);
        } else {
            go(block, block.next, block.end(), following);
        }
    }

    /** Goes from the end of {@code block} on to {@code next} or, if that is null, leaves the unit for {@code offset}. */
    private void go(BasicBlock block, @Nullable BasicBlock next, long offset, @Nullable BasicBlock following) {
        if (next == null) {
            code.goto_(linkedExit(offset).use());
            return;
        }
        if (RegionBuilder.isBack(block, next)) {
            code.lload(Locals.LEFT).loadConstant((long) next.longest).lcmp().iflt(linkedExit(next.start).use());
        }
        if (next.flagsNeeded) {
            pending.carry();
        }
        if (next != following) {
            code.goto_(labels.get(next));
        }
    }

    private void branch(BasicBlock block, UnitAccess access, @Nullable BasicBlock following) {
        Instruction last = block.last();
        if (access.isIndirect()) {
            indirect(block);
            return;
        }
        if (!access.isConditional()) {
            go(block, block.target, last.target(), following);
            return;
        }
        Label not = code.newLabel();
        access.jumpUnlessTaken(not);
        go(block, block.target, last.target(), null);
        code.labelBinding(not);
        go(block, block.next, block.end(), following);
    }

    /** Goes where {@link Locals#VALUE} says, out of the unit unless that is one of the places that it is known to lead to. */
    private void indirect(BasicBlock block) {
        Label elsewhere = code.newLabel();
        List<SwitchCase> cases = new ArrayList<>();
        for (BasicBlock other : block.others) {
            cases.add(SwitchCase.of(other.start, code.newLabel()));
        }
        if (!cases.isEmpty()) {
            // Compared as less and not as equal, which C2 takes for unlikely where it has no profile.
            code.lload(Locals.VALUE).lload(Locals.PAGE).lsub().loadConstant((long) PhysicalMemory.FRAME_SIZE)
                    .invokestatic(ConstantDescs.CD_Long, "compareUnsigned", MethodTypeDesc.of(INT, LONG, LONG))
                    .ifge(elsewhere);
            code.lload(Locals.VALUE).l2i().loadConstant(PhysicalMemory.FRAME_SIZE - 1).iand()
                    .lookupswitch(elsewhere, cases);
            for (int i = 0; i < cases.size(); i++) {
                code.labelBinding(cases.get(i).target());
                BasicBlock other = block.others.get(i);
                go(block, other, other.start, null);
            }
        }
        code.labelBinding(elsewhere);
        pending.write();
        code.lload(Locals.VALUE).lstore(Locals.RIP);
        code.loadConstant(block.last().form().returns() ? Unit.NO_LINK : Unit.INDIRECT).istore(Locals.EXIT)
                .goto_(leave);
    }

    /** Writes {@code instruction}, the {@code index}th of its block. */
    private UnitAccess inline(Instruction instruction, int index) {
        if (instruction.flags().readsForValue() && !(instruction.flags().readsConditionOnly()
                && pending.tells(instruction.decoded().row.condition()))) {
            writeFlags();
        }
        int slot = pending.freeSlot();
        if (slot < 0) {
            writeFlags();
            slot = 0;
        }
        UnitAccess access = new UnitAccess(code, instruction, exit(instruction.offset(), index), pending, locals);
        DecodedInstruction decoded = instruction.decoded();
        ProgramEmitter emitter = new ProgramEmitter(access, methods, decoded.row, instruction.form().program(),
                decoded.operandBits, instruction.form().forms(), false,
                locals.program(slot));
        if (!instruction.flags().writes()) {
            emitter.emit();
        } else if (instruction.flags().canWait()) {
            emitter.emit(false);
            pending.add(instruction, emitter, slot);
        } else {
            boolean replaces = instruction.flags().replaces();
            if (!replaces) {
                writeFlags();
            }
            emitter.emit();
            pending.clear();
        }
        return access;
    }

    private void writeFlags() {
        pending.write();
        pending.clear();
    }

    /** Has the interpreter's operation execute {@code instruction}, the {@code index}th of its block. */
    private void call(Instruction instruction, int index) {
        writeFlags();
        writeBack();
        code.aload(1).lload(Locals.END).lload(Locals.LEFT).lsub().loadConstant(index + 1L).ladd()
                .putfield(PROCESSOR, "retired", LONG);
        code.aload(1).loadConstant(number).putfield(PROCESSOR, "fusedPart", INT);
        ClassDesc type = ClassDesc.of(OperationName.PACKAGE, OperationName.of(instruction.decoded(), false));
        code.aload(0).getfield(UNIT, "ops", OP.arrayType()).loadConstant(number).aaload().checkcast(type).aload(1);
        code.invokevirtual(type, "exec", EXEC);
        loadRegisters(instruction.writes());
        loadFlags();
        code.aload(0).getfield(UNIT, "stale", BOOLEAN).ifne(exit(instruction.next(), index + 1).use());
    }
}
