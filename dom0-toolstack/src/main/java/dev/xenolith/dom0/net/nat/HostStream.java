package dev.xenolith.dom0.net.nat;

/**
 * A stream on the host's side of a connection, such as a socket. Called on the machine thread; none of the calls waits, and the
 * {@link Listener} hears of results there, later.
 */
interface HostStream {
    /** Asks for the next bytes; one of {@link Listener#received}, {@link Listener#ended}, {@link Listener#failed} answers. */
    void read();

    /** Writes bytes, which are the stream's from now on; {@link Listener#written} or {@link Listener#failed} answers. */
    void write(byte[] data);

    /** Says that nothing more will be written. */
    void shutdownOutput();

    /** Closes in order; what has been written still arrives. */
    void close();

    /** Closes with a reset, so that the other side knows that not all is well. */
    void reset();

    /** Hears of a stream, on the machine thread; not necessarily no more after the stream has been closed. */
    interface Listener {
        void connected();

        /** There is no connection. */
        void connectFailed(Throwable cause);

        /** The next bytes, at most {@link #MAX_READ}; they are the listener's. */
        void received(byte[] data);

        /** The other side will send nothing more. */
        void ended();

        /** The last {@link HostStream#write} is done; the next may follow. */
        void written();

        /** The connection is broken. */
        void failed(Throwable cause);
    }

    /** Most bytes of one {@link #read}. */
    int MAX_READ = 16 << 10;
}
