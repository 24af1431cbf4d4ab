package dev.xenolith.hypervisor.paging;

import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.hypervisor.abi.Xen;
import dev.xenolith.hypervisor.memory.FrameTable;
import dev.xenolith.hypervisor.memory.MachineToPhysical;
import dev.xenolith.hypervisor.memory.Memory;
import dev.xenolith.hypervisor.memory.MemoryOwner;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Derives every count of the frame table anew, from page tables, pins, lists and what the rest of the hypervisor says it holds, and
 * compares; and checks that what page tables and descriptor pages hold obeys the rules, and that free frames hold nothing. Changes
 * nothing that anybody can see; takes time in proportion to the machine's memory.
 */
public final class Audit {
    /** Somebody who holds references to guests' frames other than through page tables. */
    @FunctionalInterface
    public interface Holder {
        void visit(Visitor visitor);
    }

    /** Is told what a holder holds. */
    public interface Visitor {
        /** A reference to {@code mfn}, for {@code what}. */
        void reference(int mfn, String what);

        /** A reference to {@code mfn} and a use of it as {@code type}. */
        void use(int mfn, int type, String what);

        /** The page tables of domain {@code domid} may map {@code mfn}, which another domain owns. */
        void permit(int domid, int mfn, boolean writable);

        /** The page tables of domain {@code domid}, which is privileged, may map frames of any domain. */
        void permitForeign(int domid);

        /** What the holder has found wrong with counts of its own. */
        void wrong(String what);
    }

    private static final int MOST_FINDINGS = 40;

    private final Memory memory;
    private final PageTypes types;
    private final FrameTable frames;
    private final PhysicalMemory ram;
    private final List<Holder> holders = new ArrayList<>();

    public Audit(PageTypes types) {
        this.types = types;
        memory = types.memory();
        frames = memory.frames();
        ram = memory.ram();
    }

    /** Adds a holder, to be asked at each {@link #run}. */
    public void addHolder(Holder holder) {
        holders.add(holder);
    }

    public void removeHolder(Holder holder) {
        holders.remove(holder);
    }

    /** What a vCPU's tables hold. */
    public static Holder of(VcpuTables tables) {
        return visitor -> {
            if (tables.kernelRoot() != VcpuTables.NO_TABLE) {
                visitor.use(tables.kernelRoot(), tables.rootLevel(), "kernel root");
            }
            if (tables.userRoot() != VcpuTables.NO_TABLE) {
                visitor.use(tables.userRoot(), FrameTable.L4, "user root");
            }
            of(tables.context()).visit(visitor);
        };
    }

    /** What a caller has left to do. */
    public static Holder of(PagingContext context) {
        return visitor -> {
            if (context.hasDeferred()) {
                if (context.deferredInProgress()) {
                    visitor.reference(context.deferred(), "deferred table in progress");
                } else {
                    visitor.use(context.deferred(), -1, "deferred table");
                }
            }
        };
    }

    /** What a domain's descriptor tables hold. */
    public static Holder of(DescriptorTables tables) {
        return visitor -> tables
                .forEachGuestFrame(mfn -> visitor.use(mfn, FrameTable.SEGMENT_DESCRIPTORS, "GDT or LDT"));
    }

    /** Returns what is wrong, one line each; nothing if all is well. At most some forty lines. */
    public List<String> run() {
        memory.settleFreeFrames();
        Run run = new Run();
        holders.forEach(holder -> holder.visit(run));
        run.lists();
        for (int mfn = 0; mfn < frames.size(); mfn++) {
            if (frames.isRam(mfn)) {
                run.frame(mfn);
            }
        }
        run.mappings();
        run.compare();
        return run.findings;
    }

    private final class Run implements Visitor {
        final List<String> findings = new ArrayList<>();
        private final long[] references = new long[frames.size()];
        private final long[] uses = new long[frames.size()];
        /** Domain id, frame and writability of permitted foreign mappings, packed. */
        private final Set<Long> permitted = new HashSet<>();
        /** Domains that may map what any domain owns. */
        private final Set<Integer> privileged = new HashSet<>();

        private void find(String text, Object... arguments) {
            if (findings.size() < MOST_FINDINGS) {
                findings.add(String.format(text, arguments));
            }
        }

        private String describe(int mfn) {
            return String.format("frame %#x of d%d (refs %d%s, type %d%s%s%s uses %d)", mfn, frames.owner(mfn),
                    frames.references(mfn), frames.isAllocated(mfn) ? " allocated" : "", frames.type(mfn),
                    frames.isValidated(mfn) ? " valid" : "", frames.isPinned(mfn) ? " pinned" : "",
                    frames.isPartial(mfn) ? " partial" : "", frames.uses(mfn));
        }

        // ---- what is held --------------------------------------------------------------------------------------------

        @Override
        public void reference(int mfn, String what) {
            if (!frames.isRam(mfn)) {
                find("%s holds %#x, which is not RAM", what, mfn);
                return;
            }
            references[mfn]++;
        }

        @Override
        public void use(int mfn, int type, String what) {
            reference(mfn, what);
            if (frames.isRam(mfn)) {
                uses[mfn]++;
                if (type >= 0 && frames.type(mfn) != type) {
                    find("%s needs type %d of %s", what, type, describe(mfn));
                }
            }
        }

        @Override
        public void permit(int domid, int mfn, boolean writable) {
            permitted.add(key(domid, mfn, false));
            if (writable) {
                permitted.add(key(domid, mfn, true));
            }
        }

        @Override
        public void permitForeign(int domid) {
            privileged.add(domid);
        }

        private boolean mayMap(int domid, int page, boolean writable) {
            int owner = frames.owner(page);
            return owner == domid || permitted.contains(key(domid, page, writable))
                    || privileged.contains(domid) && owner < Xen.DOMID_FIRST_RESERVED;
        }

        @Override
        public void wrong(String what) {
            find("%s", what);
        }

        private static long key(int domid, int mfn, boolean writable) {
            return (long) domid << 48 | (long) mfn << 1 | (writable ? 1 : 0);
        }

        // ---- lists ---------------------------------------------------------------------------------------------------

        void lists() {
            long[] owned = new long[1];
            boolean[] seen = new boolean[frames.size()];
            memory.forEachOwner(owner -> {
                long pages = walk(owner, owner.firstPage(), seen) + walk(owner, owner.firstLingeringPage(), seen);
                long shared = walk(owner, owner.firstSharedPage(), seen);
                if (pages != owner.totalPages() || shared != owner.sharedPages()) {
                    find("%s counts %d pages and %d shared, its lists have %d and %d", owner, owner.totalPages(),
                            owner.sharedPages(), pages, shared);
                }
                if (owner.totalPages() > owner.maxPages()) {
                    find("%s has %d pages, may have %d", owner, owner.totalPages(), owner.maxPages());
                }
                owned[0] += pages;
            });
            memory.forEachReturned(mfn -> {
                if (seen[mfn]) {
                    find("free frame %#x is in another list", mfn);
                }
                seen[mfn] = true;
            });
            long sum = owned[0] + memory.freeFrames() + memory.hypervisorFrames() + memory.quarantinedFrames();
            if (sum != memory.totalFrames()) {
                find("%d owned, %d free, %d of the hypervisor, %d quarantined: not %d frames", owned[0],
                        memory.freeFrames(), memory.hypervisorFrames(), memory.quarantinedFrames(),
                        memory.totalFrames());
            }
        }

        private long walk(MemoryOwner owner, int first, boolean[] seen) {
            long count = 0;
            for (int mfn = first; mfn != FrameTable.NO_FRAME; mfn = memory.nextPage(mfn)) {
                if (seen[mfn] || count > frames.size()) {
                    find("the list of %s has %s twice", owner, describe(mfn));
                    return count;
                }
                seen[mfn] = true;
                count++;
                if (frames.owner(mfn) != owner.domid) {
                    find("the list of %s has %s", owner, describe(mfn));
                }
                if (frames.references(mfn) == 0) {
                    find("the list of %s has a frame without reference: %s", owner, describe(mfn));
                }
            }
            return count;
        }

        // ---- frames and what they hold -------------------------------------------------------------------------------

        void frame(int mfn) {
            if (frames.isAllocated(mfn)) {
                references[mfn]++;
            }
            if (frames.isHypervisors(mfn) && frames.references(mfn) > 0) {
                // What fixes the type of a shared frame, until nobody maps it any more.
                uses[mfn]++;
            }
            if (frames.isPinned(mfn)) {
                use(mfn, -1, "pin");
                if (!PageTypes.isTable(frames.type(mfn)) || !frames.isValidated(mfn)) {
                    find("pinned but not a valid table: %s", describe(mfn));
                }
            }
            if (frames.isPartial(mfn)) {
                use(mfn, -1, "progress");
                if (frames.isValidated(mfn) || frames.uses(mfn) != 1) {
                    find("valid or used while in progress: %s", describe(mfn));
                }
            }
            int type = frames.type(mfn);
            if (frames.uses(mfn) > 0 && type == FrameTable.SEGMENT_DESCRIPTORS) {
                descriptors(mfn);
            } else if (frames.uses(mfn) > 0 && PageTypes.isTable(type)) {
                if (frames.isValidated(mfn)) {
                    table(mfn, type, PageTypes.ENTRIES);
                } else if (frames.isPartial(mfn)) {
                    table(mfn, type, frames.validatedEntries(mfn));
                    if (frames.childInProgress(mfn)) {
                        reference((int) Pte.frame(entry(mfn, frames.validatedEntries(mfn))), "child in progress");
                    }
                } else {
                    find("used, but neither valid nor in progress: %s", describe(mfn));
                }
            }
        }

        private long entry(int mfn, int index) {
            return ram.read64(((long) mfn << PhysicalMemory.FRAME_SHIFT) + index * 8L);
        }

        private void table(int mfn, int level, int count) {
            for (int i = 0; i < count; i++) {
                long entry = entry(mfn, i);
                if (types.isHypervisorEntry(mfn, level, i)) {
                    if (frames.isValidated(mfn) && entry != hypervisorEntry(mfn, level, i)) {
                        find("slot %d, the hypervisor's, of %s is %#x", i, describe(mfn), entry);
                    }
                } else if (Pte.isPresent(entry)) {
                    presentEntry(mfn, level, i, entry);
                }
            }
        }

        private long hypervisorEntry(int mfn, int level, int slot) {
            if (level == FrameTable.L2) {
                return types.paeXenEntry(slot);
            }
            if (slot == (int) (MachineToPhysical.BASE >>> 39 & 511)) {
                return memory.m2p().l4Entry();
            }
            MemoryOwner owner = memory.ownerOf(mfn);
            return slot == PageTypes.PER_DOMAIN_SLOT && owner != null ? owner.perDomainL4Entry() : 0;
        }

        private void presentEntry(int mfn, int level, int index, long entry) {
            MemoryOwner owner = memory.ownerOf(mfn);
            boolean compat = owner != null && owner.isCompat();
            if (Pte.isForbidden(entry, level, compat) || !compat && (entry & Pte.USER) == 0) {
                find("entry %d of %s has forbidden bits: %#x", index, describe(mfn), entry);
            }
            long target = Pte.frame(entry);
            if (!frames.isRam(target)) {
                find("entry %d of %s maps what is not RAM: %#x", index, describe(mfn), entry);
                return;
            }
            int page = (int) target;
            if (level == FrameTable.L1) {
                references[page]++;
                if (Pte.isWritable(entry)) {
                    uses[page]++;
                }
                return;
            }
            if (page == mfn || frames.type(page) == level) {
                if (Pte.isWritable(entry)) {
                    find("linear entry %d of %s is writable: %#x", index, describe(mfn), entry);
                }
                if (page == mfn) {
                    return;
                }
            } else if (frames.type(page) != level - 1) {
                find("entry %d of %s points to %s", index, describe(mfn), describe(page));
            }
            references[page]++;
            uses[page]++;
            if (frames.owner(page) != frames.owner(mfn)) {
                find("entry %d of %s points to a table of another: %s", index, describe(mfn), describe(page));
            }
        }

        private void descriptors(int mfn) {
            MemoryOwner owner = memory.ownerOf(mfn);
            boolean compat = owner != null && owner.isCompat();
            for (int i = 0; i < PageTypes.ENTRIES; i++) {
                long descriptor = entry(mfn, i);
                if (SegmentDescriptors.audit(descriptor, compat) != descriptor) {
                    find("descriptor %d of %s is %#x", i, describe(mfn), descriptor);
                }
            }
        }

        /** What L1 entries map: writable frames, of the tables' owner or granted to it. After the permissions are known. */
        void mappings() {
            for (int mfn = 0; mfn < frames.size(); mfn++) {
                if (frames.isRam(mfn) && frames.type(mfn) == FrameTable.L1 && frames.isValidated(mfn)
                        && frames.uses(mfn) > 0) {
                    for (int i = 0; i < PageTypes.ENTRIES; i++) {
                        mapping(mfn, i, entry(mfn, i));
                    }
                }
            }
        }

        private void mapping(int mfn, int index, long entry) {
            long target = Pte.frame(entry);
            if (!Pte.isPresent(entry) || !frames.isRam(target)) {
                return;
            }
            int page = (int) target;
            boolean writable = Pte.isWritable(entry);
            if (writable && frames.type(page) != FrameTable.WRITABLE) {
                find("entry %d of %s maps writable what is not: %s", index, describe(mfn), describe(page));
            }
            int domid = frames.owner(mfn);
            if (!mayMap(domid, page, writable)) {
                find("entry %d of %s maps %s%s", index, describe(mfn), writable ? "writable " : "", describe(page));
            }
        }

        // ---- comparison ----------------------------------------------------------------------------------------------

        void compare() {
            for (int mfn = 0; mfn < frames.size(); mfn++) {
                if (!frames.isRam(mfn)) {
                    continue;
                }
                if (references[mfn] != frames.references(mfn)) {
                    find("%d references found to %s", references[mfn], describe(mfn));
                }
                if (uses[mfn] != frames.uses(mfn)) {
                    find("%d uses found of %s", uses[mfn], describe(mfn));
                }
                boolean free = frames.references(mfn) == 0 && !frames.isHypervisors(mfn) && !frames.isQuarantined(mfn);
                if (free && !ram.isZero(mfn, 1)) {
                    find("free %s is not zero", describe(mfn));
                }
                if (free && memory.m2p().get(mfn) != MachineToPhysical.INVALID) {
                    find("the M2P table still knows free %s as %#x", describe(mfn), memory.m2p().get(mfn));
                }
            }
        }
    }
}
