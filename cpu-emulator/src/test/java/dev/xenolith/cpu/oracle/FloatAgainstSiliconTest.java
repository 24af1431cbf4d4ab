package dev.xenolith.cpu.oracle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.xenolith.cpu.fpu.Extended;
import dev.xenolith.cpu.fpu.Float32;
import dev.xenolith.cpu.fpu.Float64;
import dev.xenolith.cpu.fpu.FloatEnvironment;
import dev.xenolith.cpu.fpu.Transcendental;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The softfloat computes what silicon computes, value and flags: a loop of native code takes hundreds of operands from memory in one
 * snippet. {@code -Doracle.floats=N} and {@code -Doracle.seed=S} make long runs.
 */
class FloatAgainstSiliconTest {
    private static final long SEED = Long.getLong("oracle.seed", 1);
    private static final int OPERANDS = Integer.getInteger("oracle.floats", 20_000);
    private static final int RECORD = 32;
    private static final int RECORDS = 2 * AddressMap.PAGE / RECORD;
    private static final int X87_RECORD = 64;
    private static final int X87_RECORDS = 2 * AddressMap.PAGE / X87_RECORD;
    private static final HexFormat HEX = HexFormat.of();

    /** What SSE computes of up to three operands. */
    interface Operation {
        long apply(long a, long b, long c, FloatEnvironment e);
    }

    /** What the x87 computes of two operands; the sign and exponent, or what else there is, in the environment. */
    interface ExtendedOperation {
        long apply(long a, int as, long b, int bs, FloatEnvironment e);
    }

    /** @param code what computes XMM0 of XMM0, XMM1, XMM2, and stores it at RSI */
    record SseCase(String name, int fractionBits, String code, Operation operation) {
        @Override
        public String toString() {
            return name;
        }
    }

    private static final String STORE = "f20f1106";
    private static final String STORE_RAX = "488906";

    static List<SseCase> sse() {
        List<SseCase> cases = new ArrayList<>();
        cases.add(new SseCase("addsd", 52, "f20f58c1" + STORE, (a, b, c, e) -> Float64.add(a, b, e)));
        cases.add(new SseCase("subsd", 52, "f20f5cc1" + STORE, (a, b, c, e) -> Float64.sub(a, b, e)));
        cases.add(new SseCase("mulsd", 52, "f20f59c1" + STORE, (a, b, c, e) -> Float64.mul(a, b, e)));
        cases.add(new SseCase("divsd", 52, "f20f5ec1" + STORE, (a, b, c, e) -> Float64.div(a, b, e)));
        cases.add(new SseCase("minsd", 52, "f20f5dc1" + STORE, (a, b, c, e) -> Float64.min(a, b, e)));
        cases.add(new SseCase("maxsd", 52, "f20f5fc1" + STORE, (a, b, c, e) -> Float64.max(a, b, e)));
        cases.add(new SseCase("sqrtsd", 52, "f20f51c0" + STORE, (a, b, c, e) -> Float64.sqrt(a, e)));
        cases.add(new SseCase("cvtsd2si32", 52, "f20f2dc0" + STORE_RAX,
                (a, b, c, e) -> Float64.toInteger(a, 32, e) & 0xffff_ffffL));
        cases.add(new SseCase("cvtsd2si64", 52, "f2480f2dc0" + STORE_RAX, (a, b, c, e) -> Float64.toInteger(a, 64, e)));
        cases.add(new SseCase("cvttsd2si32", 52, "f20f2cc0" + STORE_RAX,
                (a, b, c, e) -> Float64.truncate(a, 32, e) & 0xffff_ffffL));
        cases.add(new SseCase("cvttsd2si64", 52, "f2480f2cc0" + STORE_RAX, (a, b, c, e) -> Float64.truncate(a, 64, e)));
        cases.add(new SseCase("cvtsi2sd", 52, "66480f7ec0f2480f2ac0" + STORE, (a, b, c, e) -> Float64.ofInteger(a, e)));
        cases.add(new SseCase("cvtsd2ss", 52, "f20f5ac066480f7ec089c0" + STORE_RAX,
                (a, b, c, e) -> Float64.toFloat32(a, e)));
        cases.add(new SseCase("ucomisd", 52, "660f2ec19f0fb6c42545000000" + STORE_RAX,
                (a, b, c, e) -> comparison(Float64.compare(a, b, false, e))));
        cases.add(new SseCase("comisd", 52, "660f2fc19f0fb6c42545000000" + STORE_RAX,
                (a, b, c, e) -> comparison(Float64.compare(a, b, true, e))));
        for (int control = 0; control < 16; control++) {
            int rounding = control;
            cases.add(new SseCase("roundsd " + control, 52, "660f3a0bc00%x".formatted(control) + STORE,
                    (a, b, c, e) -> Float64.round(a, rounding, e)));
        }
        String low = "66480f7ec089c0" + STORE_RAX;
        cases.add(new SseCase("addss", 23, "f30f58c1" + low, (a, b, c, e) -> Float32.add(a, b, e)));
        cases.add(new SseCase("subss", 23, "f30f5cc1" + low, (a, b, c, e) -> Float32.sub(a, b, e)));
        cases.add(new SseCase("mulss", 23, "f30f59c1" + low, (a, b, c, e) -> Float32.mul(a, b, e)));
        cases.add(new SseCase("divss", 23, "f30f5ec1" + low, (a, b, c, e) -> Float32.div(a, b, e)));
        cases.add(new SseCase("minss", 23, "f30f5dc1" + low, (a, b, c, e) -> Float32.min(a, b, e)));
        cases.add(new SseCase("maxss", 23, "f30f5fc1" + low, (a, b, c, e) -> Float32.max(a, b, e)));
        cases.add(new SseCase("sqrtss", 23, "f30f51c0" + low, (a, b, c, e) -> Float32.sqrt(a, e)));
        cases.add(new SseCase("cvtss2si32", 23, "f30f2dc0" + STORE_RAX,
                (a, b, c, e) -> Float32.toInteger(a, 32, e) & 0xffff_ffffL));
        cases.add(new SseCase("cvttss2si64", 23, "f3480f2cc0" + STORE_RAX, (a, b, c, e) -> Float32.truncate(a, 64, e)));
        cases.add(new SseCase("cvtsi2ss", 23, "488b06f3480f2ac0" + low, (a, b, c, e) -> Float32.ofInteger(a, e)));
        cases.add(new SseCase("cvtss2sd", 23, "f30f5ac0" + STORE, (a, b, c, e) -> Float32.toFloat64(a, e)));
        cases.add(new SseCase("comiss", 23, "0f2fc19f0fb6c42545000000" + STORE_RAX,
                (a, b, c, e) -> comparison(Float32.compare(a, b, true, e))));
        cases.add(new SseCase("roundss 4", 23, "660f3a0ac004" + low, (a, b, c, e) -> Float32.round(a, 4, e)));
        if (new Exclusions().hostHas("fma")) {
            cases.add(new SseCase("vfmadd213sd", 52, "c4e2f1a9c2" + STORE,
                    (a, b, c, e) -> Float64.fma(b, a, c, 0, e)));
            cases.add(new SseCase("vfnmsub213sd", 52, "c4e2f1afc2" + STORE,
                    (a, b, c, e) -> Float64.fma(b, a, c, 3, e)));
            cases.add(new SseCase("vfmadd213ss", 23, "c4e271a9c2" + low, (a, b, c, e) -> Float32.fma(b, a, c, 0, e)));
        }
        if (new Exclusions().hostHas("f16c")) {
            cases.add(new SseCase("vcvtph2ps", 23, "0fb706660f6ec0c4e27913c0" + low,
                    (a, b, c, e) -> Float32.ofFloat16(a & 0xffff, e)));
            cases.add(new SseCase("vcvtps2ph", 23, "c4e3791dc00466480f7ec00fb7c0" + STORE_RAX,
                    (a, b, c, e) -> Float32.toFloat16(a, 4, e)));
        }
        return cases;
    }

    /** ZF, PF and CF as COMISD leaves them. */
    private static long comparison(int order) {
        return switch (order) {
            case -1 -> 1;
            case 0 -> 0x40;
            case 1 -> 0;
            default -> 0x45;
        };
    }

    @BeforeEach
    void needsSilicon() {
        assumeTrue(SiliconRunner.unavailable().isEmpty(), () -> SiliconRunner.unavailable().orElseThrow());
    }

    @ParameterizedTest
    @MethodSource("sse")
    void sseOperations(SseCase operation) {
        int[] exponents = {operation.fractionBits == 52 ? 11 : 8};
        byte[] loop = HEX.parseHex("0fae5618" + "f20f1006" + "f20f104e08" + "f20f105610" + operation.code
                + "0fae5e18" + "4883c620" + "ffc9");
        FloatEnvironment e = FloatEnvironment.sse();
        List<String> differences = new ArrayList<>();
        SplittableRandom random = new SplittableRandom(SEED);
        try (SiliconRunner silicon = new SiliconRunner(1)) {
            Snippet snippet = snippet(loop);
            Outcome outcome = new Outcome();
            for (int done = 0; done < OPERANDS; done += RECORDS) {
                snippet.registers.gpr[1] = RECORDS;
                ByteBuffer in = snippet.data();
                for (int i = 0; i < RECORDS; i++) {
                    for (int operand = 0; operand < 3; operand++) {
                        in.putLong(i * RECORD + 8 * operand,
                                FloatValues.any(random, exponents[0], operation.fractionBits));
                    }
                    if (random.nextInt(8) == 0) {
                        in.putLong(i * RECORD + 8, in.getLong(i * RECORD) ^ random.nextInt(4));
                    }
                    in.putInt(i * RECORD + 24, mxcsr(random));
                }
                silicon.run(List.of(snippet), List.of(outcome));
                assertThat(outcome.completed(snippet)).as("vector %d at 0x%x", outcome.vector, outcome.rip).isTrue();
                for (int i = 0; i < RECORDS; i++) {
                    compareSse(operation, e, in, outcome.data(), i * RECORD, differences);
                }
            }
        }
        assertThat(differences).isEmpty();
    }

    /** Usual half the time; always all masked. */
    private static int mxcsr(SplittableRandom random) {
        return random.nextBoolean() ? 0x1fa0 : 0x1f80 | random.nextInt() & 0xe07f;
    }

    private static void compareSse(SseCase operation, FloatEnvironment e, ByteBuffer in, ByteBuffer out, int at,
            List<String> differences) {
        long a = in.getLong(at);
        long b = in.getLong(at + 8);
        long c = in.getLong(at + 16);
        int mxcsr = in.getInt(at + 24);
        e.setMxcsr(mxcsr);
        long result = operation.operation.apply(a, b, c, e);
        int flags = mxcsr | e.flags;
        if ((result != out.getLong(at) || flags != out.getInt(at + 24)) && differences.size() < 12) {
            differences.add("%s(%x, %x, %x) mxcsr %x: is %x, %x; computed %x, %x".formatted(operation.name, a, b, c,
                    mxcsr, out.getLong(at), out.getInt(at + 24), result, flags));
        }
    }

    private static Snippet snippet(byte[] loop) {
        Snippet snippet = new Snippet();
        snippet.code = new byte[loop.length + 6];
        System.arraycopy(loop, 0, snippet.code, 0, loop.length);
        ByteBuffer.wrap(snippet.code).order(ByteOrder.LITTLE_ENDIAN).put(loop.length, (byte) 0x0f)
                .put(loop.length + 1, (byte) 0x85).putInt(loop.length + 2, -snippet.code.length);
        snippet.registers.gpr[6] = AddressMap.WRITABLE;
        return snippet;
    }

    // ---- x87 -----------------------------------------------------------------------------------------------------------

    /** How the result of an x87 case lies in memory. */
    enum Kind {
        EXTENDED, APPROXIMATE, FLOAT32, FLOAT64, INT16, INT32, INT64, BCD, STATUS, REMAINDER
    }

    /** @param code with a in ST0 and b in ST1 */
    record X87Case(String name, Kind kind, String code, ExtendedOperation operation) {
        @Override
        public String toString() {
            return name;
        }
    }

    static List<X87Case> x87() {
        return List.of(
                new X87Case("fadd", Kind.EXTENDED, "d8c1", Extended::add),
                new X87Case("fsub", Kind.EXTENDED, "d8e1", Extended::sub),
                new X87Case("fsubr", Kind.EXTENDED, "d8e9", (a, as, b, bs, e) -> Extended.sub(b, bs, a, as, e)),
                new X87Case("fmul", Kind.EXTENDED, "d8c9", Extended::mul),
                new X87Case("fdiv", Kind.EXTENDED, "d8f1", Extended::div),
                new X87Case("fsqrt", Kind.EXTENDED, "d9fa", (a, as, b, bs, e) -> Extended.sqrt(a, as, e)),
                new X87Case("frndint", Kind.EXTENDED, "d9fc",
                        (a, as, b, bs, e) -> Extended.roundToIntegral(a, as, e)),
                new X87Case("fscale", Kind.EXTENDED, "d9fd", Extended::scale),
                new X87Case("fsin", Kind.APPROXIMATE, "d9fe",
                        (a, as, b, bs, e) -> Transcendental.sine(a, as, 0, e)),
                new X87Case("fcos", Kind.APPROXIMATE, "d9ff",
                        (a, as, b, bs, e) -> Transcendental.sine(a, as, 1, e)),
                new X87Case("fsincos", Kind.APPROXIMATE, "d9fb", (a, as, b, bs, e) -> {
                    Transcendental.sine(a, as, 0, e);
                    return Transcendental.sine(a, as, 1, e);
                }),
                new X87Case("fsincos, sine", Kind.APPROXIMATE, "d9fbddd8", (a, as, b, bs, e) -> {
                    Transcendental.sine(a, as, 1, e);
                    return Transcendental.sine(a, as, 0, e);
                }),
                new X87Case("fptan", Kind.APPROXIMATE, "d9f2ddd8",
                        (a, as, b, bs, e) -> Transcendental.tangent(a, as, e)),
                new X87Case("fpatan", Kind.APPROXIMATE, "d9f3", Transcendental::arcusTangent),
                new X87Case("f2xm1", Kind.APPROXIMATE, "d9f0",
                        (a, as, b, bs, e) -> Transcendental.exponential(a, as, e)),
                new X87Case("fyl2x", Kind.APPROXIMATE, "d9f1", Transcendental::logarithm),
                new X87Case("fyl2xp1", Kind.APPROXIMATE, "d9f9", Transcendental::logarithmOfSuccessor),
                new X87Case("fprem", Kind.REMAINDER, "d9f8",
                        (a, as, b, bs, e) -> Extended.remainder(a, as, b, bs, false, e)),
                new X87Case("fprem1", Kind.REMAINDER, "d9f5",
                        (a, as, b, bs, e) -> Extended.remainder(a, as, b, bs, true, e)),
                new X87Case("fucom", Kind.STATUS, "dde1",
                        (a, as, b, bs, e) -> Extended.compare(a, as, b, bs, false, e)),
                new X87Case("fcom", Kind.STATUS, "d8d1", (a, as, b, bs, e) -> Extended.compare(a, as, b, bs, true, e)),
                new X87Case("fst m32", Kind.FLOAT32, "d916", (a, as, b, bs, e) -> Extended.toFloat32(a, as, e)),
                new X87Case("fst m64", Kind.FLOAT64, "dd16", (a, as, b, bs, e) -> Extended.toFloat64(a, as, e)),
                new X87Case("fist m16", Kind.INT16, "df16",
                        (a, as, b, bs, e) -> Extended.toInteger(a, as, 16, e.rounding, e)),
                new X87Case("fist m32", Kind.INT32, "db16",
                        (a, as, b, bs, e) -> Extended.toInteger(a, as, 32, e.rounding, e)),
                new X87Case("fistp m64", Kind.INT64, "df3e",
                        (a, as, b, bs, e) -> Extended.toInteger(a, as, 64, e.rounding, e)),
                new X87Case("fbstp", Kind.BCD, "df36", (a, as, b, bs, e) -> Extended.toBcd(a, as, e)));
    }

    @ParameterizedTest
    @MethodSource("x87")
    void x87Operations(X87Case operation) {
        // fninit; fldcw [rsi+40]; fld tbyte [rsi+16]; fld tbyte [rsi]; ...; fnstsw [rsi+42]; fnclex; fstp tbyte [rsi] or fninit
        boolean inRegister = operation.kind == Kind.EXTENDED || operation.kind == Kind.APPROXIMATE
                || operation.kind == Kind.REMAINDER;
        byte[] loop = HEX.parseHex("dbe3" + "d96e28" + "db6e10" + "db2e" + operation.code + "dd7e2a" + "dbe2"
                + (inRegister ? "db3e" : "") + "dbe3" + "4883c640" + "ffc9");
        FloatEnvironment e = FloatEnvironment.x87();
        List<String> differences = new ArrayList<>();
        SplittableRandom random = new SplittableRandom(SEED);
        try (SiliconRunner silicon = new SiliconRunner(1)) {
            Snippet snippet = snippet(loop);
            Outcome outcome = new Outcome();
            for (int done = 0; done < OPERANDS; done += X87_RECORDS) {
                snippet.registers.gpr[1] = X87_RECORDS;
                ByteBuffer in = snippet.data();
                for (int i = 0; i < X87_RECORDS; i++) {
                    extendedOperands(random, in, i * X87_RECORD);
                    if (operation.kind == Kind.APPROXIMATE) {
                        shape(random, operation, in, i * X87_RECORD);
                    }
                }
                silicon.run(List.of(snippet), List.of(outcome));
                assertThat(outcome.completed(snippet)).as("vector %d at 0x%x", outcome.vector, outcome.rip).isTrue();
                for (int i = 0; i < X87_RECORDS; i++) {
                    compareX87(operation, e, in, outcome.data(), i * X87_RECORD, differences);
                }
            }
        }
        assertThat(differences).isEmpty();
    }

    static void extendedOperands(SplittableRandom random, ByteBuffer in, int at) {
        for (int operand = 0; operand < 2; operand++) {
            int exponent = (int) FloatValues.exponent(random, 15);
            in.putLong(at + 16 * operand, FloatValues.extendedSignificand(random, exponent));
            in.putShort(at + 16 * operand + 8, (short) (random.nextInt(2) << 15 | exponent));
        }
        if (random.nextInt(8) == 0) {
            in.putLong(at, in.getLong(at + 16) ^ random.nextInt(4));
            in.putShort(at + 8, in.getShort(at + 24));
        }
        // Some overflow or underflow binary32 and binary64, and 64-bit integers, by little.
        if (random.nextInt(4) == 0) {
            int[] edges = {-16445, -1074, -1023, -1022, -149, -127, -126, 14, 15, 30, 31, 59, 62, 63, 127, 128, 1023,
                1024};
            int exponent = 16383 + edges[random.nextInt(edges.length)] + random.nextInt(-1, 2);
            in.putLong(at, 1L << 63 | in.getLong(at));
            in.putShort(at + 8, (short) (random.nextInt(2) << 15 | Math.max(exponent, 0)));
        }
        int word = random.nextBoolean() ? 0x37f : random.nextInt() & 0xf00 | 0x7f;
        if ((word & 0x300) == 0x100) {
            word |= 0x300;
        }
        if (random.nextInt(4) == 0) {
            word &= ~random.nextInt(64);
        }
        in.putShort(at + 40, (short) word);
    }

    /** Operands in the domain of the function, all masked. */
    private static void shape(SplittableRandom random, X87Case operation, ByteBuffer in, int at) {
        in.putShort(at + 40, (short) (in.getShort(at + 40) & ~0x300 | 0x33f));
        int exponent = in.getShort(at + 8) & 0x7fff;
        boolean angle = operation.name.length() < 6 || operation.name.startsWith("fsincos");
        if (angle && exponent >= 0x403c && exponent < 0x403e) {
            // Close below 2^63 the silicon reduces angles with less than its 66 bits of pi.
            in.putShort(at + 8, (short) (in.getShort(at + 8) - 2));
        }
        boolean small = operation.name.equals("f2xm1") || operation.name.equals("fyl2xp1");
        if (small && exponent >= 0x3ffd && exponent != 0x7fff) {
            // FYL2XP1 is defined within 1 - sqrt(2)/2 of zero.
            in.putShort(at + 8, (short) (in.getShort(at + 8) & 0x8000 | 0x3ffd - random.nextInt(20)));
            in.putLong(at, in.getLong(at) & ~(7L << 60) | 1L << 63);
        }
    }

    /** Within one unit in the last place, across a power of two too. */
    private static boolean isNear(long a, int as, long b, int bs) {
        if (as == bs) {
            return Math.abs(a - b) <= 1;
        }
        return Math.abs(as - bs) == 1 && (as < bs ? a == -1 && b == 1L << 63 : b == -1 && a == 1L << 63);
    }

    private static void compareX87(X87Case operation, FloatEnvironment e, ByteBuffer in, ByteBuffer out, int at,
            List<String> differences) {
        long a = in.getLong(at);
        int as = in.getShort(at + 8) & 0xffff;
        long b = in.getLong(at + 16);
        int bs = in.getShort(at + 24) & 0xffff;
        int word = in.getShort(at + 40) & 0xffff;
        e.setControlWord(word);
        long result = operation.operation.apply(a, as, b, bs, e);
        boolean stops = e.stops();
        boolean toMemory = operation.kind.compareTo(Kind.APPROXIMATE) > 0 && operation.kind.compareTo(Kind.STATUS) < 0;
        boolean stored = !stops && (!toMemory || (e.flags & ~e.masks & ~FloatEnvironment.PE) == 0);
        int flags = e.flags;
        int wanted = out.getShort(at + 42);
        int status = flags | (e.roundedUp && stored ? 0x200 : 0);
        int compared = 0x3f | 0x200;
        if (operation.kind == Kind.STATUS) {
            compared = 0x453f;
            status = flags | (stops ? wanted & 0x4500 : switch ((int) result) {
                case -1 -> 0x100;
                case 0 -> 0x4000;
                case 1 -> 0;
                default -> 0x4500;
            });
        } else if (operation.kind == Kind.REMAINDER && !stops && (flags & 1) == 0) {
            compared = 0x473f;
            status = flags | (e.quotient & 1) << 9 | (e.quotient & 2) << 13 | (e.quotient & 4) << 6
                    | (e.quotient & 8) << 7;
        }
        if (operation.kind == Kind.APPROXIMATE) {
            // C1 says how an approximation was rounded.
            compared = 0x3f;
        }
        long significand = out.getLong(at);
        int signExponent = out.getShort(at + 8) & 0xffff;
        boolean same = switch (operation.kind) {
            case APPROXIMATE -> isNear(significand, signExponent, result, e.signExponent) || e.quotient != 0;
            case EXTENDED, REMAINDER, BCD -> stored
                    ? significand == result && signExponent == e.signExponent
                    : significand == a && signExponent == as;
            case FLOAT32, INT32 -> stored ? (int) significand == (int) result : (int) significand == (int) a;
            case INT16 -> stored ? (short) significand == (short) result : (short) significand == (short) a;
            case FLOAT64, INT64 -> stored ? significand == result : significand == a;
            case STATUS -> true;
        };
        if ((!same || ((wanted ^ status) & compared) != 0) && differences.size() < 12) {
            differences
                    .add("%s(%04x:%016x, %04x:%016x) cw %x: is %04x:%016x sw %x; computed %04x:%016x sw %x".formatted(
                            operation.name, as, a, bs, b, word, signExponent, significand, wanted, e.signExponent,
                            result,
                            status));
        }
    }
}
