package dev.xenolith.dom0.xl;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.LinkedBlockingQueue;

/** A store of absolute paths; transactions are not isolated, but the first commit of each test may be told to fail. */
final class FakeXenstore implements Xenstore {
    private final SortedMap<String, byte[]> nodes = new TreeMap<>();
    private final SortedMap<String, List<String>> permissions = new TreeMap<>();
    private final LinkedBlockingQueue<String> events = new LinkedBlockingQueue<>();
    private int failingCommits;
    private int commits;

    FakeXenstore() {
        nodes.put("/", new byte[0]);
    }

    void failCommits(int count) {
        failingCommits = count;
    }

    int commits() {
        return commits;
    }

    private byte[] need(String path) {
        byte[] value = nodes.get(path);
        if (value == null) {
            throw new XenstoreException("ENOENT", path);
        }
        return value;
    }

    @Override
    public synchronized List<String> directory(String path) {
        need(path);
        String prefix = path.equals("/") ? "/" : path + "/";
        List<String> children = new ArrayList<>();
        for (String node : nodes.keySet()) {
            if (node.startsWith(prefix) && node.length() > prefix.length()
                    && node.indexOf('/', prefix.length()) < 0) {
                children.add(node.substring(prefix.length()));
            }
        }
        return children;
    }

    @Override
    public synchronized byte[] read(String path) {
        return need(path).clone();
    }

    @Override
    public synchronized void write(String path, byte[] value) {
        mkdir(path);
        nodes.put(path, value.clone());
        events.add(path);
    }

    void write(String path, String value) {
        write(path, value.getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public synchronized void mkdir(String path) {
        for (int slash = path.indexOf('/', 1); slash > 0; slash = path.indexOf('/', slash + 1)) {
            nodes.putIfAbsent(path.substring(0, slash), new byte[0]);
        }
        nodes.putIfAbsent(path, new byte[0]);
    }

    @Override
    public synchronized void remove(String path) {
        need(path);
        nodes.keySet().removeIf(node -> node.equals(path) || node.startsWith(path + "/"));
    }

    @Override
    public synchronized List<String> permissions(String path) {
        need(path);
        return permissions.getOrDefault(path, List.of("n0"));
    }

    @Override
    public synchronized void setPermissions(String path, List<String> list) {
        need(path);
        permissions.put(path, List.copyOf(list));
    }

    @Override
    public Transaction transaction() {
        return new FakeTransaction();
    }

    @Override
    public Watch watch(String path) {
        events.add(path);
        return new Watch() {
            @Override
            public String take() throws InterruptedException {
                return events.take();
            }

            @Override
            public void close() {
                events.clear();
            }
        };
    }

    @Override
    public void close() {
        // Shared by all commands of a test.
    }

    private final class FakeTransaction implements Transaction {
        @Override
        public List<String> directory(String path) {
            return FakeXenstore.this.directory(path);
        }

        @Override
        public byte[] read(String path) {
            return FakeXenstore.this.read(path);
        }

        @Override
        public void write(String path, byte[] value) {
            FakeXenstore.this.write(path, value);
        }

        @Override
        public void mkdir(String path) {
            FakeXenstore.this.mkdir(path);
        }

        @Override
        public void remove(String path) {
            FakeXenstore.this.remove(path);
        }

        @Override
        public List<String> permissions(String path) {
            return FakeXenstore.this.permissions(path);
        }

        @Override
        public void setPermissions(String path, List<String> list) {
            FakeXenstore.this.setPermissions(path, list);
        }

        @Override
        public boolean commit() {
            commits++;
            return failingCommits-- <= 0;
        }

        @Override
        public void close() {
            // Nothing to undo here.
        }
    }
}
