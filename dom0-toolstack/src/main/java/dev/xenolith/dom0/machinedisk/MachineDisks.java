package dev.xenolith.dom0.machinedisk;

import dev.xenolith.device.Clock;
import dev.xenolith.device.firmware.BootDevice;
import dev.xenolith.device.pci.PciFunction;
import dev.xenolith.device.pci.PciSlot;
import dev.xenolith.device.storage.ahci.AhciController;
import dev.xenolith.device.storage.ata.AtaDevice;
import dev.xenolith.device.storage.ata.HardDisk;
import dev.xenolith.device.storage.atapi.OpticalDrive;
import dev.xenolith.device.storage.ide.IdeDrive;
import dev.xenolith.dom0.disk.DiskFormat;
import dev.xenolith.dom0.disk.DiskImage;
import dev.xenolith.dom0.disk.DiskImages;
import dev.xenolith.dom0.disk.ImageLocks;
import dev.xenolith.dom0.disk.OpenMode;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;

/**
 * The opened images of a bare machine, and the drives that they are in. A machine that is reset is a new one with the same images;
 * {@link #close} lets go of them and of their locks.
 */
public final class MachineDisks implements Closeable {
    /** Places on the IDE channels in the order in which disks get them; discs get the one before the last first. */
    private static final int[] IDE_DISKS = {0, 1, 3, 2};
    private static final int[] IDE_DISCS = {2, 3, 1, 0};
    private static final int IDE_PLACES = 4;
    private static final int DISC_BLOCK = 2048;

    /** A drive's image, and where it is plugged in. */
    private record Drive(DriveSpec spec, ImageMedium medium, int place) {
        AtaDevice build(Clock clock, AtaDevice.Cable cable) {
            String serial = String.format(Locale.ROOT, "XL%s%05d", spec.bus(), place);
            return spec.disc()
                    ? new OpticalDrive(clock, cable, medium, serial)
                    : new HardDisk(clock, cable, medium, serial);
        }
    }

    private final ImageLocks locks = new ImageLocks();
    private final List<DiskImage> images = new ArrayList<>();
    private final List<Drive> drives = new ArrayList<>();
    private final boolean[] ideTaken = new boolean[IDE_PLACES];
    private int ahciTaken;

    private MachineDisks() {
    }

    /**
     * Opens the images of {@code specs}. If one cannot be, none is left open.
     *
     * @throws IOException with the option, the file and the reason
     */
    public static MachineDisks open(List<DriveSpec> specs) throws IOException {
        MachineDisks disks = new MachineDisks();
        try {
            // The disc's place is the one that the manual tells of.
            for (boolean disc : new boolean[]{true, false}) {
                for (DriveSpec spec : specs) {
                    if (spec.disc() == disc) {
                        disks.add(spec);
                    }
                }
            }
            return disks;
        } catch (IOException | RuntimeException e) {
            try {
                disks.close();
            } catch (IOException second) {
                e.addSuppressed(second);
            }
            throw e;
        }
    }

    private void add(DriveSpec spec) throws IOException {
        int place = place(spec);
        DiskImage image;
        try {
            boolean protectedFile = Files.isRegularFile(spec.file()) && !Files.isWritable(spec.file());
            if (!spec.readOnly() && protectedFile) {
                throw new IOException(spec.file() + ": the file cannot be written to; add ,readonly to have a disk"
                        + " that is only read");
            }
            DiskFormat given = spec.format();
            DiskFormat format = given == null ? probe(spec) : given;
            image = DiskImages.open(spec.file(), format, spec.readOnly() ? OpenMode.READ_ONLY : OpenMode.READ_WRITE,
                    locks);
        } catch (IOException e) {
            throw new IOException(spec.option() + ": " + e.getMessage(), e);
        }
        images.add(image);
        long least = spec.disc() ? DISC_BLOCK : DiskImage.SECTOR_BYTES;
        if (image.size() < least) {
            throw new IOException(spec.option() + ": " + spec.file() + ": a " + (spec.disc() ? "disc" : "disk")
                    + " of " + image.size() + " bytes has nothing to be read");
        }
        drives.add(new Drive(spec, new ImageMedium(image), place));
    }

    private DiskFormat probe(DriveSpec spec) throws IOException {
        DiskFormat found = DiskImages.probe(spec.file(), locks);
        if (found == DiskFormat.RAW || spec.readOnly()) {
            return found;
        }
        // What a guest writes to the beginning of a raw disk must not make it another one the next time.
        throw new IOException(spec.file() + ": it looks like " + found.key() + ": say so by ,format=" + found.key()
                + ", or ,format=raw if it is the disk that holds that");
    }

    private int place(DriveSpec spec) throws IOException {
        if (spec.bus() == DriveSpec.Bus.AHCI) {
            if (ahciTaken == AhciController.PORTS) {
                throw new IOException(
                        spec.option() + ": " + spec.file() + ": there are " + ahciTaken + " ports for if=ahci");
            }
            return ahciTaken++;
        }
        for (int place : spec.disc() ? IDE_DISCS : IDE_DISKS) {
            if (!ideTaken[place]) {
                ideTaken[place] = true;
                return place;
            }
        }
        throw new IOException(spec.option() + ": " + spec.file() + ": there are " + IDE_PLACES
                + " places for if=ide, those of --cdrom among them");
    }

    /** The drives on the IDE channels, for a new board. */
    public List<IdeDrive> ideDrives() {
        return drives.stream().filter(each -> each.spec().bus() == DriveSpec.Bus.IDE)
                .map(each -> new IdeDrive(each.place() / 2, each.place() % 2,
                        clock -> each.build(clock, AtaDevice.Cable.PARALLEL)))
                .toList();
    }

    /** The cards that drives need, for a new board. */
    public List<Function<PciSlot, ? extends PciFunction>> cards() {
        List<Drive> serial = drives.stream().filter(each -> each.spec().bus() == DriveSpec.Bus.AHCI).toList();
        if (serial.isEmpty()) {
            return List.of();
        }
        return List.of(slot -> {
            AhciController controller = new AhciController(slot);
            serial.forEach(each -> controller.attach(each.place(),
                    each.build(slot.clock(), AtaDevice.Cable.SERIAL)));
            return controller;
        });
    }

    /** Connects the images to the machine of a new board, before it starts. */
    public void attach(ImageWork work) {
        drives.forEach(each -> each.medium().attach(work));
    }

    /**
     * What the letters of {@code --boot} stand for: c, d, n.
     *
     * @throws IllegalArgumentException with what is wrong
     */
    public static List<BootDevice> bootOrder(String letters) {
        List<BootDevice> order = new ArrayList<>();
        for (char letter : letters.toCharArray()) {
            BootDevice device = switch (letter) {
                case 'c' -> BootDevice.DISK;
                case 'd' -> BootDevice.DISC;
                case 'n' -> BootDevice.NETWORK;
                case 'a', 'b' -> throw new IllegalArgumentException(
                        "--boot: there are no floppy disks, '" + letter + "'");
                default -> throw new IllegalArgumentException(
                        "--boot: expected letters of c (disk), d (CD-ROM) and n (network), found '" + letters + "'");
            };
            if (order.contains(device)) {
                throw new IllegalArgumentException("--boot: '" + letter + "' is there twice in '" + letters + "'");
            }
            order.add(device);
        }
        if (order.isEmpty()) {
            throw new IllegalArgumentException("--boot: expected letters of c (disk), d (CD-ROM) and n (network)");
        }
        return order;
    }

    /** The medium of a drive, for tests. */
    ImageMedium medium(int drive) {
        return drives.get(drive).medium();
    }

    /** Closes all images, also if closing one fails. */
    @Override
    public void close() throws IOException {
        IOException problem = null;
        for (DiskImage image : images) {
            try {
                image.close();
            } catch (IOException e) {
                if (problem == null) {
                    problem = e;
                } else {
                    problem.addSuppressed(e);
                }
            }
        }
        images.clear();
        if (problem != null) {
            throw problem;
        }
    }
}
