package dev.xenolith.dom0.xenstore;

import static dev.xenolith.dom0.xenstore.StoreFixture.errorOf;
import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.dom0.support.FakeHypervisor;
import dev.xenolith.dom0.support.FakePage;
import dev.xenolith.dom0.xenstore.GuestDriver.Message;
import dev.xenolith.hypervisor.abi.XenstoreRing;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class XenstoredTest {
    private final FakeHypervisor hypervisor = new FakeHypervisor();
    private final Xenstored xenstored = new Xenstored(hypervisor.handle(0));
    private final XenstoreClient dom0 = xenstored.connect(hypervisor.handle(0));

    private GuestDriver guest(int domid) throws XenstoreException {
        GuestDriver guest = new GuestDriver(hypervisor, domid);
        dom0.mkdir("/local/domain/" + domid);
        dom0.setPermissions("/local/domain/" + domid, Permissions.owned(domid, Permissions.NONE));
        dom0.introduce(domid, 5);
        return guest;
    }

    @Test
    void guestAndDom0MeetInTheStore() throws XenstoreException {
        GuestDriver guest = guest(1);
        List<String> seen = new ArrayList<>();
        dom0.watch("/local/domain/1/data", seen::add);
        hypervisor.run();
        assertThat(guest.ask(MessageType.WRITE, "data/greeting|hello")).isEqualTo("OK|");
        hypervisor.run();
        assertThat(dom0.readText("/local/domain/1/data/greeting")).isEqualTo("hello");
        assertThat(seen).containsExactly("/local/domain/1/data", "/local/domain/1/data/greeting");

        dom0.writeText("/local/domain/1/data/answer", "hi");
        assertThat(guest.ask(MessageType.READ, "data/answer")).as("without its NUL").isEqualTo("EINVAL|");
        assertThat(guest.ask(MessageType.READ, "data/answer|")).isEqualTo("hi");
        assertThat(hypervisor.charged()).isPositive();
    }

    @Test
    void messagesLongerThanTheRingPassInPieces() throws XenstoreException {
        GuestDriver guest = guest(1);
        String value = "0123456789".repeat(200);
        assertThat(guest.ask(MessageType.WRITE, "data|" + value)).isEqualTo("OK|");
        assertThat(guest.ask(MessageType.READ, "data|")).isEqualTo(value);
        for (int i = 0; i < 50; i++) {
            assertThat(guest.ask(MessageType.READ, "data|")).isEqualTo(value);
        }
    }

    @Test
    void aRingMayStartAnywhereAndWrapsAt32Bits() throws XenstoreException {
        GuestDriver guest = guest(1);
        for (int field : new int[]{XenstoreRing.REQ_CONS, XenstoreRing.REQ_PROD, XenstoreRing.RSP_CONS,
            XenstoreRing.RSP_PROD}) {
            guest.page.put32(field, -100);
        }
        for (int i = 0; i < 20; i++) {
            assertThat(guest.ask(MessageType.WRITE, "data|" + i)).isEqualTo("OK|");
        }
        assertThat(guest.page.get32(XenstoreRing.REQ_CONS)).isPositive();
    }

    @Test
    void impossibleIndexesStopThatConnectionOnly() throws XenstoreException {
        GuestDriver bad = guest(1);
        GuestDriver good = guest(2);
        bad.page.put32(XenstoreRing.REQ_PROD, bad.page.get32(XenstoreRing.REQ_CONS) + 1025);
        hypervisor.signalFrom(1);
        hypervisor.run();
        assertThat(bad.page.get32(XenstoreRing.ERROR)).isEqualTo(XenstoreRing.ERROR_RINGIDX);
        assertThat(good.ask(MessageType.WRITE, "data|x")).isEqualTo("OK|");

        bad.page.put32(XenstoreRing.REQ_PROD, bad.page.get32(XenstoreRing.REQ_CONS));
        bad.write(GuestDriver.encode(2, 1, 0, "data|"), 0);
        hypervisor.signalFrom(1);
        hypervisor.run();
        assertThat(bad.page.get32(XenstoreRing.RSP_PROD)).as("silence").isZero();

        bad.page.put32(XenstoreRing.CONNECTION, XenstoreRing.RECONNECT);
        hypervisor.signalFrom(1);
        hypervisor.run();
        assertThat(bad.page.get32(XenstoreRing.CONNECTION)).isEqualTo(XenstoreRing.CONNECTED);
        assertThat(bad.page.get32(XenstoreRing.ERROR)).isEqualTo(XenstoreRing.ERROR_NONE);
        assertThat(bad.ask(MessageType.WRITE, "data|again")).isEqualTo("OK|");
    }

    @Test
    void aReplyIndexThatCannotBeStopsTheConnectionToo() throws XenstoreException {
        GuestDriver guest = guest(1);
        guest.page.put32(XenstoreRing.RSP_CONS, 1);
        guest.write(GuestDriver.encode(2, 1, 0, "data|"), 0);
        hypervisor.signalFrom(1);
        hypervisor.run();
        assertThat(guest.page.get32(XenstoreRing.ERROR)).isEqualTo(XenstoreRing.ERROR_RINGIDX);
    }

    @Test
    void aPayloadOverTheLimitIsAProtocolViolation() throws XenstoreException {
        GuestDriver guest = guest(1);
        byte[] header = GuestDriver.encode(2, 1, 0, "");
        header[12] = 1;
        header[13] = 0x10;
        guest.write(header, 0);
        hypervisor.signalFrom(1);
        hypervisor.run();
        assertThat(guest.page.get32(XenstoreRing.ERROR)).isEqualTo(XenstoreRing.ERROR_PROTO);
    }

    @Test
    void reconnectionForgetsWatchesTransactionsAndHalfMessages() throws XenstoreException {
        GuestDriver guest = guest(1);
        guest.ask(MessageType.WATCH, 0, "data|t|", new ArrayList<>());
        guest.ask(MessageType.TRANSACTION_START, "|");
        guest.write(GuestDriver.encode(2, 1, 0, "data|"), 7);
        guest.page.put32(XenstoreRing.CONNECTION, XenstoreRing.RECONNECT);
        hypervisor.takeSignals(1);
        hypervisor.signalFrom(1);
        hypervisor.run();
        assertThat(hypervisor.takeSignals(1)).isEqualTo(1);
        assertThat(guest.page.get32(XenstoreRing.REQ_PROD)).isZero();
        assertThat(guest.ask(MessageType.UNWATCH, "data|t|")).isEqualTo("ENOENT|");
        assertThat(guest.ask(MessageType.READ, 1, "data|", new ArrayList<>()).text()).isEqualTo("ENOENT|");
        DomainRecord record = xenstored.store().domains.require(1, xenstored.store());
        assertThat(record.sessionMemory).isZero();
        assertThat(record.outstanding).isZero();
    }

    @Test
    void aGuestThatDoesNotReadIsNotHeardBeyondTwentyRequests() throws XenstoreException {
        GuestDriver guest = guest(1);
        byte[] request = GuestDriver.encode(MessageType.WRITE.code, 1, 0, "data|" + "x".repeat(20));
        for (int i = 0; i < 300; i++) {
            guest.write(request, 0);
            if (i % 20 == 0) {
                hypervisor.signalFrom(1);
                hypervisor.run();
            }
        }
        DomainRecord record = xenstored.store().domains.require(1, xenstored.store());
        assertThat(record.outstanding).isLessThanOrEqualTo(20);
        assertThat(record.memory()).isLessThan(4096);
    }

    @Test
    void causedEventsCountUntilTheyAreRead() throws XenstoreException {
        GuestDriver noisy = guest(1);
        GuestDriver lazy = guest(2);
        dom0.setPermissions("/local/domain/1", Permissions.owned(1, Permissions.READ));
        noisy.ask(MessageType.WRITE, "data|0");
        lazy.ask(MessageType.WATCH, 0, "/local/domain/1|t|", new ArrayList<>());
        DomainRecord record = xenstored.store().domains.require(1, xenstored.store());
        String last = "";
        for (int i = 0; i < 300 && record.outstanding < 20; i++) {
            last = "n" + i;
            byte[] request = GuestDriver.encode(MessageType.WRITE.code, i, 0, "data/" + last + "|" + i);
            noisy.write(request, 0);
            noisy.receive();
        }
        assertThat(record.outstanding).as("held by what the lazy domain does not read").isEqualTo(20);
        noisy.write(GuestDriver.encode(MessageType.WRITE.code, 999, 0, "data/late|1"), 0);
        assertThat(noisy.receive()).isEmpty();
        assertThat(lazy.receive()).extracting(Message::text).contains("/local/domain/1/data/" + last + "|t|");
        assertThat(noisy.receive()).extracting(Message::requestId).containsExactly(999);
        lazy.receive();
        assertThat(record.outstanding).isZero();
    }

    @Test
    void eventsThatNobodyReadsExpire() throws XenstoreException {
        GuestDriver noisy = guest(1);
        guest(2).ask(MessageType.WATCH, 0, "/local/domain/1|t|", new ArrayList<>());
        dom0.setPermissions("/local/domain/1", Permissions.owned(1, Permissions.READ));
        DomainRecord record = xenstored.store().domains.require(1, xenstored.store());
        for (int i = 0; i < 300 && record.outstanding < 20; i++) {
            noisy.write(GuestDriver.encode(MessageType.WRITE.code, i, 0, "data/n" + i + "|x"), 0);
            noisy.receive();
        }
        assertThat(record.outstanding).isEqualTo(20);
        hypervisor.advance(XenstoreSession.EVENT_TIMEOUT + 1);
        assertThat(record.outstanding).as("one event is half read").isLessThanOrEqualTo(1);
        assertThat(noisy.ask(MessageType.WRITE, "data|y")).isEqualTo("OK|");
    }

    @Test
    void domainsComeAndGo() throws XenstoreException {
        List<String> seen = new ArrayList<>();
        dom0.watch("@introduceDomain", seen::add);
        dom0.watch("@releaseDomain", seen::add);
        hypervisor.run();
        seen.clear();
        int ports = hypervisor.openPorts();
        GuestDriver guest = guest(1);
        hypervisor.run();
        assertThat(seen).containsExactly("@introduceDomain");
        assertThat(dom0.isIntroduced(1)).isTrue();
        guest.ask(MessageType.WRITE, "data|x");
        hypervisor.shutdown(1);
        hypervisor.run();
        hypervisor.shutdown(1);
        hypervisor.run();
        assertThat(seen).as("told once").containsExactly("@introduceDomain", "@releaseDomain");
        dom0.resume(1);
        hypervisor.shutdown(1);
        hypervisor.run();
        assertThat(seen).hasSize(3);
        assertThat(dom0.exists("/local/domain/1/data")).isTrue();
        hypervisor.destroy(1);
        hypervisor.run();
        assertThat(seen).hasSize(4).endsWith("@releaseDomain");
        assertThat(dom0.exists("/local/domain/1")).isFalse();
        assertThat(dom0.isIntroduced(1)).isFalse();
        assertThat(hypervisor.openPorts()).isEqualTo(ports);
        assertThat(hypervisor.mappedPages()).isZero();
        assertThat(guest.page.isUnmapped()).isTrue();
        assertThat(xenstored.store().domains.find(1)).isNull();
        assertThat(xenstored.store().audit()).isEmpty();
    }

    @Test
    void whoWritesTooFastWhileATransactionIsOpenHasToWait() throws XenstoreException {
        GuestDriver guest = guest(1);
        for (int i = 0; i < 500; i++) {
            assertThat(guest.ask(MessageType.WRITE, "data|" + i)).isEqualTo("OK|");
        }
        XenstoreTransaction transaction = dom0.begin();
        transaction.readText("/local/domain/1/data");
        for (int i = 0; i < 40; i++) {
            guest.write(GuestDriver.encode(MessageType.WRITE.code, i, 0, "data|x"), 0);
        }
        int heard = guest.receive().size();
        assertThat(heard).as("the burst").isBetween(10, 12);
        hypervisor.advance(50_000_000);
        assertThat(guest.receive()).as("200 a second").hasSizeBetween(9, 11);
        hypervisor.advance(1_000_000_000);
        assertThat(guest.receive()).as("the rest").hasSizeBetween(17, 21);
        transaction.close();
        for (int i = 0; i < 100; i++) {
            assertThat(guest.ask(MessageType.WRITE, "data|" + i)).isEqualTo("OK|");
        }
    }

    @Test
    void theEndOfAReleasedDomainIsToldToo() throws XenstoreException {
        guest(1);
        dom0.release(1);
        List<String> seen = new ArrayList<>();
        dom0.watch("@releaseDomain", seen::add);
        hypervisor.run();
        seen.clear();
        hypervisor.destroy(1);
        hypervisor.run();
        assertThat(seen).hasSize(1);
    }

    @Test
    void releaseEndsEverythingAtOnce() throws XenstoreException {
        GuestDriver guest = guest(1);
        guest.ask(MessageType.WRITE, "data|x");
        XenstoreClient component = xenstored.connect(hypervisor.handle(1));
        dom0.release(1);
        assertThat(dom0.exists("/local/domain/1")).isFalse();
        assertThat(errorOf(() -> component.read("data"))).isEqualTo(XenstoreError.EIO);
        assertThat(errorOf(() -> dom0.release(1))).isEqualTo(XenstoreError.ENOENT);
        hypervisor.signalFrom(1);
        hypervisor.run();
    }

    @Test
    void introductionFailsCleanly() {
        int ports = hypervisor.openPorts();
        hypervisor.addDomain(3);
        assertThat(errorOf(() -> dom0.introduce(3, 5))).as("no ring granted").isEqualTo(XenstoreError.EINVAL);
        FakePage page = new GuestDriver(hypervisor, 4).page;
        assertThat(errorOf(() -> dom0.introduce(4, 5000))).as("no such port").isEqualTo(XenstoreError.EINVAL);
        assertThat(errorOf(() -> dom0.introduce(0, 5))).isEqualTo(XenstoreError.EINVAL);
        assertThat(errorOf(() -> dom0.introduce(0x7FF0, 5))).isEqualTo(XenstoreError.EINVAL);
        assertThat(page.isUnmapped()).isTrue();
        assertThat(hypervisor.openPorts()).isEqualTo(ports);
    }

    @Test
    void aSecondIntroductionBindsAnewAndResets() throws XenstoreException {
        GuestDriver guest = guest(1);
        guest.ask(MessageType.TRANSACTION_START, "|");
        int ports = hypervisor.openPorts();
        dom0.introduce(1, 6);
        assertThat(hypervisor.openPorts()).isEqualTo(ports);
        assertThat(guest.ask(MessageType.READ, 1, "x|", new ArrayList<>()).text()).isEqualTo("ENOENT|");
    }

    @Test
    void componentsOfUnprivilegedDomainsHaveOnlyTheirRights() throws XenstoreException {
        guest(1);
        XenstoreClient driver = xenstored.connect(hypervisor.handle(1));
        driver.writeText("state", "4");
        assertThat(dom0.readText("/local/domain/1/state")).isEqualTo("4");
        assertThat(errorOf(() -> driver.writeText("/elsewhere", "x"))).isEqualTo(XenstoreError.EACCES);
        assertThat(errorOf(() -> driver.introduce(2, 1))).isEqualTo(XenstoreError.EACCES);
        driver.close();
        driver.close();
        assertThat(errorOf(() -> driver.read("state"))).isEqualTo(XenstoreError.EIO);
    }

    @Test
    void clientTransactions() throws XenstoreException {
        int[] attempts = {0};
        dom0.writeText("/counter", "0");
        String result = dom0.transaction(store -> {
            String before = store.readText("/counter");
            if (attempts[0]++ == 0) {
                dom0.writeText("/counter", "7");
            }
            store.writeText("/counter", before + "+1");
            return before;
        });
        assertThat(attempts[0]).isEqualTo(2);
        assertThat(result).isEqualTo("7");
        assertThat(dom0.readText("/counter")).isEqualTo("7+1");
        assertThat(errorOf(() -> dom0.transaction(store -> {
            store.writeText("/counter", "lost");
            return store.read("/none");
        }))).isEqualTo(XenstoreError.ENOENT);
        assertThat(dom0.readText("/counter")).isEqualTo("7+1");
        assertThat(errorOf(() -> dom0.transaction(store -> {
            dom0.writeText("/counter", store.readText("/counter"));
            return "";
        }))).as("never succeeds").isEqualTo(XenstoreError.EAGAIN);
        assertThat(errorOf(() -> dom0.write("/x", new byte[4094]))).isEqualTo(XenstoreError.E2BIG);
    }

    @Test
    void handlersAreNeverCalledFromInsideAnOperationAndEndWithTheirWatch() throws XenstoreException {
        List<String> seen = new ArrayList<>();
        XenstoreClient.WatchRegistration watch = dom0.watch("/a", seen::add);
        dom0.mkdir("/a/b");
        dom0.mkdir("/a/c");
        dom0.writeText("/a/c", "again");
        assertThat(seen).isEmpty();
        hypervisor.run();
        assertThat(seen).containsExactly("/a", "/a/b", "/a/c");
        dom0.mkdir("/a/d");
        watch.close();
        watch.close();
        hypervisor.run();
        assertThat(seen).hasSize(3);
        assertThat(xenstored.store().watches.isEmpty()).isTrue();
    }
}
