package dev.xenolith.dom0.host;

import dev.xenolith.dom0.xenstore.Permissions;
import dev.xenolith.dom0.xenstore.StoreAccess;
import dev.xenolith.dom0.xenstore.XenstoreException;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Requests of a command to xenstored, the same in and outside of a transaction: each is a handler of dom0, for which the command waits. */
class CommandStoreAccess implements StoreAccess {
    final HostToolstack toolstack;
    private final StoreAccess access;

    CommandStoreAccess(HostToolstack toolstack, StoreAccess access) {
        this.toolstack = toolstack;
        this.access = access;
    }

    /** A request, on the machine thread. */
    @FunctionalInterface
    interface Request<T> {
        T send() throws XenstoreException;
    }

    private record Answer<T>(@Nullable T value, @Nullable XenstoreException refusal) {
    }

    /** Sends a request and waits for the answer. */
    final <T> T request(Request<T> request) throws XenstoreException {
        Answer<T> answer = toolstack.ask(() -> {
            try {
                return new Answer<>(request.send(), null);
            } catch (XenstoreException e) {
                return new Answer<>(null, e);
            }
        });
        if (answer.value == null) {
            throw Objects.requireNonNull(answer.refusal);
        }
        return answer.value;
    }

    /** Does something that cannot be refused, and waits until it is done. */
    final void errand(Runnable errand) {
        toolstack.ask(() -> {
            errand.run();
            return true;
        });
    }

    @Override
    public List<String> list(String path) throws XenstoreException {
        return request(() -> access.list(path));
    }

    @Override
    public byte[] read(String path) throws XenstoreException {
        return request(() -> access.read(path));
    }

    @Override
    public void write(String path, byte[] value) throws XenstoreException {
        request(() -> {
            access.write(path, value);
            return true;
        });
    }

    @Override
    public void mkdir(String path) throws XenstoreException {
        request(() -> {
            access.mkdir(path);
            return true;
        });
    }

    @Override
    public void remove(String path) throws XenstoreException {
        request(() -> {
            access.remove(path);
            return true;
        });
    }

    @Override
    public Permissions permissions(String path) throws XenstoreException {
        return request(() -> access.permissions(path));
    }

    @Override
    public void setPermissions(String path, Permissions permissions) throws XenstoreException {
        request(() -> {
            access.setPermissions(path, permissions);
            return true;
        });
    }
}
