package dev.xenolith.dom0.build;

import dev.xenolith.dom0.pv.PvAbi;
import dev.xenolith.dom0.pv.StartInfoPage;
import dev.xenolith.hypervisor.abi.Errno;
import dev.xenolith.hypervisor.abi.Xen;
import dev.xenolith.hypervisor.abi.Xen.StartInfo;
import dev.xenolith.hypervisor.operations.DomainControl;
import dev.xenolith.hypervisor.operations.DomainHandle;
import dev.xenolith.hypervisor.operations.OperationException;
import dev.xenolith.hypervisor.operations.SharedPage;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Fills an empty PV domain with a kernel: memory, contents, page tables, start info and the registers of vCPU 0, as
 * xen/include/public/xen.h ("start of day") promises them to the kernel.
 *
 * <p>Works in bounded steps on the machine thread, so that building a large domain holds up nobody: call {@link #step} until it
 * says that it is done. After a failure the caller destroys the domain; mappings have been given back by then.
 */
public final class PvBuilder {
    /** Grant references that every guest expects (xen/include/public/grant_table.h, GNTTAB_RESERVED_*). */
    public static final int GRANT_CONSOLE = 0;
    public static final int GRANT_XENSTORE = 1;

    private static final int PAGE_SIZE = PvLayout.PAGE_SIZE;
    private static final int FRAMES_PER_STEP = 1024;
    /** First frame at 4 GiB. */
    private static final long FRAMES_4G = 1L << 20;

    /** What the toolstack has to know of a built domain: machine frames and ports of its console and xenstore rings. */
    public record Built(long consoleFrame, int consolePort, long xenstoreFrame, int xenstorePort) {
    }

    /** A kernel and ramdisk read from the host; made off the machine thread. */
    public static final class Payload {
        private final KernelImage kernel;
        private final byte[] ramdisk;

        private Payload(KernelImage kernel, byte[] ramdisk) {
            this.kernel = kernel;
            this.ramdisk = ramdisk;
        }

        public static Payload read(java.nio.file.Path kernel, java.nio.file.@Nullable Path ramdisk)
                throws BuildException {
            return new Payload(KernelImage.read(kernel),
                    ramdisk == null ? new byte[0] : KernelImage.readFile(ramdisk, "ramdisk"));
        }
    }

    private enum Phase {
        ADDRESS_SIZE, MEMORY, KERNEL, RAMDISK, TABLES, MACHINE_TO_PHYSICAL, PIN, CHANNELS, START_INFO, CONTEXT, DONE
    }

    private final DomainHandle dom0;
    private final DomainControl control;
    private final int domid;
    private final Payload payload;
    private final String commandLine;
    private final boolean privileged;
    private final PvAbi abi;
    private final PvLayout layout;
    private final long[] mfns;
    private Phase phase = Phase.ADDRESS_SIZE;
    /** Progress within a phase, in frames. */
    private int done;
    private int consolePort;
    private int xenstorePort;

    /**
     * @param privileged whether the kernel is told that it may do what domain 0 may
     */
    public PvBuilder(DomainHandle dom0, int domid, Payload payload, long memoryKiB, String commandLine,
            boolean privileged) throws BuildException {
        this.dom0 = dom0;
        this.control = dom0.control();
        this.domid = domid;
        this.payload = payload;
        this.commandLine = commandLine;
        this.privileged = privileged;
        this.abi = payload.kernel.abi();
        this.layout = PvLayout.of(payload.kernel, payload.ramdisk.length, memoryKiB / 4);
        this.mfns = new long[(int) layout.pages()];
        int limit = StartInfo.MAX_CMDLINE - 1;
        if (commandLine.getBytes(StandardCharsets.UTF_8).length > limit) {
            throw new BuildException("command line of more than " + limit + " bytes");
        }
    }

    /** Does the next bit of work. Returns false when the domain is complete. */
    public boolean step() throws BuildException {
        switch (phase) {
            case ADDRESS_SIZE -> setAddressSize();
            case MEMORY -> allocate();
            case KERNEL -> loadKernel();
            case RAMDISK -> loadRamdisk();
            case TABLES -> buildTables();
            case MACHINE_TO_PHYSICAL -> fillMachineToPhysical();
            case PIN -> pin();
            case CHANNELS -> makeChannels();
            case START_INFO -> writeStartInfo();
            case CONTEXT -> setContext();
            case DONE -> {
                return false;
            }
        }
        return phase != Phase.DONE;
    }

    /** The result; valid once {@link #step} has returned false. */
    public Built built() {
        if (phase != Phase.DONE) {
            throw new IllegalStateException("still at " + phase);
        }
        return new Built(mfn(layout.consolePfn()), consolePort, mfn(layout.xenstorePfn()), xenstorePort);
    }

    private void next(Phase following) {
        phase = following;
        done = 0;
    }

    /** While the domain is empty: what its pages are for the hypervisor depends on it. */
    private void setAddressSize() throws BuildException {
        check(control.setAddressSize(domid, abi.bits()), "setting the address size");
        next(Phase.MEMORY);
    }

    private void allocate() throws BuildException {
        int result = check(control.populate(domid, mfns, done), "allocating memory");
        done = result;
        if (done == mfns.length) {
            if (!payload.kernel.rootAnywhere()) {
                moveRootBelow4G();
            }
            next(Phase.KERNEL);
        }
    }

    /** Such a kernel has 32 bits for the root's address. The frames are still all alike, so that any two can change places. */
    private void moveRootBelow4G() throws BuildException {
        int root = (int) layout.tablePfn();
        int low = root;
        for (int pfn = 0; mfns[low] >= FRAMES_4G && pfn < mfns.length; pfn++) {
            low = pfn;
        }
        if (mfns[low] >= FRAMES_4G) {
            throw new BuildException(payload.kernel.name() + ": its page tables have to be below 4 GiB (PAE=yes"
                    + " without extended-cr3), where no memory is free");
        }
        long frame = mfns[low];
        mfns[low] = mfns[root];
        mfns[root] = frame;
    }

    private void loadKernel() throws BuildException {
        for (ElfFile.Segment segment : payload.kernel.elf().segments()) {
            long start = segment.physical() - payload.kernel.notes().paddrOffset();
            copyIn(start, payload.kernel.bytes(), (int) segment.offset(), (int) segment.fileSize());
        }
        if (payload.kernel.notes().hypercallPage().isPresent()) {
            long page = payload.kernel.notes().hypercallPage().getAsLong() - layout.virtBase();
            byte[] stubs = abi.hypercallPage();
            copyIn(page, stubs, 0, stubs.length);
        }
        next(payload.ramdisk.length > 0 ? Phase.RAMDISK : Phase.TABLES);
    }

    private void loadRamdisk() throws BuildException {
        int from = done * PAGE_SIZE;
        int length = Math.min(payload.ramdisk.length - from, FRAMES_PER_STEP * PAGE_SIZE);
        copyIn((layout.ramdiskPfn() + done) * PAGE_SIZE, payload.ramdisk, from, length);
        done += FRAMES_PER_STEP;
        if ((long) done * PAGE_SIZE >= payload.ramdisk.length) {
            next(Phase.TABLES);
        }
    }

    private void buildTables() throws BuildException {
        SharedPage list = map(layout.p2mPfn(), layout.p2mFrames(), "the P2M list");
        for (int pfn = 0; pfn < mfns.length; pfn++) {
            abi.putWord(list, pfn * abi.wordBytes(), mfns[pfn]);
        }
        list.unmap();
        SharedPage tables = map(layout.tablePfn(), layout.tableFrames(), "page tables");
        new PageTables(layout, mfns, tables).build();
        tables.unmap();
        next(Phase.MACHINE_TO_PHYSICAL);
    }

    private void fillMachineToPhysical() throws BuildException {
        int end = Math.min(done + FRAMES_PER_STEP, mfns.length);
        for (; done < end; done++) {
            check(control.setMachineToPhysical(domid, mfns[done], done), "filling the M2P table");
        }
        if (done == mfns.length) {
            next(Phase.PIN);
        }
    }

    private void pin() throws BuildException {
        int result = control.pinRoot(domid, mfn(layout.tablePfn()));
        if (result != DomainControl.AGAIN) {
            check(result, "pinning the initial page tables");
            next(Phase.CHANNELS);
        }
    }

    private void makeChannels() throws BuildException {
        int self = dom0.domid();
        xenstorePort = check(dom0.events().allocUnboundFor(domid, self), "allocating the xenstore event channel");
        consolePort = check(dom0.events().allocUnboundFor(domid, self), "allocating the console event channel");
        check(control.seedGrant(domid, GRANT_CONSOLE, self, mfn(layout.consolePfn())), "granting the console page");
        check(control.seedGrant(domid, GRANT_XENSTORE, self, mfn(layout.xenstorePfn())), "granting the xenstore page");
        next(Phase.START_INFO);
    }

    private void writeStartInfo() throws BuildException {
        SharedPage page = map(layout.startInfoPfn(), 1, "start info");
        StartInfoPage info = new StartInfoPage(abi, page);
        boolean p2mApart = layout.separateP2m().isPresent();
        boolean ramdisk = payload.ramdisk.length > 0;
        info.text("magic", abi.guestType()).word("nr_pages", layout.pages())
                .word("shared_info", control.sharedInfoFrame(domid) * PAGE_SIZE)
                .u32("flags", (privileged ? Xen.SIF_PRIVILEGED : 0) | (p2mApart ? Xen.SIF_VIRT_P2M_4TOOLS : 0)
                        | (ramdisk && layout.ramdiskByPfn() ? Xen.SIF_MOD_START_PFN : 0))
                .word("store_mfn", mfn(layout.xenstorePfn())).u32("store_evtchn", xenstorePort)
                .word("console.domU.mfn", mfn(layout.consolePfn())).u32("console.domU.evtchn", consolePort)
                .word("pt_base", layout.virtual(layout.tablePfn())).word("nr_pt_frames", layout.tableFrames())
                .word("mfn_list", layout.p2mVirtual()).text("cmd_line", commandLine);
        if (ramdisk) {
            info.word("mod_start", layout.ramdiskByPfn() ? layout.ramdiskPfn() : layout.virtual(layout.ramdiskPfn()))
                    .word("mod_len", payload.ramdisk.length);
        }
        if (p2mApart) {
            info.word("first_p2m_pfn", layout.p2mPfn()).word("nr_p2m_frames", layout.p2mFrames());
        }
        page.unmap();
        next(Phase.CONTEXT);
    }

    private void setContext() throws BuildException {
        byte[] context = InitialContext.of(abi, layout.entry(), layout.virtual(layout.startInfoPfn()),
                layout.virtual(layout.stackPfn()) + PAGE_SIZE, mfn(layout.tablePfn()),
                payload.kernel.rootAnywhere() ? abi.extendedCr3() : 0);
        int result = control.setVcpuContext(domid, 0, context);
        if (result != DomainControl.AGAIN) {
            check(result, "setting the registers of vCPU 0");
            next(Phase.DONE);
        }
    }

    private long mfn(long pfn) {
        return mfns[(int) pfn];
    }

    /** Copies bytes to a pseudo-physical address; frames came zeroed, so what is not copied to is zero. */
    private void copyIn(long physical, byte[] source, int offset, int length) throws BuildException {
        if (length == 0) {
            return;
        }
        long first = physical / PAGE_SIZE;
        long last = (physical + length - 1) / PAGE_SIZE;
        SharedPage target = map(first, last - first + 1, "memory to load into");
        target.write((int) (physical - first * PAGE_SIZE), source, offset, length);
        target.unmap();
    }

    private SharedPage map(long pfn, long frames, String what) throws BuildException {
        try {
            return control.mapForeign(domid, Arrays.copyOfRange(mfns, (int) pfn, (int) (pfn + frames)));
        } catch (OperationException e) {
            throw new BuildException("mapping " + what + " of domain " + domid + " failed: " + e.getMessage(), e);
        }
    }

    private int check(int result, String what) throws BuildException {
        if (result < 0) {
            throw new BuildException(what + " of domain " + domid + " failed: " + Errno.name(result));
        }
        return result;
    }
}
