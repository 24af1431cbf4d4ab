package dev.xenolith.dom0.backend;

import dev.xenolith.dom0.xenstore.XenstoreClient;
import dev.xenolith.dom0.xenstore.XenstoreException;
import dev.xenolith.hypervisor.operations.DomainHandle;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Finds the devices that a toolstack announces for one domain's backends, and ends those it takes back. */
public final class BackendBus {
    private static final Logger LOG = LoggerFactory.getLogger(BackendBus.class);

    private final DomainHandle handle;
    private final XenstoreClient store;
    private final Map<String, BackendDevice> devices = new HashMap<>();
    private boolean ended;
    private Runnable whenEnded = () -> {};

    /** A bus for backends in the domain of {@code handle}, whose connection to xenstore {@code store} is. */
    public BackendBus(DomainHandle handle, XenstoreClient store) {
        this.handle = handle;
        this.store = store;
        handle.whenDying(this::end);
    }

    /** The domain dies: nothing of its frontends is touched any more, and what is behind the devices is let go of. */
    private void end() {
        ended = true;
        List.copyOf(devices.values()).forEach(BackendDevice::stop);
        store.close();
        tellEnd();
    }

    /** {@code action} runs, once, when the domain is dead and what was behind the last device has been let go of. */
    public void whenEnded(Runnable action) {
        whenEnded = action;
        tellEnd();
    }

    private void tellEnd() {
        if (ended && devices.isEmpty()) {
            Runnable action = whenEnded;
            whenEnded = () -> {};
            action.run();
        }
    }

    /** Serves devices of the driver's kind from now on, those that are there already too. */
    public void add(BackendDriver driver) throws XenstoreException {
        String root = store.home() + "/backend/" + driver.kind();
        store.watch(root, path -> changed(driver, root, path));
    }

    private void changed(BackendDriver driver, String root, String path) {
        try {
            String[] below = path.length() <= root.length()
                    ? new String[0]
                    : path.substring(root.length() + 1).split("/", -1);
            if (below.length >= 2) {
                look(driver, below[0], below[1], root + '/' + below[0] + '/' + below[1]);
                return;
            }
            String above = below.length == 0 ? root : root + '/' + below[0];
            // What is not listed any more is gone.
            Set<String> gone = new HashSet<>(devices.keySet());
            gone.removeIf(known -> !known.startsWith(above + '/'));
            for (String domid : below.length == 0 ? list(root) : List.of(below[0])) {
                for (String number : list(root + '/' + domid)) {
                    String directory = root + '/' + domid + '/' + number;
                    gone.remove(directory);
                    look(driver, domid, number, directory);
                }
            }
            gone.forEach(this::refresh);
        } catch (XenstoreException e) {
            LOG.warn("{}: {}", path, e.getMessage());
        }
    }

    private List<String> list(String path) throws XenstoreException {
        return store.exists(path) ? store.list(path) : List.of();
    }

    private void look(BackendDriver driver, String domid, String number, String directory) throws XenstoreException {
        if (devices.containsKey(directory)) {
            refresh(directory);
            return;
        }
        Integer frontendId = number(domid);
        Integer device = number(number);
        String frontend = store.findText(directory + "/frontend");
        if (frontendId == null || device == null || frontend == null
                || !"1".equals(store.findText(directory + "/online"))) {
            // Not announced yet, or already taken back.
            return;
        }
        BackendDevice made = new BackendDevice(handle, store, driver.kind(), frontendId, device, directory, frontend,
                () -> {
                    devices.remove(directory);
                    tellEnd();
                });
        devices.put(directory, made);
        made.start(driver.create(made));
    }

    /** Passes on a change of a device's directory. */
    private void refresh(String directory) {
        BackendDevice device = devices.get(directory);
        if (device != null) {
            device.settingsChanged();
        }
    }

    private static @Nullable Integer number(String text) {
        return text.matches("[0-9]{1,9}") ? Integer.valueOf(text) : null;
    }

    /** Devices that are announced or still being let go of. */
    public int devices() {
        return devices.size();
    }
}
