package dev.xenolith.dom0.xl;

import dev.xenolith.dom0.support.FakeHypervisor;
import dev.xenolith.dom0.xenstore.StoreTransaction;
import dev.xenolith.dom0.xenstore.XenstoreClient;
import dev.xenolith.dom0.xenstore.XenstoreException;
import dev.xenolith.dom0.xenstore.Xenstored;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;

/** A real store behind one lock instead of a machine thread; the first commits of a test may be told not to hold. */
final class FakeXenstore extends LockedStoreAccess implements Xenstore {
    private final FakeHypervisor hypervisor;
    private final XenstoreClient client;
    private int failingCommits;
    private int commits;

    FakeXenstore() {
        this(new FakeHypervisor());
        hypervisor.addDomain(1);
        hypervisor.addDomain(5);
    }

    private FakeXenstore(FakeHypervisor hypervisor) {
        this(hypervisor, new Xenstored(hypervisor.handle(0)).connect(hypervisor.handle(0)));
    }

    private FakeXenstore(FakeHypervisor hypervisor, XenstoreClient client) {
        super(client, hypervisor);
        this.hypervisor = hypervisor;
        this.client = client;
    }

    void failCommits(int count) {
        failingCommits = count;
    }

    int commits() {
        return commits;
    }

    @Override
    public StoreTransaction begin() throws XenstoreException {
        synchronized (hypervisor) {
            return new Pretended(client.begin());
        }
    }

    @Override
    public Watch watch(List<String> paths) throws XenstoreException {
        LinkedBlockingQueue<String> events = new LinkedBlockingQueue<>();
        synchronized (hypervisor) {
            for (String path : paths) {
                client.watch(path, events::add);
            }
            hypervisor.run();
        }
        return new Watch() {
            @Override
            public String take() throws InterruptedException {
                return events.take();
            }

            @Override
            public void close() {
                events.clear();
            }
        };
    }

    @Override
    public void close() {
        // Shared by all commands of a test.
    }

    private final class Pretended extends LockedStoreAccess implements StoreTransaction {
        private final StoreTransaction transaction;

        Pretended(StoreTransaction transaction) {
            super(transaction, hypervisor);
            this.transaction = transaction;
        }

        @Override
        public boolean commit() throws XenstoreException {
            synchronized (hypervisor) {
                commits++;
                return failingCommits-- <= 0 && transaction.commit();
            }
        }

        @Override
        public void close() {
            synchronized (hypervisor) {
                transaction.close();
            }
        }
    }
}
