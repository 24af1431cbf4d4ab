package dev.xenolith.device.serial;

import java.io.IOException;
import java.io.OutputStream;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A serial line's end on a pair of streams, such as a terminal. Output is written through a buffer that is flushed between turns;
 * input comes from any thread through {@link #feed}, which blocks while the guest does not take it: flow control reaches back to
 * whoever types.
 */
public final class StreamBackend implements CharacterBackend {
    private static final int INPUT_CAPACITY = 4096;

    private final OutputStream out;
    private final Executor machine;
    private final BlockingQueue<Byte> input = new ArrayBlockingQueue<>(INPUT_CAPACITY);
    private @Nullable Receiver receiver;
    private final Consumer<IOException> failed;
    private boolean broken;
    private boolean flushPending;

    /**
     * @param out takes the bytes the guest sends
     * @param machine runs what it is given on the machine thread: the inbox
     * @param failed told on the machine thread, once, that {@code out} takes no more; what the guest sends then is lost
     */
    public StreamBackend(OutputStream out, Executor machine, Consumer<IOException> failed) {
        this.out = out;
        this.machine = machine;
        this.failed = failed;
    }

    @Override
    public void write(byte value) {
        if (broken) {
            return;
        }
        try {
            out.write(value);
        } catch (IOException e) {
            fail(e);
        }
        if (!flushPending) {
            flushPending = true;
            machine.execute(this::flush);
        }
    }

    private void flush() {
        flushPending = false;
        if (broken) {
            return;
        }
        try {
            out.flush();
        } catch (IOException e) {
            fail(e);
        }
    }

    private void fail(IOException e) {
        broken = true;
        failed.accept(e);
    }

    @Override
    public void connect(Receiver device) {
        receiver = device;
    }

    /** Gives the guest a byte; blocks while it has {@value #INPUT_CAPACITY} that it did not take. Any thread but the machine's. */
    public void feed(byte value) throws InterruptedException {
        input.put(value);
        machine.execute(this::ready);
    }

    /** The same without blocking. Returns false if the byte has not been taken. Any thread. */
    public boolean offer(byte value) {
        if (!input.offer(value)) {
            return false;
        }
        machine.execute(this::ready);
        return true;
    }

    @Override
    public void ready() {
        Receiver device = receiver;
        if (device == null) {
            return;
        }
        while (device.room() > 0) {
            Byte value = input.poll();
            if (value == null) {
                return;
            }
            device.receive(value);
        }
    }
}
