package dev.xenolith.dom0.xl;

import dev.xenolith.dom0.support.FakeHypervisor;
import dev.xenolith.dom0.xenstore.Permissions;
import dev.xenolith.dom0.xenstore.StoreAccess;
import dev.xenolith.dom0.xenstore.XenstoreException;
import java.util.List;

/** Access to a store under a lock, after each change of which what it causes is done. */
class LockedStoreAccess implements StoreAccess {
    private final StoreAccess access;
    private final FakeHypervisor lock;

    LockedStoreAccess(StoreAccess access, FakeHypervisor lock) {
        this.access = access;
        this.lock = lock;
    }

    @Override
    public List<String> list(String path) throws XenstoreException {
        synchronized (lock) {
            return access.list(path);
        }
    }

    @Override
    public byte[] read(String path) throws XenstoreException {
        synchronized (lock) {
            return access.read(path);
        }
    }

    @Override
    public void write(String path, byte[] value) throws XenstoreException {
        synchronized (lock) {
            access.write(path, value);
            lock.run();
        }
    }

    @Override
    public void mkdir(String path) throws XenstoreException {
        synchronized (lock) {
            access.mkdir(path);
        }
    }

    @Override
    public void remove(String path) throws XenstoreException {
        synchronized (lock) {
            access.remove(path);
        }
    }

    @Override
    public Permissions permissions(String path) throws XenstoreException {
        synchronized (lock) {
            return access.permissions(path);
        }
    }

    @Override
    public void setPermissions(String path, Permissions permissions) throws XenstoreException {
        synchronized (lock) {
            access.setPermissions(path, permissions);
        }
    }
}
