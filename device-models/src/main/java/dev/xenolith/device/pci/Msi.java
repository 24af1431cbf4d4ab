package dev.xenolith.device.pci;

/**
 * The MSI capability (PCI Local Bus Specification 3.0, 6.8.1) with 64-bit addresses and a mask bit per vector. Its registers are in the
 * configuration space, which saves them.
 */
public final class Msi {
    /** Its id, and bytes in configuration space. */
    public static final int ID = 0x05;
    public static final int SIZE = 24;

    private static final int CONTROL = 2;
    private static final int ADDRESS = 4;
    private static final int DATA = 12;
    private static final int MASK = 16;
    private static final int PENDING = 20;
    private static final int CONTROL_ENABLE = 1;
    private static final int CAPABLE_SHIFT = 1;
    private static final int ENABLED_SHIFT = 4;
    private static final int CONTROL_64_BIT = 1 << 7;
    private static final int CONTROL_MASKABLE = 1 << 8;

    private final ConfigSpace config;
    private final int offset;
    private final int vectors;
    private final MessageSink sink;

    /**
     * Adds the capability to {@code config} at {@code offset}.
     *
     * @param vectors how many the function asks for: a power of two, 1 to 32
     */
    public Msi(ConfigSpace config, int offset, int vectors, MessageSink sink) {
        if (Integer.bitCount(vectors) != 1 || vectors < 1 || vectors > 32) {
            throw new IllegalArgumentException("MSI of " + vectors + " vectors");
        }
        this.config = config;
        this.offset = offset;
        this.vectors = vectors;
        this.sink = sink;
        int capable = Integer.numberOfTrailingZeros(vectors) << CAPABLE_SHIFT;
        config.capability(ID, offset).set(offset + CONTROL, 2, capable | CONTROL_64_BIT | CONTROL_MASKABLE)
                .allow(offset + CONTROL, 2, 7 << ENABLED_SHIFT | CONTROL_ENABLE)
                .allow(offset + ADDRESS, 4, ~3).allow(offset + ADDRESS + 4, 4, -1).allow(offset + DATA, 2, 0xffff)
                .allow(offset + MASK, 4, vectors == 32 ? -1 : (1 << vectors) - 1)
                .onWrite((register, size) -> deliverPending());
    }

    /** Whether software has chosen this way to be interrupted. */
    public boolean isEnabled() {
        return (config.get(offset + CONTROL, 2) & CONTROL_ENABLE) != 0;
    }

    /** Sends the message of {@code vector}, from 0; one that is masked waits. Does nothing while this is not enabled. */
    public void raise(int vector) {
        if (!isEnabled()) {
            return;
        }
        int enabled = Math.min(1 << (config.get(offset + CONTROL, 2) >>> ENABLED_SHIFT & 7), vectors);
        int sent = vector & enabled - 1;
        if ((config.get(offset + MASK, 4) >>> sent & 1) != 0) {
            config.set(offset + PENDING, 4, config.get(offset + PENDING, 4) | 1 << sent);
            return;
        }
        long address = config.get(offset + ADDRESS, 4) & 0xffff_ffffL
                | (long) config.get(offset + ADDRESS + 4, 4) << 32;
        sink.write(address, config.get(offset + DATA, 2) & ~(enabled - 1) | sent);
    }

    private void deliverPending() {
        int deliverable = config.get(offset + PENDING, 4) & ~config.get(offset + MASK, 4);
        if (deliverable != 0 && isEnabled()) {
            config.set(offset + PENDING, 4, config.get(offset + PENDING, 4) & ~deliverable);
            for (int rest = deliverable; rest != 0; rest &= rest - 1) {
                raise(Integer.numberOfTrailingZeros(rest));
            }
        }
    }
}
