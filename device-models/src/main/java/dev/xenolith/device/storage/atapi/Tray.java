package dev.xenolith.device.storage.atapi;

import dev.xenolith.device.Saveable;
import dev.xenolith.device.StateException;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;
import dev.xenolith.device.storage.Medium;
import org.jspecify.annotations.Nullable;

/** The tray of a drive: the disc on it, whether it is out, whether it may be, and what has happened since somebody asked. */
final class Tray implements Saveable {
    /** Bytes of a block. */
    static final int BLOCK = 2048;

    /** Events of the media class (MMC-3, 6.7.1.3). */
    private static final int EVENT_NONE = 0;
    private static final int EVENT_EJECT_REQUEST = 1;
    private static final int EVENT_NEW_MEDIUM = 2;
    private static final int EVENT_REMOVAL = 3;

    private @Nullable Medium disc;
    private boolean open;
    private boolean locked;
    private int event;

    Tray(@Nullable Medium disc) {
        this.disc = disc;
    }

    /** The disc in the drive; null if there is none, or the tray is out. */
    @Nullable
    Medium disc() {
        return open ? null : disc;
    }

    /** Blocks of the disc in the drive. */
    int blocks() {
        Medium present = disc();
        return present == null ? 0 : (int) Math.min(present.size() / BLOCK, Integer.MAX_VALUE);
    }

    boolean isOpen() { return open; }

    boolean isLocked() { return locked; }

    void lock(boolean keep) {
        locked = keep;
    }

    /** Lets the tray out, or in, as the host wants it. Returns whether a disc has come in. */
    boolean move(boolean out) {
        boolean before = disc() != null;
        open = out;
        if (before && out) {
            event = EVENT_REMOVAL;
        } else if (!before && disc() != null) {
            event = EVENT_NEW_MEDIUM;
            return true;
        }
        return false;
    }

    /** Somebody puts a disc in, in place of what was there, and closes the tray. */
    void insert(Medium next) {
        disc = next;
        open = false;
        event = EVENT_NEW_MEDIUM;
    }

    /** Somebody takes the disc away, or presses the button of a locked tray. Returns whether the disc is out. */
    boolean takeOut(boolean force) {
        if (locked && !force) {
            event = EVENT_EJECT_REQUEST;
            return false;
        }
        if (disc() != null) {
            event = EVENT_REMOVAL;
        }
        disc = null;
        open = true;
        return true;
    }

    /** Each event is told once. */
    int takeEvent() {
        int taken = event;
        event = EVENT_NONE;
        return taken;
    }

    @Override
    public String stateName() {
        return "tray";
    }

    @Override
    public void save(StateWriter out) {
        Medium held = disc;
        out.put("bytes", held == null ? -1 : held.size()).put("open", open).put("locked", locked).put("event", event);
    }

    /** The disc itself is put in by whoever builds the drive: it has to be of the size of the one that was saved. */
    @Override
    public void restore(StateReader in) throws StateException {
        Medium held = disc;
        long bytes = in.getLong("bytes");
        if (bytes != (held == null ? -1 : held.size())) {
            throw new StateException("tray.bytes is " + bytes + ": the disc in the drive is another one");
        }
        open = in.getBoolean("open");
        locked = in.getBoolean("locked");
        event = in.getInt("event", EVENT_NONE, EVENT_REMOVAL);
    }
}
