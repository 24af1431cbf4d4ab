package dev.xenolith.dom0.support;

import dev.xenolith.hypervisor.operations.SharedPage;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** A page that is a byte array, as its owner sees it; domains that map it see it through {@link FakeMapping}. */
public final class FakePage implements SharedPage {
    private final byte[] bytes = new byte[4096];
    private final ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    private int mappings;
    private boolean wasMapped;

    /** Whether it was mapped, and all who mapped it have given it back. */
    public boolean isUnmapped() {
        return wasMapped && mappings == 0;
    }

    void map() {
        wasMapped = true;
        mappings++;
    }

    @Override
    public int size() {
        return bytes.length;
    }

    @Override
    public int get8(int offset) {
        return buffer.get(offset) & 0xff;
    }

    @Override
    public int get16(int offset) {
        return buffer.getShort(offset) & 0xffff;
    }

    @Override
    public int get32(int offset) {
        return buffer.getInt(offset);
    }

    @Override
    public long get64(int offset) {
        return buffer.getLong(offset);
    }

    @Override
    public void put8(int offset, int value) {
        buffer.put(offset, (byte) value);
    }

    @Override
    public void put16(int offset, int value) {
        buffer.putShort(offset, (short) value);
    }

    @Override
    public void put32(int offset, int value) {
        buffer.putInt(offset, value);
    }

    @Override
    public void put64(int offset, long value) {
        buffer.putLong(offset, value);
    }

    @Override
    public void read(int offset, byte[] target, int targetOffset, int length) {
        buffer.get(offset, target, targetOffset, length);
    }

    @Override
    public void write(int offset, byte[] source, int sourceOffset, int length) {
        buffer.put(offset, source, sourceOffset, length);
    }

    @Override
    public boolean compareAndSet16(int offset, int expected, int value) {
        boolean equal = get16(offset) == expected;
        if (equal) {
            put16(offset, value);
        }
        return equal;
    }

    /** One mapping is given back. */
    @Override
    public void unmap() {
        mappings--;
    }
}
