package dev.xenolith.hypervisor.paging;

import static dev.xenolith.hypervisor.abi.Errno.EINVAL;
import static dev.xenolith.hypervisor.paging.World.complete;
import static dev.xenolith.hypervisor.paging.World.ro;
import static dev.xenolith.hypervisor.paging.World.rw;
import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.hypervisor.abi.Mmu;
import dev.xenolith.hypervisor.memory.Checks;
import dev.xenolith.hypervisor.memory.FrameTable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Page tables of 32-bit guests: roots of four entries, of which the last leads to the L2 table that has the M2P table too. */
class CompatPageTypesTest {
    private static final int TOP = 3;
    private static final int FIRST_XEN = 428;

    private final World world = new World(8, Checks.ALL);
    private long freeFrames;
    private World.Guest guest;
    private int l3;
    private int low;
    private int top;
    private int l1;
    private int data;

    @BeforeEach
    void build() {
        freeFrames = world.memory.freeFrames();
        guest = world.compatGuest(1, 32);
        l3 = guest.pages.get(0);
        low = guest.pages.get(1);
        top = guest.pages.get(2);
        l1 = guest.pages.get(3);
        data = guest.pages.get(4);
        guest.poke(l3, 0, Pte.of(low, Pte.PRESENT));
        guest.poke(l3, TOP, Pte.of(top, Pte.PRESENT));
        guest.poke(low, 0, rw(l1));
        guest.poke(l1, 0, Pte.of(data, Pte.PRESENT | Pte.WRITABLE));
    }

    @AfterEach
    void nothingIsLeft() {
        world.assertSound();
        guest.destroy();
        world.memory.settleFreeFrames();
        assertThat(world.memory.freeFrames()).isEqualTo(freeFrames);
        world.close();
    }

    private long entry(int table, int index) {
        return world.ram.read64(((long) table << 12) + index * 8L);
    }

    @Test
    void aRootHasFourEntriesAndTheM2pTable() {
        guest.poke(l3, 4, Pte.of(data, Pte.PRESENT));
        guest.poke(top, FIRST_XEN + 1, rw(data));
        guest.poke(top, 511, ~0L);
        assertThat(guest.pin(l3, FrameTable.L3)).isZero();
        assertThat(entry(l3, 0)).isEqualTo(Pte.of(low, Pte.PRESENT | Pte.WRITABLE | Pte.USER));
        assertThat(entry(l3, 4)).as("what no PAE processor looks at").isZero();
        assertThat(entry(l1, 0)).as("a page of the kernel").isEqualTo(Pte.of(data, Pte.PRESENT | Pte.WRITABLE));
        assertThat(entry(top, FIRST_XEN)).isEqualTo(world.memory.m2p().compatL2Entry(0)).isNotZero();
        assertThat(entry(top, FIRST_XEN + 1)).isZero();
        assertThat(entry(top, 511)).isZero();
        world.memory.m2p().set(data, 77);
        int table = (int) Pte.frame(entry(top, FIRST_XEN));
        int page = (int) Pte.frame(entry(table, data / 1024));
        assertThat(world.ram.read32(((long) page << 12) + data % 1024 * 4)).isEqualTo(77);
    }

    @Test
    void withoutItsLastEntryItIsNone() {
        guest.poke(l3, TOP, 0);
        assertThat(guest.pin(l3, FrameTable.L3)).isEqualTo(-EINVAL);
    }

    @Test
    void rootsDoNotShareTheLastTable() {
        assertThat(guest.pin(l3, FrameTable.L3)).isZero();
        int other = guest.pages.get(5);
        guest.poke(other, TOP, Pte.of(top, Pte.PRESENT));
        assertThat(guest.pin(other, FrameTable.L3)).isEqualTo(-EINVAL);
        assertThat(complete(() -> world.types.finishDeferred(guest.vcpu.context()))).isZero();
        assertThat(world.frames.uses(top)).isOne();
        // Nor is it the L2 of another slot.
        guest.poke(other, 0, Pte.of(top, Pte.PRESENT));
        guest.poke(other, TOP, Pte.of(guest.pages.get(6), Pte.PRESENT));
        assertThat(guest.pin(other, FrameTable.L3)).isEqualTo(-EINVAL);
    }

    @Test
    void aPinnedTableIsNotTheLast() {
        assertThat(guest.pin(top, FrameTable.L2)).isZero();
        assertThat(guest.pin(l3, FrameTable.L3)).isEqualTo(-EINVAL);
        assertThat(guest.unpin(top)).isZero();
        assertThat(guest.pin(l3, FrameTable.L3)).isZero();
        assertThat(guest.pin(top, FrameTable.L2)).isEqualTo(-EINVAL);
    }

    @Test
    void whatIsTheHypervisorsStays() {
        assertThat(guest.pin(l3, FrameTable.L3)).isZero();
        assertThat(guest.update(l3, TOP, 0)).isEqualTo(-EINVAL);
        assertThat(guest.update(l3, 4, Pte.of(low, Pte.PRESENT))).isEqualTo(-EINVAL);
        assertThat(guest.update(top, FIRST_XEN, 0)).isEqualTo(-EINVAL);
        assertThat(guest.update(top, FIRST_XEN - 1, rw(l1))).isZero();
        assertThat(guest.update(l3, 0, 0)).isZero();
        assertThat(guest.update(l3, 1, Pte.of(low, Pte.PRESENT))).isZero();
    }

    @Test
    void rootsMapNoRoots() {
        int second = guest.pages.get(5);
        guest.poke(second, TOP, Pte.of(guest.pages.get(6), Pte.PRESENT));
        assertThat(guest.pin(second, FrameTable.L3)).isZero();
        assertThat(guest.pin(l3, FrameTable.L3)).isZero();
        assertThat(guest.update(l3, 1, Pte.of(l3, Pte.PRESENT))).as("itself").isEqualTo(-EINVAL);
        assertThat(guest.update(l3, 1, Pte.of(second, Pte.PRESENT))).as("another").isEqualTo(-EINVAL);
        assertThat(guest.update(top, 5, ro(top))).as("an L2 maps L2s, as NetBSD has it").isZero();
        assertThat(guest.update(top, 6, ro(low))).isZero();
        assertThat(guest.update(top, 7, rw(low))).isEqualTo(-EINVAL);
    }

    @Test
    void bitsThatPaeHasNot() {
        guest.poke(l3, 0, Pte.of(low, Pte.PRESENT | Pte.NO_EXECUTE));
        assertThat(guest.pin(l3, FrameTable.L3)).isEqualTo(-EINVAL);
        guest.poke(l3, 0, Pte.of(low, Pte.PRESENT) | 1L << 52);
        assertThat(guest.pin(l3, FrameTable.L3)).isEqualTo(-EINVAL);
    }

    @Test
    void thereIsNoFourthLevelAndNoRootOfUserMode() {
        assertThat(world.extended.operate(guest.vcpu, guest.owner, Mmu.MMUEXT_PIN_L4_TABLE, l3, 0, 0, 0, 0))
                .isEqualTo(-EINVAL);
        assertThat(guest.vcpu.setUserRoot(l3)).isEqualTo(-EINVAL);
        assertThat(guest.vcpu.setKernelRoot(low)).isEqualTo(-EINVAL);
        assertThat(guest.vcpu.setKernelRoot(l3)).isZero();
        assertThat(guest.vcpu.walkRoot()).isNotEqualTo(l3);
        assertThat(world.updates.findL1Entry(guest.vcpu.walkRoot(), 0, guest.owner)).isEqualTo((long) l1 << 12);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 7})
    void interruptedAtAnyPlace(int every) {
        int[] asked = new int[1];
        world.preempt = () -> ++asked[0] % every == 0;
        guest.poke(low, 300, rw(guest.pages.get(7)));
        guest.poke(top, 3, rw(guest.pages.get(8)));
        assertThat(guest.pin(l3, FrameTable.L3)).isZero();
        world.assertSound();
        assertThat(guest.unpin(l3)).isZero();
        world.assertSound();
        guest.poke(top, 400, rw(l3));
        assertThat(guest.pin(l3, FrameTable.L3)).as("an entry that cannot be, in the last table").isEqualTo(-EINVAL);
    }
}
