package dev.xenolith.dom0.host;

import dev.xenolith.dom0.lifecycle.DomainListener;
import java.util.concurrent.Semaphore;

/**
 * Gives the daemon's heap back to the system when the last guest is gone. The collector by itself returns memory only after a full
 * collection, which it puts off until the heap's limit; with nobody there, one is free.
 */
final class HeapTrim implements DomainListener {
    private final Semaphore wanted = new Semaphore(0);
    private int guests;

    private HeapTrim() {
    }

    /** Watches a host until its process ends. */
    static void watch(Host host) {
        HeapTrim trim = new HeapTrim();
        Thread.ofPlatform().name("heap trim").daemon().start(trim::work);
        host.addListener(trim);
    }

    private void work() {
        while (true) {
            wanted.acquireUninterruptibly();
            wanted.drainPermits();
            System.gc();
        }
    }

    @Override
    public void created(int domid, String name) {
        guests++;
    }

    @Override
    public void destroyed(int domid) {
        if (--guests == 0) {
            wanted.release();
        }
    }

    @Override
    public void shutDown(int domid, int reason) {
        // It is still there.
    }

    @Override
    public void restarted(int domid, int newDomid) {
        // Told as created and destroyed too.
    }
}
