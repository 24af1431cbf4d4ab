package dev.xenolith.dom0.backend.block;

import dev.xenolith.dom0.backend.BackendDevice;
import dev.xenolith.dom0.backend.HostWork;
import dev.xenolith.dom0.disk.DiskFormat;
import java.nio.file.Path;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What a block device reads from and writes to: an image, the same one for as long as there is the device; or, if it is a CD-ROM drive,
 * a medium that is never written to, may be changed, and may be missing.
 */
final class Drive {
    /** Modelled time of opening an image, in ns. */
    private static final long OPEN_TIME = 2_000_000;

    private final BackendDevice device;
    private final ImageOpener images;
    private final HostWork work;
    private final boolean cdrom;
    private @Nullable Disk disk;
    private String medium = "";
    private boolean busy;
    private @Nullable Runnable whenStopped;

    Drive(BackendDevice device, ImageOpener images, HostWork work) {
        this.device = device;
        this.images = images;
        this.work = work;
        cdrom = "cdrom".equals(device.setting("device-type"));
    }

    boolean isCdrom() { return cdrom; }

    /** The open image; null if the drive is empty. */
    @Nullable
    Disk disk() {
        return disk;
    }

    /** The {@code params} by which the toolstack named what is in it; empty if nothing is. */
    String medium() {
        return medium;
    }

    /** Whether its image is being opened, or the one before closed. */
    boolean isBusy() { return busy; }

    /**
     * Puts in what {@code parameters} name. Requests that come from now on find the new image as soon as it is open; the one before is
     * closed when its last request is done. If the new one cannot be opened, nothing changes.
     *
     * @param outcome told why it does not work, or null, when no image is open that should not be; not if {@link #stop} comes before
     */
    void load(String parameters, Consumer<@Nullable String> outcome) {
        if (parameters.isEmpty()) {
            if (cdrom) {
                change(null, parameters, outcome);
            } else {
                outcome.accept("only a cdrom may be empty");
            }
            return;
        }
        DiskFormat format = DiskFormat.RAW;
        String file = parameters;
        if (BlockDriver.QDISK.equals(device.kind())) {
            int colon = parameters.indexOf(':');
            DiskFormat named = colon < 0 ? null : DiskSource.format(parameters.substring(0, colon));
            if (named == null) {
                outcome.accept("params '" + parameters + "' does not begin with a format");
                return;
            }
            format = named;
            file = parameters.substring(colon + 1);
        }
        open(parameters, file, format, outcome);
    }

    private void open(String parameters, String file, DiskFormat format, Consumer<@Nullable String> outcome) {
        boolean readOnly = cdrom || !"w".equals(device.setting("mode"));
        busy = true;
        work.submit(OPEN_TIME, () -> images.open(Path.of(file), format, readOnly), (image, failure) -> {
            if (image != null) {
                change(new Disk(device.toString(), work, image), parameters, outcome);
            } else {
                finish(failure == null ? "its image cannot be opened" : String.valueOf(failure.getMessage()), outcome);
            }
        });
    }

    private void change(@Nullable Disk next, String parameters, Consumer<@Nullable String> outcome) {
        Disk before = disk;
        disk = next;
        medium = parameters;
        if (before == null) {
            finish(null, outcome);
        } else {
            busy = true;
            before.close(() -> finish(null, outcome));
        }
    }

    private void finish(@Nullable String problem, Consumer<@Nullable String> outcome) {
        busy = false;
        if (whenStopped != null) {
            close(whenStopped);
        } else {
            outcome.accept(problem);
        }
    }

    /** Closes what is open, and then runs {@code whenDone}; nothing may be loaded any more. */
    void stop(Runnable whenDone) {
        whenStopped = whenDone;
        if (!busy) {
            close(whenDone);
        }
    }

    private void close(Runnable whenDone) {
        Disk open = disk;
        disk = null;
        if (open == null) {
            whenDone.run();
        } else {
            open.close(whenDone);
        }
    }
}
