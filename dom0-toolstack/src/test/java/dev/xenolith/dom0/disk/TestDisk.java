package dev.xenolith.dom0.disk;

import dev.xenolith.dom0.disk.CheckReport.Repair;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** An image in memory for tests of what is above images: its power can be cut, and its file system has an end. */
public final class TestDisk {
    /** Bytes of each disk. */
    public static final int SIZE = Layout.SIZE;

    private final Layout layout;
    private final MemoryStore content;
    private final PowerCutStore store;

    private TestDisk(Layout layout, MemoryStore content, boolean forces) {
        this.layout = layout;
        this.content = content;
        store = new PowerCutStore(content, forces);
    }

    /**
     * A new image.
     *
     * @param layout the name of a layout: RAW, QCOW2_4K, VHD_4K, ...
     * @param forces whether the disk forces what it is told to, or only says so
     */
    public static TestDisk of(String layout, boolean forces) throws IOException {
        Layout named = Layout.valueOf(layout);
        return new TestDisk(named, named.create(), forces);
    }

    /** Opens it for writing. */
    public DiskImage open() throws IOException {
        return layout.open(store, OpenMode.READ_WRITE);
    }

    /** Opens it for reading. */
    public DiskImage openReadOnly() throws IOException {
        return layout.open(store, OpenMode.READ_ONLY);
    }

    /** Lets so many more changes of the file and forces be done before power is cut, which is an error of each further one. */
    public void cutAfter(int changes) {
        store.cutAfter(changes);
    }

    /** The file system has room for so many bytes more. */
    public void leaveRoom(long bytes) {
        store.leaveRoom(bytes);
    }

    public void leaveAllRoom() {
        store.leaveAllRoom();
    }

    /** The file as it is now becomes shorter, as by another process. */
    public void truncate(long bytes) throws IOException {
        store.resize(bytes);
    }

    /** Returns what is found when power is back. */
    public TestDisk afterwards(Random random, boolean forces) throws IOException {
        return new TestDisk(layout, store.afterwards(random), forces);
    }

    /** Returns what is wrong with the metadata; leaks are not. */
    public List<String> errors() throws IOException {
        List<String> problems = new ArrayList<>(DiskImages.check(content, layout.format, Repair.NONE).errors());
        if (problems.isEmpty()) {
            CheckReport mended = DiskImages.check(content.copy(), layout.format, Repair.LEAKS);
            if (!mended.clean()) {
                problems.add("leaks that cannot be mended: " + mended);
            }
        }
        return problems;
    }

    /** Returns all of the disk. */
    public byte[] bytes() throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(SIZE);
        try (DiskImage image = openReadOnly()) {
            image.read(0, bytes);
        }
        return bytes.array();
    }
}
