package dev.xenolith.cpu.translate;

import dev.xenolith.cpu.interpret.Interpreter;
import dev.xenolith.cpu.interpret.UnitSource;
import dev.xenolith.cpu.memory.MemoryLayout;
import dev.xenolith.cpu.memory.PhysicalMap;
import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.cpu.model.CpuModel;
import dev.xenolith.cpu.paging.FlushClock;
import dev.xenolith.cpu.processor.Bits;
import dev.xenolith.cpu.processor.ControlRegisters;
import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.cpu.processor.Segment;
import dev.xenolith.cpu.time.MachineClock;
import java.util.HexFormat;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A bare machine in 64-bit mode at CPL 0 with an IDT whose handlers note each exception and go on after the instruction. Linear addresses
 * are physical ones up to 4 MiB, but for a second place of the code, pages without memory, a read-only page, and two pages that programs
 * map anew.
 */
final class ProgramMachine implements AutoCloseable {
    /** Where programs are, and where else their pages are mapped. */
    static final long CODE = 0x10_0000;
    static final long ALIAS = 0x18_0000;
    /** Four pages of data, with nothing before and behind them, then a read-only page. */
    static final long DATA = 0x20_0000;
    static final int DATA_BYTES = 4 * 4096;
    static final long READ_ONLY = DATA + DATA_BYTES + 4096;
    static final long STACK = 0x30_0000;
    /** A page of data, and one of code, that programs map to one of two frames. */
    static final long MOVED_DATA = 0x28_0000;
    static final long MOVED_CODE = 0x29_0000;
    static final long[] DATA_FRAMES = {0x2a_0000, 0x2b_0000};
    static final long[] CODE_FRAMES = {0x2c_0000, 0x2d_0000};
    /** Addresses for indirect branches. */
    static final long TABLE = 0xe000;
    /** Four bytes that programs add to, so that what they take from there is never the same. */
    static final long COUNTER = 0xb008;
    static final CpuModel MODEL = CpuModel.intel();

    private static final long MEMORY = 4 << 20;
    private static final long TABLES = 0x1000;
    private static final long PAGE_TABLES = 0x4000;
    private static final int PRESENT = 1;
    private static final int WRITABLE = 2;
    private static final long IDT = 0x8000;
    private static final long GDT = 0x9000;
    private static final long TSS = 0x9800;
    private static final long HANDLERS = 0xa000;
    private static final long COMMON = HANDLERS + 0x800;
    private static final long LOG_POINTER = 0xb000;
    private static final long LOG = 0xc000;
    private static final long RESUME = 0x1_0000;
    private static final long EXCEPTION_STACK = 0x31_0000;
    private static final int VECTORS = 32;
    private static final Set<Integer> WITH_ERROR_CODE = Set.of(8, 10, 11, 12, 13, 14, 17, 21);
    /** Bytes at the beginning that programs may change. */
    private static final long COMPARED_FROM = 0x1000;

    final PhysicalMemory memory = new PhysicalMemory(MemoryLayout.flat(MEMORY));
    final Processor cpu;

    /** A machine that executes what {@code source} makes, or interprets all if that is null. */
    ProgramMachine(@Nullable UnitSource source) {
        Interpreter interpreter = new Interpreter(memory, MODEL::has);
        if (source != null) {
            interpreter.translate(source);
        }
        cpu = new Processor(0, new MachineClock(), interpreter, new PhysicalMap(memory), new FlushClock(), MODEL);
        pages();
        descriptors();
        handlers();
        ControlRegisters.writeCr4(cpu, Bits.CR4_PAE);
        ControlRegisters.writeEfer(cpu, Bits.EFER_LME | Bits.EFER_SCE);
        ControlRegisters.writeCr3(cpu, TABLES);
        ControlRegisters.writeCr0(cpu,
                Bits.CR0_PE | Bits.CR0_MP | Bits.CR0_ET | Bits.CR0_NE | Bits.CR0_WP | Bits.CR0_PG);
        cpu.cr4 |= Bits.CR4_OSFXSR | Bits.CR4_OSXMMEXCPT | Bits.CR4_OSXSAVE;
        cpu.xcr0 = 7;
        cpu.cpl = 0;
        cpu.segmentSelector[Processor.CS] = 8;
        cpu.segmentAttributes[Processor.CS] = Segment.CODE_64;
        cpu.segmentSelector[Processor.SS] = 16;
        cpu.segmentAttributes[Processor.SS] = Segment.DATA;
        cpu.gdtBase = GDT;
        cpu.gdtLimit = 0x2f;
        cpu.idtBase = IDT;
        cpu.idtLimit = VECTORS * 16 - 1;
        cpu.segmentSelector[Processor.TR] = 0x18;
        cpu.segmentBase[Processor.TR] = TSS;
        cpu.segmentLimit[Processor.TR] = 0x67;
        cpu.segmentAttributes[Processor.TR] = 11 | Segment.PRESENT;
        cpu.segmentBase[Processor.FS] = DATA + 0x800;
        cpu.segmentBase[Processor.GS] = DATA + 0x1800;
        cpu.updateContext();
    }

    private void pages() {
        memory.write64(TABLES, TABLES + 0x1000 | PRESENT | WRITABLE);
        memory.write64(TABLES + 0x1000, TABLES + 0x2000 | PRESENT | WRITABLE);
        for (int i = 0; i < MEMORY >> 21; i++) {
            memory.write64(TABLES + 0x2000 + 8 * i, PAGE_TABLES + 0x1000 * i | PRESENT | WRITABLE);
        }
        for (long page = 0; page < MEMORY; page += 4096) {
            map(page, page | PRESENT | WRITABLE);
        }
        for (int i = 0; i < GuestProgram.MAXIMUM_BYTES; i += 4096) {
            map(ALIAS + i, CODE + i | PRESENT | WRITABLE);
        }
        map(DATA - 4096, 0);
        map(DATA + DATA_BYTES, 0);
        map(READ_ONLY, READ_ONLY | PRESENT);
        map(MOVED_DATA, DATA_FRAMES[0] | PRESENT | WRITABLE);
        map(MOVED_CODE, CODE_FRAMES[0] | PRESENT | WRITABLE);
    }

    private void map(long linear, long entry) {
        memory.write64(entryOf(linear), entry);
    }

    /** Where the page-table entry of {@code linear} is. */
    static long entryOf(long linear) {
        return PAGE_TABLES + (linear >> 12) * 8;
    }

    private void descriptors() {
        memory.write64(GDT + 8, 0x00af_9b00_0000_ffffL);
        memory.write64(GDT + 16, 0x00cf_9300_0000_ffffL);
        memory.write64(GDT + 24, 0x0000_8b00_0000_0067L | TSS << 16);
        memory.write64(TSS + 0x24, EXCEPTION_STACK);
        for (int vector = 0; vector < VECTORS; vector++) {
            long handler = HANDLERS + 16 * vector;
            // A 64-bit interrupt gate on stack 1.
            memory.write64(IDT + 16 * vector, handler & 0xffff | 8 << 16 | 0x8e01L << 32);
            memory.write64(IDT + 16 * vector + 8, 0);
        }
    }

    private void handlers() {
        for (int vector = 0; vector < VECTORS; vector++) {
            long at = HANDLERS + 16 * vector;
            String error = WITH_ERROR_CODE.contains(vector) ? "" : "6a 00 ";
            int length = error.isEmpty() ? 7 : 9;
            // push 0 in place of an error code; push vector; jmp common
            put(at, error + "6a %02x e9 %s".formatted(vector, little(COMMON - at - length)));
        }
        put(COMMON, "50 53" // push rax; push rbx: the vector is at rsp+16, then error code, RIP, CS, RFLAGS
                + "48 8b 1c 25" + little(LOG_POINTER) // mov rbx, [log pointer]
                + "48 8b 44 24 20 48 89 03" // the exception's RIP, vector, error code and CR2 into the log
                + "48 8b 44 24 10 88 43 08"
                + "48 8b 44 24 18 66 89 43 09"
                + "0f 20 d0 89 43 0b"
                + "48 8b 44 24 30 89 43 10" // and RFLAGS
                + "83 c3 20 81 e3" + little(LOG | 0xfe0) // round the page
                + "48 89 1c 25" + little(LOG_POINTER)
                + "48 8b 44 24 20 25" + little(GuestProgram.MAXIMUM_BYTES - 1) // RIP = resume[RIP's offset in the code]
                + "8b 04 85" + little(RESUME) + "48 89 44 24 20"
                + "81 64 24 30 ff fe ff ff" // and dword [rsp+48], ~TF
                + "5b 58 48 83 c4 10 48 cf"); // pop rbx; pop rax; add rsp, 16; iretq
    }

    private static String little(long value) {
        return "%02x%02x%02x%02x".formatted(value & 0xff, value >> 8 & 0xff, value >> 16 & 0xff, value >> 24 & 0xff);
    }

    private void put(long address, String hex) {
        byte[] bytes = HexFormat.of().parseHex(hex.replace(" ", ""));
        memory.copyIn(bytes, 0, address, bytes.length);
    }

    /** Puts {@code program} in place, about to be executed with contents of registers and memory that follow from {@code seed}. */
    void load(GuestProgram program, long seed) {
        GuestProgram.Image image = program.assemble(CODE);
        memory.copyIn(image.code(), 0, CODE, image.code().length);
        for (int i = 0; i < image.resume().length; i++) {
            memory.write32(RESUME + 4 * i, image.resume()[i]);
        }
        for (int i = 0; i < image.table().length; i++) {
            memory.write64(TABLE + 8 * i, image.table()[i]);
        }
        memory.write64(LOG_POINTER, LOG);
        memory.write32(COUNTER, 0);
        Random random = new Random(seed);
        byte[] data = new byte[DATA_BYTES];
        random.nextBytes(data);
        memory.copyIn(data, 0, DATA, data.length);
        for (int i = 0; i < 2; i++) {
            movedCode(CODE_FRAMES[i], random.nextInt(128));
        }
        for (int i = 0; i < 16; i++) {
            cpu.gpr[i] = random.nextLong() >> random.nextInt(64);
        }
        for (int i = 0; i < cpu.vector.length; i++) {
            cpu.vector[i] = random.nextLong();
        }
        cpu.gpr[Processor.RSP] = STACK;
        cpu.rip = CODE + image.start()[0];
    }

    /** The code at {@link #MOVED_CODE}: in the two frames it differs by one byte. */
    private void movedCode(long frame, int number) {
        // L: add eax, number; lea rdx, [rip]; test eax, 0x30; jnz out; sub ecx, eax; out: ret
        put(frame, "83 c0 %02x 48 8d 15 00 00 00 00 a9 30 00 00 00 75 02 29 c1 c3".formatted(number));
    }

    /** What of memory a program may have changed, in short. */
    long digest() {
        return memory.digest(COMPARED_FROM, MEMORY - COMPARED_FROM);
    }

    /** Where memory differs from that of {@code other}. */
    String difference(ProgramMachine other) {
        for (long at = COMPARED_FROM; at < MEMORY; at += 8) {
            if (memory.read64(at) != other.memory.read64(at)) {
                return "memory at %x: %x, translated %x".formatted(at, memory.read64(at), other.memory.read64(at));
            }
        }
        return "";
    }

    @Override
    public void close() {
        memory.close();
    }
}
