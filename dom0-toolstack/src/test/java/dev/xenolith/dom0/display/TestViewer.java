package dev.xenolith.dom0.display;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** A viewer of few words: what it says is up to the test. */
final class TestViewer implements AutoCloseable {
    /** A rectangle that is not pixels. */
    record Told(int encoding, int x, int y, int width, int height) {
    }

    Socket socket;
    DataInputStream in;
    DataOutputStream out;
    int width;
    int height;
    int[] screen = {};
    ViewerFormat format = ViewerFormat.RGB32;
    final ViewerDecoder decoder = new ViewerDecoder();
    final List<Told> told = new ArrayList<>();

    TestViewer(InetSocketAddress address) throws IOException {
        this(new Socket(address.getAddress(), address.getPort()));
    }

    TestViewer(Socket socket) throws IOException {
        socket.setSoTimeout(20_000);
        this.socket = socket;
        in = new DataInputStream(socket.getInputStream());
        out = new DataOutputStream(socket.getOutputStream());
    }

    /** Shakes hands without a password. */
    static TestViewer connect(TestMachine machine) throws IOException {
        TestViewer viewer = new TestViewer(machine.server.address());
        viewer.version("RFB 003.008\n");
        viewer.in.readUnsignedByte();
        viewer.in.readUnsignedByte();
        viewer.out.writeByte(1);
        viewer.in.readInt();
        viewer.initialise(true);
        return viewer;
    }

    void version(String ours) throws IOException {
        in.readFully(new byte[12]);
        out.write(ours.getBytes(StandardCharsets.ISO_8859_1));
    }

    void initialise(boolean shared) throws IOException {
        out.writeByte(shared ? 1 : 0);
        width = in.readUnsignedShort();
        height = in.readUnsignedShort();
        in.readFully(new byte[16]);
        in.readFully(new byte[in.readInt()]);
        screen = new int[width * height];
    }

    void encodings(int... encodings) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream message = new DataOutputStream(bytes);
        message.writeShort(0x0200);
        message.writeShort(encodings.length);
        for (int each : encodings) {
            message.writeInt(each);
        }
        out.write(bytes.toByteArray());
    }

    void format(ViewerFormat wanted) throws IOException {
        format = wanted;
        out.writeInt(0);
        out.write(wanted.bytes());
    }

    void request(boolean incremental) throws IOException {
        out.writeByte(3);
        out.writeByte(incremental ? 1 : 0);
        out.writeInt(0);
        out.writeShort(width);
        out.writeShort(height);
    }

    void key(int keysym, boolean down) throws IOException {
        out.writeByte(4);
        out.writeByte(down ? 1 : 0);
        out.writeShort(0);
        out.writeInt(keysym);
    }

    void scanCode(int keysym, int code, boolean down) throws IOException {
        out.writeShort(0xff00);
        out.writeShort(down ? 1 : 0);
        out.writeInt(keysym);
        out.writeInt(code);
    }

    void pointer(int x, int y, int buttons) throws IOException {
        out.writeByte(5);
        out.writeByte(buttons);
        out.writeShort(x);
        out.writeShort(y);
    }

    /** Takes one update. */
    void update() throws IOException {
        int type = in.readUnsignedByte();
        if (type != 0) {
            throw new IOException("a message of type " + type);
        }
        in.readUnsignedByte();
        int rectangles = in.readUnsignedShort();
        for (int i = 0; i < rectangles; i++) {
            rectangle();
        }
    }

    private void rectangle() throws IOException {
        int x = in.readUnsignedShort();
        int y = in.readUnsignedShort();
        int across = in.readUnsignedShort();
        int down = in.readUnsignedShort();
        int encoding = in.readInt();
        if (encoding >= 0) {
            int[] pixels = decoder.decode(encoding, across, down, format, in);
            for (int row = 0; row < down; row++) {
                System.arraycopy(pixels, row * across, screen, (y + row) * width + x, across);
            }
            return;
        }
        told.add(new Told(encoding, x, y, across, down));
        switch (encoding) {
            case -308 -> in.readFully(new byte[20]);
            case -239 -> in.readFully(new byte[across * down * format.bits() / 8 + (across + 7) / 8 * down]);
            case -307 -> in.readFully(new byte[in.readInt()]);
            default -> {}
        }
        if ((encoding == -308 && x == 0 || encoding == -223) && (across != width || down != height)) {
            width = across;
            height = down;
            screen = new int[width * height];
        }
    }

    /** Asks until the screen shows what the machine does. */
    void see(TestMachine machine) throws IOException {
        request(false);
        update();
        while (!shows(machine)) {
            request(true);
            update();
        }
    }

    boolean shows(TestMachine machine) {
        if (width != machine.width || height != machine.height) {
            return false;
        }
        for (int i = 0; i < screen.length; i++) {
            if (screen[i] != format.pixel(machine.colour(i % width, i / width))) {
                return false;
            }
        }
        return true;
    }

    /** Whether the other end has closed. */
    boolean isClosed() throws IOException {
        try {
            while (in.read() >= 0) {
                // What was on its way.
            }
            return true;
        } catch (SocketException e) {
            return true;
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
        decoder.close();
    }
}
