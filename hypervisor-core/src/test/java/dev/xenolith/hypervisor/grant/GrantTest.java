package dev.xenolith.hypervisor.grant;

import static dev.xenolith.hypervisor.abi.Grant.*;
import static dev.xenolith.hypervisor.paging.World.ro;
import static dev.xenolith.hypervisor.paging.World.rw;
import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.hypervisor.abi.Errno;
import dev.xenolith.hypervisor.abi.Xen;
import dev.xenolith.hypervisor.memory.Checks;
import dev.xenolith.hypervisor.memory.FrameTable;
import dev.xenolith.hypervisor.memory.Preempt;
import dev.xenolith.hypervisor.paging.GrantEntries;
import dev.xenolith.hypervisor.paging.Pte;
import dev.xenolith.hypervisor.paging.World;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class GrantTest {
    private static final int REF = 9;
    /** Where the grantee maps: its L1 table covers linear 0 to 2 MiB. */
    private static final long WHERE = 0x7000;

    private final World world = new World(8, Checks.ALL);
    private final World.Guest granter = world.guest(1, 32);
    private final World.Guest grantee = world.guest(2, 32);
    private final GrantOperations grants = new GrantOperations(world.types,
            new GrantEntries(world.types, world.updates));
    private final GrantCopy copies = new GrantCopy(grants);
    private final GrantTable theirs = table(granter, 4);
    private final GrantTable ours = table(grantee, 4);
    private final int page = granter.pages.get(5);
    private final int l1 = grantee.pages.get(3);

    GrantTest() {
        world.audit.addHolder(grants.holder());
        int l4 = grantee.pages.get(0);
        int l3 = grantee.pages.get(1);
        int l2 = grantee.pages.get(2);
        grantee.poke(l4, 0, rw(l3));
        grantee.poke(l3, 0, rw(l2));
        grantee.poke(l2, 0, rw(l1));
        assertThat(grantee.vcpu.setKernelRoot(l4)).isZero();
    }

    private GrantTable table(World.Guest guest, int frames) {
        GrantTable table = Objects
                .requireNonNull(GrantTable.create(world.memory, guest.owner, new GrantTable.Limits(frames, 1, 2)));
        grants.add(table);
        return table;
    }

    @AfterEach
    void sound() {
        world.assertSound();
        world.close();
    }

    private void grant(int flags) {
        theirs.write(REF, flags, 2, page);
    }

    private int map(int flags) {
        return grants.map(ours, grantee.vcpu, WHERE, flags, REF, 1);
    }

    private int unmap(int handle) {
        int rc = grants.unmap(ours, grantee.vcpu, handle, WHERE, 0, 0, -1);
        grants.finishUnmaps();
        return rc;
    }

    private int entryFlags() {
        return world.ram.read16(((long) theirs.sharedFrame(0) << 12) + REF * 8);
    }

    private long l1Entry() {
        return world.ram.read64(((long) l1 << 12) + (WHERE >>> 12) * 8);
    }

    @Test
    void mapAndUnmapMarkTheEntry() {
        grant(GTF_PERMIT_ACCESS);
        assertThat(map(GNTMAP_HOST_MAP)).isZero();
        assertThat(entryFlags()).isEqualTo(GTF_PERMIT_ACCESS | GTF_READING | GTF_WRITING);
        assertThat(Pte.frame(l1Entry())).isEqualTo(page);
        assertThat(Pte.isWritable(l1Entry())).isTrue();
        assertThat(world.frames.type(page)).isEqualTo(FrameTable.WRITABLE);
        assertThat(grants.mappedAddress()).isEqualTo((long) page << 12);
        assertThat(granter.pin(page, FrameTable.L1)).as("somebody else writes to it").isEqualTo(-Errno.EINVAL);
        world.assertSound();
        int flushes = world.flushes;
        assertThat(unmap(grants.mappedHandle())).isZero();
        assertThat(world.flushes).as("no processor may go on writing").isGreaterThan(flushes);
        assertThat(entryFlags()).isEqualTo(GTF_PERMIT_ACCESS);
        assertThat(l1Entry()).isZero();
        assertThat(granter.pin(page, FrameTable.L1)).isZero();
        assertThat(unmap(grants.mappedHandle())).isEqualTo(GNTST_BAD_HANDLE);
    }

    @Test
    void readOnlyGrantIsMappedReadOnly() {
        grant(GTF_PERMIT_ACCESS | GTF_READONLY);
        assertThat(map(GNTMAP_HOST_MAP)).isEqualTo(GNTST_GENERAL_ERROR);
        assertThat(entryFlags()).isEqualTo(GTF_PERMIT_ACCESS | GTF_READONLY);
        assertThat(map(GNTMAP_HOST_MAP | GNTMAP_READONLY)).isZero();
        assertThat(Pte.isWritable(l1Entry())).isFalse();
        assertThat(grantee.update(l1, 7, rw(page))).as("widening the mapping").isEqualTo(-Errno.EBUSY);
        assertThat(entryFlags()).isEqualTo(GTF_PERMIT_ACCESS | GTF_READONLY | GTF_READING);
        assertThat(unmap(grants.mappedHandle())).isZero();
    }

    @Test
    void badArgumentsHaveTheirStatus() {
        assertThat(map(GNTMAP_HOST_MAP)).as("invalid entry").isEqualTo(GNTST_GENERAL_ERROR);
        theirs.write(REF, GTF_PERMIT_ACCESS, 3, page);
        assertThat(map(GNTMAP_HOST_MAP)).as("granted to another").isEqualTo(GNTST_GENERAL_ERROR);
        theirs.write(REF, GTF_PERMIT_ACCESS, 2, grantee.pages.get(9));
        assertThat(map(GNTMAP_HOST_MAP)).as("not the granter's page").isEqualTo(GNTST_BAD_PAGE);
        assertThat(entryFlags()).isEqualTo(GTF_PERMIT_ACCESS);
        grant(GTF_PERMIT_ACCESS);
        assertThat(map(0)).isEqualTo(GNTST_BAD_GNTREF);
        assertThat(grants.map(ours, grantee.vcpu, WHERE, GNTMAP_HOST_MAP, 512, 1)).isEqualTo(GNTST_BAD_GNTREF);
        assertThat(grants.map(ours, grantee.vcpu, WHERE, GNTMAP_HOST_MAP, -1, 1)).isEqualTo(GNTST_BAD_GNTREF);
        assertThat(grants.map(ours, grantee.vcpu, WHERE, GNTMAP_HOST_MAP, REF, 77)).isEqualTo(GNTST_BAD_DOMAIN);
        assertThat(grants.map(ours, grantee.vcpu, 1L << 40, GNTMAP_HOST_MAP, REF, 1)).isEqualTo(GNTST_GENERAL_ERROR);
        assertThat(grants.map(ours, grantee.vcpu, 1L << 62, GNTMAP_HOST_MAP | GNTMAP_CONTAINS_PTE, REF, 1))
                .isEqualTo(GNTST_GENERAL_ERROR);
        assertThat(entryFlags()).as("nothing left marked").isEqualTo(GTF_PERMIT_ACCESS);
        assertThat(grants.unmap(ours, grantee.vcpu, -1, WHERE, 0, 0, -1)).isEqualTo(GNTST_BAD_HANDLE);
        assertThat(grants.unmap(ours, grantee.vcpu, Integer.MAX_VALUE, WHERE, 0, 0, -1)).isEqualTo(GNTST_BAD_HANDLE);
    }

    @Test
    void mapTrackIsLimited() {
        grant(GTF_PERMIT_ACCESS);
        int mapped = 0;
        int rc;
        while ((rc = map(GNTMAP_HOST_MAP | GNTMAP_READONLY)) == GNTST_OKAY) {
            mapped++;
        }
        assertThat(rc).isIn(GNTST_NO_SPACE, GNTST_GENERAL_ERROR);
        assertThat(mapped).isBetween(100, 256);
        world.assertSound();
    }

    @Test
    void deviceMappingHoldsThePage() {
        grant(GTF_PERMIT_ACCESS);
        assertThat(map(GNTMAP_DEVICE_MAP)).isZero();
        long address = grants.mappedAddress();
        int handle = grants.mappedHandle();
        assertThat(granter.pin(page, FrameTable.L1)).isEqualTo(-Errno.EINVAL);
        assertThat(grants.unmap(ours, grantee.vcpu, handle, 0, address + 4096, 0, -1)).isEqualTo(GNTST_BAD_DEV_ADDR);
        assertThat(grants.unmap(ours, grantee.vcpu, handle, 0, address, 0, -1)).isZero();
        grants.finishUnmaps();
        assertThat(entryFlags()).isEqualTo(GTF_PERMIT_ACCESS);
    }

    @Test
    void overwrittenMappingIsLostButCounted() {
        grant(GTF_PERMIT_ACCESS);
        assertThat(map(GNTMAP_HOST_MAP)).isZero();
        assertThat(grantee.update(l1, 7, 0)).isZero();
        world.assertSound();
        assertThat(unmap(grants.mappedHandle())).isEqualTo(GNTST_GENERAL_ERROR);
        assertThat(entryFlags()).as("still believed in use").isEqualTo(GTF_PERMIT_ACCESS | GTF_READING | GTF_WRITING);
        grantee.owner.setDying();
        assertThat(grants.releaseMappings(ours, Preempt.NEVER)).isZero();
        assertThat(entryFlags()).isEqualTo(GTF_PERMIT_ACCESS);
    }

    @Test
    void unmapAndReplaceMovesAnEntry() {
        grant(GTF_PERMIT_ACCESS);
        int own = grantee.pages.get(20);
        assertThat(grantee.update(l1, 8, ro(own))).isZero();
        assertThat(map(GNTMAP_HOST_MAP)).isZero();
        assertThat(grants.unmap(ours, grantee.vcpu, grants.mappedHandle(), WHERE, 0, 0x8000, -1)).isZero();
        grants.finishUnmaps();
        assertThat(Pte.frame(l1Entry())).isEqualTo(own);
        assertThat(world.ram.read64(((long) l1 << 12) + 8 * 8)).isZero();
    }

    @Test
    void copiesBetweenGrantsAndOwnFrames() {
        grant(GTF_PERMIT_ACCESS);
        int own = grantee.pages.get(20);
        granter.poke(page, 1, 0x1122_3344_5566_7788L);
        assertThat(copies.copy(ours, REF, 1, 8, own, Xen.DOMID_SELF, 16, 8, GNTCOPY_SOURCE_GREF)).isZero();
        assertThat(world.ram.read64(((long) own << 12) + 16)).isEqualTo(0x1122_3344_5566_7788L);
        assertThat(copies.copy(ours, own, Xen.DOMID_SELF, 16, REF, 1, 4092, 8, GNTCOPY_DEST_GREF))
                .isEqualTo(GNTST_BAD_COPY_ARG);
        assertThat(copies.copy(ours, own, 1, 0, REF, 1, 0, 8, GNTCOPY_DEST_GREF)).isEqualTo(GNTST_PERMISSION_DENIED);
        assertThat(copies.copy(ours, page, Xen.DOMID_SELF, 0, own, Xen.DOMID_SELF, 0, 8, 0)).isEqualTo(GNTST_BAD_PAGE);
        assertThat(copies.copy(ours, own, Xen.DOMID_SELF, 0, l1, Xen.DOMID_SELF, 0, 8, 0)).as("a page table")
                .isEqualTo(GNTST_GENERAL_ERROR);
        grant(GTF_PERMIT_ACCESS | GTF_READONLY);
        assertThat(copies.copy(ours, own, Xen.DOMID_SELF, 0, REF, 1, 0, 8, GNTCOPY_DEST_GREF))
                .isEqualTo(GNTST_GENERAL_ERROR);
        assertThat(entryFlags()).isEqualTo(GTF_PERMIT_ACCESS | GTF_READONLY);
    }

    @Test
    void javaDomainsMapAndCopyLikewise() {
        grant(GTF_PERMIT_ACCESS);
        byte[] text = "stone".getBytes(StandardCharsets.US_ASCII);
        assertThat(copies.copyTo(ours, 1, REF, 100, text, 0, text.length)).isZero();
        byte[] back = new byte[5];
        assertThat(copies.copyFrom(ours, 1, REF, 100, back, 0, 5)).isZero();
        assertThat(back).isEqualTo(text);
        assertThat(grants.mapJava(ours, 1, REF, false)).isZero();
        int handle = grants.mappedHandle();
        assertThat(grants.mappedFrame()).isEqualTo(page);
        assertThat(unmap(handle)).as("not through a hypercall").isEqualTo(GNTST_BAD_HANDLE);
        world.assertSound();
        grants.unmapJava(ours, handle);
        grants.unmapJava(ours, handle);
        assertThat(entryFlags()).isEqualTo(GTF_PERMIT_ACCESS);
    }

    @Test
    void transferMovesThePage() {
        int gift = grantee.pages.get(21);
        theirs.write(REF, GTF_ACCEPT_TRANSFER, 2, 0x55);
        assertThat(grants.transfer(ours, gift, 1, REF, -1)).as("no room").isEqualTo(GNTST_GENERAL_ERROR);
        granter.owner.setMaxPages(33);
        int second = grantee.pages.get(22);
        assertThat(grants.transfer(ours, second, 1, REF, -1)).isZero();
        assertThat(world.frames.owner(second)).isEqualTo(1);
        assertThat(world.memory.m2p().get(second)).isEqualTo(0x55);
        assertThat(entryFlags()).isEqualTo(GTF_ACCEPT_TRANSFER | GTF_TRANSFER_COMMITTED | GTF_TRANSFER_COMPLETED);
        assertThat(grants.transfer(ours, page, 1, REF, -1)).isEqualTo(GNTST_BAD_PAGE);
        assertThat(grants.transfer(ours, l1, 1, REF, -1)).isEqualTo(GNTST_BAD_PAGE);
    }

    @Test
    void tableGrowsWithinItsLimit() {
        assertThat(theirs.setup(4)).isZero();
        assertThat(theirs.entries()).isEqualTo(2048);
        assertThat(theirs.setup(5)).isEqualTo(GNTST_GENERAL_ERROR);
        assertThat(theirs.setup(-1)).isEqualTo(GNTST_GENERAL_ERROR);
        theirs.write(1, 1, 2, 3);
        assertThat(theirs.swap(1, 2)).isZero();
        assertThat(theirs.frameNumber(2)).isEqualTo(3);
        assertThat(theirs.swap(1, 2048)).isEqualTo(GNTST_BAD_GNTREF);
    }

    @Test
    void mappedPageOutlivesItsDomain() {
        grant(GTF_PERMIT_ACCESS);
        assertThat(map(GNTMAP_HOST_MAP)).isZero();
        int handle = grants.mappedHandle();
        granter.owner.setDying();
        assertThat(grants.releaseMappings(theirs, Preempt.NEVER)).isZero();
        theirs.release();
        granter.destroy();
        assertThat(granter.empty).isFalse();
        assertThat(granter.owner.totalPages()).isEqualTo(1);
        world.assertSound();
        assertThat(unmap(handle)).isZero();
        assertThat(granter.empty).isTrue();
        grants.remove(theirs);
    }
}
