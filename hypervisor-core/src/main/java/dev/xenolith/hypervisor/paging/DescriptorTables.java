package dev.xenolith.hypervisor.paging;

import static dev.xenolith.hypervisor.abi.Errno.EINVAL;
import static dev.xenolith.hypervisor.abi.Errno.ENOMEM;

import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.hypervisor.memory.FrameTable;
import dev.xenolith.hypervisor.memory.Memory;
import dev.xenolith.hypervisor.memory.MemoryOwner;
import java.util.Arrays;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The part of a PV domain's address spaces where the processor finds the GDT and LDT of its vCPUs: L4 slot 260, for each vCPU 16
 * pages of GDT and 16 of LDT (xen/arch/x86/include/asm/config.h, PERDOMAIN_VIRT_START). Only the hypervisor writes these tables;
 * the guest's frames in them are used as SEGMENT_DESCRIPTORS.
 *
 * <p>Pages of the GDT that the guest does not give are an empty page, so that their selectors fault as not present; LDT pages are
 * mapped when first used.
 */
public final class DescriptorTables {
    /** Linear address of the area. */
    public static final long BASE = 0xffff_8200_0000_0000L;
    /** Pages of a vCPU's GDT and of its LDT. */
    public static final int PAGES = 16;
    public static final long LDT_BYTES = (long) PAGES << PhysicalMemory.FRAME_SHIFT;
    /** GDT pages below this are the guest's, the rest the hypervisor's. */
    public static final int GUEST_GDT_PAGES = 14;
    private static final int PAGES_PER_VCPU = 2 * PAGES;

    /** Present, writable (the processor sets accessed bits), supervisor, accessed, dirty, no execute. */
    private static final long DESCRIPTORS = Pte.PRESENT | Pte.WRITABLE | Pte.ACCESSED | Pte.DIRTY | Pte.NO_EXECUTE;
    private static final long EMPTY = Pte.PRESENT | Pte.ACCESSED | Pte.NO_EXECUTE;
    private static final long DIRECTORY = Pte.PRESENT | Pte.WRITABLE | Pte.ACCESSED | Pte.DIRTY;

    private final Memory memory;
    private final PageTypes types;
    private final MemoryOwner owner;
    /** L1 tables; each has room for 16 vCPUs. */
    private final int[] tables;
    private final int[] directories;
    private final int emptyPage;
    private final int vcpus;

    private DescriptorTables(PageTypes types, MemoryOwner owner, int vcpus, int[] tables, int[] directories,
            int emptyPage) {
        this.types = types;
        memory = types.memory();
        this.owner = owner;
        this.vcpus = vcpus;
        this.tables = tables;
        this.directories = directories;
        this.emptyPage = emptyPage;
    }

    /** Frames that an area for {@code vcpus} takes. */
    private static int l1Tables(int vcpus) {
        return (vcpus * PAGES_PER_VCPU + PageTypes.ENTRIES - 1) / PageTypes.ENTRIES;
    }

    /**
     * Makes the area of a domain with {@code vcpus}, at most 8192, and enters it in all address spaces that will be validated from now
     * on.
     *
     * @return null if there is not enough memory
     */
    public static @Nullable DescriptorTables create(PageTypes types, MemoryOwner owner,
            int vcpus) {
        Memory memory = types.memory();
        int[] tables = new int[l1Tables(vcpus)];
        int[] frames = new int[tables.length + 3];
        for (int i = 0; i < frames.length; i++) {
            frames[i] = memory.allocateHypervisorFrame();
            if (frames[i] == -ENOMEM) {
                while (--i >= 0) {
                    memory.releaseHypervisorFrame(frames[i]);
                }
                return null;
            }
        }
        System.arraycopy(frames, 3, tables, 0, tables.length);
        PhysicalMemory ram = memory.ram();
        int l3 = frames[0];
        int l2 = frames[1];
        ram.write64(address(l3, 0), Pte.of(l2, DIRECTORY));
        for (int i = 0; i < tables.length; i++) {
            ram.write64(address(l2, i), Pte.of(tables[i], DIRECTORY));
        }
        DescriptorTables area = new DescriptorTables(types, owner, vcpus, tables, new int[]{l3, l2}, frames[2]);
        for (int vcpu = 0; vcpu < vcpus; vcpu++) {
            for (int page = 0; page < GUEST_GDT_PAGES; page++) {
                area.write(vcpu, page, Pte.of(area.emptyPage, EMPTY));
            }
        }
        owner.setPerDomainL4Entry(Pte.of(l3, DIRECTORY));
        return area;
    }

    private static long address(int table, int index) {
        return ((long) table << PhysicalMemory.FRAME_SHIFT) + index * 8L;
    }

    private long entryAddress(int vcpu, int page) {
        int index = vcpu * PAGES_PER_VCPU + page;
        return address(tables[index / PageTypes.ENTRIES], index % PageTypes.ENTRIES);
    }

    private void write(int vcpu, int page, long entry) {
        memory.ram().write64(entryAddress(vcpu, page), entry);
    }

    private long read(int vcpu, int page) {
        return memory.ram().read64(entryAddress(vcpu, page));
    }

    /** Linear address of the GDT of {@code vcpu}; its LDT is 64 KiB above. */
    public static long gdtAddress(int vcpu) {
        return BASE + ((long) vcpu * PAGES_PER_VCPU << PhysicalMemory.FRAME_SHIFT);
    }

    public static long ldtAddress(int vcpu) {
        return gdtAddress(vcpu) + ((long) PAGES << PhysicalMemory.FRAME_SHIFT);
    }

    /** Maps the hypervisor's own descriptors, in a frame of its own, as GDT page {@code page}, 14 or 15, of {@code vcpu}. */
    public void setReservedGdtPage(int vcpu, int page, int mfn) {
        assert page >= GUEST_GDT_PAGES && page < PAGES;
        write(vcpu, page, Pte.of(mfn, DESCRIPTORS));
    }

    /**
     * Replaces the guest's part of a GDT. The caller flushes the vCPU's processor.
     *
     * @param mfns frames in order, any values; at least {@code (entries + 511) / 512}
     * @param entries 0 to 7168
     * @return 0, or -EINVAL: nothing has changed
     */
    public int setGdt(int vcpu, long[] mfns, int entries) {
        if (entries < 0 || entries > SegmentDescriptors.FIRST_RESERVED_ENTRY) {
            return -EINVAL;
        }
        int count = (entries + 511) / 512;
        for (int i = 0; i < count; i++) {
            if (!getDescriptors(mfns[i])) {
                while (--i >= 0) {
                    putDescriptors((int) mfns[i]);
                }
                return -EINVAL;
            }
        }
        clearGdt(vcpu);
        for (int i = 0; i < count; i++) {
            write(vcpu, i, Pte.of((int) mfns[i], DESCRIPTORS));
        }
        return 0;
    }

    /** Gives back the guest's part of a GDT. The caller flushes the vCPU's processor. */
    public void clearGdt(int vcpu) {
        for (int i = 0; i < GUEST_GDT_PAGES; i++) {
            int mfn = (int) Pte.frame(read(vcpu, i));
            if (mfn != emptyPage) {
                write(vcpu, i, Pte.of(emptyPage, EMPTY));
                putDescriptors(mfn);
            }
        }
    }

    /**
     * Maps the page of the LDT that the guest's L1 entry {@code entry} maps, as page {@code page}, 0 to 15.
     *
     * @return false if the entry maps no page of the domain that could hold descriptors
     */
    boolean mapLdtPage(int vcpu, int page, long entry) {
        if (!Pte.isPresent(entry) || Pte.isPresent(read(vcpu, PAGES + page)) || !getDescriptors(Pte.frame(entry))) {
            return false;
        }
        write(vcpu, PAGES + page, Pte.of((int) Pte.frame(entry), DESCRIPTORS));
        return true;
    }

    /** Unmaps all pages of an LDT; returns whether there were any: the caller then flushes the vCPU's processor. */
    boolean clearLdt(int vcpu) {
        boolean any = false;
        for (int i = PAGES; i < 2 * PAGES; i++) {
            long entry = read(vcpu, i);
            if (Pte.isPresent(entry)) {
                write(vcpu, i, 0);
                putDescriptors((int) Pte.frame(entry));
                any = true;
            }
        }
        return any;
    }

    private boolean getDescriptors(long mfn) {
        if (!memory.get(mfn, owner)) {
            return false;
        }
        if (!types.get((int) mfn, FrameTable.SEGMENT_DESCRIPTORS)) {
            memory.put((int) mfn);
            return false;
        }
        return true;
    }

    private void putDescriptors(int mfn) {
        types.put(mfn);
        memory.put(mfn);
    }

    /** Calls {@code visitor} with each guest frame that is mapped here: it has a reference and a use for it. */
    public void forEachGuestFrame(IntConsumer visitor) {
        for (int vcpu = 0; vcpu < vcpus; vcpu++) {
            for (int page = 0; page < PAGES_PER_VCPU; page++) {
                long entry = read(vcpu, page);
                int mfn = (int) Pte.frame(entry);
                boolean reserved = page >= GUEST_GDT_PAGES && page < PAGES;
                if (Pte.isPresent(entry) && !reserved && mfn != emptyPage) {
                    visitor.accept(mfn);
                }
            }
        }
    }

    /** Gives back all guest frames, then the area itself; the domain's vCPUs and address spaces must be gone. */
    public void release() {
        for (int vcpu = 0; vcpu < vcpus; vcpu++) {
            clearGdt(vcpu);
            clearLdt(vcpu);
        }
        owner.setPerDomainL4Entry(0);
        Arrays.stream(tables).forEach(memory::releaseHypervisorFrame);
        Arrays.stream(directories).forEach(memory::releaseHypervisorFrame);
        memory.releaseHypervisorFrame(emptyPage);
    }
}
