package dev.xenolith.dom0.xenstore;

import java.util.List;

/** {@link StoreAccess} to a view of the store. */
abstract class ViewAccess implements StoreAccess {
    /** Where operations go; refuses if there is nothing any more. */
    abstract StoreView view() throws XenstoreException;

    @Override
    public byte[] read(String path) throws XenstoreException {
        return view().read(path).clone();
    }

    @Override
    public void write(String path, byte[] value) throws XenstoreException {
        if (path.length() + 1 + value.length > StoreConnection.MAX_PAYLOAD) {
            throw new XenstoreException(XenstoreError.E2BIG, path);
        }
        view().write(path, value.clone());
    }

    @Override
    public void mkdir(String path) throws XenstoreException {
        view().mkdir(path);
    }

    @Override
    public void remove(String path) throws XenstoreException {
        view().remove(path);
    }

    @Override
    public List<String> list(String path) throws XenstoreException {
        return view().readable(path).children.names();
    }

    @Override
    public Permissions permissions(String path) throws XenstoreException {
        return view().permissions(path);
    }

    @Override
    public void setPermissions(String path, Permissions permissions) throws XenstoreException {
        view().setPermissions(path, permissions);
    }
}
