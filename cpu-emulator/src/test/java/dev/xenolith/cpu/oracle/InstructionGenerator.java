package dev.xenolith.cpu.oracle;

import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Makes snippets of one instruction each from the opcode table: any legal encoding, register values at the edges, operands in
 * memory on both sides of every kind of page boundary. A seed decides everything, the row included, and consecutive seeds
 * take the rows in turn.
 */
final class InstructionGenerator implements SnippetGenerator {
    private static final long TF = 1 << 8;
    private static final long DF = 1 << 10;
    private static final long AC = 1 << 18;
    private static final long STATUS = InstructionForm.STATUS;
    private static final int RAX = 0;
    private static final int RCX = 1;
    private static final int RDX = 2;
    private static final int RBX = 3;
    private static final int RSP = 4;
    private static final int RBP = 5;
    private static final int RSI = 6;
    private static final int RDI = 7;

    /** Selectors whose meaning does not depend on what else the host's kernel keeps in its GDT. */
    private static final int[] SELECTORS = {0, 1, 2, 3, 0x2b, 0x33, 0x23, 0x28, 0x29, 0x10, 0x13, 0x18, 0x1b, 0x30,
        0x40, 0x43, 4,
        0x2f, 0x37, 0xffff};

    /** Bits of bases that any kernel takes: all addresses of user space are below 2^47. */
    private static final long USER_BASES = (1L << 46) - 1;

    private final List<Variant> variants;
    private final int codeBits;
    private final byte[] noise = new byte[1 << 20];

    /** The row of the latest instance, how it was encoded, and what is undefined after it. */
    InstructionForm form;
    final EncodedInstruction encoded;
    /** Linear address of its operand in memory. */
    private long target;
    private boolean stopped;
    private final SourceValues values;
    private final UndefinedResults undefined;
    private SourceValues.Kind sources = SourceValues.Kind.NONE;
    /** Whether its operand was placed at an address that is not canonical. */
    private boolean placedOutside;
    /** Whether its operand ends in the last double quadword below those, which Zen 3 refuses as if it were one of them. */
    private boolean placedLast;

    /** @param codeBits 64 for 64-bit mode, 32 for compatibility mode */
    InstructionGenerator(List<InstructionForm> forms, int codeBits) {
        variants = Variant.of(forms, codeBits);
        this.codeBits = codeBits;
        encoded = new EncodedInstruction(codeBits);
        form = forms.getFirst();
        undefined = new UndefinedResults(codeBits, encoded);
        values = new SourceValues(codeBits, form, encoded, new Snippet());
        new SplittableRandom(1).nextBytes(noise);
    }

    @Override
    public List<Variant> variants() {
        return variants;
    }

    @Override
    public boolean stopped() {
        return stopped;
    }

    @Override
    public SourceValues.Kind sources() {
        return sources;
    }

    @Override
    public Comparison generate(long seed, Snippet snippet) {
        SplittableRandom random = new SplittableRandom(seed * 0x9e37_79b9_7f4a_7c15L);
        boolean cut = random.nextInt(32) == 0;
        Variant variant = variantOf(seed);
        int entry = variant.form().hasOperand('J') ? branchEntry(random) : entry(random);
        generate(variant, entry, snippet, random);
        // Not UD0 and UD1, of which AMD's processors do not fetch the ModRM byte that Intel's give them.
        if (cut && !encoded.invalid && encoded.length() > 1 && !form.semantic.equals("ud")) {
            cut(snippet, random);
        }
        return comparison(snippet);
    }

    /** Moves the instruction to the end of the code pages, its last bytes beyond: they cannot be fetched. */
    private void cut(Snippet snippet, SplittableRandom random) {
        snippet.code = Arrays.copyOf(snippet.code, random.nextInt(1, snippet.code.length));
        snippet.entry = AddressMap.CODE_BYTES - snippet.code.length;
        stopped = true;
    }

    /** Fills {@code snippet} with an instance of {@code variant} at offset {@code entry} into the code pages. */
    void generate(Variant variant, int entry, Snippet snippet, SplittableRandom random) {
        form = variant.form();
        target = 0;
        Registers registers = snippet.registers;
        snippet.resetRegisters();
        snippet.entry = entry;
        System.arraycopy(noise, random.nextInt(noise.length - snippet.pages.length), snippet.pages, 0,
                snippet.pages.length);
        for (int i = 0; i < 16; i++) {
            registers.gpr[i] = Values.any(random);
        }
        registers.gpr[RSP] = Targets.writable(random, 8);
        registers.rflags = 0x202 | random.nextInt() & STATUS;
        if (random.nextInt(4) == 0) {
            registers.rflags |= DF;
        }
        if (random.nextInt(24) == 0) {
            registers.rflags |= AC;
        }
        if (random.nextInt(48) == 0) {
            registers.rflags |= TF;
        }
        FxImage.random(random, snippet.fx, snippet.ymmHigh, waitsForX87(), false);
        encoded.random(variant, true, random);
        stopped = encoded.invalid;
        if (reachesNothing() && random.nextInt(3) == 0) {
            registers.rflags |= TF;
        }
        placedOutside = false;
        placedLast = false;
        if (codeBits == 32) {
            enterCompatibilityMode(random, registers);
        }
        shapeRegisters(random, snippet);
        if (encoded.memory && encoded.addressBits > 16) {
            placeOperand(random, snippet);
        }
        if (encoded.vectorIndex >= 0) {
            shapeIndices(random, snippet);
        }
        if (codeBits == 32) {
            for (int i = 0; i < 8; i++) {
                registers.gpr[i] &= 0xffff_ffffL; // the upper halves are undefined there
            }
        }
        snippet.code = encoded.code();
        sources = values.look(form, encoded, snippet, target);
    }

    /** Goes where no process has code, below 64 KiB: that it arrives shows when it is stepped, before the next fetch. */
    private boolean reachesNothing() {
        return encoded.operandBits == 16 && form.semantic.matches("(jmp|call|ret)f?i?|iret");
    }

    /** Of the x87, or on its registers as MMX. */
    private boolean waitsForX87() {
        return form.feature.equals("fpu") || form.attributes.contains("mmx")
                || form.operands.stream().anyMatch(operand -> "PQN".indexOf(operand.charAt(0)) >= 0);
    }

    private static void enterCompatibilityMode(SplittableRandom random, Registers registers) {
        int[] selector = registers.selector;
        selector[Registers.CS] = AddressMap.CODE_SELECTOR_32;
        selector[Registers.DS] = AddressMap.DATA_SELECTOR;
        selector[Registers.ES] = AddressMap.DATA_SELECTOR;
        if (random.nextInt(4) != 0) {
            selector[Registers.FS] = AddressMap.DATA_SELECTOR;
            selector[Registers.GS] = AddressMap.DATA_SELECTOR;
        }
    }

    /** Mostly inside a page, sometimes so that the instruction crosses into the next or out of the last. */
    private static int entry(SplittableRandom random) {
        return switch (random.nextInt(32)) {
            case 0 -> AddressMap.PAGE - random.nextInt(1, 15);
            case 1 -> AddressMap.CODE_BYTES - 15 - random.nextInt(8);
            default -> random.nextInt(AddressMap.PAGE, AddressMap.PAGE + 2048);
        };
    }

    /** As {@link #entry}, and often so near to either end of the code that a relative branch may leave it. */
    private static int branchEntry(SplittableRandom random) {
        return switch (random.nextInt(4)) {
            case 0, 1 -> random.nextInt(32);
            case 2 -> AddressMap.CODE_BYTES - 15 - random.nextInt(32);
            default -> entry(random);
        };
    }

    // ---- registers and memory that the row reads by itself -------------------------------------------------------------

    private void shapeRegisters(SplittableRandom random, Snippet snippet) {
        long[] gpr = snippet.registers.gpr;
        int bytes = Math.max(1, encoded.operandBits / 8);
        switch (form.semantic) {
            case "movs", "cmps", "stos", "lods", "scas", "ins", "outs" -> shapeString(random, snippet, bytes);
            case "push", "pushf", "call", "calli", "enter" -> {
                gpr[RSP] = stackTarget(random, bytes, bytes);
                if (form.semantic.equals("enter")) {
                    gpr[RBP] = Targets.any(random, bytes, codeBits == 64);
                }
            }
            case "pop", "popmem", "popa", "popseg", "popf", "ret", "reti", "retf", "retfi", "iret" -> {
                gpr[RSP] = stackTarget(random, bytes, 0);
                shapeStack(random, snippet, bytes);
            }
            case "maskmovq", "maskmovdqu" -> {
                gpr[RDI] = Targets.any(random, 16, codeBits == 64);
                if (encoded.addressBits == 32 && (codeBits == 64 || form.vex)) {
                    // At the end of 4 GiB a fault may come or not (SDM 3A 5.3): on Zen 3 these wrap.
                    gpr[RDI] = Math.min(gpr[RDI] & 0xffff_ffffL, 0xffff_fff0L);
                }
            }
            case "jmpfi", "callfi" -> {
                if (random.nextBoolean()) {
                    encoded.putFarPointer(Targets.code(random), codeSelector(random));
                }
                if (form.semantic.equals("callfi")) {
                    gpr[RSP] = stackTarget(random, bytes, 2 * bytes);
                }
            }
            case "wrfsbase", "wrgsbase" -> {
                // The models take addresses of 57 bits, which a host without LA57 does not: none that only they take.
                long value = gpr[encoded.rmRegister];
                if (value << 7 >> 7 == value && value << 16 >> 16 != value) {
                    gpr[encoded.rmRegister] = value ^ 1L << 62;
                }
            }
            case "pusha" -> gpr[RSP] = stackTarget(random, 8 * bytes, 8 * bytes);
            case "int" -> {
                if (random.nextInt(8) == 0) {
                    encoded.putImmediate(0x80);
                }
            }
            case "leave" -> {
                gpr[RBP] = Targets.any(random, bytes, codeBits == 64);
                store(snippet, gpr[RBP], bytes, Values.any(random));
            }
            case "xlat" -> {
                gpr[RBX] = Targets.any(random, 1, codeBits == 64) - (gpr[RAX] & 0xff);
                store(snippet, gpr[RBX] + (gpr[RAX] & 0xff), 1, Values.any(random));
            }
            case "loop", "loope", "loopne", "jrcxz" -> gpr[RCX] = random.nextInt(4) == 0
                    ? random.nextLong() << 32
                    : random.nextInt(3);
            case "div", "idiv", "div8", "idiv8" -> shapeDividend(random, snippet);
            case "bt", "bts", "btr", "btc" -> shapeBitOffset(random, snippet);
            case "rol", "ror", "rcl", "rcr", "shl", "shr", "sar", "shld", "shrd", "shlx", "shrx", "sarx" -> {
                if (random.nextInt(3) != 0) {
                    gpr[RCX] = gpr[RCX] & ~0xffL | random.nextInt(70);
                }
            }
            default -> {
            }
        }
        if (form.semantic.equals("jmpi") || form.semantic.equals("calli")) {
            if (encoded.rmRegister >= 0) {
                gpr[encoded.rmRegister] = Targets.code(random);
            }
        } else if (form.semantic.equals("cmpxchg") && encoded.rmRegister >= 0 && random.nextBoolean()) {
            gpr[encoded.rmRegister] = gpr[RAX];
        } else if (takesSelector() && encoded.rmRegister >= 0) {
            gpr[encoded.rmRegister] = gpr[encoded.rmRegister] & ~0xffffL | selector(random);
        }
    }

    /** Half of the time the one that the code has; never that of 32-bit code seen from 64-bit code, whose upper halves are undefined. */
    private int codeSelector(SplittableRandom random) {
        if (random.nextBoolean()) {
            return codeBits == 64 ? AddressMap.CODE_SELECTOR_64 : AddressMap.CODE_SELECTOR_32;
        }
        int selector = selector(random);
        return codeBits == 64 && selector >> 3 == AddressMap.CODE_SELECTOR_32 >> 3
                ? AddressMap.CODE_SELECTOR_64
                : selector;
    }

    private boolean takesSelector() {
        return switch (form.semantic) {
            case "movsr", "lar", "lsl", "verr", "verw" -> true;
            default -> false;
        };
    }

    private static int selector(SplittableRandom random) {
        return random.nextInt(4) == 0 ? AddressMap.DATA_SELECTOR : SELECTORS[random.nextInt(SELECTORS.length)];
    }

    private long stackTarget(SplittableRandom random, int bytes, int below) {
        return (random.nextInt(5) < 2 ? Targets.any(random, bytes, codeBits == 64) : Targets.writable(random, bytes))
                + below;
    }

    private void shapeString(SplittableRandom random, Snippet snippet, int bytes) {
        long[] gpr = snippet.registers.gpr;
        boolean wide = encoded.addressBits == 64;
        gpr[RSI] = Targets.any(random, bytes, wide);
        gpr[RDI] = random.nextInt(4) == 0
                ? gpr[RSI] + random.nextInt(-32, 33)
                : Targets.any(random, bytes, wide);
        boolean portMatters = form.semantic.equals("ins") || form.semantic.equals("outs");
        // Whether permission is needed to transfer nothing is up to the vendor.
        gpr[RCX] = random.nextInt(portMatters ? 1 : 0, random.nextInt(8) == 0 ? 600 : 24);
        if (form.semantic.equals("cmps")) {
            // Which operand is read first is not said, so only one of them may fault.
            gpr[random.nextBoolean() ? RSI : RDI] = AddressMap.WRITABLE + 2048 + random.nextInt(4096);
        }
        if (!wide) {
            gpr[RSI] |= random.nextLong() << 32;
            gpr[RDI] |= random.nextLong() << 32;
            gpr[RCX] |= random.nextLong() << 32;
        }
        if (random.nextInt(4) != 0) {
            store(snippet, wide ? gpr[RSI] : gpr[RSI] & 0xffff_ffffL, bytes, Values.any(random));
            store(snippet, wide ? gpr[RDI] : gpr[RDI] & 0xffff_ffffL, bytes, Values.any(random));
        }
        if (form.semantic.equals("cmps") || form.semantic.equals("scas")) {
            // Runs of equal elements, so that a repetition gets somewhere.
            byte value = (byte) random.nextInt();
            int from = random.nextInt(AddressMap.WRITABLE_BYTES);
            Arrays.fill(snippet.pages, from, Math.min(from + random.nextInt(1, 3000), snippet.pages.length), value);
            if (random.nextBoolean()) {
                Arrays.fill(snippet.pages, value);
            }
            if (random.nextBoolean()) {
                gpr[RAX] = (value & 0xff) * 0x0101_0101_0101_0101L;
            }
        }
    }

    private void shapeStack(SplittableRandom random, Snippet snippet, int bytes) {
        long at = snippet.registers.gpr[RSP];
        switch (form.semantic) {
            case "ret", "reti" -> store(snippet, at, 8, Targets.code(random));
            case "pop", "popmem" -> store(snippet, at, 8, Values.any(random));
            case "popa" -> {
                for (int i = 0; i < 8; i++) {
                    store(snippet, at + i * bytes, bytes, Values.any(random));
                }
            }
            case "popseg" ->
                store(snippet, at, 8, (random.nextBoolean() ? random.nextLong() << 16 : 0) | selector(random));
            case "popf" -> {
                if (random.nextInt(8) != 0) { // not single-stepping
                    store(snippet, at, 8, (random.nextBoolean() ? Values.any(random) : random.nextLong()) & ~0x100L);
                }
            }
            case "retf", "retfi" -> {
                store(snippet, at, bytes, Targets.code(random));
                store(snippet, at + bytes, bytes, codeSelector(random));
                store(snippet, at + 2L * bytes, bytes, Targets.writable(random, 8));
                store(snippet, at + 3L * bytes, bytes, selector(random));
            }
            case "iret" -> {
                store(snippet, at, bytes, Targets.code(random));
                store(snippet, at + bytes, bytes, random.nextInt(4) == 0
                        ? codeSelector(random)
                        : codeBits == 64
                                ? AddressMap.CODE_SELECTOR_64
                                : AddressMap.CODE_SELECTOR_32);
                store(snippet, at + 2L * bytes, bytes, random.nextLong() & ~0x4100L);
                store(snippet, at + 3L * bytes, bytes, Targets.writable(random, 8));
                store(snippet, at + 4L * bytes, bytes, random.nextInt(4) == 0 ? selector(random) : 0x2b);
            }
            default -> {
            }
        }
    }

    private void shapeDividend(SplittableRandom random, Snippet snippet) {
        long[] gpr = snippet.registers.gpr;
        if (encoded.rmRegister == RDX || random.nextInt(6) == 0) {
            return;
        }
        // A high half that a random divisor mostly exceeds, or the sign of the low half.
        int shift = random.nextInt(64);
        if (form.semantic.endsWith("8")) {
            gpr[RAX] = gpr[RAX] & ~0xff00L | (random.nextInt(256) >> (shift & 7)) << 8;
        } else if (form.semantic.equals("idiv") && random.nextBoolean()) {
            gpr[RDX] = gpr[RAX] << 64 - encoded.operandBits >> 63;
        } else {
            gpr[RDX] = random.nextLong() >>> shift;
        }
    }

    private void shapeBitOffset(SplittableRandom random, Snippet snippet) {
        if (encoded.memory && random.nextInt(8) != 0) {
            snippet.registers.gpr[encoded.regRegister] = random.nextInt(-3000, 3000);
        }
    }

    // ---- the operand in memory -----------------------------------------------------------------------------------------

    private void placeOperand(SplittableRandom random, Snippet snippet) {
        int size = operandBytes();
        Registers registers = snippet.registers;
        boolean fixed = encoded.ripRelative || encoded.base < 0 && encoded.index < 0;
        boolean wide = encoded.addressBits == 64 && !(fixed && encoded.displacementBytes == 4);
        if (codeBits == 64 && encoded.segment >= 0 && !fixed && random.nextBoolean()) {
            long segmentBase = random.nextLong() >> random.nextInt(17, 60);
            if (encoded.addressBits == 32) {
                segmentBase = random.nextInt(1 << 28);
            }
            if (!HostCode.setsAnySegmentBase()) {
                segmentBase &= USER_BASES;
            }
            if (encoded.segment == Registers.FS) {
                registers.fsBase = segmentBase;
            } else {
                registers.gsBase = segmentBase;
            }
        }
        target = fixed && encoded.displacementBytes == 4
                ? AddressMap.WRITABLE + random.nextInt(-3, 2 * AddressMap.PAGE)
                : Targets.any(random, size, wide);
        if (form.semantic.startsWith("cmpxchg") && random.nextInt(4) != 0) {
            target &= -size;
        }
        if (size >= 16 && random.nextInt(8) != 0) {
            target &= -size;
        }
        long last = target + size - 1;
        placedOutside = target << 16 >> 16 != target || last << 16 >> 16 != last;
        placedLast = last >>> 4 == (1L << 43) - 1;
        long address = target - segmentBase(registers);
        solve(random, snippet, address);
        fillOperand(random, snippet, target, size);
    }

    /** Indices so that elements are on both sides of where the operand was placed, and now and then anywhere. */
    private void shapeIndices(SplittableRandom random, Snippet snippet) {
        if (random.nextInt(16) == 0) {
            return;
        }
        boolean wide = form.modrmOperand().startsWith("vm64");
        int spread = random.nextInt(3) == 0 ? 4 * AddressMap.PAGE : 64;
        for (int i = 0; i < 4; i++) {
            int low = random.nextInt(-spread, spread) >> encoded.scale;
            int high = random.nextInt(-spread, spread) >> encoded.scale;
            FxImage.setQuadword(snippet, encoded.vectorIndex, i, wide ? low : low & 0xffff_ffffL | (long) high << 32);
        }
    }

    private long segmentBase(Registers registers) {
        return encoded.segment == Registers.FS
                ? registers.fsBase
                : encoded.segment == Registers.GS ? registers.gsBase : 0;
    }

    private int operandBytes() {
        if (form.semantic.equals("cmpxchg16b")) {
            return 16;
        }
        String operand = form.modrmOperand();
        if (form.isFloating()) {
            return switch (operand.substring(1)) {
                case "t" -> 10;
                case "dq" -> 16;
                case "qq" -> 32;
                case "x", "ps", "pd" -> encoded.operandBits / 8;
                case "d", "ss" -> 4;
                case "w" -> 2;
                case "b" -> 1;
                case "y" -> encoded.operandBits / 8;
                default -> 8;
            };
        }
        if (operand.endsWith("b")) {
            return 1;
        }
        if (operand.endsWith("w")) {
            return 2;
        }
        if (operand.endsWith("d") || operand.endsWith("q")) {
            return operand.endsWith("d") ? 4 : 8;
        }
        if (operand.endsWith("p")) {
            return 16;
        }
        return Math.max(1, encoded.operandBits / 8);
    }

    /** Chooses displacement and registers so that the operand is at {@code address}. */
    private void solve(SplittableRandom random, Snippet snippet, long address) {
        long[] gpr = snippet.registers.gpr;
        if (encoded.ripRelative) {
            encoded.putDisplacement(address - (snippet.start() + encoded.length()));
            return;
        }
        if (encoded.base < 0 && encoded.index < 0) {
            encoded.putDisplacement(address);
            return;
        }
        long displacement = switch (encoded.displacementBytes) {
            case 1 -> (byte) random.nextInt();
            case 4 -> random.nextInt() >> random.nextInt(32);
            default -> 0;
        };
        long rest = address - displacement;
        if (encoded.base < 0) {
            long excess = rest & (1L << encoded.scale) - 1;
            displacement += excess;
            gpr[encoded.index] = rest >> encoded.scale;
        } else if (encoded.index < 0) {
            gpr[encoded.base] = rest;
        } else if (encoded.index == encoded.base) {
            gpr[encoded.base] = encoded.scale == 0 ? rest >> 1 : rest * inverse(1 + (1L << encoded.scale));
        } else {
            gpr[encoded.base] = rest - (gpr[encoded.index] << encoded.scale);
        }
        encoded.putDisplacement(displacement);
        if (encoded.addressBits == 32) {
            int register = encoded.base < 0 ? encoded.index : encoded.base;
            gpr[register] = gpr[register] & 0xffff_ffffL | random.nextLong() << 32;
        }
    }

    /** Multiplicative inverse of an odd number modulo 2^64. */
    private static long inverse(long odd) {
        long inverse = odd;
        for (int i = 0; i < 6; i++) {
            inverse *= 2 - odd * inverse;
        }
        return inverse;
    }

    private void fillOperand(SplittableRandom random, Snippet snippet, long target, int size) {
        long[] gpr = snippet.registers.gpr;
        if (form.isFloating()) {
            for (int at = 0; at < size; at += 8) {
                int exponent = (int) FloatValues.exponent(random, 15);
                boolean extended = size == 10;
                long lane = extended
                        ? at == 0 ? FloatValues.extendedSignificand(random, exponent) : exponent
                        : size == 4 ? FloatValues.any(random, 8, 23) : FxImage.lane(random);
                store(snippet, target + at, Math.min(8, size - at), size < 4 ? Values.any(random) : lane);
            }
            return;
        }
        long value = Values.any(random);
        switch (form.semantic) {
            case "jmpi", "calli" -> value = Targets.code(random);
            case "cmpxchg" -> {
                if (random.nextBoolean()) {
                    value = gpr[RAX];
                }
            }
            case "cmpxchg8b" -> {
                if (random.nextBoolean()) {
                    value = gpr[RAX] & 0xffff_ffffL | gpr[RDX] << 32;
                }
            }
            case "cmpxchg16b" -> {
                if (random.nextBoolean()) {
                    value = gpr[RAX];
                    store(snippet, target + 8, 8, gpr[RDX]);
                }
            }
            case "movsr", "lar", "lsl", "verr", "verw" -> value = selector(random);
            case "ldmxcsr" -> // seldom with reserved bits; never AMD's MM, bit 17, which no model has
                value &= random.nextInt(8) != 0 ? 0xffff : ~(1L << 17);
            case "jmpf", "callf", "lss", "lfs", "lgs" -> {
                int bytes = encoded.operandBits / 8;
                boolean far = form.semantic.endsWith("f");
                value = far ? Targets.code(random) : Values.any(random);
                store(snippet, target + bytes, 2, far ? codeSelector(random) : selector(random));
                store(snippet, target, bytes, value);
                return;
            }
            default -> {
            }
        }
        store(snippet, target, Math.min(size, 8), value);
    }

    /** Writes into the snippet's pages what falls into them. */
    private static void store(Snippet snippet, long address, int size, long value) {
        for (int i = 0; i < size; i++) {
            long at = address + i;
            long offset = at - AddressMap.WRITABLE;
            if (offset < 0 || offset >= AddressMap.TOP_OFFSET) {
                offset = at - AddressMap.WRITABLE_TOP + AddressMap.TOP_OFFSET;
                if (offset < AddressMap.TOP_OFFSET || offset >= AddressMap.WRITABLE_BYTES) {
                    continue;
                }
            }
            snippet.pages[(int) offset] = (byte) (value >>> 8 * i);
        }
    }

    /** What is undefined after the latest instance. */
    Comparison comparison(Snippet snippet) {
        return undefined.after(form, snippet, target, placedOutside, placedLast);
    }
}
