package dev.xenolith.cpu.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class PhysicalMemoryTest {
    private static final long HOLE = 640 << 10;
    private static final long MIB = 1 << 20;

    private final PhysicalMemory memory = new PhysicalMemory(MemoryLayout.pc(4 * MIB));
    private final List<String> events = new ArrayList<>();

    @AfterEach
    void close() {
        memory.close();
    }

    private void listen() {
        memory.addListener(new FrameListener() {
            @Override
            public void writeAttentionAdded(long firstFrame, long count) {
                events.add("attention " + firstFrame + "+" + count);
            }

            @Override
            public void codeChanging(long frame) {
                events.add("code " + frame + " was " + memory.read8(frame << 12));
            }

            @Override
            public void watchedWrite(long address, int length) {
                events.add("watched " + address + "+" + length);
            }
        });
    }

    @Test
    void layoutOfAPcLeavesTheHoles() {
        assertThat(MemoryLayout.pc(6L << 30).regions()).extracting(MemoryLayout.Region::start, MemoryLayout.Region::end)
                .containsExactly(org.assertj.core.groups.Tuple.tuple(0L, HOLE),
                        org.assertj.core.groups.Tuple.tuple(MIB, 0xf000_0000L),
                        org.assertj.core.groups.Tuple.tuple(1L << 32, (6L << 30) + 0x1000_0000L));
        assertThatThrownBy(() -> MemoryLayout.pc(4096)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void holesAndWhatLiesOutsideAreRefused() {
        long[] outside = {-1, HOLE, HOLE - 1, MIB - 1, 4 * MIB, 4 * MIB - 7, Long.MAX_VALUE, Long.MIN_VALUE};
        for (long address : outside) {
            assertThat(memory.contains(address, 8)).as("0x%x", address).isFalse();
            assertThatThrownBy(() -> memory.read64(address)).isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> memory.write64(address, 1)).isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> memory.fill(address, 8, 1)).isInstanceOf(IndexOutOfBoundsException.class);
        }
        assertThatThrownBy(() -> memory.fill(0, -1, 1)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> memory.fill(0, Long.MAX_VALUE, 1)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> memory.copyOut(0, new byte[4], 1, 4)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThat(memory.contains(HOLE - 8, 8)).isTrue();
        assertThat(memory.isMemory(-1)).isFalse();
    }

    @Test
    void accessorsAgreeWithAByteArrayAtAnyAlignment() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        byte[] model = new byte[3 * 4096];
        for (int i = 0; i < 20_000; i++) {
            int size = 1 << random.nextInt(4);
            int at = random.nextInt(model.length - size);
            long value = random.nextLong();
            if (random.nextInt(4) == 0) {
                long expected = random.nextBoolean() ? little(model, at, size) : value;
                long found = memory.compareExchange(MIB + at, size, expected, value);
                assertThat(found).as("seed %d", seed).isEqualTo(little(model, at, size));
                if (found != (size == 8 ? expected : expected & (1L << size * 8) - 1)) {
                    continue;
                }
            } else {
                memory.write(MIB + at, size, value);
            }
            for (int j = 0; j < size; j++) {
                model[at + j] = (byte) (value >>> 8 * j);
            }
            int probe = random.nextInt(model.length - size);
            assertThat(memory.read(MIB + probe, size)).as("seed %d", seed).isEqualTo(little(model, probe, size));
        }
        byte[] all = new byte[model.length];
        memory.copyOut(MIB, all, 0, all.length);
        assertThat(all).as("seed %d", seed).isEqualTo(model);
    }

    private static long little(byte[] bytes, int at, int size) {
        long value = 0;
        for (int i = size - 1; i >= 0; i--) {
            value = value << 8 | bytes[at + i] & 0xff;
        }
        return value;
    }

    @Test
    void aWriteDropsCodeOnlyInTheGranulesItTouchesAndBeforeTheBytesChange() {
        listen();
        memory.write8(0x3000, 7);
        memory.markCode(3, 0b101);
        memory.markCode(3, 0b1);
        assertThat(events).containsExactly("attention 3+1");
        memory.write64(0x3080, 1);
        memory.write8(0x30ff, 1);
        assertThat(events).hasSize(1);
        memory.write64(0x30fc, 1);
        assertThat(events).containsExactly("attention 3+1", "code 3 was 7");
        assertThat(memory.attention(3)).isZero();
        assertThat(memory.codeGranules(3)).isZero();
    }

    @Test
    void writesThatSpanFramesAttendToEach() {
        listen();
        for (long frame = 2; frame <= 4; frame++) {
            memory.watch(frame, true);
        }
        events.clear();
        memory.fill(0x2ff0, 0x1020, 0);
        memory.copyIn(new byte[8], 0, 0x3ffc, 8);
        memory.watch(3, false);
        memory.write64(0x3000, 1);
        memory.discardFrames(4, 1);
        assertThat(events).containsExactly("watched 12272+16", "watched 12288+4096", "watched 16384+16",
                "watched 16380+4",
                "watched 16384+4", "watched 16384+4096");
    }

    @Test
    void dirtyLogNotesTheFirstWriteAndAsksNoMore() {
        listen();
        memory.armDirtyLog(2, 3);
        assertThat(events).containsExactly("attention 2+3");
        assertThat(memory.isDirty(3)).isFalse();
        memory.compareExchange(0x3008, 8, 0, 5);
        assertThat(memory.isDirty(3)).isTrue();
        assertThat(memory.attention(3) & Attention.ON_WRITE).isZero();
        assertThat(memory.isDirty(2)).isFalse();
        memory.armDirtyLog(3, 1);
        assertThat(memory.isDirty(3)).isFalse();
        assertThat(memory.attention(3)).isEqualTo(Attention.LOG);
        memory.write8(0x3000, 1);
        memory.stopDirtyLog(2, 3);
        assertThat(memory.attention(3)).isZero();
    }

    @Test
    void granulesCoverEveryByteOfTheRange() {
        assertThat(PhysicalMemory.granules(0, 1)).isEqualTo(1);
        assertThat(PhysicalMemory.granules(127, 2)).isEqualTo(0b11);
        assertThat(PhysicalMemory.granules(0x5f80, 128)).isEqualTo(1 << 31);
        assertThat(PhysicalMemory.granules(0x5000, 4096)).isEqualTo(-1);
    }

    @Test
    void discardedFramesReadAsZeroAndDigestsTellContents() {
        byte[] bytes = new byte[8192];
        new Random(1).nextBytes(bytes);
        long empty = memory.digest(MIB, 8192);
        memory.copyIn(bytes, 0, MIB, 8192);
        long full = memory.digest(MIB, 8192);
        assertThat(full).isNotEqualTo(empty);
        memory.adviseHugePages(MIB >> 12, 512);
        memory.discardFrames(MIB >> 12, 2);
        assertThat(memory.isZero(MIB >> 12, 2)).isTrue();
        assertThat(memory.digest(MIB, 8192)).isEqualTo(empty);
        memory.copyIn(bytes, 0, MIB, 8192);
        assertThat(memory.digest(MIB, 8192)).isEqualTo(full);
        memory.write8(MIB + 5000, memory.read8(MIB + 5000) ^ 1);
        assertThat(memory.digest(MIB, 8192)).isNotEqualTo(full);
        memory.zeroFrame(MIB >> 12);
        assertThat(memory.isZero(MIB >> 12, 1)).isTrue();
        assertThat(memory.isZero(MIB >> 12, 2)).isFalse();
    }

    @Test
    void saveAndRestoreRoundTrip() throws IOException {
        Random random = new Random(7);
        for (int i = 0; i < 50; i++) {
            memory.write64(MIB + random.nextInt((int) (3 * MIB - 8)), random.nextLong());
        }
        ByteArrayOutputStream saved = new ByteArrayOutputStream();
        memory.save(new DataOutputStream(saved));
        assertThat(saved.size()).isLessThan(110 * 4100);
        try (PhysicalMemory other = new PhysicalMemory(memory.layout())) {
            other.write64(0x1000, -1);
            other.restore(new DataInputStream(new ByteArrayInputStream(saved.toByteArray())));
            assertThat(other.read64(0x1000)).isZero();
            assertThat(other.digest(MIB, 3 * MIB)).isEqualTo(memory.digest(MIB, 3 * MIB));
        }
        try (PhysicalMemory smaller = new PhysicalMemory(MemoryLayout.flat(MIB))) {
            assertThatThrownBy(
                    () -> smaller.restore(new DataInputStream(new ByteArrayInputStream(saved.toByteArray()))))
                    .isInstanceOf(IOException.class);
        }
    }

    @Test
    void closedMemoryRefusesAccess() {
        PhysicalMemory closed = new PhysicalMemory(MemoryLayout.flat(MIB));
        closed.close();
        closed.close();
        assertThatThrownBy(() -> closed.read8(0)).isInstanceOf(IndexOutOfBoundsException.class);
    }

    @Test
    void hugeLayoutsCostNothingUntilTouched() {
        try (PhysicalMemory huge = new PhysicalMemory(MemoryLayout.pc(64L << 30))) {
            huge.write64((63L << 30), 42);
            assertThat(huge.read64(63L << 30)).isEqualTo(42);
        }
    }
}
