package dev.xenolith.device.storage.ata;

import dev.xenolith.device.Saveable;
import dev.xenolith.device.StateException;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;

/** A part of a device's buffer that its controller is to read or to fill: a DRQ data block, or a burst of DMA. */
public final class DataBlock implements Saveable {
    private boolean open;
    private boolean toHost;
    private boolean dma;
    private boolean packet;
    private int position;
    private int end;

    /** Whether the device waits for data to be moved. */
    public boolean isOpen() { return open; }

    /** Whether data go to the host. */
    public boolean isToHost() { return toHost; }

    /** Whether they go by DMA, not through the data register. */
    public boolean isDma() { return dma; }

    /** Whether the data are a command packet. */
    public boolean isPacket() { return packet; }

    /** Where in the buffer the next byte is. */
    public int position() {
        return position;
    }

    /** How many bytes are still to be moved. */
    public int left() {
        return end - position;
    }

    /** Opens it from {@code from} to {@code to} of the buffer. */
    void open(int from, int to, boolean forHost, boolean byDma, boolean isPacket) {
        open = true;
        position = from;
        end = to;
        toHost = forHost;
        dma = byDma;
        packet = isPacket;
    }

    void close() {
        open = false;
        toHost = false;
        dma = false;
        packet = false;
    }

    /** Returns whether that was all. */
    boolean moved(int bytes) {
        position += bytes;
        if (position == end) {
            close();
        }
        return !open;
    }

    int end() {
        return end;
    }

    @Override
    public String stateName() {
        return "block";
    }

    @Override
    public void save(StateWriter out) {
        out.put("open", open).put("toHost", toHost).put("dma", dma).put("packet", packet);
        out.put("position", position).put("end", end);
    }

    @Override
    public void restore(StateReader in) throws StateException {
        open = in.getBoolean("open");
        toHost = in.getBoolean("toHost");
        dma = in.getBoolean("dma");
        packet = in.getBoolean("packet");
        end = in.getInt("end", 0, AtaDevice.BUFFER_BYTES);
        position = in.getInt("position", 0, open ? end - 1 : end);
    }
}
