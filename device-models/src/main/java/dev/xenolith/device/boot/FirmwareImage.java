package dev.xenolith.device.boot;

import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.cpu.processor.OperatingMode;
import java.util.Arrays;
import java.util.Map;

/**
 * A firmware image at the top of the first 4 GiB, whose last 16 bytes hold the reset vector. Its end, up to 128 KiB, is also seen
 * below 1 MiB from the start, as a PC's ISA bridge decodes it.
 *
 * @param file the image
 */
public record FirmwareImage(BootRequest.File file) {
    private static final long TOP = 1L << 32;
    private static final int LOW_SIZE = 128 << 10;
    private static final int UNIT = 64 << 10;
    private static final int MAX_SIZE = 8 << 20;
    private static final long RESET_VECTOR = 0xffff_fff0L;

    /** Throws {@link BootException} if the image has an impossible size. */
    public static FirmwareImage of(BootRequest.File file) throws BootException {
        int length = file.content().length;
        if (length == 0 || length % UNIT != 0 || length > MAX_SIZE) {
            throw new BootException(file.name() + ": " + length
                    + " bytes; firmware is a multiple of 64 KiB, and at most 8 MiB");
        }
        return new FirmwareImage(file);
    }

    /** Bytes of ROM below 4 GiB. */
    public int size() {
        return file.content().length;
    }

    /** What is seen of it below 1 MiB. */
    public byte[] lowEnd() {
        byte[] content = file.content();
        return Arrays.copyOfRange(content, Math.max(content.length - LOW_SIZE, 0), content.length);
    }

    /** Copies the image to the top of 4 GiB, where memory has ROM. */
    public BootEntry load(PhysicalMemory memory) {
        byte[] content = file.content();
        memory.copyIn(content, 0, TOP - content.length, content.length);
        return new BootEntry("firmware", OperatingMode.REAL, RESET_VECTOR, 0, 0, Map.of(), false);
    }
}
