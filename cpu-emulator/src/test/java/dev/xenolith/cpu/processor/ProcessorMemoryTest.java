package dev.xenolith.cpu.processor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xenolith.cpu.memory.FrameListener;
import dev.xenolith.cpu.memory.MmioDevice;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ProcessorMemoryTest {
    private static final long NX = 1L << 63;

    private final TestMachine machine = new TestMachine();
    private final Processor p = machine.p;

    @AfterEach
    void close() {
        machine.close();
    }

    private long load(long address, int size) {
        return switch (size) {
            case 1 -> p.load8(address);
            case 2 -> p.load16(address);
            case 4 -> p.load32(address);
            default -> p.load64(address);
        };
    }

    private long loadForWrite(long address, int size) {
        return switch (size) {
            case 1 -> p.loadForWrite8(address);
            case 2 -> p.loadForWrite16(address);
            case 4 -> p.loadForWrite32(address);
            default -> p.loadForWrite64(address);
        };
    }

    private void store(long address, int size, long value) {
        switch (size) {
            case 1 -> p.store8(address, value);
            case 2 -> p.store16(address, value);
            case 4 -> p.store32(address, value);
            default -> p.store64(address, value);
        }
    }

    /** Pages are mapped at scattered places so that crossing accesses meet different frames. */
    @Test
    void accessesAgreeWithAByteArrayUnderScatteredMappingsAndAttention() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        machine.enterRing(3);
        int pages = 16;
        byte[] model = new byte[pages * 4096];
        for (int i = 0; i < pages; i++) {
            machine.memory.write64(machine.entryOf(0x50000 + i * 0x1000), 0x400000 + (i * 7 % pages) * 0x3000 | 7);
        }
        p.flushAll();
        List<Long> codeEvents = new ArrayList<>();
        machine.memory.addListener(new FrameListener() {
            @Override
            public void codeChanging(long frame) {
                codeEvents.add(frame);
            }
        });
        for (int i = 0; i < 100_000; i++) {
            int size = 1 << random.nextInt(4);
            int at = random.nextInt(8) == 0
                    ? Math.min(model.length - size, (1 + random.nextInt(pages)) * 4096 - 1 - random.nextInt(size))
                    : random.nextInt(model.length - size + 1);
            long value = random.nextLong();
            String what = "seed %d step %d".formatted(seed, i);
            switch (random.nextInt(6)) {
                case 0, 1 -> {
                    store(0x50000 + at, size, value);
                    put(model, at, size, value);
                }
                case 2 -> {
                    assertThat(loadForWrite(0x50000 + at, size)).as(what).isEqualTo(get(model, at, size));
                    store(0x50000 + at, size, value);
                    put(model, at, size, value);
                }
                case 3 -> {
                    long expected = random.nextBoolean() ? get(model, at, size) : value;
                    long found = p.port.compareExchange(p, 0x50000 + at, size, expected, value);
                    assertThat(found).as(what).isEqualTo(get(model, at, size));
                    if (found == (size == 8 ? expected : expected & (1L << size * 8) - 1)) {
                        put(model, at, size, value);
                    }
                }
                default -> assertThat(load(0x50000 + at, size)).as(what).isEqualTo(get(model, at, size));
            }
            if (random.nextInt(200) == 0) {
                long frame = 0x400 + random.nextInt(pages) * 3L;
                switch (random.nextInt(3)) {
                    case 0 -> machine.memory.markCode(frame, 1 << random.nextInt(32));
                    case 1 -> machine.memory.armDirtyLog(frame, 1);
                    default -> p.flushPage(0x50000 + random.nextInt(pages) * 0x1000L);
                }
            }
        }
        assertThat(codeEvents).isNotEmpty();
    }

    private static long get(byte[] bytes, int at, int size) {
        long value = 0;
        for (int i = size - 1; i >= 0; i--) {
            value = value << 8 | bytes[at + i] & 0xff;
        }
        return value;
    }

    private static void put(byte[] bytes, int at, int size, long value) {
        for (int i = 0; i < size; i++) {
            bytes[at + i] = (byte) (value >>> 8 * i);
        }
    }

    @Test
    void storesIntoCodeAreSeenBeforeTheyHappenEvenThroughAWarmTlb() {
        machine.enterRing(3);
        p.store64(0x60000, 1);
        p.store64(0x60000, 2);
        List<Integer> seen = new ArrayList<>();
        machine.memory.addListener(new FrameListener() {
            @Override
            public void codeChanging(long frame) {
                seen.add(machine.memory.read8(frame << 12));
            }
        });
        machine.memory.markCode(0x60, 1);
        p.store8(0x60080, 9);
        assertThat(seen).as("another granule").isEmpty();
        p.store8(0x6007f, 9);
        assertThat(seen).containsExactly(2);
        machine.memory.markCode(0x60, 1);
        p.store64(0x5fffc, -1);
        assertThat(seen).as("from the page before").containsExactly(2, 2);
    }

    /** SDM 3A 4.6.1: every combination of who, what and the page's rights. */
    @Test
    void accessRightsMatrix() {
        int checked = 0;
        for (int bits = 0; bits < 1 << 10; bits++) {
            boolean user = (bits & 1) != 0;
            boolean wp = (bits & 2) != 0;
            boolean smep = (bits & 4) != 0;
            boolean smap = (bits & 8) != 0;
            boolean ac = (bits & 16) != 0;
            boolean pageUser = (bits & 32) != 0;
            boolean pageWritable = (bits & 64) != 0;
            boolean pageNx = (bits & 128) != 0;
            int kind = bits >> 8;
            if (kind == 3) {
                continue;
            }
            machine.enterRing(user ? 3 : 0);
            machine.memory.write64(machine.entryOf(0x70000),
                    0x70000 | 1 | (pageWritable ? 2 : 0) | (pageUser ? 4 : 0) | (pageNx ? NX : 0));
            assertThat(ControlRegisters.writeCr0(p, p.cr0 & ~Bits.CR0_WP | (wp ? Bits.CR0_WP : 0))).isTrue();
            assertThat(ControlRegisters.writeCr4(p,
                    Bits.CR4_PAE | (smep ? Bits.CR4_SMEP : 0) | (smap ? Bits.CR4_SMAP : 0))).isTrue();
            p.setRflags(2 | (ac ? Bits.RFLAGS_AC : 0));
            p.flushAll();

            boolean allowed;
            if (user) {
                allowed = pageUser && (kind != 1 || pageWritable) && (kind != 2 || !pageNx);
            } else if (kind == 2) {
                allowed = !pageNx && !(smep && pageUser);
            } else {
                allowed = !(smap && !ac && pageUser) && (kind != 1 || pageWritable || !wp);
            }
            int code = 1 | (kind == 1 ? 2 : 0) | (user ? 4 : 0) | (kind == 2 ? 16 : 0);
            String what = Integer.toBinaryString(bits);
            for (int pass = 0; pass < 2; pass++) {
                p.faultVector = 0;
                boolean done;
                try {
                    switch (kind) {
                        case 0 -> p.load64(0x70008);
                        case 1 -> p.store64(0x70008, pass);
                        default -> p.translateFetch(0x70008);
                    }
                    done = true;
                } catch (GuestFault fault) {
                    done = false;
                }
                assertThat(done).as(what).isEqualTo(allowed);
                if (!done) {
                    assertThat(p.faultVector).as(what).isEqualTo(Vector.PF);
                    assertThat(p.faultErrorCode).as(what).isEqualTo(code);
                    assertThat(p.faultAddress).as(what).isEqualTo(0x70008);
                }
            }
            checked++;
        }
        assertThat(checked).isEqualTo(768);
    }

    @Test
    void stacAndClacSwitchSmapWithoutAFlush() {
        ControlRegisters.writeCr4(p, p.cr4 | Bits.CR4_SMAP);
        long stamp = p.mmu().tlb.flushStamp();
        for (int i = 0; i < 3; i++) {
            assertThatThrownBy(() -> p.load8(0x70000)).isInstanceOf(GuestFault.class);
            SystemInstructions.stac(p);
            p.load8(0x70000);
            SystemInstructions.clac(p);
        }
        assertThat(p.mmu().tlb.flushStamp()).isEqualTo(stamp);
    }

    @Test
    void devicesAreReachedOnlyPrecisely() {
        List<String> log = new ArrayList<>();
        machine.map.map(0xf000_0000L, 0x1000, new MmioDevice() {
            @Override
            public long read(long offset, int size) {
                log.add("read " + offset + "+" + size);
                return 0x1122_3344_5566_7788L;
            }

            @Override
            public void write(long offset, int size, long value) {
                log.add("write " + offset + "+" + size + "=" + Long.toHexString(value));
            }
        });
        machine.memory.write64(machine.entryOf(0x70000), 0xf000_0000L | 7);
        p.flushAll();
        for (int i = 0; i < 2; i++) {
            assertThatThrownBy(() -> p.load32(0x70010)).isInstanceOf(GuestFault.class);
            assertThat(p.faultVector).isEqualTo(Processor.FAULT_RESTART);
            assertThatThrownBy(() -> p.store32(0x70010, 1)).isInstanceOf(GuestFault.class);
            assertThatThrownBy(() -> p.loadForWrite32(0x70010)).isInstanceOf(GuestFault.class);
            assertThatThrownBy(() -> p.store64(0x6fffc, 1)).as("RAM half unwritten").isInstanceOf(GuestFault.class);
        }
        assertThat(log).isEmpty();
        assertThat(machine.memory.read32(0x6fffc)).isZero();
        p.precise = true;
        assertThat(p.load32(0x70010)).isEqualTo(0x5566_7788L);
        p.store16(0x70ff0, 0xabcdef);
        assertThat(log).containsExactly("read 16+4", "write 4080+2=cdef");
        assertThat(p.translateFetch(0x70000)).isEqualTo(-1);
    }

    @Test
    void theLocalApicIsAPageOfItsProcessor() {
        machine.memory.write64(machine.entryOf(0x70000), 0xfee0_0000L | 7);
        p.flushAll();
        p.precise = true;
        p.store32(0x700f0, 0x1ff);
        assertThat(p.load32(0x700f0)).isEqualTo(0x1ff);
        assertThat(p.load32(0x70030)).isEqualTo(0x5_0014);
    }

    @Test
    void alignmentIsCheckedAtCpl3WhenAskedFor() {
        machine.enterRing(3);
        ControlRegisters.writeCr0(p, p.cr0 | Bits.CR0_AM);
        p.load64(0x70001);
        p.setRflags(p.rflags() | Bits.RFLAGS_AC);
        p.load64(0x70008);
        p.load8(0x70001);
        assertThatThrownBy(() -> p.load64(0x70004)).isInstanceOf(GuestFault.class);
        assertThat(p.faultVector).isEqualTo(Vector.AC);
        assertThatThrownBy(() -> p.store16(0x70001, 1)).isInstanceOf(GuestFault.class);
        machine.enterRing(0);
        p.setRflags(p.rflags() | Bits.RFLAGS_AC);
        p.load64(0x70004);
    }

    @Test
    void readOnlyMemoryIgnoresStores() {
        machine.enterRing(3);
        p.store64(0x70000, 5);
        machine.memory.watch(0x70, true);
        p.store64(0x70000, 6);
        assertThat(p.load64(0x70000)).isEqualTo(6);
    }

    @Test
    void addressSpacesWithTagsKeepTheirTranslations() {
        machine.enterRing(3);
        long other = 0xd0_0000;
        machine.memory.copy(TestMachine.ROOT, other, 0x1000);
        // The second space sees another page at 0x70000: its own tables below.
        long tables = 0xd0_1000;
        machine.memory.copy(TestMachine.ROOT + 0x1000, tables, 0x3000);
        machine.memory.write64(other, tables | 7);
        machine.memory.write64(tables, tables + 0x1000 | 7);
        machine.memory.write64(tables + 0x1000, tables + 0x2000 | 7);
        machine.memory.write64(tables + 0x2000 + 0x70 * 8, 0x99000 | 7);
        machine.memory.write64(0x70000, 1);
        machine.memory.write64(0x99000, 2);
        long stamp = p.mmu().tlb.flushStamp();
        for (int i = 0; i < 3; i++) {
            p.setCr3(TestMachine.ROOT, 0);
            assertThat(p.load64(0x70000)).isEqualTo(1);
            p.setCr3(other, 1);
            assertThat(p.load64(0x70000)).isEqualTo(2);
        }
        assertThat(p.mmu().tlb.flushStamp()).isEqualTo(stamp);
        machine.memory.write64(tables + 0x2000 + 0x70 * 8, 0x70000 | 7);
        assertThat(p.load64(0x70000)).isEqualTo(2);
        p.flushAddressSpace(1);
        assertThat(p.load64(0x70000)).isEqualTo(1);
    }
}
