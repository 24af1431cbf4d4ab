package dev.xenolith.dom0.backend.block;

import dev.xenolith.dom0.backend.BackRing;
import dev.xenolith.dom0.backend.Backend;
import dev.xenolith.dom0.backend.BackendDevice;
import dev.xenolith.dom0.backend.HostWork;
import dev.xenolith.dom0.disk.DiskImage;
import dev.xenolith.hypervisor.abi.Blkif;
import dev.xenolith.hypervisor.abi.Errno;
import dev.xenolith.hypervisor.operations.DomainHandle;
import dev.xenolith.hypervisor.operations.OperationException;
import dev.xenolith.hypervisor.operations.SharedPage;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A block device: opens the image that the toolstack names, offers it, and serves the rings that the frontend chooses. */
final class BlockBackend implements Backend {
    static final Logger LOG = LoggerFactory.getLogger(BlockBackend.class);

    /** Rings of a device, and pages of a ring as a power of two, at most. */
    private static final int MAX_QUEUES = 4;
    private static final int MAX_RING_ORDER = 4;
    /** What is in the drive, in the words of {@code params}; and why what these say cannot be put in. */
    private static final String MEDIUM = "medium";
    private static final String MEDIUM_ERROR = "medium-error";

    private final BackendDevice device;
    private final DomainHandle handle;
    private final Drive drive;
    private final List<BlockQueue> queues = new ArrayList<>();
    private boolean offered;
    /** Whether a frontend waits for what one before it has begun. */
    private boolean awaitsDisk;

    BlockBackend(BackendDevice device, ImageOpener images, HostWork work) {
        this.device = device;
        this.handle = device.handle();
        drive = new Drive(device, images, work);
    }

    // ---- the image ---------------------------------------------------------------------------------------------------

    @Override
    public void start() {
        String parameters = device.setting("params");
        drive.load(parameters == null ? "" : parameters, problem -> {
            if (problem != null) {
                device.fail(problem);
                return;
            }
            offer();
            offered = true;
            device.ready();
            settingsChanged();
        });
    }

    private void offer() {
        Disk disk = drive.disk();
        boolean readOnly = disk == null || disk.readOnly();
        device.tell("feature-flush-cache", 1);
        device.tell("feature-barrier", 1);
        device.tell("feature-persistent", 1);
        device.tell("feature-max-indirect-segments", BlockRequest.MAX_INDIRECT_SEGMENTS);
        device.tell("max-ring-page-order", MAX_RING_ORDER);
        device.tell("multi-queue-max-queues", MAX_QUEUES);
        if (!readOnly && !"0".equals(device.setting("discard-enable"))) {
            device.tell("discard-granularity", DiskImage.SECTOR_BYTES);
            device.tell("discard-alignment", 0);
            device.tell("discard-secure", 0);
            device.tell("feature-discard", 1);
        }
        device.tell("info", (drive.isCdrom() ? Blkif.VDISK_CDROM : 0)
                | ("1".equals(device.setting("removable")) ? Blkif.VDISK_REMOVABLE : 0)
                | (readOnly ? Blkif.VDISK_READONLY : 0));
        device.tell("sector-size", DiskImage.SECTOR_BYTES);
        device.tell("physical-sector-size", DiskImage.SECTOR_BYTES);
        tellMedium();
    }

    private void tellMedium() {
        Disk disk = drive.disk();
        device.tell("sectors", disk == null ? 0 : disk.sectors());
        if (drive.isCdrom()) {
            device.tell("media-present", disk == null ? 0 : 1);
            device.tell(MEDIUM, drive.medium());
        }
    }

    /**
     * The toolstack changes the medium of a CD-ROM drive by writing {@code params}, as QEMU's xen-block backend knows it, with an empty
     * {@link #MEDIUM_ERROR}. One of two nodes answers: {@link #MEDIUM} becomes what {@code params} say, or the error says why it does not.
     */
    @Override
    public void settingsChanged() {
        String parameters = device.setting("params");
        if (!offered || !drive.isCdrom() || drive.isBusy() || parameters == null || parameters.equals(drive.medium())) {
            return;
        }
        String error = device.setting(MEDIUM_ERROR);
        if (error != null && !error.isEmpty()) {
            // It has been answered.
            return;
        }
        drive.load(parameters, problem -> {
            if (problem == null) {
                tellMedium();
                device.renew();
            } else {
                device.tell(MEDIUM_ERROR, problem);
            }
            settingsChanged();
        });
    }

    @Override
    public void stop(Runnable whenDone) {
        drive.stop(whenDone);
    }

    // ---- the frontend ------------------------------------------------------------------------------------------------

    @Override
    public void connect() {
        Disk disk = drive.disk();
        awaitsDisk = disk != null && disk.isBusy();
        if (disk != null && awaitsDisk) {
            // A write of the connection before could come after one of this, which may be of the same sector.
            disk.whenIdle(() -> handle.post(this::connectWaiting));
            return;
        }
        String refusal = connectQueues();
        if (refusal != null) {
            disconnect();
            device.fail(refusal);
            return;
        }
        device.connected();
        // What the first has in its ring may end the connection.
        List.copyOf(queues).forEach(BlockQueue::start);
    }

    private void connectWaiting() {
        if (awaitsDisk) {
            connect();
        }
    }

    /** Returns why the frontend cannot be served, or null. */
    private @Nullable String connectQueues() {
        BlockProtocol protocol = BlockProtocol.named(device.asked("protocol"));
        if (protocol == null) {
            return "the frontend's protocol is neither x86_64-abi nor x86_32-abi";
        }
        long count = device.askedNumber("multi-queue-num-queues", 1);
        long order = device.askedNumber("ring-page-order", -1);
        if (count < 1 || count > MAX_QUEUES) {
            return "the frontend wants " + count + " rings, " + MAX_QUEUES + " are the most";
        }
        if (order > MAX_RING_ORDER) {
            return "the frontend wants a ring of order " + order + ", " + MAX_RING_ORDER + " is the largest";
        }
        boolean persistent = device.askedNumber("feature-persistent", 0) == 1;
        for (int i = 0; i < count; i++) {
            String refusal = connectQueue(protocol, count == 1 ? "" : "queue-" + i + "/", (int) order,
                    persistent);
            if (refusal != null) {
                return refusal;
            }
        }
        return null;
    }

    private @Nullable String connectQueue(BlockProtocol protocol, String prefix, int order,
            boolean persistent) {
        long remotePort = device.askedNumber(prefix + "event-channel", -1);
        int pages = order < 0 ? 1 : 1 << order;
        int[] references = new int[pages];
        for (int i = 0; i < pages; i++) {
            long reference = device.askedNumber(prefix + (order < 0 ? "ring-ref" : "ring-ref" + i), -1);
            if (reference < 0 || reference > 0xffff_ffffL) {
                return "the frontend does not say where " + prefix + "ring-ref is";
            }
            references[i] = (int) reference;
        }
        if (remotePort < 0 || remotePort > Integer.MAX_VALUE) {
            return "the frontend names no " + prefix + "event-channel";
        }
        SharedPage ring;
        try {
            ring = handle.grants().map(device.frontendId(), references, false);
        } catch (OperationException e) {
            return "the frontend's ring cannot be mapped: " + e.getMessage();
        }
        int port = handle.events().bindInterdomain(device.frontendId(), (int) remotePort);
        if (port < 0) {
            ring.unmap();
            return "the frontend's event channel " + remotePort + " cannot be bound: " + Errno.name(port);
        }
        queues.add(new BlockQueue(device, drive, protocol, new BackRing(ring, protocol.entryBytes),
                new GuestPages(handle.grants(), device.frontendId(), persistent), port));
        return null;
    }

    @Override
    public void disconnect() {
        awaitsDisk = false;
        queues.forEach(BlockQueue::close);
        queues.clear();
    }
}
