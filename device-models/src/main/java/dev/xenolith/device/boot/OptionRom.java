package dev.xenolith.device.boot;

/**
 * An image for a card's expansion ROM (PCI Firmware Specification 3.0, 5.1): it begins with 55h AAh and its length in units of 512
 * bytes.
 *
 * @param content the image
 */
public record OptionRom(byte[] content) {
    private static final int UNIT = 512;
    private static final int MAX_SIZE = 1 << 20;

    /** Throws {@link BootException} if the file is none. */
    public static OptionRom of(BootRequest.File file) throws BootException {
        byte[] content = file.content();
        if (content.length < UNIT || content.length > MAX_SIZE || content[0] != 0x55 || content[1] != (byte) 0xaa
                || (content[2] & 0xff) * UNIT > content.length) {
            throw new BootException(file.name() + ": not an expansion ROM: " + content.length
                    + " bytes; one begins with 55 AA and its length in units of 512 bytes, and has at most 1 MiB");
        }
        return new OptionRom(content);
    }
}
