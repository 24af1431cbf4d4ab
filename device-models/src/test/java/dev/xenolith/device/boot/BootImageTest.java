package dev.xenolith.device.boot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xenolith.cpu.memory.MemoryLayout;
import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.cpu.processor.OperatingMode;
import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.device.board.GuestCode;
import dev.xenolith.device.firmware.E820;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class BootImageTest {
    private static final long RSDP = 0xf_0000;

    private final PhysicalMemory memory = new PhysicalMemory(MemoryLayout.flat(32 << 20));
    private final E820 map = new E820(List.of(new E820.Entry(0, 0x9_fc00, E820.RAM),
            new E820.Entry(0x10_0000, 31 << 20, E820.RAM)));

    @AfterEach
    void close() {
        memory.close();
    }

    private BootEntry load(byte[] kernel, byte @Nullable [] initrd, String line, BootRequest.Module... modules)
            throws BootException {
        BootRequest.File disk = initrd == null ? null : new BootRequest.File("disk", initrd);
        return BootImage.load(
                new BootRequest(new BootRequest.File("kernel", kernel), disk, line, List.of(modules)),
                new BootMemory(memory, map, RSDP, true));
    }

    private void refuses(byte[] kernel, String message) {
        assertThatThrownBy(() -> load(kernel, null, "")).isInstanceOf(BootException.class).hasMessage(message);
    }

    private String text(long address) {
        StringBuilder text = new StringBuilder();
        for (long at = address; memory.read8(at) != 0; at++) {
            text.append((char) memory.read8(at));
        }
        return text.toString();
    }

    private static ByteBuffer little(byte[] bytes) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    // ---- Linux -------------------------------------------------------------------------------------------------------

    private static byte[] bzImage() {
        return GuestCode.bzImage(new byte[]{(byte) 0xf4, 1, 2, 3});
    }

    @Test
    void linuxInSixtyFourBits() throws BootException {
        byte[] initrd = new byte[5000];
        Arrays.fill(initrd, (byte) 7);
        BootEntry entry = load(bzImage(), initrd, "console=ttyS0");
        assertThat(entry.mode()).isEqualTo(OperatingMode.LONG);
        assertThat(entry.address()).isEqualTo(0x10_0200);
        assertThat(memory.read32(0x10_0200)).isEqualTo(0x0302_01f4);
        long params = Objects.requireNonNull(entry.registers().get(Processor.RSI));
        assertThat(memory.read32(params + 0x202)).isEqualTo(0x5372_6448);
        assertThat(memory.read8(params + 0x210)).isEqualTo(0xff);
        assertThat(text(memory.read32(params + 0x228))).isEqualTo("console=ttyS0");
        assertThat(memory.read64(params + 0x70)).isEqualTo(RSDP);
        assertThat(memory.read16(params + 6)).as("mode 3, 80 columns").isEqualTo(80 << 8 | 3);
        assertThat(memory.read16(params + 0xe)).as("25 lines of a VGA").isEqualTo(1 << 8 | 25);
        assertThat(memory.read8(params + 0x1e8)).isEqualTo(2);
        assertThat(memory.read64(params + 0x2d0 + 20)).isEqualTo(0x10_0000);
        assertThat(memory.read32(params + 0x218)).as("as high as possible").isEqualTo((32 << 20) - 8192);
        assertThat(memory.read32(params + 0x21c)).isEqualTo(5000);
        assertThat(memory.read8((32 << 20) - 8192 + 4999)).isEqualTo(7);
        assertThat(memory.read64(entry.gdt() + 0x10)).isEqualTo(0x00af_9b00_0000_ffffL);
        long l4 = memory.read64(entry.pageTables());
        long l3 = memory.read64((l4 & ~0xfffL) + 3 * 8);
        assertThat(memory.read64((l3 & ~0xfffL) + 511 * 8)).as("the last 2 MiB below 4 GiB").isEqualTo(0xffe0_0083L);
    }

    @Test
    void linuxInThirtyTwoBits() throws BootException {
        byte[] image = bzImage();
        little(image).putShort(0x236, (short) 0);
        BootEntry entry = load(image, null, "");
        assertThat(entry.mode()).isEqualTo(OperatingMode.PROTECTED);
        assertThat(entry.address()).isEqualTo(0x10_0000);
        assertThat(memory.read64(entry.gdt() + 0x10)).isEqualTo(0x00cf_9b00_0000_ffffL);
    }

    @Test
    void badLinuxImages() {
        byte[] image = bzImage();
        refuses(Arrays.copyOf(image, 0x210), "kernel: the bzImage is truncated in its header");
        refuses(Arrays.copyOf(image, 1024), "kernel: the bzImage is truncated: nothing follows its setup code");
        little(image).putInt(0x1f4, image.length / 16);
        refuses(image, "kernel: the bzImage is truncated: " + (image.length - 1024)
                + " bytes follow its setup code, not " + image.length / 16 * 16);
        little(image).putInt(0x1f4, (image.length - 1024 + 15) / 16);
        little(image).putLong(0x258, 0x8000_0000L);
        refuses(image, "kernel: 0x100000 bytes at 0x80000000 are not in free RAM");
        little(image).putLong(0x258, 0x10_0000).putInt(0x260, 0x7fff_ffff);
        refuses(image, "kernel: 0x7fffffff bytes at 0x100000 are not in free RAM");
        byte[] low = bzImage();
        low[0x211] = 0;
        refuses(low, "kernel: a zImage, loaded low; only a bzImage can be booted");
        byte[] old = bzImage();
        little(old).putShort(0x206, (short) 0x105);
        refuses(old, "kernel: boot protocol 1.05 is too old");
        byte[] magic = bzImage();
        magic[0x202] = 'X';
        refuses(magic, "kernel: neither a Linux bzImage, a Multiboot kernel, nor an ELF kernel with a PVH entry");
        assertThatThrownBy(() -> load(bzImage(), new byte[31 << 20], ""))
                .hasMessage("disk: 32505856 bytes do not fit into RAM behind the kernel; more memory is needed");
        assertThatThrownBy(() -> load(bzImage(), null, "x".repeat(3000)))
                .hasMessage("kernel: the command line has 3000 bytes, at most 2047 are possible");
        assertThatThrownBy(() -> load(bzImage(), null, "",
                new BootRequest.Module(new BootRequest.File("m", new byte[1]), "")))
                .hasMessage("kernel: the Linux boot protocol knows no modules");
    }

    // ---- Multiboot ---------------------------------------------------------------------------------------------------

    /** A kernel of 64 bytes that says it goes to 2 MiB, with 4 KiB of zeros after it. */
    private static byte[] multiboot(int flags) {
        ByteBuffer image = little(new byte[64]);
        image.putInt(0x1bad_b002).putInt(flags).putInt(-(0x1bad_b002 + flags));
        image.putInt(0x20_0000).putInt(0x20_0000).putInt(0x20_0040).putInt(0x20_1040).putInt(0x20_0030);
        return image.array();
    }

    @Test
    void multibootWithModules() throws BootException {
        memory.write8(0x20_0100, 0xff);
        BootEntry entry = load(multiboot(1 << 16 | 7), new byte[]{1}, "line",
                new BootRequest.Module(new BootRequest.File("m", new byte[]{2, 3}), "m arg"));
        assertThat(entry.mode()).isEqualTo(OperatingMode.PROTECTED);
        assertThat(entry.address()).isEqualTo(0x20_0030);
        assertThat(entry.registers()).containsEntry(Processor.RAX, 0x2bad_b002L);
        assertThat(memory.read8(0x20_0100)).as("bss").isZero();
        long info = Objects.requireNonNull(entry.registers().get(Processor.RBX));
        assertThat(memory.read32(info)).isEqualTo(0x124d);
        assertThat(memory.read32(info + 4)).isEqualTo(639);
        assertThat(memory.read32(info + 8)).isEqualTo(31 << 10);
        assertThat(text(memory.read32(info + 16))).isEqualTo("line");
        assertThat(memory.read32(info + 20)).isEqualTo(2);
        long module = memory.read32(info + 24) + 16;
        assertThat(memory.read32(module) & 0xfff).isZero();
        assertThat(memory.read32(module + 4) - memory.read32(module)).isEqualTo(2);
        assertThat(memory.read16(memory.read32(module))).isEqualTo(0x0302);
        assertThat(text(memory.read32(module + 8))).isEqualTo("m arg");
        assertThat(memory.read32(info + 44)).isEqualTo(48);
        long entries = memory.read32(info + 48);
        assertThat(memory.read32(entries)).isEqualTo(20);
        assertThat(memory.read64(entries + 24 + 4)).isEqualTo(0x10_0000);
        assertThat(text(memory.read32(info + 64))).isEqualTo("Xenolith");
        assertThat(memory.read64(info + 88)).as("text, whatever mode the kernel would like").isEqualTo(0xb_8000);
        assertThat(memory.read32(info + 96)).isEqualTo(160);
        assertThat(memory.read32(info + 104)).isEqualTo(25);
        assertThat(memory.read16(info + 108)).isEqualTo(2 << 8 | 16);
    }

    @Test
    void badMultibootKernels() {
        refuses(multiboot(1 << 16 | 0x80), "kernel: the Multiboot kernel requires unknown features 0x80");
        refuses(multiboot(0), "kernel: the Multiboot kernel is neither ELF nor has address fields");
        refuses(Arrays.copyOf(multiboot(1 << 16), 20), "kernel: the Multiboot header is truncated");
        refuses(Arrays.copyOf(multiboot(1 << 16), 40), "kernel: the Multiboot kernel is truncated");
        byte[] checksum = multiboot(1 << 16);
        checksum[8]++;
        refuses(checksum, "kernel: the checksum of its Multiboot header is wrong");
        refuses(multibootAt(0x2fc1), "kernel: 0x40 bytes at 0x2fc1 are not in free RAM");
        refuses(multibootAt(0xffc1), "kernel: 0x40 bytes at 0xffc1 are not in free RAM");
        refuses(multibootAt(0x3_5fff), "kernel: 0x40 bytes at 0x35fff are not in free RAM");
        refuses(multibootAt(0x9_fbc1), "kernel: 0x40 bytes at 0x9fbc1 are not in free RAM");
    }

    /** A real-mode kernel wants to be below 1 MiB; modules do not follow it there. */
    @Test
    void multibootBelowOneMebibyte() throws BootException {
        for (int address : new int[]{0x3000, 0xffc0, 0x3_6000, 0x9_fbc0}) {
            byte[] kernel = multibootAt(address);
            BootEntry entry = load(kernel, new byte[]{1}, "line");
            byte[] loaded = new byte[kernel.length];
            memory.copyOut(address, loaded, 0, loaded.length);
            assertThat(loaded).as("at 0x%x", address).isEqualTo(kernel);
            long info = Objects.requireNonNull(entry.registers().get(Processor.RBX));
            assertThat(text(memory.read32(info + 16))).isEqualTo("line");
            assertThat(memory.read32(memory.read32(info + 24))).isEqualTo(0x10_0000);
        }
    }

    private static byte[] multibootAt(int address) {
        byte[] kernel = multiboot(1 << 16);
        little(kernel).putInt(12, address).putInt(16, address).putInt(20, address + 0x40).putInt(24, 0).putInt(28,
                address);
        return kernel;
    }

    // ---- PVH ---------------------------------------------------------------------------------------------------------

    private static byte[] elf64(boolean note) {
        ByteBuffer elf = little(new byte[0x200]);
        elf.putInt(0x464c_457f).put((byte) 2).put((byte) 1).put((byte) 1);
        elf.putShort(16, (short) 2).putShort(18, (short) 62).putLong(24, 0x20_0000).putLong(32, 64)
                .putShort(54, (short) 56).putShort(56, (short) 2);
        elf.putInt(64, 1).putLong(72, 0x100).putLong(88, 0x20_0000).putLong(96, 0x80).putLong(104, 0x2000);
        elf.putInt(120, 4).putLong(128, 0x180).putLong(152, 24).putLong(160, 24);
        elf.put(0x100, (byte) 0xab);
        elf.putInt(0x180, 4).putInt(0x184, 8).putInt(0x188, note ? 18 : 17)
                .put(0x18c, "Xen\0".getBytes(StandardCharsets.US_ASCII)).putLong(0x190, 0x20_0010);
        return elf.array();
    }

    @Test
    void pvh() throws BootException {
        BootEntry entry = load(elf64(true), new byte[]{5}, "pvh line");
        assertThat(entry.mode()).isEqualTo(OperatingMode.PROTECTED);
        assertThat(entry.address()).isEqualTo(0x20_0010);
        assertThat(memory.read8(0x20_0000)).isEqualTo(0xab);
        long info = Objects.requireNonNull(entry.registers().get(Processor.RBX));
        assertThat(memory.read32(info)).isEqualTo(0x336e_c578);
        assertThat(memory.read32(info + 4)).isEqualTo(1);
        assertThat(memory.read32(info + 12)).isEqualTo(1);
        long module = memory.read64(info + 16);
        assertThat(memory.read8(memory.read64(module))).isEqualTo(5);
        assertThat(memory.read64(module + 8)).isEqualTo(1);
        assertThat(text(memory.read64(info + 24))).isEqualTo("pvh line");
        assertThat(memory.read64(info + 32)).isEqualTo(RSDP);
        assertThat(memory.read32(info + 48)).isEqualTo(2);
        assertThat(memory.read64(memory.read64(info + 40) + 24)).isEqualTo(0x10_0000);
    }

    @Test
    void badElfKernels() {
        refuses(elf64(false), "kernel: the ELF kernel has neither a Multiboot header nor a PVH entry");
        refuses(Arrays.copyOf(elf64(true), 0x170), "kernel: the ELF file is truncated");
        refuses(Arrays.copyOf(elf64(true), 40), "kernel: the ELF file is truncated");
        byte[] arm = elf64(true);
        arm[18] = (byte) 183;
        refuses(arm, "kernel: not an ELF executable for x86");
        byte[] far = elf64(true);
        little(far).putLong(88, 1L << 40);
        refuses(far, "kernel: 0x2000 bytes at 0x10000000000 are not in free RAM");
        byte[] entry = elf64(true);
        little(entry).putLong(0x190, 0x20_2000);
        refuses(entry, "kernel: the entry at 0x202000 is in none of its segments");
        byte[] overlap = elf64(true);
        little(overlap).putInt(120, 1).putLong(144, 0x20_1fff).putLong(160, 0x20);
        little(overlap).putShort(56, (short) 3).putInt(176, 4).putLong(184, 0x180).putLong(208, 24);
        refuses(overlap, "kernel: two of its segments overlap at 0x201fff");
        byte[] corrupt = elf64(false);
        little(corrupt).putInt(0x1c0, 0x1bad_b002);
        refuses(corrupt, "kernel: the checksum of its Multiboot header is wrong");
        byte[] headers = elf64(true);
        little(headers).putLong(32, 1L << 40);
        refuses(headers, "kernel: the ELF program headers are out of place");
        byte[] note = elf64(true);
        little(note).putInt(0x184, 0x7000_0000);
        refuses(note, "kernel: an ELF note is out of place");
        refuses(new byte[0], "kernel: neither a Linux bzImage, a Multiboot kernel, nor an ELF kernel with a PVH entry");
    }

    @Test
    void noTruncationEscapesAsSomethingElse() {
        for (byte[] image : List.of(bzImage(), multiboot(1 << 16 | 3), elf64(true))) {
            for (int length = 0; length < image.length; length += 3) {
                try {
                    load(Arrays.copyOf(image, length), null, "");
                } catch (BootException e) {
                    assertThat(e.getMessage()).startsWith("kernel: ").doesNotContain("\n");
                }
            }
        }
    }
}
