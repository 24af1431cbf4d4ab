package dev.xenolith.dom0.support;

import dev.xenolith.hypervisor.operations.SharedPage;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** A page that is a byte array. */
public final class FakePage implements SharedPage {
    private final byte[] bytes = new byte[4096];
    private final ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    private boolean unmapped;

    public boolean isUnmapped() { return unmapped; }

    private ByteBuffer open() {
        if (unmapped) {
            throw new IllegalStateException("unmapped");
        }
        return buffer;
    }

    @Override
    public int size() {
        return bytes.length;
    }

    @Override
    public int get8(int offset) {
        return open().get(offset) & 0xff;
    }

    @Override
    public int get16(int offset) {
        return open().getShort(offset) & 0xffff;
    }

    @Override
    public int get32(int offset) {
        return open().getInt(offset);
    }

    @Override
    public long get64(int offset) {
        return open().getLong(offset);
    }

    @Override
    public void put8(int offset, int value) {
        open().put(offset, (byte) value);
    }

    @Override
    public void put16(int offset, int value) {
        open().putShort(offset, (short) value);
    }

    @Override
    public void put32(int offset, int value) {
        open().putInt(offset, value);
    }

    @Override
    public void put64(int offset, long value) {
        open().putLong(offset, value);
    }

    @Override
    public void read(int offset, byte[] target, int targetOffset, int length) {
        open().get(offset, target, targetOffset, length);
    }

    @Override
    public void write(int offset, byte[] source, int sourceOffset, int length) {
        open().put(offset, source, sourceOffset, length);
    }

    @Override
    public boolean compareAndSet16(int offset, int expected, int value) {
        boolean equal = get16(offset) == expected;
        if (equal) {
            put16(offset, value);
        }
        return equal;
    }

    @Override
    public void unmap() {
        unmapped = true;
    }
}
