package dev.xenolith.dom0.backend;

import dev.xenolith.dom0.xenstore.XenstoreClient;
import dev.xenolith.dom0.xenstore.XenstoreException;
import dev.xenolith.hypervisor.operations.DomainHandle;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One device as its backend sees it: the two directories in xenstore and the states of both ends. Follows the frontend through its
 * states as Linux's xenbus does (xen-blkback's and xen-netback's {@code frontend_changed}).
 */
public final class BackendDevice {
    private static final Logger LOG = LoggerFactory.getLogger(BackendDevice.class);

    private final DomainHandle handle;
    private final XenstoreClient store;
    private final String kind;
    private final int frontendId;
    private final int number;
    private final String directory;
    private final String frontend;
    private final Runnable whenStopped;
    private @Nullable Backend backend;
    private XenstoreClient.@Nullable WatchRegistration watch;
    private XenbusState state = XenbusState.INITIALISING;
    private boolean ready;
    private boolean stopping;

    /**
     * @param directory where the backend's nodes are
     * @param frontend where the frontend's nodes are
     * @param whenStopped told when the backend has let go of everything
     */
    BackendDevice(DomainHandle handle, XenstoreClient store, String kind, int frontendId, int number, String directory,
            String frontend, Runnable whenStopped) {
        this.handle = handle;
        this.store = store;
        this.kind = kind;
        this.frontendId = frontendId;
        this.number = number;
        this.directory = directory;
        this.frontend = frontend;
        this.whenStopped = whenStopped;
    }

    void start(Backend made) throws XenstoreException {
        backend = made;
        made.start();
        watch = store.watch(frontend + "/state", path -> follow());
    }

    // ---- what the backend asks ---------------------------------------------------------------------------------------

    /** The backend's door to the hypervisor. */
    public DomainHandle handle() {
        return handle;
    }

    /** The kind of device, as its driver has it. */
    public String kind() {
        return kind;
    }

    /** Domid of the frontend. */
    public int frontendId() {
        return frontendId;
    }

    /** The number by which the frontend knows the device. */
    public int number() {
        return number;
    }

    /** For messages. */
    @Override
    public String toString() {
        return kind + "-" + frontendId + "-" + number;
    }

    /** A node that the toolstack has written for the backend, or null. */
    public @Nullable String setting(String name) {
        return find(directory + '/' + name);
    }

    /** A node that the frontend has written, any text at all, or null. */
    public @Nullable String asked(String name) {
        return find(frontend + '/' + name);
    }

    /** A decimal number that the frontend has written, or {@code otherwise} if the node is missing or holds anything else. */
    public long askedNumber(String name, long otherwise) {
        String text = asked(name);
        return text != null && text.matches("[0-9]{1,10}") ? Long.parseLong(text) : otherwise;
    }

    private @Nullable String find(String path) {
        try {
            return store.findText(path);
        } catch (XenstoreException e) {
            return null;
        }
    }

    /** Tells the frontend something: writes a node of the backend's directory. */
    public void tell(String name, String value) {
        try {
            store.writeText(directory + '/' + name, value);
        } catch (XenstoreException e) {
            LOG.warn("{}: cannot write {}: {}", this, name, e.getMessage());
        }
    }

    /** Tells the frontend a number. */
    public void tell(String name, long value) {
        tell(name, Long.toString(value));
    }

    // ---- the backend's progress --------------------------------------------------------------------------------------

    /** The backend is ready for its frontend. */
    public void ready() {
        ready = true;
        if (!stopping) {
            become(XenbusState.INIT_WAIT);
            follow();
        }
    }

    /** The backend serves its frontend. */
    public void connected() {
        become(XenbusState.CONNECTED);
    }

    /** Has a frontend that is connected look again at what it was told: the state is written once more, which its watch sees. */
    public void renew() {
        if (state == XenbusState.CONNECTED && exists()) {
            tell("state", state.text());
        }
    }

    /** The device cannot be served, or not any more: says why where toolstacks and people look for it, and ends the connection. */
    public void fail(String message) {
        LOG.warn("{}: {}", this, message);
        try {
            String error = store.home() + "/error/" + directory.substring(store.home().length() + 1) + "/error";
            store.writeText(error, message);
        } catch (XenstoreException e) {
            LOG.debug("{}: cannot write its error: {}", this, e.getMessage());
        }
        tell("error", message);
        if (backend != null) {
            backend.disconnect();
        }
        become(ready ? XenbusState.CLOSING : XenbusState.CLOSED);
    }

    private void become(XenbusState next) {
        if (state != next && exists()) {
            state = next;
            tell("state", next.text());
        }
    }

    private boolean exists() {
        return setting("frontend-id") != null;
    }

    // ---- following the frontend --------------------------------------------------------------------------------------

    /** Looks at the frontend's state and does what it calls for. */
    private void follow() {
        Backend served = backend;
        if (served == null || !ready || stopping) {
            return;
        }
        switch (XenbusState.of(asked("state"))) {
            case INITIALISING -> {
                if (!isOnline()) {
                    // Taken back from a frontend that never came.
                    stop();
                } else if (state == XenbusState.CLOSED) {
                    // The frontend's kernel begins anew.
                    become(XenbusState.INIT_WAIT);
                }
            }
            case INITIALISED, CONNECTED -> {
                if (state == XenbusState.INIT_WAIT) {
                    served.connect();
                }
            }
            case CLOSING -> {
                served.disconnect();
                become(XenbusState.CLOSING);
            }
            case CLOSED -> {
                served.disconnect();
                if (isOnline()) {
                    become(XenbusState.CLOSED);
                } else {
                    stop();
                }
            }
            case UNKNOWN -> {
                served.disconnect();
                if (!isOnline()) {
                    stop();
                }
            }
            default -> {
                // Frontends that change their configuration while connected are not known to any backend here.
            }
        }
    }

    private boolean isOnline() { return "1".equals(setting("online")); }

    /** The toolstack has changed something in the backend's directory. */
    void settingsChanged() {
        if (!exists()) {
            stop();
        } else if (!isOnline()) {
            XenbusState asked = XenbusState.of(setting("state"));
            if (asked == XenbusState.CLOSING && state != XenbusState.CLOSING && state != XenbusState.CLOSED) {
                // By this the toolstack asks the frontend to let go; it sees the same node.
                state = XenbusState.CLOSING;
            }
            if (!ready) {
                stop();
            } else {
                follow();
            }
        } else if (backend != null && !stopping) {
            backend.settingsChanged();
        }
    }

    /** Ends the backend; the toolstack sees the state Closed when it has let go of everything. */
    void stop() {
        if (stopping) {
            return;
        }
        stopping = true;
        if (watch != null) {
            watch.close();
        }
        Backend ended = backend;
        if (ended == null) {
            finish();
        } else {
            ended.disconnect();
            ended.stop(this::finish);
        }
    }

    private void finish() {
        become(XenbusState.CLOSED);
        whenStopped.run();
    }
}
