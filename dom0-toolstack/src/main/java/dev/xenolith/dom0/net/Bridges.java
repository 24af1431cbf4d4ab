package dev.xenolith.dom0.net;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The bridges of a host by name, made when they are first asked for. Owned by the host; machine thread only. */
public final class Bridges implements AutoCloseable {
    /** Most bridges of a host. */
    public static final int MAX_BRIDGES = 256;

    /** What xl attaches a vif to when nothing is said (xl-network-configuration(5)). */
    public static final String DEFAULT_NAME = "xenbr0";

    private record Entry(Bridge bridge, Uplink.Connection uplink) {
    }

    private final NetworkContext context;
    private final Function<String, Uplink> uplinks;
    private final Map<String, Entry> bridges = new TreeMap<>();

    /** @param uplinks what leads out of the bridge of a name */
    public Bridges(NetworkContext context, Function<String, Uplink> uplinks) {
        this.context = context;
        this.uplinks = uplinks;
    }

    /**
     * Returns the bridge of a name, with its uplink; makes it if there is none.
     *
     * @throws NetworkException it cannot be connected, or there are {@value #MAX_BRIDGES} already
     */
    public Bridge bridge(String name) throws NetworkException {
        Entry entry = bridges.get(name);
        if (entry == null) {
            if (bridges.size() == MAX_BRIDGES) {
                throw new NetworkException("cannot make bridge " + name + ": there are " + MAX_BRIDGES + " already");
            }
            Bridge bridge = new Bridge(name, context::now);
            entry = new Entry(bridge, uplinks.apply(name).connect(bridge));
            bridges.put(name, entry);
        }
        return entry.bridge;
    }

    /** The bridge of a name, or null if nobody has asked for it. */
    public @Nullable Bridge find(String name) {
        Entry entry = bridges.get(name);
        return entry == null ? null : entry.bridge;
    }

    /** All bridges, by name. */
    public List<Bridge> all() {
        return bridges.values().stream().map(Entry::bridge).toList();
    }

    /** Ends the uplinks, takes all ports off their bridges and forgets the bridges. */
    @Override
    public void close() {
        for (Entry entry : bridges.values()) {
            entry.uplink.close();
            entry.bridge.links().forEach(Link::detach);
        }
        bridges.clear();
    }
}
