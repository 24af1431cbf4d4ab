package dev.xenolith.cpu.translate;

import dev.xenolith.cpu.translate.GuestProgram.Fix;
import dev.xenolith.cpu.translate.GuestProgram.Item;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;

/**
 * Makes a program from a seed: loops, branches, calls, jumps through a table, stack, strings, exceptions, code that changes itself, pages
 * that are mapped anew. What there is of each is drawn first, so that some programs are all computation and others change all the time.
 * They never end.
 */
final class ProgramGenerator {
    private static final int PAGE = 4096;
    private static final int LONGEST = GuestProgram.MAXIMUM_BYTES - 2 * PAGE;
    private static final int TABLE_ENTRIES = 128;
    /** Registers that count loops, the inner one's below that of the outer, and those in functions. */
    private static final int OUTER_COUNTER = 15;
    private static final int FUNCTION_COUNTER = 12;
    private static final byte[] RESET_POINTERS_OPCODES = {(byte) 0xbe, (byte) 0xbf, (byte) 0xbd};

    private final Random random;
    private final StraightCode straight;
    private final List<Item> items = new ArrayList<>();
    /** Number of the item at each label, -1 as long as it is not known. */
    private final List<Integer> labels = new ArrayList<>();
    private final List<Integer> table = new ArrayList<>();
    /** Labels of instructions whose last four bytes are an immediate that may be any. */
    private final List<Integer> patchable = new ArrayList<>();
    /** Labels that stand for one of those that is chosen in the end. */
    private final List<Integer> patched = new ArrayList<>();
    private final List<Integer> functions = new ArrayList<>();
    private int bytes;
    private int gap;
    /** Number of the function that is being made, -1 for the main program. */
    private int function = -1;

    private final int faults;
    private final int patches;
    private final int strings;
    private final int vectors;
    private final int maps;
    private final int traps;
    private final boolean wild;

    private ProgramGenerator(long seed) {
        random = new Random(seed * 0x9e37_79b9_7f4a_7c15L + 1);
        straight = new StraightCode(random);
        faults = share(0, 0, 5, 30);
        patches = share(0, 0, 20, 100);
        strings = share(0, 10, 40);
        vectors = share(0, 0, 30, 200);
        maps = share(0, 0, 0, 15);
        traps = share(0, 0, 0, 0, 0, 0, 0, 0, 2);
        wild = random.nextInt(4) == 0;
    }

    private int share(int... choices) {
        return choices[random.nextInt(choices.length)];
    }

    /** The program of {@code seed}. */
    static GuestProgram generate(long seed) {
        return new ProgramGenerator(seed).program();
    }

    private GuestProgram program() {
        int count = random.nextInt(4);
        for (int i = 0; i < count; i++) {
            functions.add(newLabel());
        }
        int start = newLabel();
        place(start);
        add(hex("bc 00 00 30 00")); // mov esp, STACK
        resetPointers();
        statements(random.nextInt(6, 25));
        branch("e9", start);
        for (int i = 0; i < count; i++) {
            function(i);
        }
        for (int label : patched) {
            int chosen = patchable.isEmpty() ? start : patchable.get(random.nextInt(patchable.size()));
            labels.set(label, labels.get(chosen));
        }
        return new GuestProgram(items, labels.stream().mapToInt(Integer::intValue).toArray(),
                table.stream().mapToInt(Integer::intValue).toArray(), random.nextInt(PAGE));
    }

    private void function(int number) {
        gap = random.nextInt(3) == 0 && bytes < LONGEST - PAGE ? random.nextInt(PAGE) : random.nextInt(16);
        place(functions.get(number));
        int frame = random.nextInt(3);
        if (frame == 1) {
            add(hex("55 48 89 e5")); // push rbp; mov rbp, rsp
        } else if (frame == 2) {
            add(hex("c8 20 00 00")); // enter 32, 0
        }
        function = number;
        statements(random.nextInt(2, 8));
        if (frame != 0) {
            add(hex("c9"));
        }
        if (random.nextInt(4) == 0) {
            add(hex("c2 00 00"));
        } else {
            add(hex("c3"));
        }
    }

    // ---- what programs are made of -----------------------------------------------------------------------------------

    private void statements(int count) {
        for (int i = 0; i < count && bytes < LONGEST; i++) {
            statement(0);
        }
    }

    /** @param level how many loops and branches it is in */
    private void statement(int level) {
        switch (random.nextInt(16)) {
            case 0, 1 -> {
                if (level == 0) {
                    loop(0);
                }
            }
            case 2, 3 -> either(level);
            case 4 -> call();
            case 5 -> throughTable();
            case 6 -> stack();
            case 7 -> conditions();
            case 8 -> skip();
            case 9 -> boundary();
            default -> run(random.nextInt(1, 9));
        }
        if (chance(5)) {
            resetPointers();
        }
    }

    /** Straight instructions, with what the program has of anything else among them. */
    private void run(int count) {
        for (int i = 0; i < count; i++) {
            if (chance(faults)) {
                exception();
            } else if (chance(patches)) {
                patch();
            } else if (chance(strings)) {
                string();
            } else if (chance(maps)) {
                map();
            } else if (chance(traps)) {
                add(hex("9c 81 0c 24 00 01 00 00 9d")); // pushfq; or dword [rsp], TF; popfq
            } else if (chance(vectors)) {
                add(straight.vector());
            } else if (random.nextInt(12) == 0) {
                patchTarget();
            } else {
                add(straight.integer());
            }
        }
    }

    private boolean chance(int inThousand) {
        return random.nextInt(1000) < inThousand;
    }

    /** A loop of few iterations or many; calls are only in those of the main program, whose counters functions do not use. */
    private void loop(int level) {
        int counter = function >= 0 ? FUNCTION_COUNTER : OUTER_COUNTER - level;
        int low = counter - 8;
        int times = random.nextInt(8) == 0 ? random.nextInt(20, 200) : random.nextInt(1, 12);
        add(hex("41 %02x".formatted(0xb8 + low), times)); // mov counter, times
        int top = newLabel();
        int out = newLabel();
        place(top);
        for (int i = random.nextInt(1, 4); i > 0 && bytes < LONGEST; i--) {
            switch (random.nextInt(6)) {
                case 0 -> {
                    if (level == 0 && function < 0) {
                        loop(1);
                    }
                }
                case 1 -> either(level + 1);
                case 2 -> {
                    if (function < 0) {
                        call();
                    }
                }
                default -> run(random.nextInt(1, 6));
            }
            if (random.nextInt(5) == 0) {
                branch("0f %02x".formatted(0x80 + random.nextInt(16)), out);
            }
        }
        switch (random.nextInt(4)) {
            case 0 -> {
                add(hex("49 83 %02x 01".formatted(0xe8 + low))); // sub counter, 1
                branch(random.nextBoolean() ? "0f 85" : "0f 8f", top);
            }
            case 1 -> {
                add(hex("49 ff %02x".formatted(0xc8 + low))); // dec counter
                run(random.nextInt(2));
                add(hex("4d 85 %02x".formatted(0xc0 + low * 9))); // test counter, counter
                branch("0f 85", top);
            }
            case 2 -> {
                add(hex("49 ff %02x".formatted(0xc8 + low)));
                add(hex("4c 89 %02x".formatted(0xc1 + low * 8))); // mov rcx, counter
                add(hex("48 ff c1")); // inc rcx
                // LOOP and its kin have no long form: loop +2; jmp +5; jmp top
                branch("%02x 02 eb 05 e9".formatted(0xe0 + random.nextInt(3)), top);
            }
            default -> {
                add(hex("41 83 %02x ff".formatted(0xc0 + low))); // add counter, -1
                branch("0f 85", top);
            }
        }
        place(out);
    }

    private void either(int level) {
        int other = newLabel();
        int end = newLabel();
        condition(other);
        run(random.nextInt(1, 5));
        if (level == 0 && random.nextInt(3) == 0) {
            statement(1);
        }
        if (random.nextBoolean()) {
            branch("e9", end);
            place(other);
            run(random.nextInt(1, 4));
        } else {
            place(other);
        }
        place(end);
    }

    private void condition(int label) {
        if (random.nextInt(10) == 0) {
            branch("%se3 02 eb 05 e9".formatted(random.nextInt(4) == 0 ? "67 " : ""), label); // jrcxz, jecxz
            return;
        }
        if (random.nextInt(3) != 0) {
            add(straight.integer());
        }
        branch("0f %02x".formatted(0x80 + random.nextInt(16)), label);
    }

    /** A branch over a few instructions, or none. */
    private void skip() {
        int label = newLabel();
        condition(label);
        run(random.nextInt(3));
        place(label);
    }

    /** Flags that are made before a branch, an access behind it that may leave a unit, then other flags. */
    private void boundary() {
        int label = newLabel();
        add(straight.integer());
        branch(random.nextBoolean() ? "e9" : "0f %02x".formatted(0x80 + random.nextInt(16)), label);
        place(label);
        if (random.nextInt(3) == 0 && faults > 0) {
            exception();
        } else {
            int page = (int) ProgramMachine.DATA + PAGE * random.nextInt(1, 4);
            add(hex("8b 04 25", page - random.nextInt(8))); // mov eax, []
        }
        add(hex("39 c8")); // cmp eax, ecx
    }

    /** Calls a function behind the present one, so that calls end. */
    private void call() {
        if (chance(maps * 20)) {
            add(hex("b8", (int) ProgramMachine.MOVED_CODE));
            add(hex("ff d0")); // call rax
            return;
        }
        if (function + 1 >= functions.size()) {
            run(2);
            return;
        }
        int callee = functions.get(random.nextInt(function + 1, functions.size()));
        switch (random.nextInt(5)) {
            case 0 -> {
                address("b8", callee, random.nextBoolean() ? (int) (ProgramMachine.ALIAS - ProgramMachine.CODE) : 0);
                add(hex("ff d0"));
            }
            case 1 -> {
                if (table.size() < TABLE_ENTRIES) {
                    add(hex("ff 14 25", (int) ProgramMachine.TABLE + 8 * table.size())); // call [table]
                    table.add(callee);
                }
            }
            case 2 -> {
                int back = newLabel();
                address("68", back, 0); // push back; jmp callee
                branch("e9", callee);
                place(back);
            }
            default -> branch("e8", callee);
        }
        resetPointers();
    }

    /** A jump to one of four places through the table. */
    private void throughTable() {
        if (table.size() + 4 > TABLE_ENTRIES) {
            run(2);
            return;
        }
        int register = random.nextInt(4);
        int at = (int) ProgramMachine.TABLE + 8 * table.size();
        add(hex("83 %02x 03".formatted(0xe0 + register))); // and register, 3
        int end = newLabel();
        List<Integer> places = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            places.add(newLabel());
        }
        table.addAll(places);
        add(hex("ff 24 %02x".formatted(0xc5 + 8 * register), at)); // jmp [8 * register + table]
        for (int place : places) {
            place(place);
            run(random.nextInt(1, 4));
            if (random.nextInt(4) != 0) {
                branch("e9", end);
            }
        }
        place(end);
    }

    private void stack() {
        int register = random.nextInt(4);
        switch (random.nextInt(6)) {
            case 0 -> {
                add(hex("%02x".formatted(0x50 + register)));
                run(random.nextInt(4));
                add(hex("%02x".formatted(0x58 + random.nextInt(4))));
            }
            case 1 -> {
                add(hex("9c")); // pushfq
                run(random.nextInt(3));
                add(hex("9d"));
            }
            case 2 -> {
                add(hex("68", random.nextInt()));
                add(hex("8f 46 08")); // pop [rsi+8]
            }
            case 3 -> {
                add(hex("ff 77 10")); // push [rdi+16]
                run(random.nextInt(3));
                add(hex("41 58")); // pop r8
            }
            case 4 -> {
                add(hex("66 %02x".formatted(0x50 + register))); // 16 bits
                add(hex("66 %02x".formatted(0x58 + random.nextInt(4))));
            }
            default -> {
                // Any flags but TF, IF and what changes modes.
                add(hex("9c 81 34 24", random.nextInt() & 0x8d5)); // pushfq; xor dword [rsp], flags
                add(hex("9d"));
            }
        }
    }

    /** What makes flags, then all that uses them. */
    private void conditions() {
        add(straight.integer());
        int count = random.nextInt(1, 4);
        for (int i = 0; i < count; i++) {
            int condition = random.nextInt(16);
            int register = random.nextInt(4);
            switch (random.nextInt(4)) {
                case 0 -> add(hex("0f %02x %02x".formatted(0x90 + condition, 0xc0 + register)));
                case 1 ->
                    add(hex("48 0f %02x %02x".formatted(0x40 + condition, 0xc0 + 8 * register + random.nextInt(4))));
                case 2 -> add(hex("48 11 %02x".formatted(0xc0 + 8 * register + random.nextInt(4)))); // adc
                default -> add(hex("%02x %02x".formatted(0x19, 0xc0 + 8 * register + random.nextInt(4)))); // sbb
            }
        }
    }

    private void exception() {
        int behind = (int) ProgramMachine.DATA + ProgramMachine.DATA_BYTES;
        switch (random.nextInt(9)) {
            case 0 -> add(hex("0f 0b")); // ud2
            case 1 -> add(hex("cc"));
            case 2 -> add(hex("31 c9 f7 f1")); // xor ecx, ecx; div ecx
            case 3 -> add(hex("48 8b 04 25", behind - random.nextInt(9))); // mov rax, [behind]
            case 4 -> add(hex("48 01 0c 25", behind - random.nextInt(9))); // add [behind], rcx
            case 5 -> add(hex("c7 04 25 %s".formatted(little((int) ProgramMachine.READ_ONLY + random.nextInt(8))),
                    random.nextInt()));
            case 6 -> add(hex("48 b8 00 00 00 00 00 00 80 00 8b 08")); // not canonical
            case 7 -> add(hex("66 87 0c 25", behind - 1)); // xchg [behind - 1], cx
            default -> add(hex("48 8b 04 25", (int) ProgramMachine.DATA - 8 + random.nextInt(8)));
        }
    }

    private void string() {
        int behind = (int) ProgramMachine.DATA + ProgramMachine.DATA_BYTES;
        add(hex("b9", random.nextInt(6) == 0 ? random.nextInt(600) : random.nextInt(24)));
        if (random.nextInt(6) == 0) {
            add(hex("fd")); // std
        }
        if (chance(faults * 10)) {
            add(hex(random.nextBoolean() ? "bf" : "be", behind - random.nextInt(64)));
        }
        add(straight.string());
        if (random.nextInt(3) != 0) {
            add(hex("fc"));
        }
        resetPointers();
    }

    /** Maps a page to one of its frames, or none, and flushes it. */
    private void map() {
        boolean code = random.nextBoolean();
        long linear = code ? ProgramMachine.MOVED_CODE : ProgramMachine.MOVED_DATA;
        long frame = (code ? ProgramMachine.CODE_FRAMES : ProgramMachine.DATA_FRAMES)[random.nextInt(2)];
        int entry = random.nextInt(12) == 0 ? 0 : (int) frame | 3;
        add(hex("c7 04 25 %s".formatted(little((int) ProgramMachine.entryOf(linear))), entry));
        add(hex("0f 01 3c 25", (int) linear)); // invlpg
        if (code) {
            add(hex("b8", (int) linear));
            add(hex("ff d0")); // call rax
        }
    }

    // ---- code that changes -------------------------------------------------------------------------------------------

    /** An instruction whose last four bytes may be anything. */
    private void patchTarget() {
        int label = newLabel();
        place(label);
        patchable.add(label);
        int register = random.nextInt(4);
        switch (random.nextInt(3)) {
            case 0 -> add(hex("c7 %02x".formatted(0xc0 + register), random.nextInt())); // mov
            case 1 -> add(hex("81 %02x".formatted(0xc0 + 8 * random.nextInt(8) + register), random.nextInt()));
            default -> add(hex("69 %02x".formatted(0xc0 + 9 * register), random.nextInt())); // imul
        }
    }

    private void patch() {
        int target = newLabel();
        boolean ahead = random.nextBoolean();
        if (!ahead) {
            patched.add(target);
        }
        // Each of those has its immediate at offset 2.
        switch (random.nextInt(10)) {
            case 0 -> address("c6 04 25", target, 2 + random.nextInt(4), (byte) random.nextInt()); // mov byte
            case 1 -> address("81 04 25", target, 2, random.nextInt()); // add dword
            case 2 -> address("%02x 04 25".formatted(0x89), target, 2); // mov [], eax
            case 3 -> address("f0 0f c1 0c 25", target, 2); // lock xadd [], ecx
            case 4 -> address("fe 04 25", target, 2 + random.nextInt(4)); // inc byte
            case 5 -> {
                // Onto itself: the same bytes, but written.
                address("be", target, 0);
                address("bf", target, 0);
                add(hex("b9", random.nextInt(1, 40)));
                add(hex("fc f3 a4"));
                resetPointers();
            }
            case 6 -> {
                address("bf", target, 2 + random.nextInt(4));
                add(hex("b9", random.nextInt(1, 3)));
                add(hex("fc f3 aa")); // rep stosb
                if (!ahead) {
                    resetPointers();
                }
            }
            case 7, 8 -> {
                // By an operation that units call: they are executing when their code changes.
                add(hex("81 04 25 %s".formatted(little((int) ProgramMachine.COUNTER)), random.nextInt())); // add dword []
                add(hex("66 0f 6e 04 25", (int) ProgramMachine.COUNTER)); // movd xmm0, []
                address("66 0f 7e 04 25", target, 2); // movd [], xmm0
            }
            default -> {
                if (wild) {
                    address("80 34 25", target, random.nextInt(4), (byte) (1 << random.nextInt(8))); // xor byte
                } else {
                    // add, or, adc, ... by the digit of 81, or another register for the others
                    address("80 34 25", target, 1, (byte) 1);
                }
            }
        }
        if (ahead) {
            int between = random.nextInt(3);
            for (int i = 0; i < between; i++) {
                add(straight.integer());
            }
            labels.set(target, items.size());
            patchTarget();
            resetPointers();
        }
    }

    // ---- items -------------------------------------------------------------------------------------------------------

    private int newLabel() {
        labels.add(-1);
        return labels.size() - 1;
    }

    private void place(int label) {
        labels.set(label, items.size());
    }

    private void resetPointers() {
        for (byte opcode : RESET_POINTERS_OPCODES) {
            add(hex("%02x".formatted(opcode), pointer()));
        }
        add(hex("41 bd", pointer()));
    }

    /** An address of data, now and then so that what is there crosses a page. */
    private int pointer() {
        int page = (int) ProgramMachine.DATA + PAGE * random.nextInt(4);
        return random.nextInt(8) == 0
                ? page + PAGE - random.nextInt(16)
                : page + 128 + 8 * random.nextInt(400) + random.nextInt(8) / 7;
    }

    private void add(byte[] code) {
        add(code, Fix.NONE, 0, 0, 0);
    }

    private void branch(String opcode, int label) {
        add(hex(opcode, 0), Fix.BRANCH, 0, label, 0);
    }

    /** {@code opcode}, then the address of {@code label} plus {@code addend}. */
    private void address(String opcode, int label, int addend) {
        byte[] code = hex(opcode, 0);
        add(code, Fix.ADDRESS, code.length - 4, label, addend);
    }

    /** The same, then an immediate. */
    private void address(String opcode, int label, int addend, int immediate) {
        byte[] code = hex(opcode + "00000000", immediate);
        add(code, Fix.ADDRESS, code.length - 8, label, addend);
    }

    private void address(String opcode, int label, int addend, byte immediate) {
        byte[] code = hex(opcode + "00000000 %02x".formatted(immediate));
        add(code, Fix.ADDRESS, code.length - 5, label, addend);
    }

    private void add(byte[] code, Fix fix, int at, int label, int addend) {
        items.add(new Item(code, fix, at, label, addend, gap));
        bytes += code.length + gap;
        gap = 0;
    }

    private static byte[] hex(String text) {
        return HexFormat.of().parseHex(text.replace(" ", ""));
    }

    /** The bytes, then four of {@code value}. */
    private static byte[] hex(String text, int value) {
        return hex(text + little(value));
    }

    private static String little(int value) {
        return "%02x%02x%02x%02x".formatted(value & 0xff, value >> 8 & 0xff, value >> 16 & 0xff, value >>> 24);
    }
}
