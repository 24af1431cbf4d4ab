package dev.xenolith.cpu.interpret;

import dev.xenolith.cpu.decode.DecodedInstruction;
import dev.xenolith.cpu.decode.Decoder;
import dev.xenolith.cpu.decode.OpcodeTable;
import dev.xenolith.cpu.memory.HostMemory;
import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.cpu.processor.Vector;
import dev.xenolith.cpu.translate.GuestMemory;
import java.util.ArrayDeque;
import java.util.Objects;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/** A unit as the translator might have made it, with one error; written by hand for {@link #CODE} with RBX = 7. */
final class PlantedUnit extends Unit {
    /** mov rax, 5; add rax, rbx; mov [rsi], rax. */
    static final String CODE = "48 c7 c0 05 00 00 00  48 01 d8  48 89 06";

    /** What it does wrong. */
    enum Error {
        NONE(""),
        /** Does not write a register back. */
        REGISTER("rax: unit 0x1, interpreter 0xc"),
        /** Does not write the flags. */
        FLAG("rflags (CF"),
        /** Writes another register. */
        OTHER_REGISTER("r15: unit 0x1, interpreter 0x0"),
        /** Does not store. */
        STORE("memory 0x200000, 8 bytes: unit 0x0, interpreter 0xc"),
        /** Stores too little. */
        NARROW_STORE("memory 0x200000, 8 bytes: unit 0xff0000000000000c, interpreter 0xc"),
        /** Stores elsewhere too. */
        OTHER_STORE("memory 0x200100, 4 bytes: unit 0x3, interpreter 0x0"),
        /** Counts one instruction too few. */
        TOO_FEW("after 2 instructions"),
        /** Counts more than it may. */
        TOO_MANY("instructions: unit 1001 of at most 1000"),
        /** Counts less than nothing. */
        NEGATIVE("instructions: unit -1 of at most 1000"),
        /** Leaves with the address of another instruction. */
        RIP("rip: unit 0x10000e, interpreter 0x10000d"),
        /** Changes a vector register. */
        VECTOR("ymm2 quadword 1: unit 0x9, interpreter 0x0"),
        /** Changes the x87. */
        X87("x87 control: unit 0xf7f, interpreter 0x37f"),
        /** Changes MXCSR. */
        MXCSR("mxcsr: unit 0x1fa0, interpreter 0x1f80"),
        /** Changes the base of a segment. */
        SEGMENT("fs base: unit 0x1, interpreter 0x0"),
        /** Raises an exception that the code does not. */
        FAULT("exception: unit 13 (error code 0), interpreter none"),
        /** Draws a random number. */
        RANDOM("random numbers: drawn more often by the unit");

        /** Part of the report. */
        final String report;

        Error(String report) {
            this.report = report;
        }
    }

    private final Error error;

    private PlantedUnit(Layout layout, int frame, Error error) {
        super(layout, frame);
        this.error = error;
    }

    /** Makes it of the first code that is executed, which is {@link #CODE} at the beginning of a page. */
    static UnitSource source(Error error) {
        Queue<UnitSource.Made> made = new ArrayDeque<>();
        return new UnitSource() {
            @Override
            public long threshold(Quality quality) {
                return quality == Quality.QUICK ? 1 : Long.MAX_VALUE;
            }

            @Override
            public void request(Hot hot) {
                if (hot.entry() == 0) {
                    made.add(new Made(layout(hot), (layout, frame) -> new PlantedUnit(layout, frame, error),
                            hot.frame(), hot.quality(), new int[0]));
                }
            }

            @Override
            public @Nullable Made next() {
                return made.poll();
            }
        };
    }

    private static Layout layout(UnitSource.Hot hot) {
        Decoder decoder = new Decoder(OpcodeTable.load(), feature -> true);
        OpFactory factory = new OpFactory(OpcodeTable.load());
        short[] offsets = {0, 7, 10};
        DecodedInstruction[] instructions = new DecodedInstruction[offsets.length];
        for (int i = 0; i < offsets.length; i++) {
            instructions[i] = Objects
                    .requireNonNull(decoder.decode(hot.page(), offsets[i], 4096, offsets[i], hot.mode()));
        }
        // The last one as if by a call, so that it may seem to have raised an exception.
        Op[] ops = {null, null, factory.make(instructions[2], hot.mode())};
        byte[] code = new byte[13];
        System.arraycopy(hot.page(), 0, code, 0, code.length);
        return new Layout(0, hot.mode(), 3, Unit.INDIRECT, new int[]{0}, new byte[][]{code}, offsets, instructions,
                ops);
    }

    @Override
    public @Nullable Code run(Processor p, long end) {
        if (error != Error.REGISTER) {
            p.gpr[Processor.RAX] = 12;
        }
        if (error != Error.FLAG) {
            p.flagResult = 12;
            p.flagCarries = 0;
        }
        p.rip = p.gpr[Processor.PAGE] + 13;
        if (error == Error.FAULT) {
            p.fusedPart = 2;
            p.retired += 3;
            throw p.raise(Vector.GP, 0);
        }
        if (error != Error.STORE) {
            store(p, 0, error == Error.NARROW_STORE ? 7 : 8);
        }
        switch (error) {
            case OTHER_REGISTER -> p.gpr[15]++;
            case OTHER_STORE -> HostMemory.put32(find(p, 0x100, 4), 3);
            case RIP -> p.rip++;
            case VECTOR -> p.vector[2 * 4 + 1] = 9;
            case X87 -> p.fpu.setControl(0xf7f);
            case MXCSR -> p.setMxcsr(0x1fa0);
            case SEGMENT -> p.segmentBase[Processor.FS] = 1;
            case RANDOM -> {
                long unused = p.entropy.getAsLong();
            }
            default -> {
            }
        }
        p.retired += switch (error) {
            case TOO_FEW -> 2;
            case TOO_MANY -> end - p.retired + 1;
            case NEGATIVE -> -1;
            default -> 3;
        };
        return null;
    }

    private static long find(Processor p, int offset, int size) {
        return GuestMemory.writable(p, p.writeTable(), p.dataContext(), p.gpr[Processor.RSI] + offset, size - 1);
    }

    private static void store(Processor p, int offset, int size) {
        if (size == 8) {
            HostMemory.put64(find(p, offset, 8), 12);
        } else {
            for (int i = 0; i < size; i++) {
                HostMemory.put8(find(p, offset + i, 1), i == 0 ? 12 : 0);
            }
        }
    }
}
