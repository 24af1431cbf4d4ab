package dev.xenolith.hypervisor.paging;

import static dev.xenolith.hypervisor.abi.Errno.EBUSY;
import static dev.xenolith.hypervisor.abi.Errno.EINVAL;
import static dev.xenolith.hypervisor.abi.Errno.EPERM;
import static dev.xenolith.hypervisor.paging.World.ro;
import static dev.xenolith.hypervisor.paging.World.rw;
import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.hypervisor.memory.Checks;
import dev.xenolith.hypervisor.memory.FrameTable;
import dev.xenolith.hypervisor.memory.MachineToPhysical;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class PageTypesTest {
    private final World world = new World(8, Checks.ALL);
    private final World.Guest guest = world.guest(1, 64);
    private final World.Guest other = world.guest(2, 16);

    // The guest's first pages, as a small address space: linear 0 to 2 MiB through L4[0], L3[0], L2[0].
    private final int l4 = guest.pages.get(0);
    private final int l3 = guest.pages.get(1);
    private final int l2 = guest.pages.get(2);
    private final int l1 = guest.pages.get(3);
    private final int data = guest.pages.get(10);

    @AfterEach
    void sound() {
        world.assertSound();
        world.close();
    }

    private void build() {
        guest.poke(l4, 0, rw(l3));
        guest.poke(l3, 0, rw(l2));
        guest.poke(l2, 0, rw(l1));
        guest.poke(l1, 0, rw(data));
        guest.poke(l1, 1, ro(l4));
    }

    private long entry(int table, int index) {
        return world.ram.read64(((long) table << 12) + index * 8L);
    }

    @Test
    void pinValidatesTheWholeTree() {
        build();
        assertThat(guest.pin(l4, FrameTable.L4)).isZero();
        assertThat(world.frames.type(l4)).isEqualTo(FrameTable.L4);
        assertThat(world.frames.type(l3)).isEqualTo(FrameTable.L3);
        assertThat(world.frames.type(l2)).isEqualTo(FrameTable.L2);
        assertThat(world.frames.type(l1)).isEqualTo(FrameTable.L1);
        assertThat(world.frames.type(data)).isEqualTo(FrameTable.WRITABLE);
        assertThat(world.frames.isPinned(l4)).isTrue();
        assertThat(entry(l4, 256)).isEqualTo(world.memory.m2p().l4Entry());
        assertThat(entry(l4, 260)).isEqualTo(guest.owner.perDomainL4Entry());
        for (int page : new int[]{l4, l3, l2, l1}) {
            assertThat(guest.poke(page, 5, rw(data))).as("a page table stays read-only").isFalse();
        }
        world.assertSound();
        assertThat(guest.pin(l4, FrameTable.L4)).isEqualTo(-EINVAL);
        assertThat(guest.unpin(l4)).isZero();
        assertThat(guest.unpin(l4)).isEqualTo(-EINVAL);
        assertThat(world.frames.uses(l3)).isZero();
        assertThat(guest.poke(l3, 5, 1)).isTrue();
    }

    @Test
    void entriesReadBackAsTheHypervisorWroteThem() {
        guest.poke(l1, 0, Pte.of(data, Pte.PRESENT | Pte.WRITABLE));
        guest.poke(l1, 1, Pte.of(data, Pte.PRESENT | Pte.USER));
        assertThat(guest.pin(l1, FrameTable.L1)).isZero();
        assertThat(entry(l1, 0))
                .isEqualTo(Pte.of(data, Pte.PRESENT | Pte.WRITABLE | Pte.USER | Pte.GUEST_KERNEL));
        assertThat(entry(l1, 1)).isEqualTo(Pte.of(data, Pte.PRESENT | Pte.USER | Pte.GLOBAL));
    }

    @Test
    void writableMappingOfPageTableIsRefused() {
        build();
        assertThat(guest.pin(l4, FrameTable.L4)).isZero();
        assertThat(guest.update(l1, 2, rw(l1))).isEqualTo(-EBUSY);
        assertThat(guest.update(l1, 2, rw(l4))).isEqualTo(-EBUSY);
        assertThat(guest.update(l1, 2, ro(l1))).isZero();
        guest.poke(data, 0, 0);
        assertThat(guest.pin(data, FrameTable.L1)).as("mapped writable").isEqualTo(-EINVAL);
        assertThat(guest.update(l1, 0, 0)).isZero();
        assertThat(guest.pin(data, FrameTable.L1)).isZero();
    }

    @Test
    void foreignAndAbsentMemoryIsRefused() {
        guest.poke(l1, 0, 0);
        assertThat(guest.pin(l1, FrameTable.L1)).isZero();
        assertThat(guest.update(l1, 0, ro(other.pages.get(0)))).isEqualTo(-EBUSY);
        assertThat(guest.update(l1, 0, ro(0x7fff_ffff))).isEqualTo(-EPERM);
        assertThat(guest.update(l1, 0, Pte.ADDRESS | Pte.PRESENT)).isEqualTo(-EINVAL);
        assertThat(guest.update(l1, 0, ro(data) | Pte.PAGE_SIZE)).isEqualTo(-EINVAL);
        assertThat(guest.update(l1, 0, ro(data) | Pte.CACHE_DISABLE)).isEqualTo(-EINVAL);
        int hypervisors = world.memory.allocateHypervisorFrame();
        assertThat(guest.update(l1, 0, ro(hypervisors))).isEqualTo(-EBUSY);
        assertThat(guest.update(other.pages.get(0), 0, 1)).isEqualTo(-EINVAL);
        world.memory.releaseHypervisorFrame(hypervisors);
    }

    /** As when a domain ends whose page tables, taken apart later, still map its shared info. */
    @Test
    void aSharedFrameThatIsGivenUpStaysWhatItIsUntilNobodyMapsIt() {
        for (boolean writable : new boolean[]{true, false}) {
            int shared = world.memory.allocateHypervisorFrame();
            assertThat(world.memory.share(shared, guest.owner, writable)).isTrue();
            guest.poke(l1, 0, writable ? rw(shared) : ro(shared));
            assertThat(guest.pin(l1, FrameTable.L1)).isZero();
            world.assertSound();
            world.memory.releaseHypervisorFrame(shared);
            world.assertSound();
            assertThat(world.frames.type(shared)).isEqualTo(writable ? FrameTable.WRITABLE : FrameTable.NONE);
            assertThat(guest.pin(shared, FrameTable.L1)).isEqualTo(-EINVAL);
            long free = world.memory.freeFrames();
            assertThat(guest.unpin(l1)).isZero();
            assertThat(world.memory.freeFrames()).isEqualTo(free + 1);
            world.assertSound();
        }
    }

    @Test
    void hypervisorSlotsCannotBeChanged() {
        build();
        guest.poke(l4, 256, rw(l3));
        guest.poke(l4, 262, rw(l3));
        assertThat(guest.pin(l4, FrameTable.L4)).isZero();
        assertThat(entry(l4, 256)).isEqualTo(world.memory.m2p().l4Entry());
        assertThat(entry(l4, 262)).isZero();
        assertThat(guest.update(l4, 256, 0)).isEqualTo(-EINVAL);
        assertThat(guest.update(l4, 271, rw(l3))).isEqualTo(-EINVAL);
        assertThat(guest.update(l4, 272, rw(l3))).isZero();
    }

    @Test
    void linearTablesAreReadOnlyAndDoNotChain() {
        build();
        guest.poke(l4, 300, ro(l4));
        assertThat(guest.pin(l4, FrameTable.L4)).isZero();
        assertThat(guest.update(l4, 301, rw(l4))).isEqualTo(-EINVAL);
        int second = guest.pages.get(20);
        int third = guest.pages.get(21);
        assertThat(guest.pin(second, FrameTable.L4)).isZero();
        assertThat(guest.pin(third, FrameTable.L4)).isZero();
        assertThat(guest.update(second, 0, ro(l4))).isZero();
        assertThat(guest.update(l4, 302, ro(third))).as("is mapped linearly itself").isEqualTo(-EINVAL);
        assertThat(guest.update(third, 0, ro(second))).as("has linear entries").isEqualTo(-EINVAL);
        world.assertSound();
        assertThat(guest.unpin(l4)).isZero();
        assertThat(world.frames.uses(l4)).isEqualTo(1);
        assertThat(guest.update(second, 0, 0)).isZero();
        assertThat(guest.pin(guest.pages.get(30), FrameTable.L1)).as("finishes what was deferred").isZero();
        assertThat(world.frames.uses(l4)).isZero();
    }

    @Test
    void failedValidationLeavesNothing() {
        build();
        guest.poke(l1, 511, rw(other.pages.get(0)));
        assertThat(guest.pin(l4, FrameTable.L4)).isEqualTo(-EBUSY);
        world.assertSound();
        assertThat(guest.pin(guest.pages.get(30), FrameTable.L1)).isZero();
        for (int page : new int[]{l4, l3, l2, l1, data}) {
            assertThat(world.frames.uses(page)).isZero();
            assertThat(world.frames.references(page)).isEqualTo(1);
        }
    }

    @Test
    void segmentDescriptorsAreAudited() {
        int gdt = guest.pages.get(40);
        guest.poke(gdt, 1, 0x00af_9b00_0000_ffffL);
        assertThat(guest.descriptors.setGdt(0, new long[]{gdt}, 512)).isZero();
        assertThat(entry(gdt, 1)).as("ring 3").isEqualTo(0x00af_fb00_0000_ffffL);
        assertThat(guest.poke(gdt, 1, 0)).isFalse();
        int gate = guest.pages.get(41);
        guest.poke(gate, 3, 0x0000_8e00_0000_0000L);
        assertThat(guest.descriptors.setGdt(0, new long[]{gdt, gate}, 1024)).as("interrupt gate").isEqualTo(-EINVAL);
        assertThat(guest.descriptors.setGdt(0, new long[]{other.pages.get(0)}, 1)).isEqualTo(-EINVAL);
        assertThat(guest.descriptors.setGdt(0, new long[]{}, 7169)).isEqualTo(-EINVAL);
        world.assertSound();
        guest.descriptors.clearGdt(0);
        assertThat(guest.poke(gdt, 1, 0)).isTrue();
    }

    @Test
    void ldtPagesAreMappedWhenUsed() {
        build();
        int ldt = guest.pages.get(42);
        guest.poke(ldt, 0, 0x00cf_9300_0000_ffffL);
        guest.poke(l1, 8, ro(ldt));
        assertThat(guest.vcpu.setKernelRoot(l4)).isZero();
        assertThat(guest.vcpu.setLdt(0x8000, 512)).isZero();
        assertThat(world.frames.uses(ldt)).isZero();
        assertThat(guest.vcpu.mapLdtPage(8)).isTrue();
        assertThat(world.frames.type(ldt)).isEqualTo(FrameTable.SEGMENT_DESCRIPTORS);
        assertThat(guest.vcpu.mapLdtPage(4096)).as("beyond its limit").isFalse();
        world.assertSound();
        assertThat(guest.vcpu.setLdt(0, 0)).isZero();
        assertThat(world.frames.uses(ldt)).isZero();
        assertThat(guest.vcpu.setLdt(MachineToPhysical.BASE, 1)).isEqualTo(-EINVAL);
        assertThat(guest.vcpu.setLdt(0x8001, 1)).isEqualTo(-EINVAL);
        assertThat(guest.vcpu.setLdt(0x8000, 8193)).isEqualTo(-EINVAL);
    }

    @Test
    void updateThroughLinearAddress() {
        build();
        assertThat(guest.vcpu.setKernelRoot(l4)).isZero();
        assertThat(world.updates.updateMapping(l4, 0x5000, ro(data), guest.owner, guest.owner)).isZero();
        assertThat(Pte.frame(entry(l1, 5))).isEqualTo(data);
        assertThat(world.updates.updateMapping(l4, 0x20_0000, ro(data), guest.owner, guest.owner)).isEqualTo(-EINVAL);
        assertThat(world.updates.updateMapping(l4, MachineToPhysical.BASE, ro(data), guest.owner, guest.owner))
                .isEqualTo(-EINVAL);
        assertThat(world.updates.updateMapping(l4, 1L << 47, ro(data), guest.owner, guest.owner)).isEqualTo(-EINVAL);
    }

    @Test
    void unsafeNonPresentEntryCrashesOnlyWhereTheModelIsVulnerable() {
        assertThat(guest.pin(l1, FrameTable.L1)).isZero();
        assertThat(guest.update(l1, 0, 0x5000)).isZero();
        assertThat(guest.crash).isEmpty();
        try (World vulnerable = new World(8, Checks.ALL, true)) {
            World.Guest victim = vulnerable.guest(1, 8);
            int table = victim.pages.get(0);
            assertThat(victim.pin(table, FrameTable.L1)).isZero();
            assertThat(victim.update(table, 0, 1L << 45 | 0x5000)).as("above all memory").isZero();
            assertThat(victim.crash).isEmpty();
            assertThat(victim.update(table, 0, 0x5000)).isEqualTo(-EINVAL);
            assertThat(victim.crash).contains("L1TF");
            vulnerable.assertSound();
        }
    }

    @Test
    void teardownReturnsEveryFrame() {
        build();
        guest.poke(l4, 300, ro(l4));
        guest.poke(l3, 7, ro(l3));
        assertThat(guest.pin(l4, FrameTable.L4)).isZero();
        assertThat(guest.vcpu.setKernelRoot(l4)).isZero();
        assertThat(guest.vcpu.setUserRoot(l4)).isZero();
        long before = world.memory.freeFrames();
        // Three pages of the descriptor area and one L1 table of it go as well.
        guest.destroy();
        assertThat(guest.empty).isTrue();
        assertThat(world.memory.freeFrames()).isEqualTo(before + 64 + 4);
    }
}
