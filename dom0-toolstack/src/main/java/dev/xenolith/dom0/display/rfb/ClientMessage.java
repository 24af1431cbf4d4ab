package dev.xenolith.dom0.display.rfb;

import dev.xenolith.dom0.display.encoding.Area;
import dev.xenolith.dom0.display.encoding.PixelFormat;
import java.util.List;

/** A message of a viewer after the handshake. */
sealed interface ClientMessage {
    record SetPixelFormat(PixelFormat format) implements ClientMessage {
    }

    /** @param encodings in the viewer's order */
    record SetEncodings(List<Integer> encodings) implements ClientMessage {
    }

    record UpdateRequest(boolean incremental, Area area) implements ClientMessage {
    }

    record Key(int keysym, boolean down) implements ClientMessage {
    }

    /** QEMU's; {@code scanCode} of set 1, 0 if the viewer does not know. */
    record ExtendedKey(int keysym, int scanCode, boolean down) implements ClientMessage {
    }

    record Pointer(int x, int y, int buttons) implements ClientMessage {
    }

    record CutText(int length) implements ClientMessage {
    }

    record ContinuousUpdates(boolean enable, Area area) implements ClientMessage {
    }

    record Fence(int flags, byte[] payload) implements ClientMessage {
    }

    record SetDesktopSize(int width, int height) implements ClientMessage {
    }
}
