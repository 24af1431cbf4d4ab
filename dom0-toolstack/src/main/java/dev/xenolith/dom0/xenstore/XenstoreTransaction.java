package dev.xenolith.dom0.xenstore;

/** A transaction of a {@link XenstoreClient}: it is over when committed or closed. */
public final class XenstoreTransaction extends ViewAccess implements StoreTransaction {
    private final StoreConnection connection;
    private final int id;
    private boolean over;

    XenstoreTransaction(StoreConnection connection) throws XenstoreException {
        this.connection = connection;
        id = connection.start().id;
    }

    @Override
    StoreView view() throws XenstoreException {
        return connection.view(id);
    }

    @Override
    public boolean commit() throws XenstoreException {
        over = true;
        try {
            connection.end(id, true);
            return true;
        } catch (XenstoreException e) {
            if (e.error() == XenstoreError.EAGAIN) {
                return false;
            }
            throw e;
        }
    }

    @Override
    public void close() {
        if (!over) {
            over = true;
            try {
                connection.end(id, false);
            } catch (XenstoreException e) {
                // The connection was reset or closed: then there is nothing left to abort.
                assert e.error() == XenstoreError.ENOENT;
            }
        }
    }
}
