package dev.xenolith.dom0.support;

import dev.xenolith.hypervisor.operations.SharedPage;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Objects;

/** Pages of another domain as one range of bytes, until they are given back. */
public final class FakeMapping implements SharedPage {
    private static final int PAGE = 4096;

    private final List<FakePage> pages;
    private boolean unmapped;

    public FakeMapping(List<FakePage> pages) {
        this.pages = List.copyOf(pages);
        pages.forEach(FakePage::map);
    }

    /** Pages that it keeps mapped. */
    int pages() {
        return unmapped ? 0 : pages.size();
    }

    @Override
    public int size() {
        return pages.size() * PAGE;
    }

    @Override
    public void read(int offset, byte[] target, int targetOffset, int length) {
        check(offset, length);
        for (int done = 0; done < length;) {
            int within = (offset + done) % PAGE;
            int part = Math.min(length - done, PAGE - within);
            pages.get((offset + done) / PAGE).read(within, target, targetOffset + done, part);
            done += part;
        }
    }

    @Override
    public void write(int offset, byte[] source, int sourceOffset, int length) {
        check(offset, length);
        for (int done = 0; done < length;) {
            int within = (offset + done) % PAGE;
            int part = Math.min(length - done, PAGE - within);
            pages.get((offset + done) / PAGE).write(within, source, sourceOffset + done, part);
            done += part;
        }
    }

    private void check(int offset, int length) {
        if (unmapped) {
            throw new IllegalStateException("unmapped");
        }
        Objects.checkFromIndexSize(offset, length, size());
    }

    private ByteBuffer get(int offset, int length) {
        byte[] bytes = new byte[length];
        read(offset, bytes, 0, length);
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    private void put(int offset, long value, int length) {
        write(offset, ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array(), 0, length);
    }

    @Override
    public int get8(int offset) {
        return get(offset, Byte.BYTES).get() & 0xff;
    }

    @Override
    public int get16(int offset) {
        return get(offset, Short.BYTES).getShort() & 0xffff;
    }

    @Override
    public int get32(int offset) {
        return get(offset, Integer.BYTES).getInt();
    }

    @Override
    public long get64(int offset) {
        return get(offset, Long.BYTES).getLong();
    }

    @Override
    public void put8(int offset, int value) {
        put(offset, value, Byte.BYTES);
    }

    @Override
    public void put16(int offset, int value) {
        put(offset, value, Short.BYTES);
    }

    @Override
    public void put32(int offset, int value) {
        put(offset, value, Integer.BYTES);
    }

    @Override
    public void put64(int offset, long value) {
        put(offset, value, Long.BYTES);
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
        if (!unmapped) {
            unmapped = true;
            pages.forEach(FakePage::unmap);
        }
    }
}
