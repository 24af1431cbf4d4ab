package dev.xenolith.dom0.net.tap;

import com.sun.jna.LastErrorException;
import com.sun.jna.Native;
import com.sun.jna.Platform;
import dev.xenolith.dom0.net.NetworkException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** A TAP device of Linux (Documentation/networking/tuntap.rst), by JNA's direct mapping: frames in and out of a file descriptor. */
final class TunDevice {
    /** The C library. */
    private static final class Libc {
        static {
            Native.register(Libc.class, Platform.C_LIBRARY_NAME);
        }

        private Libc() {}

        static native int open(String path, int flags) throws LastErrorException;

        static native int close(int descriptor);

        static native int ioctl(int descriptor, long request, byte[] argument) throws LastErrorException;

        static native long read(int descriptor, byte[] buffer, long length) throws LastErrorException;

        static native long write(int descriptor, byte[] buffer, long length) throws LastErrorException;

        static native int poll(byte[] descriptors, long count, int timeoutMillis);
    }

    private static final String PATH = "/dev/net/tun";
    private static final int O_RDWR = 2;
    private static final int O_NONBLOCK = 0x800;
    private static final int O_CLOEXEC = 0x80000;
    /** _IOW('T', 202, int). */
    private static final long TUNSETIFF = 0x400454caL;
    private static final int IFF_TAP = 0x0002;
    private static final int IFF_NO_PI = 0x1000;
    private static final int IFREQ_SIZE = 40;
    private static final int IFNAMSIZ = 16;
    private static final short POLLIN = 1;
    private static final int POLL_MILLIS = 200;

    private static final int EPERM = 1;
    private static final int ENOENT = 2;
    private static final int EAGAIN = 11;
    private static final int EACCES = 13;
    private static final int EBUSY = 16;
    private static final int ENODEV = 19;
    private static final int EINVAL = 22;

    private final String name;
    private final int descriptor;

    private TunDevice(String name, int descriptor) {
        this.name = name;
        this.descriptor = descriptor;
    }

    /**
     * Attaches to a TAP interface, which is made if there is none and we may.
     *
     * @param name of the interface, 1..15 bytes
     * @throws NetworkException naming what is missing
     */
    static TunDevice open(String name) throws NetworkException {
        byte[] bytes = name.getBytes(StandardCharsets.US_ASCII);
        if (!name.matches("[!-.0-~]{1,15}")) {
            throw new NetworkException(
                    "expected the name of a TAP interface, 1 to 15 characters, found \"" + name + "\"");
        }
        if (!Platform.isLinux()) {
            throw new NetworkException("TAP interface " + name + ": only Linux has them");
        }
        int descriptor;
        try {
            descriptor = Libc.open(PATH, O_RDWR | O_NONBLOCK | O_CLOEXEC);
        } catch (LastErrorException e) {
            throw new NetworkException(
                    "TAP interface " + name + ": cannot open " + PATH + ": " + switch (e.getErrorCode()) {
                        case ENOENT, ENODEV ->
                            "there is no such device; the kernel lacks the module tun, or the container the device";
                        case EACCES, EPERM -> "permission denied; it wants to be readable and writable for this user";
                        default -> "errno " + e.getErrorCode();
                    }, e);
        }
        byte[] request = Arrays.copyOf(bytes, IFREQ_SIZE);
        request[IFNAMSIZ] = (byte) (IFF_TAP | IFF_NO_PI);
        request[IFNAMSIZ + 1] = (byte) ((IFF_TAP | IFF_NO_PI) >> 8);
        try {
            Libc.ioctl(descriptor, TUNSETIFF, request);
        } catch (LastErrorException e) {
            Libc.close(descriptor);
            throw new NetworkException("TAP interface " + name + ": " + switch (e.getErrorCode()) {
                case EPERM, EACCES ->
                    "not permitted; that takes CAP_NET_ADMIN, or an interface that was made for this user"
                            + " (ip tuntap add dev " + name + " mode tap user NAME)";
                case EBUSY -> "another process is attached to it";
                case EINVAL -> "it is there, but is no TAP interface";
                default -> "TUNSETIFF failed with errno " + e.getErrorCode();
            }, e);
        }
        return new TunDevice(name, descriptor);
    }

    String name() {
        return name;
    }

    /** Waits a while for a frame; false if none came. */
    boolean await() {
        // struct pollfd: int fd, short events, short revents, in the order of the host, which is little-endian on all we run on.
        byte[] poll = {(byte) descriptor, (byte) (descriptor >> 8), (byte) (descriptor >> 16),
            (byte) (descriptor >> 24), (byte) POLLIN, 0, 0, 0};
        return Libc.poll(poll, 1, POLL_MILLIS) > 0;
    }

    /**
     * Reads a frame.
     *
     * @return its length; 0 if none is there; -1 if the interface is gone
     */
    int read(byte[] buffer) {
        try {
            return (int) Libc.read(descriptor, buffer, buffer.length);
        } catch (LastErrorException e) {
            return e.getErrorCode() == EAGAIN ? 0 : -1;
        }
    }

    /** Writes a frame, which takes no time; false if the interface does not take it now, for it is down or its queue is full. */
    boolean write(byte[] frame, int length) {
        try {
            return Libc.write(descriptor, frame, length) == length;
        } catch (LastErrorException e) {
            return false;
        }
    }

    void close() {
        Libc.close(descriptor);
    }
}
