package dev.xenolith.hypervisor.grant;

import static dev.xenolith.hypervisor.abi.Grant.*;
import static dev.xenolith.hypervisor.paging.World.ro;
import static dev.xenolith.hypervisor.paging.World.rw;
import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.hypervisor.abi.Errno;
import dev.xenolith.hypervisor.abi.Grant.EntryV2;
import dev.xenolith.hypervisor.abi.Xen;
import dev.xenolith.hypervisor.memory.Checks;
import dev.xenolith.hypervisor.memory.Preempt;
import dev.xenolith.hypervisor.paging.GrantEntries;
import dev.xenolith.hypervisor.paging.Pte;
import dev.xenolith.hypervisor.paging.World;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class GrantVersion2Test {
    private static final int REF = 9;
    private static final int THIRD_REF = 77;
    private static final long WHERE = 0x7000;
    private static final int BOTH = GTF_READING | GTF_WRITING;

    private final World world = new World(8, Checks.ALL);
    private final World.Guest granter = world.guest(1, 32);
    private final World.Guest grantee = world.guest(2, 32);
    private final World.Guest third = world.guest(3, 32);
    private final GrantOperations grants = new GrantOperations(world.types,
            new GrantEntries(world.types, world.updates));
    private final GrantCopy copies = new GrantCopy(grants);
    private final GrantTable theirs = table(granter, 2);
    private final GrantTable ours = table(grantee, 2);
    private final GrantTable thirds = table(third, 1);
    private final int page = granter.pages.get(5);
    private final int own = grantee.pages.get(20);
    private final int l1 = grantee.pages.get(3);

    GrantVersion2Test() {
        world.audit.addHolder(grants.holder());
        int l4 = grantee.pages.get(0);
        int l3 = grantee.pages.get(1);
        int l2 = grantee.pages.get(2);
        grantee.poke(l4, 0, rw(l3));
        grantee.poke(l3, 0, rw(l2));
        grantee.poke(l2, 0, rw(l1));
        assertThat(grantee.vcpu.setKernelRoot(l4)).isZero();
    }

    private GrantTable table(World.Guest guest, int version) {
        GrantTable table = Objects.requireNonNull(
                GrantTable.create(world.memory, guest.owner, new GrantTable.Limits(4, 1, version)));
        grants.add(table);
        return table;
    }

    @AfterEach
    void sound() {
        world.assertSound();
        world.close();
    }

    private void version2() {
        assertThat(theirs.setVersion(2)).isZero();
        assertThat(theirs.version()).isEqualTo(2);
    }

    private long entry(GrantTable table, int ref) {
        return ((long) table.sharedFrame(ref / 256) << 12) + ref % 256 * 16L;
    }

    private int status(int ref) {
        return world.ram.read16(((long) theirs.statusFrame(0) << 12) + ref * 2L);
    }

    private int flags(int ref) {
        return world.ram.read16(entry(theirs, ref));
    }

    /** As the granter writes it: header, the 32 bits after it, and the 64 bits after those. */
    private void write(GrantTable table, int ref, int flags, int domid, int second, long frame) {
        world.ram.write32(entry(table, ref) + 4, second);
        world.ram.write64(entry(table, ref) + EntryV2.FRAME, frame);
        world.ram.write32(entry(table, ref), domid << 16 | flags);
    }

    private void subPage(int start, int length) {
        write(theirs, REF, GTF_PERMIT_ACCESS | GTF_SUB_PAGE, 2, length << 16 | start, page);
    }

    private void transitive(int flags, int domid, int ref) {
        world.ram.write64(entry(theirs, REF) + EntryV2.FRAME, 0);
        world.ram.write16(entry(theirs, REF) + EntryV2.TRANS_DOMID, domid);
        world.ram.write32(entry(theirs, REF) + EntryV2.GREF, ref);
        world.ram.write32(entry(theirs, REF), 2 << 16 | GTF_TRANSITIVE | flags);
    }

    private int map(int flags) {
        return grants.map(ours, grantee.vcpu, WHERE, flags, REF, 1);
    }

    private int unmap(int handle) {
        int rc = grants.unmap(ours, grantee.vcpu, handle, WHERE, 0, 0, -1);
        grants.finishUnmaps();
        return rc;
    }

    private int copyIn(int offset, int sourceOffset, int length) {
        return copies.copy(ours, REF, 1, sourceOffset, own, Xen.DOMID_SELF, offset, length, GNTCOPY_SOURCE_GREF);
    }

    private int copyOut(int targetOffset, int length) {
        return copies.copy(ours, own, Xen.DOMID_SELF, 0, REF, 1, targetOffset, length, GNTCOPY_DEST_GREF);
    }

    // ---- versions ----------------------------------------------------------------------------------------------------

    @Test
    void versionsAreChosenWithinTheLimit() {
        assertThat(theirs.version()).isEqualTo(1);
        assertThat(theirs.statusFrames()).isZero();
        assertThat(theirs.setVersion(0)).isEqualTo(-Errno.EINVAL);
        assertThat(theirs.setVersion(3)).isEqualTo(-Errno.EINVAL);
        assertThat(thirds.setVersion(2)).as("max_grant_version=1").isEqualTo(-Errno.ENOSYS);
        assertThat(thirds.setVersion(1)).isZero();
        version2();
        assertThat(theirs.entries()).isEqualTo(256);
        assertThat(theirs.statusFrames()).isEqualTo(1);
        assertThat(theirs.setup(4)).isZero();
        assertThat(theirs.entries()).isEqualTo(1024);
        assertThat(theirs.statusFrames()).isEqualTo(1);
        assertThat(theirs.setVersion(1)).isZero();
        assertThat(theirs.entries()).isEqualTo(2048);
        assertThat(theirs.statusFrames()).isZero();
    }

    @Test
    void marksHaveAsManyFramesAsTheyNeed() {
        GrantTable large = Objects.requireNonNull(
                GrantTable.create(world.memory, third.owner, new GrantTable.Limits(17, 1, 2)));
        assertThat(large.setVersion(2)).isZero();
        assertThat(large.setup(8)).isZero();
        assertThat(large.statusFrames()).isEqualTo(1);
        assertThat(large.setup(9)).isZero();
        assertThat(large.statusFrames()).isEqualTo(2);
        assertThat(large.setup(17)).isZero();
        assertThat(large.statusFrames()).isEqualTo(3);
        large.release();
    }

    @Test
    void reservedEntriesSurviveInUse() {
        theirs.write(1, GTF_PERMIT_ACCESS, 2, page);
        theirs.write(REF, GTF_PERMIT_ACCESS, 2, page);
        assertThat(grants.mapJava(ours, 1, 1, false)).isZero();
        int handle = grants.mappedHandle();
        version2();
        assertThat(flags(1)).isEqualTo(GTF_PERMIT_ACCESS);
        assertThat(status(1)).isEqualTo(BOTH);
        assertThat(theirs.frameNumber(1)).isEqualTo(page);
        assertThat(flags(REF)).as("cleared").isZero();
        assertThat(theirs.setVersion(1)).isZero();
        assertThat(world.ram.read16(((long) theirs.sharedFrame(0) << 12) + 8)).isEqualTo(GTF_PERMIT_ACCESS | BOTH);
        version2();
        grants.unmapJava(ours, handle);
        assertThat(status(1)).isZero();
    }

    @Test
    void versionStaysWhileGrantsAreInUse() {
        theirs.write(REF, GTF_PERMIT_ACCESS, 2, page);
        assertThat(grants.mapJava(ours, 1, REF, true)).isZero();
        int handle = grants.mappedHandle();
        assertThat(theirs.setVersion(2)).isEqualTo(-Errno.EBUSY);
        assertThat(theirs.version()).isEqualTo(1);
        grants.unmapJava(ours, handle);
        version2();
        write(theirs, 3, GTF_PERMIT_ACCESS, 2, 0, 1L << 32);
        assertThat(theirs.setVersion(1)).as("no such frame number in version 1").isEqualTo(-Errno.ERANGE);
        write(theirs, 3, GTF_TRANSITIVE, 2, 0, 0);
        assertThat(theirs.setVersion(1)).isEqualTo(-Errno.ERANGE);
        write(theirs, 3, 0, 2, 0, 0);
        assertThat(theirs.setVersion(1)).isZero();
    }

    @Test
    void versionStaysWhileMarksAreMapped() {
        assertThat(ours.setVersion(2)).isZero();
        int status = ours.statusFrame(0);
        assertThat(grantee.update(l1, 9, rw(status))).isZero();
        assertThat(ours.setVersion(1)).isEqualTo(-Errno.EBUSY);
        assertThat(ours.statusFrames()).isEqualTo(1);
        world.assertSound();
        assertThat(grantee.update(l1, 9, 0)).isZero();
        assertThat(ours.setVersion(1)).isZero();
        assertThat(grantee.update(l1, 9, ro(status))).as("it is nobody's now").isNotZero();
    }

    // ---- full pages --------------------------------------------------------------------------------------------------

    @Test
    void mapAndUnmapMarkTheStatus() {
        version2();
        write(theirs, REF, GTF_PERMIT_ACCESS, 2, 0, page);
        assertThat(map(GNTMAP_HOST_MAP)).isZero();
        int handle = grants.mappedHandle();
        assertThat(flags(REF)).as("the granter's own").isEqualTo(GTF_PERMIT_ACCESS);
        assertThat(status(REF)).isEqualTo(BOTH);
        assertThat(Pte.frame(world.ram.read64(((long) l1 << 12) + 7 * 8))).isEqualTo(page);
        assertThat(grants.map(ours, grantee.vcpu, 0x8000, GNTMAP_HOST_MAP | GNTMAP_READONLY, REF, 1)).isZero();
        int second = grants.mappedHandle();
        assertThat(theirs.swap(REF, 10)).isEqualTo(GNTST_EAGAIN);
        assertThat(unmap(handle)).isZero();
        assertThat(status(REF)).isEqualTo(GTF_READING);
        assertThat(grants.unmap(ours, grantee.vcpu, second, 0x8000, 0, 0, -1)).isZero();
        grants.finishUnmaps();
        assertThat(status(REF)).isZero();
        write(theirs, 10, GTF_PERMIT_ACCESS | GTF_READONLY, 3, 4, 5);
        assertThat(theirs.swap(REF, 10)).isZero();
        assertThat(flags(REF)).isEqualTo(GTF_PERMIT_ACCESS | GTF_READONLY);
        assertThat(theirs.frameNumber(10)).isEqualTo(page);
        assertThat(theirs.frameNumber(REF)).isEqualTo(5);
    }

    @Test
    void entriesAreCheckedAsInVersion1() {
        version2();
        assertThat(map(GNTMAP_HOST_MAP)).as("invalid").isEqualTo(GNTST_GENERAL_ERROR);
        write(theirs, REF, GTF_PERMIT_ACCESS, 3, 0, page);
        assertThat(map(GNTMAP_HOST_MAP)).as("another's").isEqualTo(GNTST_GENERAL_ERROR);
        write(theirs, REF, GTF_PERMIT_ACCESS | GTF_READONLY, 2, 0, page);
        assertThat(map(GNTMAP_HOST_MAP)).as("read-only").isEqualTo(GNTST_GENERAL_ERROR);
        for (long frame : new long[]{-1, 1L << 32 | page, own, 1L << 63}) {
            write(theirs, REF, GTF_PERMIT_ACCESS, 2, 0, frame);
            assertThat(map(GNTMAP_HOST_MAP)).isEqualTo(GNTST_BAD_PAGE);
        }
        assertThat(status(REF)).isZero();
        assertThat(grants.map(ours, grantee.vcpu, WHERE, GNTMAP_HOST_MAP, 256, 1)).isEqualTo(GNTST_BAD_GNTREF);
    }

    @Test
    void transferCompletes() {
        version2();
        granter.owner.setMaxPages(33);
        int gift = grantee.pages.get(22);
        write(theirs, REF, GTF_ACCEPT_TRANSFER, 2, 0, 0x1_0000_0055L);
        assertThat(grants.transfer(ours, gift, 1, REF, -1)).isZero();
        assertThat(world.frames.owner(gift)).isEqualTo(1);
        assertThat(theirs.frameNumber(REF)).isEqualTo(gift);
        assertThat(flags(REF)).isEqualTo(GTF_ACCEPT_TRANSFER | GTF_TRANSFER_COMMITTED | GTF_TRANSFER_COMPLETED);
    }

    // ---- parts of pages ----------------------------------------------------------------------------------------------

    @Test
    void partsOfPagesAreCopiedNotMapped() {
        version2();
        granter.poke(page, 8, 0x1122_3344_5566_7788L);
        subPage(64, 100);
        assertThat(map(GNTMAP_HOST_MAP | GNTMAP_READONLY)).isEqualTo(GNTST_GENERAL_ERROR);
        assertThat(copyIn(16, 64, 8)).isZero();
        assertThat(world.ram.read64(((long) own << 12) + 16)).isEqualTo(0x1122_3344_5566_7788L);
        assertThat(copyIn(16, 64, 100)).isZero();
        assertThat(copyIn(16, 63, 8)).isEqualTo(GNTST_GENERAL_ERROR);
        assertThat(copyIn(16, 64, 101)).isEqualTo(GNTST_GENERAL_ERROR);
        assertThat(copyIn(16, 164, 1)).isEqualTo(GNTST_GENERAL_ERROR);
        assertThat(copyIn(16, 4090, 8)).isEqualTo(GNTST_BAD_COPY_ARG);
        assertThat(copyOut(160, 4)).isZero();
        assertThat(copyOut(160, 5)).isEqualTo(GNTST_GENERAL_ERROR);
        byte[] bytes = new byte[16];
        assertThat(copies.copyFrom(ours, 1, REF, 64, bytes, 0, 16)).isZero();
        assertThat(copies.copyFrom(ours, 1, REF, 60, bytes, 0, 16)).isEqualTo(GNTST_GENERAL_ERROR);
        assertThat(copies.copyTo(ours, 1, REF, 150, bytes, 0, 16)).isEqualTo(GNTST_GENERAL_ERROR);
        // A part that leaves the page: what is beyond it cannot be had.
        subPage(4000, 0xffff);
        assertThat(copyIn(0, 4000, 96)).isZero();
        assertThat(copyIn(0, 4000, 97)).isEqualTo(GNTST_BAD_COPY_ARG);
        assertThat(status(REF)).isZero();
    }

    /** Both ends of one copy in the same part of a page. */
    @Test
    void partIsCopiedOntoItself() {
        version2();
        granter.poke(page, 8, 0x1122_3344_5566_7788L);
        subPage(64, 32);
        int both = GNTCOPY_SOURCE_GREF | GNTCOPY_DEST_GREF;
        assertThat(copies.copy(ours, REF, 1, 64, REF, 1, 72, 8, both)).isZero();
        assertThat(world.ram.read64(((long) page << 12) + 72)).isEqualTo(0x1122_3344_5566_7788L);
        assertThat(copies.copy(ours, REF, 1, 64, REF, 1, 128, 8, both)).isEqualTo(GNTST_GENERAL_ERROR);
        assertThat(copies.copy(ours, REF, 1, 0, REF, 1, 72, 8, both)).isEqualTo(GNTST_GENERAL_ERROR);
        assertThat(status(REF)).isZero();
    }

    // ---- transitive grants -------------------------------------------------------------------------------------------

    private void thirdGrants(int flags, int domid) {
        thirds.write(THIRD_REF, flags, domid, third.pages.get(9));
        third.poke(third.pages.get(9), 0, 4711);
    }

    @Test
    void transitiveGrantsLeadOneStepFurther() {
        version2();
        thirdGrants(GTF_PERMIT_ACCESS, 1);
        transitive(0, 3, THIRD_REF);
        assertThat(map(GNTMAP_HOST_MAP | GNTMAP_READONLY)).as("no mapping").isEqualTo(GNTST_GENERAL_ERROR);
        assertThat(copyIn(8, 0, 8)).isZero();
        assertThat(world.ram.read64(((long) own << 12) + 8)).isEqualTo(4711);
        assertThat(copyOut(2000, 8)).isZero();
        int both = GNTCOPY_SOURCE_GREF | GNTCOPY_DEST_GREF;
        assertThat(copies.copy(ours, REF, 1, 0, REF, 1, 16, 8, both)).as("onto itself").isZero();
        assertThat(world.ram.read64(((long) third.pages.get(9) << 12) + 16)).isEqualTo(4711);
        assertThat(status(REF)).isZero();
        assertThat(world.ram.read16(((long) thirds.sharedFrame(0) << 12) + THIRD_REF * 8)).isEqualTo(GTF_PERMIT_ACCESS);
    }

    @Test
    void bothStepsMustAllowIt() {
        version2();
        thirdGrants(GTF_PERMIT_ACCESS, 2);
        transitive(0, 3, THIRD_REF);
        assertThat(copyIn(8, 0, 8)).as("granted to us, not to the one between").isEqualTo(GNTST_GENERAL_ERROR);
        thirdGrants(GTF_PERMIT_ACCESS | GTF_READONLY, 1);
        assertThat(copyIn(8, 0, 8)).isZero();
        assertThat(copyOut(0, 8)).as("read-only there").isEqualTo(GNTST_GENERAL_ERROR);
        thirdGrants(GTF_PERMIT_ACCESS, 1);
        transitive(GTF_READONLY, 3, THIRD_REF);
        assertThat(copyOut(0, 8)).as("read-only here").isEqualTo(GNTST_GENERAL_ERROR);
        transitive(0, 1, THIRD_REF);
        assertThat(copyIn(8, 0, 8)).as("to itself").isEqualTo(GNTST_GENERAL_ERROR);
        for (int domid : new int[]{7, Xen.DOMID_SELF, 0xffff}) {
            transitive(0, domid, THIRD_REF);
            assertThat(copyIn(8, 0, 8)).as("no such domain").isEqualTo(GNTST_GENERAL_ERROR);
        }
        transitive(0, 3, 512);
        assertThat(copyIn(8, 0, 8)).isEqualTo(GNTST_BAD_GNTREF);
        transitive(0, 3, -1);
        assertThat(copyIn(8, 0, 8)).isEqualTo(GNTST_BAD_GNTREF);
        assertThat(status(REF)).isZero();
    }

    @Test
    void notTwoSteps() {
        version2();
        assertThat(ours.setVersion(2)).isZero();
        // The grantee's own entry 9 hands on the granter's, which hands on the third one's.
        thirdGrants(GTF_PERMIT_ACCESS, 1);
        transitive(0, 3, THIRD_REF);
        world.ram.write16(entry(ours, REF) + EntryV2.TRANS_DOMID, 1);
        world.ram.write32(entry(ours, REF) + EntryV2.GREF, REF);
        world.ram.write32(entry(ours, REF), 3 << 16 | GTF_TRANSITIVE);
        byte[] bytes = new byte[8];
        assertThat(copies.copyFrom(ours, 1, REF, 0, bytes, 0, 8)).isZero();
        assertThat(copies.copyFrom(thirds, 2, REF, 0, bytes, 0, 8)).isEqualTo(GNTST_GENERAL_ERROR);
        assertThat(status(REF)).isZero();
    }

    /** The granter turns an entry that is mapped into something else: the mapping stays what it was. */
    @Test
    void changedWhileMapped() {
        version2();
        write(theirs, REF, GTF_PERMIT_ACCESS, 2, 0, page);
        assertThat(map(GNTMAP_HOST_MAP | GNTMAP_READONLY)).isZero();
        int handle = grants.mappedHandle();
        thirdGrants(GTF_PERMIT_ACCESS, 1);
        transitive(0, 3, THIRD_REF);
        assertThat(copyIn(8, 0, 8)).isEqualTo(GNTST_GENERAL_ERROR);
        subPage(0, 8);
        assertThat(copyIn(8, 64, 8)).as("the whole page is in use").isZero();
        assertThat(status(REF)).isEqualTo(GTF_READING);
        assertThat(unmap(handle)).isZero();
        assertThat(status(REF)).isZero();
    }

    @Test
    void goneDomainsGrantNothing() {
        version2();
        thirdGrants(GTF_PERMIT_ACCESS, 1);
        transitive(0, 3, THIRD_REF);
        third.owner.setDying();
        assertThat(grants.releaseMappings(thirds, Preempt.NEVER)).isZero();
        thirds.release();
        assertThat(copyIn(8, 0, 8)).isEqualTo(GNTST_BAD_GNTREF);
        third.destroy();
        grants.remove(thirds);
        assertThat(copyIn(8, 0, 8)).isEqualTo(GNTST_GENERAL_ERROR);
    }
}
