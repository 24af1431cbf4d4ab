package dev.xenolith.dom0.host;

import dev.xenolith.dom0.xenstore.StoreTransaction;
import dev.xenolith.dom0.xenstore.XenstoreClient;
import dev.xenolith.dom0.xenstore.XenstoreException;
import dev.xenolith.dom0.xenstore.XenstoreTransaction;
import dev.xenolith.dom0.xl.Xenstore;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** A connection to xenstored for a command, which runs on another thread: each request becomes a handler of dom0. */
final class CommandXenstore extends CommandStoreAccess implements Xenstore {
    private final XenstoreClient client;

    CommandXenstore(HostToolstack toolstack, XenstoreClient client) {
        super(toolstack, client);
        this.client = client;
    }

    @Override
    public StoreTransaction begin() throws XenstoreException {
        return new OpenTransaction(request(client::begin));
    }

    private final class OpenTransaction extends CommandStoreAccess implements StoreTransaction {
        private final XenstoreTransaction transaction;

        OpenTransaction(XenstoreTransaction transaction) {
            super(CommandXenstore.this.toolstack, transaction);
            this.transaction = transaction;
        }

        @Override
        public boolean commit() throws XenstoreException {
            return request(transaction::commit);
        }

        @Override
        public void close() {
            errand(transaction::close);
        }
    }

    @Override
    public Watch watch(List<String> paths) throws XenstoreException {
        BlockingQueue<String> events = new LinkedBlockingQueue<>();
        List<XenstoreClient.WatchRegistration> registrations = new ArrayList<>();
        Watch watch = new Watch() {
            @Override
            public String take() throws InterruptedException {
                while (true) {
                    String path = events.poll(1, TimeUnit.SECONDS);
                    if (path != null) {
                        return path;
                    }
                    toolstack.requireRunning();
                }
            }

            @Override
            public void close() {
                errand(() -> registrations.forEach(XenstoreClient.WatchRegistration::close));
            }
        };
        try {
            for (String path : paths) {
                registrations.add(request(() -> client.watch(path, events::add)));
            }
        } catch (XenstoreException e) {
            watch.close();
            throw e;
        }
        return watch;
    }

    @Override
    public void close() {
        errand(client::close);
    }
}
