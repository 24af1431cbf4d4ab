package dev.xenolith.dom0.xl;

/** A connection to xenstored that lasts as long as the command that uses it. */
public interface Xenstore extends XenstoreOperations, AutoCloseable {
    /** XS_TRANSACTION_START. */
    Transaction transaction();

    /**
     * XS_WATCH: fires once by itself, then at every change of the path or below it.
     *
     * @param path or @introduceDomain, @releaseDomain
     */
    Watch watch(String path);

    /** Ends open transactions and watches. */
    @Override
    void close();

    /** Requests in one transaction. */
    interface Transaction extends XenstoreOperations, AutoCloseable {
        /**
         * XS_TRANSACTION_END with "T".
         *
         * @return false if the daemon says EAGAIN: nothing was done, start again
         */
        boolean commit();

        /** Aborts unless committed. */
        @Override
        void close();
    }

    /** One watch. */
    interface Watch extends AutoCloseable {
        /**
         * Waits for the next event.
         *
         * @return the path that changed
         * @throws InterruptedException the client has gone
         */
        String take() throws InterruptedException;

        @Override
        void close();
    }
}
