package dev.xenolith.cpu.memory;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class WriteLogTest {
    private final PhysicalMemory memory = new PhysicalMemory(MemoryLayout.flat(1 << 20));
    private final WriteLog first = new WriteLog();
    private final WriteLog second = new WriteLog();
    private final List<String> differences = new ArrayList<>();

    @AfterEach
    void close() {
        memory.close();
    }

    private void store(WriteLog log, long address, int size, long value) {
        log.store(memory.hostBase() + address, size);
        memory.write(address, size, value);
    }

    private void mark(WriteLog log, long address, long value) {
        log.mark(memory.hostBase() + address, 8, 0x7123);
        memory.write64(address, value);
    }

    private void compare() {
        first.compare(second, (host, size, own, other) -> differences
                .add(Long.toHexString(host - memory.hostBase()) + "/" + size + " " + own + " " + other));
    }

    @Test
    void undoesOverlappingStoresInReverse() {
        memory.write64(0x100, 0x1122_3344_5566_7788L);
        store(first, 0x100, 4, 1);
        store(first, 0x102, 8, 2);
        store(first, 0x100, 1, 3);
        first.undo();
        assertThat(memory.read64(0x100)).isEqualTo(0x1122_3344_5566_7788L);
        assertThat(memory.read64(0x108)).isZero();
    }

    @Test
    void moreThanItsFirstCapacity() {
        for (int i = 0; i < 1000; i++) {
            store(first, 8L * i, 8, i + 1);
        }
        first.undo();
        assertThat(memory.isZero(0, 2)).isTrue();
    }

    @Test
    void onlyWhatIsLeftIsCompared() {
        store(first, 0x100, 8, 1);
        store(first, 0x100, 8, 2);
        first.undo();
        store(second, 0x104, 4, 0);
        store(second, 0x100, 4, 2);
        compare();
        assertThat(differences).isEmpty();
        assertThat(memory.read64(0x100)).as("what the second did").isEqualTo(2);
    }

    @Test
    void aStoreThatOnlyOneMakesIsADifference() {
        store(first, 0x100, 8, 1);
        first.undo();
        store(second, 0x200, 2, 7);
        compare();
        assertThat(differences).containsExactly("100/8 1 0", "200/2 0 7");
        assertThat(memory.read64(0x100)).isZero();
        assertThat(memory.read16(0x200)).isEqualTo(7);
    }

    @Test
    void marksAreUndoneAndNotCompared() {
        mark(first, 0x100, 0x20);
        store(first, 0x200, 8, 1);
        mark(first, 0x108, 0x20);
        first.undo();
        assertThat(memory.read64(0x100)).isZero();
        assertThat(memory.read64(0x108)).isZero();
        List<Long> pages = new ArrayList<>();
        first.visitMarks(pages::add);
        assertThat(pages).containsExactly(0x7000L, 0x7000L);
        mark(second, 0x100, 0x20);
        store(second, 0x200, 8, 1);
        compare();
        assertThat(differences).isEmpty();
        assertThat(memory.read64(0x100)).isEqualTo(0x20);
    }

    @Test
    void aMarkAfterTheLastStoreDoesNotCountAsStored() {
        store(first, 0x100, 8, 1);
        mark(first, 0x100, 0x21);
        first.undo();
        store(second, 0x100, 8, 1);
        compare();
        assertThat(differences).isEmpty();
    }
}
