package dev.xenolith.device.input;

import dev.xenolith.device.Saveable;

/** What is plugged into a PS/2 port: it takes bytes from the controller, and keeps those that it has to send until they are fetched. */
interface Ps2Device extends Saveable {
    /** Says whom to tell that there is something to send. Once. */
    void connect(Runnable hasData);

    /** Takes a byte, 0 to 255, that software sends. */
    void write(int value);

    /** Whether there is something to send. */
    boolean hasData();

    /** The next byte that it sends, which is gone then; only if {@link #hasData}. */
    int next();
}
