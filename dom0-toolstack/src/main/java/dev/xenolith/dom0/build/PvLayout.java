package dev.xenolith.dom0.build;

import dev.xenolith.dom0.pv.PvAbi;
import java.util.ArrayList;
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
 * @param abi what the kernel is written for
 * @param mappedFrames number of frames from PFN 0 that the bootstrap region maps
 * @param ramdiskPfn first frame of the ramdisk, or 0 without one
 * @param p2mPfn first frame of the P2M list
 * @param p2mFrames length of the P2M list in frames
 * @param p2mVirtual where the P2M list is mapped
 * @param tablePfn first frame of the page tables; the root is the first of them
 * @param tableFrames number of page-table frames
 */
record PvLayout(PvAbi abi, long virtBase, long pages, long mappedFrames, long kernelPfn, long kernelFrames,
        long ramdiskPfn,
        long ramdiskSize,
        boolean ramdiskByPfn, long p2mPfn, long p2mFrames, long p2mVirtual, long startInfoPfn, long xenstorePfn,
        long consolePfn,
        long tablePfn, long tableFrames, long stackPfn, long entry) {
    static final int PAGE_SIZE = 4096;
    private static final int PAGE_SHIFT = 12;
    private static final long REGION_ALIGN = (4 << 20) >> PAGE_SHIFT;
    private static final long MIN_PAD = (512 << 10) >> PAGE_SHIFT;

    /** Lays out {@code kernel} and a ramdisk of {@code ramdiskSize} bytes in a domain of {@code pages} frames. */
    static PvLayout of(KernelImage kernel, long ramdiskSize, long pages) throws BuildException {
        PvAbi abi = kernel.abi();
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
        long next = frames(high);
        boolean byPfn = notes.modStartPfn();
        long ramdiskPfn = 0;
        if (ramdiskSize > 0 && !byPfn) {
            ramdiskPfn = next;
            next += frames(ramdiskSize);
        }
        long p2mFrames = frames(pages * abi.wordBytes());
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
            List<PageTables.Span> spans = new ArrayList<>();
            spans.add(PageTables.Span.ofFrames(virtBase, Math.min(end, pages)));
            notes.initP2m().ifPresent(address -> spans.add(PageTables.Span.ofFrames(address, p2mFrames)));
            long needed = PageTables.count(abi, spans);
            if (needed <= tables) {
                break;
            }
            tables = needed;
        }
        long mapped = Math.min(end, pages);
        PageTables.Span region = PageTables.Span.ofFrames(virtBase, mapped);
        if ((virtBase & (PAGE_SIZE - 1)) != 0 || !abi.mayMap(region.first(), region.last())) {
            throw new BuildException("%s: VIRT_BASE 0x%x: its first %d MiB cannot be mapped there"
                    .formatted(kernel.name(), virtBase, mapped << PAGE_SHIFT >> 20));
        }
        long entry = entry(kernel);
        checkHypercallPage(kernel, low, high);
        long last = stack + 1;
        if (p2mApart) {
            p2mPfn = Math.max(mapped, last);
            last = p2mPfn + p2mFrames;
        }
        if (ramdiskSize > 0 && byPfn) {
            ramdiskPfn = Math.max(last, mapped);
            last = ramdiskPfn + frames(ramdiskSize);
        }
        if (last > pages) {
            throw new BuildException(
                    "%s: memory of %d MiB is too small: kernel, ramdisk and start-of-day data need %d MiB".formatted(
                            kernel.name(), memory >> 20, ((last << PAGE_SHIFT) + (1 << 20) - 1) >> 20));
        }
        long p2mVirtual = p2mApart
                ? checkedP2m(kernel, region, p2mFrames)
                : virtBase + (p2mPfn << PAGE_SHIFT);
        return new PvLayout(abi, virtBase, pages, mapped, low >> PAGE_SHIFT,
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

    /** Where vCPU 0 starts. */
    private static long entry(KernelImage kernel) throws BuildException {
        long entry = kernel.notes().entry().orElse(kernel.elf().entry());
        long physical = entry - kernel.notes().virtBase() + kernel.notes().paddrOffset();
        if (kernel.elf().segments().stream().noneMatch(segment -> segment.holds(physical))) {
            throw new BuildException(
                    "%s: entry point 0x%x lies outside the kernel's segments".formatted(kernel.name(), entry));
        }
        return entry;
    }

    /** The kernel's memory is from {@code low} to {@code high}. */
    private static void checkHypercallPage(KernelImage kernel, long low, long high) throws BuildException {
        if (kernel.notes().hypercallPage().isPresent()) {
            long address = kernel.notes().hypercallPage().getAsLong();
            long page = address - kernel.notes().virtBase();
            if ((page & (PAGE_SIZE - 1)) != 0 || page < (low & -PAGE_SIZE)
                    || page + PAGE_SIZE > frames(high) << PAGE_SHIFT) {
                throw new BuildException("%s: hypercall page 0x%x lies outside the loaded kernel"
                        .formatted(kernel.name(), address));
            }
        }
    }

    private static long checkedP2m(KernelImage kernel, PageTables.Span region, long frames) throws BuildException {
        long address = kernel.notes().initP2m().getAsLong();
        PageTables.Span list = PageTables.Span.ofFrames(address, frames);
        if ((address & (PAGE_SIZE - 1)) != 0 || !kernel.abi().mayMap(list.first(), list.last())
                || region.overlaps(list)) {
            throw new BuildException(
                    "%s: INIT_P2M 0x%x: the P2M list cannot be mapped there".formatted(kernel.name(), address));
        }
        return address;
    }

    static long frames(long bytes) {
        return (bytes + PAGE_SIZE - 1) >> PAGE_SHIFT;
    }

    private static long roundUp(long value, long multiple) {
        return (value + multiple - 1) / multiple * multiple;
    }
}
