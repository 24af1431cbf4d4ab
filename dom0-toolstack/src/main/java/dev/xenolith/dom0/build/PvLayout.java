package dev.xenolith.dom0.build;

import java.util.Comparator;
import java.util.List;
import java.util.OptionalLong;

/**
 * Where everything of a new PV domain lies: the bootstrap region that starts at VIRT_BASE, and what is outside it
 * (xen/include/public/xen.h, "start of day"). All positions are pseudo-physical frame numbers; a frame of the bootstrap region
 * is mapped at {@code virtBase + pfn * 4096}.
 *
 * <p>Order: kernel, ramdisk (unless the kernel takes it by PFN), P2M list (unless it has an address of its own), start info,
 * xenstore page, console page, page tables, boot stack; then padding to a 4 MiB boundary, at least 512 KiB.
 *
 * @param mappedFrames number of frames from PFN 0 that the bootstrap region maps
 * @param ramdiskPfn first frame of the ramdisk, or 0 without one
 * @param p2mPfn first frame of the P2M list
 * @param p2mFrames length of the P2M list in frames
 * @param p2mVirtual where the P2M list is mapped
 * @param tablePfn first frame of the page tables; the level-4 table is the first of them
 * @param tableFrames number of page-table frames
 */
record PvLayout(long virtBase, long pages, long mappedFrames, long kernelPfn, long kernelFrames, long ramdiskPfn,
        long ramdiskSize,
        boolean ramdiskByPfn, long p2mPfn, long p2mFrames, long p2mVirtual, long startInfoPfn, long xenstorePfn,
        long consolePfn,
        long tablePfn, long tableFrames, long stackPfn, long entry) {
    static final int PAGE_SIZE = 4096;
    private static final int PAGE_SHIFT = 12;
    private static final long REGION_ALIGN = (4 << 20) >> PAGE_SHIFT;
    private static final long MIN_PAD = (512 << 10) >> PAGE_SHIFT;
    private static final long XEN_HOLE_START = 0xffff_8000_0000_0000L;
    private static final long XEN_HOLE_END = 0xffff_8800_0000_0000L;

    /** Lays out {@code kernel} and a ramdisk of {@code ramdiskSize} bytes in a domain of {@code pages} frames. */
    static PvLayout of(KernelImage kernel, long ramdiskSize, long pages) throws BuildException {
        XenNotes notes = kernel.notes();
        long memory = pages << PAGE_SHIFT;
        long low = Long.MAX_VALUE;
        long high = 0;
        for (ElfFile.Segment segment : kernel.elf().segments()) {
            long start = segment.physical() - notes.paddrOffset();
            long end = start + segment.memorySize();
            if (start < 0 || end < start || end > memory) {
                throw new BuildException(
                        "%s: load address out of range: segment at physical 0x%x, 0x%x bytes, in a domain of %d MiB"
                                .formatted(kernel.name(), segment.physical(), segment.memorySize(), memory >> 20));
            }
            low = Math.min(low, start);
            high = Math.max(high, end);
        }
        refuseOverlaps(kernel);
        long virtBase = notes.virtBase();
        long virtEnd = virtBase + memory;
        if ((virtBase & (PAGE_SIZE - 1)) != 0 || !canonical(virtBase) || !canonical(virtEnd - 1)
                || (virtBase < 0) != (virtEnd - 1 < 0) || overlapsXen(virtBase, virtEnd)) {
            throw new BuildException("%s: VIRT_BASE 0x%x: the domain's memory cannot be mapped there"
                    .formatted(kernel.name(), virtBase));
        }
        long entry = notes.entry().orElse(kernel.elf().entry());
        long entryPhysical = entry - virtBase + notes.paddrOffset();
        if (kernel.elf().segments().stream().noneMatch(segment -> segment.holds(entryPhysical))) {
            throw new BuildException(
                    "%s: entry point 0x%x lies outside the kernel's segments".formatted(kernel.name(), entry));
        }
        if (notes.hypercallPage().isPresent()) {
            long page = notes.hypercallPage().getAsLong() - virtBase;
            if ((page & (PAGE_SIZE - 1)) != 0 || page < (low & -PAGE_SIZE)
                    || page + PAGE_SIZE > frames(high) << PAGE_SHIFT) {
                throw new BuildException(
                        "%s: hypercall page 0x%x lies outside the loaded kernel".formatted(kernel.name(),
                                notes.hypercallPage().getAsLong()));
            }
        }

        long next = frames(high);
        boolean byPfn = notes.modStartPfn();
        long ramdiskPfn = 0;
        if (ramdiskSize > 0 && !byPfn) {
            ramdiskPfn = next;
            next += frames(ramdiskSize);
        }
        long p2mFrames = frames(pages * 8);
        long p2mPfn = 0;
        boolean p2mApart = notes.initP2m().isPresent();
        if (!p2mApart) {
            p2mPfn = next;
            next += p2mFrames;
        }
        long startInfo = next++;
        long xenstore = next++;
        long console = next++;
        long tablePfn = next;
        long tables = 1;
        long stack;
        long end;
        while (true) {
            stack = tablePfn + tables;
            end = roundUp(stack + 1 + MIN_PAD, REGION_ALIGN);
            long needed = PageTables.count(virtBase, Math.min(end, pages), notes.initP2m(), p2mFrames);
            if (needed <= tables) {
                break;
            }
            tables = needed;
        }
        long outside = Math.min(end, pages);
        long last = stack + 1;
        if (p2mApart) {
            p2mPfn = Math.max(outside, last);
            last = p2mPfn + p2mFrames;
        }
        if (ramdiskSize > 0 && byPfn) {
            ramdiskPfn = Math.max(last, outside);
            last = ramdiskPfn + frames(ramdiskSize);
        }
        if (last > pages) {
            throw new BuildException(
                    "%s: memory of %d MiB is too small: kernel, ramdisk and start-of-day data need %d MiB".formatted(
                            kernel.name(), memory >> 20, ((last << PAGE_SHIFT) + (1 << 20) - 1) >> 20));
        }
        long p2mVirtual = p2mApart
                ? checkedP2m(kernel, notes.initP2m().getAsLong(), p2mFrames)
                : virtBase + (p2mPfn << PAGE_SHIFT);
        return new PvLayout(virtBase, pages, Math.min(end, pages), low >> PAGE_SHIFT,
                frames(high) - (low >> PAGE_SHIFT), ramdiskPfn,
                ramdiskSize, byPfn, p2mPfn, p2mFrames, p2mVirtual, startInfo, xenstore, console, tablePfn, tables,
                stack, entry);
    }

    private static void refuseOverlaps(KernelImage kernel) throws BuildException {
        List<ElfFile.Segment> sorted = kernel.elf().segments().stream()
                .sorted(Comparator.comparingLong(ElfFile.Segment::physical)).toList();
        for (int i = 1; i < sorted.size(); i++) {
            ElfFile.Segment before = sorted.get(i - 1);
            ElfFile.Segment segment = sorted.get(i);
            if (before.holds(segment.physical())) {
                throw new BuildException("%s: segments overlap: one at physical 0x%x has 0x%x bytes, one begins at 0x%x"
                        .formatted(kernel.name(), before.physical(), before.memorySize(), segment.physical()));
            }
        }
    }

    /** Virtual address of a frame of the bootstrap region. */
    long virtual(long pfn) {
        return virtBase + (pfn << PAGE_SHIFT);
    }

    /** Whether the P2M list has a mapping of its own, outside the bootstrap region. */
    OptionalLong separateP2m() {
        return p2mVirtual == virtual(p2mPfn) ? OptionalLong.empty() : OptionalLong.of(p2mVirtual);
    }

    private static long checkedP2m(KernelImage kernel, long address, long frames) throws BuildException {
        long end = address + (frames << PAGE_SHIFT);
        if ((address & (PAGE_SIZE - 1)) != 0 || !canonical(address) || !canonical(end - 1)
                || overlapsXen(address, end)) {
            throw new BuildException(
                    "%s: INIT_P2M 0x%x: the P2M list cannot be mapped there".formatted(kernel.name(), address));
        }
        return address;
    }

    private static boolean canonical(long address) {
        return address << 16 >> 16 == address;
    }

    private static boolean overlapsXen(long start, long end) {
        return Long.compareUnsigned(start, XEN_HOLE_END) < 0 && Long.compareUnsigned(end - 1, XEN_HOLE_START) >= 0;
    }

    static long frames(long bytes) {
        return (bytes + PAGE_SIZE - 1) >> PAGE_SHIFT;
    }

    private static long roundUp(long value, long multiple) {
        return (value + multiple - 1) / multiple * multiple;
    }
}
