package dev.xenolith.dom0.machinedisk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xenolith.cpu.model.CpuModel;
import dev.xenolith.device.board.ClockMode;
import dev.xenolith.device.board.Machine;
import dev.xenolith.device.firmware.BootDevice;
import dev.xenolith.dom0.disk.DiskFormat;
import dev.xenolith.dom0.disk.DiskImages;
import dev.xenolith.dom0.disk.ImageLocks;
import dev.xenolith.dom0.disk.NewDisk;
import dev.xenolith.dom0.disk.OpenMode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MachineDisksTest {
    @TempDir
    Path directory;

    private Path raw(String name, int sectors) throws IOException {
        return Files.write(directory.resolve(name), new byte[sectors * 512]);
    }

    private DriveSpec disk(String text) {
        return DriveSpec.disk(text, directory::resolve);
    }

    @Test
    void readsWhatADiskIs() {
        assertThat(disk("a.img")).isEqualTo(
                new DriveSpec("--disk", directory.resolve("a.img"), DriveSpec.Bus.IDE, false, null, false));
        assertThat(disk("a,,b.img,if=ahci,format=qcow2,readonly")).isEqualTo(new DriveSpec("--disk",
                directory.resolve("a,b.img"), DriveSpec.Bus.AHCI, false, DiskFormat.QCOW2, true));
        assertThatThrownBy(() -> disk("a,if=nvme")).hasMessage("--disk a: if=nvme is not supported yet");
        assertThatThrownBy(() -> disk("a,if=virtio")).hasMessage("--disk a: if=virtio is not supported yet");
        assertThatThrownBy(() -> disk("a,if=scsi")).hasMessage("--disk a: if: expected ide or ahci, found 'scsi'");
        assertThatThrownBy(() -> disk("a,format=vmdk")).hasMessageContaining("--disk a: format: expected one of raw");
        assertThatThrownBy(() -> disk("a,rw")).hasMessageContaining("found 'rw'");
        assertThatThrownBy(() -> disk(",if=ide")).hasMessageContaining("--disk: expected FILE");
    }

    @Test
    void readsBootOrders() {
        assertThat(MachineDisks.bootOrder("dcn")).containsExactly(BootDevice.DISC, BootDevice.DISK,
                BootDevice.NETWORK);
        assertThatThrownBy(() -> MachineDisks.bootOrder("ca")).hasMessageContaining("no floppy disks");
        assertThatThrownBy(() -> MachineDisks.bootOrder("cc")).hasMessageContaining("twice");
        assertThatThrownBy(() -> MachineDisks.bootOrder("x")).hasMessageContaining("found 'x'");
        assertThatThrownBy(() -> MachineDisks.bootOrder("")).hasMessageContaining("expected letters");
    }

    @Test
    void opensAndLetsGo() throws IOException {
        Path file = raw("a.img", 8);
        try (MachineDisks disks = MachineDisks.open(List.of(disk("a.img,format=raw")))) {
            assertThat(disks.ideDrives()).hasSize(1);
            assertThat(disks.cards()).isEmpty();
            assertThatThrownBy(() -> DiskImages.open(file, DiskFormat.RAW, OpenMode.READ_WRITE, new ImageLocks()))
                    .isInstanceOf(IOException.class);
        }
        DiskImages.open(file, DiskFormat.RAW, OpenMode.READ_WRITE, new ImageLocks()).close();
    }

    @Test
    void discsAreOnTheSecondaryChannel() throws IOException {
        Path iso = raw("a.iso", 8);
        raw("b.img", 8);
        try (MachineDisks disks = MachineDisks
                .open(List.of(disk("b.img"), DriveSpec.cdrom(iso)))) {
            assertThat(disks.ideDrives()).extracting(each -> each.channel() * 2 + each.unit()).containsExactly(2, 0);
        }
        List<DriveSpec> many = Collections.nCopies(5, DriveSpec.cdrom(iso));
        assertThatThrownBy(() -> MachineDisks.open(many)).hasMessageContaining("--cdrom: " + iso + ": there are 4");
        // What had been opened is free again.
        DiskImages.open(iso, DiskFormat.RAW, OpenMode.READ_WRITE, new ImageLocks()).close();
    }

    @Test
    void errorsNameOptionFileAndReason() throws IOException {
        assertThatThrownBy(() -> MachineDisks.open(List.of(disk("none.img"))))
                .hasMessage("--disk: " + directory.resolve("none.img") + ": No such file or directory");
        raw("empty.img", 0);
        assertThatThrownBy(() -> MachineDisks.open(List.of(disk("empty.img")))).hasMessageContaining("a disk of 0");
        Path qcow2 = directory.resolve("a.qcow2");
        DiskImages.create(qcow2, NewDisk.of(DiskFormat.QCOW2, 1 << 20), false, new ImageLocks());
        assertThatThrownBy(() -> MachineDisks.open(List.of(disk("a.qcow2"))))
                .hasMessageContaining("say so by ,format=qcow2");
        try (MachineDisks disks = MachineDisks.open(List.of(disk("a.qcow2,format=qcow2,if=ahci")))) {
            assertThat(disks.cards()).hasSize(1);
        }
    }

    /** A machine that is switched off does not take the file with it. */
    @Test
    void imagesOutliveMachines() throws IOException {
        raw("a.img", 8);
        try (MachineDisks disks = MachineDisks.open(List.of(disk("a.img,format=raw")))) {
            for (int i = 0; i < 3; i++) {
                Machine.Configuration configuration = new Machine.Configuration(ClockMode.VIRTUAL, 1);
                try (Machine machine = Machine.of(configuration,
                        new Machine.Hardware(4 << 20, 1, CpuModel.intel()));
                        ImageWork work = new ImageWork(machine)) {
                    disks.attach(work);
                    byte[] bytes = new byte[512];
                    for (int request = 0; request < 50; request++) {
                        disks.medium(0).write(1000, 512, bytes, 0, 512, failure -> {});
                    }
                }
            }
        }
    }
}
