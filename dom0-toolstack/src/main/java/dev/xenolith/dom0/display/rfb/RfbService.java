package dev.xenolith.dom0.display.rfb;

import dev.xenolith.dom0.display.screen.InputDevices;
import dev.xenolith.dom0.display.screen.ScreenSource;
import io.netty.channel.Channel;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A screen, a keyboard and a pointer as RFB offers them to viewers, over whatever connections. */
public final class RfbService {
    /** Connections at a time, those that are still in their handshake too; more are closed at once. */
    public static final int MAX_CONNECTIONS = 32;

    private static final Logger LOG = LoggerFactory.getLogger(RfbService.class);

    private final ScreenSource screen;
    private final InputDevices inputs;
    private final Security security;
    private final SharePolicy sharing;
    private final Set<Channel> connections = ConcurrentHashMap.newKeySet();
    private volatile String name;

    /** @param name of the desktop, as viewers show it */
    public RfbService(ScreenSource screen, InputDevices inputs, Security security, SharePolicy sharing, String name) {
        this.screen = screen;
        this.inputs = inputs;
        this.security = security;
        this.sharing = sharing;
        this.name = name;
    }

    /**
     * Takes over a connection whose handlers, if it has some, turn what it carries into bytes.
     *
     * @param isProtected what comes through it cannot be read by others, or by others of this computer only: there is no TLS in it then
     */
    public void accept(Channel channel, boolean isProtected) {
        connections.add(channel);
        channel.closeFuture().addListener(_ -> connections.remove(channel));
        if (connections.size() > MAX_CONNECTIONS) {
            LOG.warn("viewer {} is sent away: {} are there already", channel.remoteAddress(), MAX_CONNECTIONS);
            channel.close();
            return;
        }
        channel.pipeline().addLast("handshake", new Handshake(this, isProtected ? security.withoutTls() : security));
        channel.pipeline().addLast("failures", new ConnectionFailures());
    }

    /** Calls the desktop otherwise; viewers that care are told. */
    public void rename(String newName) {
        name = newName;
    }

    String name() {
        return name;
    }

    ScreenSource screen() {
        return screen;
    }

    InputDevices inputs() {
        return inputs;
    }

    /** A viewer says whether it bears others. */
    void share(Channel viewer, boolean shared) {
        if (shared || sharing == SharePolicy.IGNORE) {
            return;
        }
        if (sharing == SharePolicy.FORCE_SHARED) {
            throw new ProtocolException("it wants to be alone, which is not allowed here");
        }
        for (Channel other : connections) {
            if (other != viewer) {
                LOG.info("viewer {} has to go: {} wants to be alone", other.remoteAddress(), viewer.remoteAddress());
                other.close();
            }
        }
    }
}
