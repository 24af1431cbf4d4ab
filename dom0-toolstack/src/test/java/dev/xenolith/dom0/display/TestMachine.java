package dev.xenolith.dom0.display;

import dev.xenolith.device.display.Display;
import dev.xenolith.device.display.Picture;
import dev.xenolith.device.input.Keyboard;
import dev.xenolith.device.input.Pointer;
import dev.xenolith.dom0.display.rfb.SharePolicy;
import dev.xenolith.dom0.display.web.SerialConsole;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A machine as the server sees it: a thread, a display that draws a known picture, and devices that tell what is done to them. */
final class TestMachine implements Display, Keyboard, Pointer, AutoCloseable {
    final ExecutorService thread = Executors.newSingleThreadExecutor();
    final BlockingQueue<String> events = new LinkedBlockingQueue<>();
    final BlockingQueue<Byte> typed = new LinkedBlockingQueue<>();
    final SerialConsole console = new SerialConsole(typed::offer);
    final VncServer server;
    volatile boolean absolute = true;
    volatile int width = 200;
    volatile int height = 100;
    /** Makes another picture of the same size. */
    volatile int shade;
    volatile int draws;

    TestMachine(@Nullable Path password, boolean tls, SharePolicy sharing) throws IOException {
        InetSocketAddress anyPort = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        server = new VncServer(new VncSettings(anyPort, anyPort, password, tls, sharing), "test", console);
        server.connect(thread, this, this, this);
    }

    static TestMachine open() throws IOException {
        return new TestMachine(null, false, SharePolicy.ALLOW_EXCLUSIVE);
    }

    /** The colour that is at a place. */
    int colour(int x, int y) {
        return x < 64 ? shade : x < 128 ? (x * 31 + y * 17) * 0x10203 & 0xff_ffff : (x / 8 + y / 8) % 2 * 0xff_ffff;
    }

    @Override
    public void draw(Picture picture) {
        draws++;
        picture.resize(width, height);
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                picture.set(x, y, colour(x, y));
            }
        }
    }

    @Override
    public void key(int usage, boolean down) {
        events.add((down ? "+" : "-") + Integer.toHexString(usage));
    }

    @Override
    public boolean isAbsolute() { return absolute; }

    @Override
    public void moveTo(int x, int y, int wheel, int buttons) {
        events.add("at " + x + " " + y + " " + wheel + " " + buttons);
    }

    @Override
    public void moveBy(int dx, int dy, int wheel, int buttons) {
        events.add("by " + dx + " " + dy + " " + wheel + " " + buttons);
    }

    /** The next that is done to a device. */
    String event() throws InterruptedException {
        String event = events.poll(20, TimeUnit.SECONDS);
        return event == null ? "nothing" : event;
    }

    @Override
    public void close() {
        server.close();
        thread.shutdownNow();
    }
}
