package dev.xenolith.dom0.dump;

import dev.xenolith.device.board.Machine;
import dev.xenolith.dom0.pv.PvAbi;
import dev.xenolith.hypervisor.abi.Errno;
import dev.xenolith.hypervisor.operations.DomainControl;
import dev.xenolith.hypervisor.operations.DomainHandle;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes one core dump. The domain stands still while its pages are listed and its vCPUs read, then it runs on while pages are
 * copied, as with Xen's tools: who wants a dump of one moment pauses it before. On the machine thread, in steps; the
 * file is written by others.
 */
public final class CoreDump {
    private static final Logger LOG = LoggerFactory.getLogger(CoreDump.class);

    /** Frames that one step lists. */
    private static final int LISTED = 4096;
    /** Frames that one step copies; so much is on the heap at a time. */
    private static final int COPIED = 256;
    /** Modelled time of writing to a disk, in ns: to open a file, and per MiB at 500 MB/s. */
    private static final long OPEN_LATENCY = 1_000_000;
    private static final long BATCH_LATENCY = 2_000_000;

    /** Told on the machine thread that the file is complete, or why there is none. */
    @FunctionalInterface
    public interface Done {
        void done(@Nullable String problem);
    }

    /** Chooses the file; on a thread that may use the host's file system. */
    @FunctionalInterface
    public interface Target {
        Path choose() throws IOException;
    }

    private final Machine machine;
    private final DomainHandle dom0;
    private final DomainControl control;
    private final int domid;
    private final Target target;
    private final Done done;
    private final List<long[]> listedMfns = new ArrayList<>();
    private final List<long[]> listedPfns = new ArrayList<>();
    private long[] mfns = {};
    private long[] pfns = {};
    private int copied;
    private @Nullable CoreFile file;

    private CoreDump(Machine machine, DomainHandle dom0, int domid, Target target, Done done) {
        this.machine = machine;
        this.dom0 = dom0;
        this.control = dom0.control();
        this.domid = domid;
        this.target = target;
        this.done = done;
    }

    /** Starts a dump of domain {@code domid}; from a handler of dom0. */
    public static void start(Machine machine, DomainHandle dom0, int domid, Target target, Done done) {
        CoreDump dump = new CoreDump(machine, dom0, domid, target, done);
        int error = dump.control.pause(domid);
        if (error < 0) {
            done.done(problem(error));
        } else {
            dump.list(-1);
        }
    }

    private static String problem(int error) {
        return error == -Errno.ESRCH ? "the domain has gone" : Errno.name(error);
    }

    private void list(long after) {
        long[] somePfns = new long[LISTED];
        long[] someMfns = new long[LISTED];
        int count = control.memoryList(domid, after, someMfns, somePfns);
        if (count < 0) {
            control.unpause(domid);
            done.done(problem(count));
            return;
        }
        listedMfns.add(Arrays.copyOf(someMfns, count));
        listedPfns.add(Arrays.copyOf(somePfns, count));
        if (count == LISTED) {
            dom0.post(() -> list(someMfns[count - 1]));
        } else {
            begin();
        }
    }

    /** Everything is listed: takes what is to be of the same moment, and lets the domain run on. */
    private void begin() {
        // As in a dump by libxc, only what has a place in the domain's memory.
        mfns = listedMfns.stream().flatMapToLong(Arrays::stream).toArray();
        pfns = listedPfns.stream().flatMapToLong(Arrays::stream).toArray();
        listedMfns.clear();
        listedPfns.clear();
        int kept = 0;
        for (int i = 0; i < mfns.length; i++) {
            if (pfns[i] >= 0) {
                mfns[kept] = mfns[i];
                pfns[kept++] = pfns[i];
            }
        }
        mfns = Arrays.copyOf(mfns, kept);
        pfns = Arrays.copyOf(pfns, kept);
        List<byte[]> vcpus = new ArrayList<>();
        DomainControl.DomainInfo info = control.info(domid);
        for (int i = 0; info != null && i < info.maxVcpus(); i++) {
            byte[] context = control.vcpuContext(domid, i);
            if (context != null) {
                vcpus.add(context);
            }
        }
        byte[] sharedInfo = new byte[CoreFile.PAGE_SIZE];
        int error = control.copyFrame(domid, control.sharedInfoFrame(domid), sharedInfo, 0);
        control.unpause(domid);
        if (error < 0 || vcpus.isEmpty()) {
            done.done(error < 0 ? problem(error) : "none of its vCPUs has a state yet");
            return;
        }
        CoreFile.Contents contents = new CoreFile.Contents(PvAbi.of(control, domid), vcpus, sharedInfo, kept,
                dom0.host().version());
        machine.<CoreFile>submit(OPEN_LATENCY, () -> CoreFile.create(target.choose(), contents), (made, failure) -> {
            file = made;
            goOn(failure);
        });
    }

    /** Copies the next pages and has them written, or finishes. */
    private void goOn(@Nullable Exception failure) {
        if (failure != null) {
            end(failure);
            return;
        }
        CoreFile writer = Objects.requireNonNull(file);
        int count = Math.min(COPIED, mfns.length - copied);
        if (count == 0) {
            write(() -> {
                writer.finish(pfns, mfns);
                return true;
            }, this::end);
            return;
        }
        byte[] pages = new byte[count * CoreFile.PAGE_SIZE];
        for (int i = 0; i < count; i++) {
            int error = control.copyFrame(domid, mfns[copied + i], pages, i * CoreFile.PAGE_SIZE);
            if (error == -Errno.ESRCH) {
                end(new IOException(problem(error)));
                return;
            }
            if (error < 0) {
                mfns[copied + i] = CoreFile.INVALID_FRAME;
                pfns[copied + i] = CoreFile.INVALID_FRAME;
            }
        }
        copied += count;
        write(() -> {
            writer.pages(pages);
            return true;
        }, this::goOn);
    }

    private void write(Callable<Boolean> work, Consumer<@Nullable Exception> next) {
        machine.<Boolean>submit(BATCH_LATENCY, work, (result, failure) -> next.accept(failure));
    }

    private void end(@Nullable Exception failure) {
        if (failure == null) {
            done.done(null);
            return;
        }
        String problem = explain(failure);
        CoreFile begun = file;
        if (begun == null) {
            done.done(problem);
            return;
        }
        write(() -> {
            begun.abandon();
            return true;
        }, trouble -> {
            if (trouble != null) {
                LOG.warn("an incomplete core dump stays: {}", trouble.toString());
            }
            done.done(problem);
        });
    }

    private static String explain(Exception failure) {
        return switch (failure) {
            case NoSuchFileException e -> e.getFile() + ": No such file or directory";
            case AccessDeniedException e -> e.getFile() + ": Permission denied";
            case FileSystemException e when e.getReason() != null -> e.getFile() + ": " + e.getReason();
            default -> failure.getMessage() == null ? failure.toString() : failure.getMessage();
        };
    }
}
