package dev.xenolith.hypervisor.grant;

import dev.xenolith.cpu.paging.Mmu;
import dev.xenolith.hypervisor.abi.ArchX86;
import dev.xenolith.hypervisor.abi.Errno;
import dev.xenolith.hypervisor.abi.Grant;
import dev.xenolith.hypervisor.abi.Xen;
import dev.xenolith.hypervisor.memory.Checks;
import dev.xenolith.hypervisor.memory.FrameTable;
import dev.xenolith.hypervisor.memory.MachineToPhysical;
import dev.xenolith.hypervisor.memory.Preempt;
import dev.xenolith.hypervisor.paging.GrantEntries;
import dev.xenolith.hypervisor.paging.Pte;
import dev.xenolith.hypervisor.paging.TableUpdates;
import dev.xenolith.hypervisor.paging.VcpuTables;
import dev.xenolith.hypervisor.paging.World;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.IntSupplier;

/**
 * Domains that do to their memory whatever comes to mind, with numbers that are sometimes right, and a victim that does nothing:
 * random sequences of all operations, equal for equal seeds. After every so many the audit runs, and what nobody may touch is
 * compared.
 */
final class HostileGuests implements AutoCloseable {
    private static final int PAGES = 96;
    private static final int ATTACKERS = 2;
    private static final long[] FLAG_SETS = {
        Pte.PRESENT | Pte.WRITABLE | Pte.USER, Pte.PRESENT | Pte.WRITABLE | Pte.USER, Pte.PRESENT | Pte.USER,
        Pte.PRESENT | Pte.WRITABLE, Pte.PRESENT | Pte.USER | Pte.NO_EXECUTE, 0,
        Pte.PRESENT | Pte.USER | Pte.PAGE_SIZE, Pte.PRESENT | Pte.CACHE_DISABLE, Pte.PRESENT | Pte.GLOBAL,
        Pte.PRESENT | Pte.GUEST_KERNEL | Pte.DIRTY | Pte.ACCESSED};

    final World world;
    final List<World.Guest> guests = new ArrayList<>();
    final List<GrantTable> tables = new ArrayList<>();
    final World.Guest victim;
    final GrantOperations grants;
    final GrantCopy copies;
    private final SplittableRandom random;
    private final long victimDigest;
    private final List<List<Integer>> handles = new ArrayList<>();
    /** Repeats each operation until it and what it has left to be taken apart is done, before anybody does something else. */
    boolean completing;
    /** Operations that want to be called again, by guest. */
    private final IntSupplier[] unfinished = new IntSupplier[ATTACKERS];
    /** How often each operation ended how. */
    final Map<String, Integer> outcomes = new TreeMap<>();

    HostileGuests(long seed, Checks checks) {
        this(seed, checks, false);
    }

    /** @param compat whether one of the attackers is a 32-bit guest */
    HostileGuests(long seed, Checks checks, boolean compat) {
        random = new SplittableRandom(seed);
        world = new World(8, checks);
        grants = new GrantOperations(world.types, new GrantEntries(world.types, world.updates));
        copies = new GrantCopy(grants);
        victim = world.guest(9, 64);
        for (int mfn : victim.pages) {
            for (int i = 0; i < 512; i++) {
                victim.poke(mfn, i, mfn * 1_000_003L + i);
            }
        }
        tables.add(table(victim));
        victimDigest = digest();
        for (int i = 1; i <= ATTACKERS; i++) {
            World.Guest guest = compat && i == ATTACKERS ? world.compatGuest(i, PAGES) : world.guest(i, PAGES);
            guest.owner.setMaxPages(PAGES + 8);
            guests.add(guest);
            tables.add(table(guest));
            handles.add(new ArrayList<>());
        }
        world.audit.addHolder(grants.holder());
        // The victim lets the first guest read two of its pages, and nobody else anything.
        tables.get(0).write(8, Grant.GTF_PERMIT_ACCESS | Grant.GTF_READONLY, 1, victim.pages.get(0));
        tables.get(0).write(9, Grant.GTF_PERMIT_ACCESS | Grant.GTF_READONLY, 1, victim.pages.get(1));
    }

    private GrantTable table(World.Guest guest) {
        GrantTable table = Objects
                .requireNonNull(GrantTable.create(world.memory, guest.owner, new GrantTable.Limits(4, 1, 2)));
        grants.add(table);
        return table;
    }

    /** Interrupts operations every now and then, sometimes early and often. */
    void preemptSometimes() {
        SplittableRandom when = random.split();
        int[] left = new int[1];
        world.preempt = () -> {
            if (--left[0] > 0) {
                return false;
            }
            left[0] = when.nextInt(4) == 0 ? when.nextInt(1, 20) : when.nextInt(1, 2000);
            return true;
        };
    }

    long digest() {
        long digest = 0;
        for (int mfn : victim.pages) {
            digest = digest * 31 + world.ram.digest((long) mfn << 12, 4096);
        }
        return digest;
    }

    /** What is wrong, or nothing. */
    List<String> findings() {
        List<String> found = new ArrayList<>(world.audit.run());
        if (digest() != victimDigest) {
            found.add("the victim's pages have changed");
        }
        return found;
    }

    // ---- operations --------------------------------------------------------------------------------------------------

    /** One operation of one guest. Returns findings that only the operation itself can see. */
    List<String> step() {
        int who = random.nextInt(ATTACKERS);
        World.Guest guest = guests.get(who);
        if (unfinished[who] != null) {
            // The vCPU is in the middle of a hypercall; sometimes the other one goes on first.
            finish(who, "again");
            return List.of();
        }
        int what = random.nextInt(100);
        if (what < 18) {
            guest.poke(page(guest), index(guest), entry(guest));
        } else if (what < 40) {
            int table = page(guest);
            int index = index(guest);
            long value = entry(guest);
            run(who, "update", () -> world.updates.update(guest.vcpu.context(), guest.owner, guest.owner,
                    ((long) table << 12) + index * 8L, value, index % 3 == 0));
        } else if (what < 52) {
            long mfn = anyFrame(guest);
            int level = 1 + random.nextInt(4);
            run(who, "pin L" + level, () -> world.extended.pin(guest.vcpu.context(), guest.owner, mfn, level));
        } else if (what < 60) {
            long mfn = anyFrame(guest);
            run(who, "unpin", () -> world.extended.unpin(guest.vcpu.context(), guest.owner, mfn));
        } else if (what < 64) {
            long mfn = random.nextInt(6) == 0 ? 0 : anyFrame(guest);
            boolean user = random.nextBoolean();
            run(who, user ? "user root" : "kernel root",
                    () -> user ? guest.vcpu.setUserRoot(mfn) : guest.vcpu.setKernelRoot(mfn));
        } else if (what < 68) {
            descriptors(guest);
        } else if (what < 76) {
            reservation(guest);
        } else if (what < 90) {
            return grant(who, guest);
        } else if (what < 96) {
            return touch(who, guest);
        } else {
            buildTree(guest);
        }
        return List.of();
    }

    private void run(int who, String name, IntSupplier operation) {
        World.Guest guest = guests.get(who);
        IntSupplier whole = () -> {
            int rc = world.types.finishDeferred(guest.vcpu.context());
            return rc != 0 ? rc : operation.getAsInt();
        };
        unfinished[who] = whole;
        do {
            finish(who, name);
        } while (completing && unfinished[who] != null);
        if (completing) {
            World.complete(() -> world.types.finishDeferred(guest.vcpu.context()));
        }
    }

    private void finish(int who, String name) {
        IntSupplier operation = Objects.requireNonNull(unfinished[who]);
        int rc = operation.getAsInt();
        count(name, rc);
        if (rc != -Errno.ERESTART) {
            unfinished[who] = null;
            if (TableUpdates.takeFlushNeeded(guests.get(who).vcpu.context())) {
                world.memory.tlb().flushMask(-1);
            }
        }
    }

    private void count(String name, long rc) {
        outcomes.merge(name + " " + (rc > 0 ? 1 : rc), 1, Integer::sum);
    }

    private void descriptors(World.Guest guest) {
        switch (random.nextInt(4)) {
            case 0 ->
                count("set_gdt", guest.descriptors.setGdt(0, new long[]{anyFrame(guest), anyFrame(guest), page(guest)},
                        random.nextInt(-1, 1200)));
            case 1 -> count("set_ldt", guest.vcpu.setLdt((long) random.nextInt(64) << 12, random.nextInt(-1, 9000)));
            case 2 -> count("map_ldt", guest.vcpu.mapLdtPage(random.nextInt(80_000)) ? 1 : 0);
            default -> {
                int mfn = page(guest);
                for (int i = 0; i < 4; i++) {
                    guest.poke(mfn, random.nextInt(512), random.nextLong());
                }
            }
        }
    }

    private void reservation(World.Guest guest) {
        switch (random.nextInt(7)) {
            case 0 -> count("increase", note(guest, world.reservations.increase(guest.owner)));
            case 1 -> count("populate", note(guest, world.reservations.populate(guest.owner, random.nextInt(1 << 20))));
            case 2 -> {
                long mfn = anyFrame(guest);
                int rc = world.reservations.decrease(guest.owner, mfn);
                count("decrease", rc);
            }
            case 3 -> {
                long[] frames = {anyFrame(guest), page(guest), page(guest)};
                int rc = world.reservations.exchange(guest.owner, frames, 1 + random.nextInt(3));
                count("exchange", rc);
                if (rc == 0) {
                    for (long mfn : frames) {
                        note(guest, (int) mfn);
                    }
                }
            }
            case 4 -> count("clear page", world.extended.clearPage(guest.owner, anyFrame(guest)));
            case 5 -> count("copy page", world.extended.copyPage(guest.owner, anyFrame(guest), anyFrame(guest)));
            default -> count("machphys",
                    world.updates.setMachineToPhysical(guest.owner, anyFrame(guest), random.nextLong()));
        }
    }

    private static int note(World.Guest guest, int mfn) {
        if (mfn >= 0) {
            guest.pages.add(mfn);
        }
        return mfn;
    }

    private List<String> grant(int who, World.Guest guest) {
        GrantTable mine = tables.get(who + 1);
        int granter = random.nextInt(4);
        int domid = random.nextInt(20) == 0 ? Xen.DOMID_SELF : granter == 3 ? 9 : granter;
        int ref = random.nextInt(30) == 0 ? random.nextInt() : 8 + random.nextInt(12);
        switch (random.nextInt(8)) {
            case 0, 1 -> writeEntry(mine, guest);
            case 2, 3 -> {
                int flags = random.nextInt(64);
                boolean writable = (flags & Grant.GNTMAP_READONLY) == 0;
                boolean allowed = mayUse(domid, ref, guest.owner.domid, writable);
                long address = (flags & Grant.GNTMAP_CONTAINS_PTE) != 0
                        ? ((long) page(guest) << 12) + index(guest) * 8L
                        : linear();
                int rc = grants.map(mine, guest.vcpu, address, flags, ref, domid);
                count("map grant", rc);
                if (rc == 0) {
                    handles.get(who).add(grants.mappedHandle());
                    if (!allowed) {
                        return List.of("mapped grant " + ref + " of d" + domid + (writable ? " writable" : ""));
                    }
                }
            }
            case 4, 5 -> {
                List<Integer> known = handles.get(who);
                int handle = known.isEmpty() || random.nextInt(10) == 0
                        ? random.nextInt(-2, 300)
                        : known.get(random.nextInt(known.size()));
                long address = random.nextBoolean() ? linear() : ((long) page(guest) << 12) + index(guest) * 8L;
                count("unmap grant", grants.unmap(mine, guest.vcpu, handle, address,
                        random.nextInt(4) == 0 ? (long) page(guest) << 12 : 0,
                        random.nextInt(5) == 0 ? linear() : 0, -1));
                if (random.nextBoolean()) {
                    grants.finishUnmaps();
                }
                grants.finishUnmaps();
            }
            case 6 -> {
                int flags = random.nextInt(4);
                int rc = copies.copy(mine, (flags & 1) != 0 ? ref : anyFrame(guest),
                        (flags & 1) != 0 ? domid : Xen.DOMID_SELF, random.nextInt(4100),
                        (flags & 2) != 0 ? ref : anyFrame(guest), (flags & 2) != 0 ? domid : Xen.DOMID_SELF,
                        random.nextInt(4100), random.nextInt(4100), flags);
                count("copy grant", rc);
            }
            default -> {
                if (random.nextInt(12) == 0) {
                    count("version", mine.setVersion(random.nextInt(4)));
                } else if (random.nextInt(3) == 0) {
                    count("transfer", grants.transfer(mine, anyFrame(guest), domid, ref, -1));
                } else {
                    count("swap", mine.swap(ref, 8 + random.nextInt(12)));
                }
            }
        }
        return List.of();
    }

    /** An entry as the guest may write it, or words of one that mean nothing, also in its frame of marks. */
    private void writeEntry(GrantTable mine, World.Guest guest) {
        int ref = 8 + random.nextInt(12);
        int flags = random.nextInt(3) + (random.nextInt(3) == 0 ? Grant.GTF_READONLY : 0);
        int domid = 1 + random.nextInt(2);
        long frame = anyFrame(guest);
        if (mine.version() == 1) {
            mine.write(ref, flags, domid, frame & 0xffff_ffffL);
            return;
        }
        mine.write(ref, random.nextInt(3) == 0 ? Grant.GTF_TRANSITIVE : flags, domid, frame);
        long at = ((long) mine.sharedFrame(0) << 12) + ref * 16L;
        switch (random.nextInt(4)) {
            case 0 -> {
                world.ram.write16(at + Grant.EntryV2.TRANS_DOMID, random.nextInt(10));
                world.ram.write32(at + Grant.EntryV2.GREF, random.nextInt(20));
            }
            case 1 -> {
                world.ram.write16(at, flags | Grant.GTF_SUB_PAGE);
                world.ram.write32(at + Grant.EntryV2.PAGE_OFF, random.nextInt());
            }
            case 2 -> world.ram.write16(((long) mine.statusFrame(0) << 12) + ref * 2L, random.nextInt());
            default -> {
                // As it is.
            }
        }
    }

    /** Whether {@code domid} lets {@code grantee} use {@code ref}, as far as one can see now. */
    private boolean mayUse(int domid, int ref, int grantee, boolean writable) {
        GrantTable granter = grants.table(domid);
        if (granter == null || !granter.has(ref)) {
            return false;
        }
        int word = granter.view().header(ref);
        int peer = granter.pins(ref) != 0 ? granter.grantee(ref) : word >>> 16;
        return peer == grantee
                && (!writable || (word & Grant.GTF_READONLY) == 0 || Pins.forWriting(granter.pins(ref)));
    }

    /** Uses an address as the guest's instructions would, on either processor, which may know an old translation. */
    private List<String> touch(int who, World.Guest guest) {
        int root = guest.vcpu.walkRoot();
        if (root == VcpuTables.NO_TABLE) {
            return List.of();
        }
        Mmu mmu = world.mmus[random.nextInt(world.mmus.length)];
        mmu.tlb.switchTo(who + 1);
        mmu.root = (long) root << 12;
        boolean compat = guest.owner.isCompat();
        int ring = compat ? Mmu.SUPERVISOR : Mmu.USER;
        long m2p = compat ? ArchX86.HYPERVISOR_COMPAT_VIRT_START : MachineToPhysical.BASE;
        long linear = (random.nextInt(20) == 0 ? m2p + random.nextInt(4096) * 8L : linear())
                & (compat ? 0xffff_ffffL : -1);
        long physical = mmu.translate(linear, Mmu.WRITE, ring);
        if (physical < 0) {
            mmu.translate(linear, Mmu.READ, ring);
            return List.of();
        }
        int mfn = (int) (physical >>> 12);
        if (world.frames.type(mfn) != FrameTable.WRITABLE || world.frames.uses(mfn) == 0) {
            return List.of("d" + guest.owner.domid + " writes to frame " + Integer.toHexString(mfn) + " of type "
                    + world.frames.type(mfn) + " at " + Long.toHexString(linear));
        }
        world.ram.write64(physical & ~7L, entry(guest));
        return List.of();
    }

    // ---- values ------------------------------------------------------------------------------------------------------

    private static int index(int value) {
        return value & 511;
    }

    /** Mostly low slots, so that things meet. */
    private int index(World.Guest guest) {
        if (guest.owner.isCompat() && random.nextInt(8) == 0) {
            // Those with rules of their own: the top of an L3, and in its L2 the hypervisor's.
            return random.nextBoolean() ? 3 : 424 + random.nextInt(88);
        }
        return switch (random.nextInt(10)) {
            case 0 -> random.nextInt(512);
            case 1 -> 256 + random.nextInt(16);
            default -> index(random.nextInt(6));
        };
    }

    private long linear() {
        return random.nextInt(30) == 0 ? random.nextLong() : (long) random.nextInt(8) << 12;
    }

    private int page(World.Guest guest) {
        // The first pages come often, so that tables fill up.
        int bound = random.nextInt(3) == 0 ? guest.pages.size() : Math.min(16, guest.pages.size());
        return guest.pages.get(random.nextInt(bound));
    }

    private long anyFrame(World.Guest guest) {
        return switch (random.nextInt(24)) {
            case 0 -> random.nextLong();
            case 1 -> random.nextInt(world.frames.size() + 10);
            case 2 -> victim.pages.get(random.nextInt(victim.pages.size()));
            case 3 -> page(guests.get(random.nextInt(ATTACKERS)));
            case 4 -> tables.get(random.nextInt(3)).sharedFrame(0);
            default -> page(guest);
        };
    }

    private long entry(World.Guest guest) {
        return Pte.of((int) (anyFrame(guest) & 0x7fff_ffff), FLAG_SETS[random.nextInt(FLAG_SETS.length)])
                | (random.nextInt(16) == 0 ? random.nextLong() : 0);
    }

    /** As {@link #buildTree}, of three levels; the L2 of the last slot may be another, or one of the others. */
    private void buildCompatTree(World.Guest guest) {
        int root = page(guest);
        int low = page(guest);
        int high = page(guest);
        int last = page(guest);
        for (int i = 0; i < 512; i++) {
            for (int mfn : new int[]{root, low, high, last}) {
                guest.poke(mfn, i, 0);
            }
        }
        guest.poke(root, 0, Pte.of(low, Pte.PRESENT));
        guest.poke(root, 3, Pte.of(high, Pte.PRESENT));
        guest.poke(low, 0, World.rw(last));
        guest.poke(high, random.nextInt(512), World.ro(random.nextBoolean() ? last : high));
        for (int i = 0; i < 8; i++) {
            guest.poke(last, i, random.nextBoolean() ? World.rw(page(guest)) : World.ro(page(guest)));
        }
        run(guests.indexOf(guest), "new compat root", () -> guest.vcpu.setKernelRoot(root));
    }

    /** Fills pages so that they make an address space, and takes it into use. */
    private void buildTree(World.Guest guest) {
        if (guest.owner.isCompat()) {
            buildCompatTree(guest);
            return;
        }
        int[] level = {page(guest), page(guest), page(guest), page(guest)};
        for (int i = 0; i < 512; i++) {
            for (int mfn : level) {
                guest.poke(mfn, i, 0);
            }
        }
        for (int i = 0; i < 3; i++) {
            guest.poke(level[i], 0, World.rw(level[i + 1]));
        }
        for (int i = 0; i < 8; i++) {
            guest.poke(level[3], i, random.nextBoolean() ? World.rw(page(guest)) : World.ro(page(guest)));
        }
        int who = guests.indexOf(guest);
        run(who, "new root", () -> guest.vcpu.setKernelRoot(level[0]));
    }

    /** Finishes what is under way, ends all guests and returns how many frames are then free. */
    long end() {
        world.preempt = Preempt.NEVER;
        for (int i = 0; i < ATTACKERS; i++) {
            if (unfinished[i] != null) {
                finish(i, "again");
            }
        }
        List<World.Guest> all = new ArrayList<>(guests);
        all.add(victim);
        for (World.Guest guest : all) {
            guest.owner.setDying();
        }
        for (GrantTable table : tables) {
            World.complete(() -> grants.releaseMappings(table, Preempt.NEVER));
        }
        for (GrantTable table : tables) {
            table.release();
        }
        all.forEach(World.Guest::destroy);
        tables.forEach(grants::remove);
        return world.memory.freeFrames();
    }

    /** A digest of everything that can be seen of the memory of all guests. */
    long stateDigest() {
        long digest = 0;
        for (int mfn = 0x100; mfn < world.frames.size(); mfn++) {
            digest = digest * 31 + world.frames.typeWord(mfn);
            digest = digest * 31 + world.frames.referenceWord(mfn);
            digest = digest * 31 + world.frames.owner(mfn);
        }
        return digest ^ world.ram.digest(0x100000, (long) (world.frames.size() - 0x100) << 12);
    }

    @Override
    public void close() {
        world.close();
    }
}
