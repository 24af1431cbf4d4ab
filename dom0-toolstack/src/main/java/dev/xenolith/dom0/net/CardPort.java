package dev.xenolith.dom0.net;

import dev.xenolith.device.network.NetworkLink;
import dev.xenolith.dom0.net.packet.Offload;
import dev.xenolith.dom0.net.packet.OffloadFeatures;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The cable between an emulated network card and a bridge: for the one its link, for the other a port. Machine thread only. */
public final class CardPort implements NetworkLink, NetworkPort {
    private final String name;
    private @Nullable Receiver card;
    private @Nullable Link link;

    /** @param name what users know the card by, such as {@code nic0} */
    public CardPort(String name) {
        this.name = name;
    }

    /** Plugs the cable into {@code bridge}; what the card sends before goes nowhere. */
    public void attach(Bridge bridge) throws NetworkException {
        link = bridge.attach(this);
    }

    @Override
    public void connect(Receiver receiver) {
        card = receiver;
    }

    @Override
    public void send(byte[] frame, int offset, int length) {
        Link attached = link;
        if (attached != null) {
            attached.send(frame, offset, length, Offload.NONE);
        }
    }

    @Override
    public boolean isUp() { return true; }

    @Override
    public String name() {
        return name;
    }

    /** A card takes frames as they are on a wire. */
    @Override
    public OffloadFeatures features() {
        return OffloadFeatures.NONE;
    }

    @Override
    public boolean deliver(byte[] buffer, int offset, int length, Offload offload) {
        return Objects.requireNonNull(card, "a cable without a card").deliver(buffer, offset, length);
    }
}
