package dev.xenolith.cpu.processor;

/** The 64 Ki I/O ports as the processor sees them. */
public interface IoBus {
    /** A bus where nothing answers: reads give all ones, writes are lost. */
    IoBus NONE = new IoBus() {
        @Override
        public long in(int port, int size) {
            return (1L << size * 8) - 1;
        }

        @Override
        public void out(int port, int size, long value) {}
    };

    /** The {@code size} (1, 2, 4) bytes at {@code port}, zero-extended. */
    long in(int port, int size);

    /** Writes the low {@code size} (1, 2, 4) bytes of {@code value} to {@code port}. */
    void out(int port, int size, long value);
}
