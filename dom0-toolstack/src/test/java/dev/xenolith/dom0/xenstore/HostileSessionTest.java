package dev.xenolith.dom0.xenstore;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.dom0.support.FakeHypervisor;
import dev.xenolith.hypervisor.abi.XenstoreRing;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Byte streams and rings that no honest client would send. */
class HostileSessionTest {
    private static final String[] WORDS = {"/", "/a", "/a/b", "name", "", "@releaseDomain", "@introduceDomain", "T",
        "F", "n0",
        "b1", "r2", "x", "0", "1", "4294967295", "-1", "/local/domain/1/data", "/local/domain/2/data", "check", "help",
        "quota",
        "//", "/a/", "t", "99999999999999999999", "0x7ff0"};

    private final long seed = System.nanoTime();
    private final Random random = new Random(seed);

    private String payload() {
        StringBuilder text = new StringBuilder();
        for (int n = random.nextInt(5); n > 0; n--) {
            text.append(WORDS[random.nextInt(WORDS.length)]);
            if (random.nextInt(40) == 0) {
                text.append("y".repeat(random.nextInt(4100)));
            }
            if (random.nextInt(8) > 0) {
                text.append('|');
            }
        }
        return text.length() > 4096 ? text.substring(0, 4096) : text.toString();
    }

    @Test
    void structuredNonsenseIsAnsweredOneByOne() {
        StoreFixture stores = new StoreFixture();
        SessionFixture guest = new SessionFixture(stores, 1);
        SessionFixture dom0 = new SessionFixture(stores, 0);
        dom0.ask(MessageType.WRITE, 0, "/local/domain/1/data|x");
        dom0.ask(MessageType.SET_PERMS, 0, "/local/domain/1|b1|");
        dom0.ask(MessageType.SET_PERMS, 0, "/local/domain/1/data|b1|");
        for (int i = 0; i < 100_000; i++) {
            SessionFixture session = random.nextInt(4) == 0 ? dom0 : guest;
            int type = random.nextInt(30) == 0 ? random.nextInt() : random.nextInt(25);
            long replies = session.exchange(type, random.nextInt(3), payload()).stream()
                    .filter(line -> !line.startsWith("WATCH_EVENT")).count();
            assertThat(replies).as("seed %d", seed).isEqualTo(1);
            (session == dom0 ? guest : dom0).take();
            stores.now += 100_000_000_000L;
        }
        assertThat(stores.store.audit()).as("seed %d", seed).isEmpty();
        DomainRecord record = Objects.requireNonNull(guest.record(1));
        assertThat(record.outstanding).as("seed %d", seed).isZero();
        guest.session.reset();
        assertThat(record.sessionMemory).as("seed %d", seed).isZero();
    }

    @Test
    void randomBytesNeverThrow() {
        StoreFixture stores = new StoreFixture();
        SessionFixture guest = new SessionFixture(stores, 1);
        byte[] bytes = new byte[64];
        int failures = 0;
        for (int i = 0; i < 100_000; i++) {
            random.nextBytes(bytes);
            if (random.nextInt(2) == 0) {
                for (int at = 0; at < bytes.length; at += 4) {
                    bytes[at + 1] = 0;
                    bytes[at + 2] = 0;
                    bytes[at + 3] = 0;
                }
            }
            guest.feed(bytes);
            guest.take();
            if (guest.session.error() != XenstoreRing.ERROR_NONE) {
                failures++;
                guest.session.reset();
            }
        }
        assertThat(failures).as("seed %d", seed).isPositive();
        assertThat(stores.store.audit()).as("seed %d", seed).isEmpty();
    }

    @Test
    void ringsFullOfNonsenseHarmNobodyElse() throws XenstoreException {
        FakeHypervisor hypervisor = new FakeHypervisor();
        Xenstored xenstored = new Xenstored(hypervisor.handle(0));
        XenstoreClient dom0 = xenstored.connect(hypervisor.handle(0));
        GuestDriver bad = new GuestDriver(hypervisor, 1);
        GuestDriver good = new GuestDriver(hypervisor, 2);
        for (int domid = 1; domid <= 2; domid++) {
            dom0.mkdir("/local/domain/" + domid);
            dom0.setPermissions("/local/domain/" + domid, Permissions.owned(domid, Permissions.NONE));
            dom0.introduce(domid, 5);
        }
        byte[] noise = new byte[256];
        int errors = 0;
        for (int i = 0; i < 20_000; i++) {
            if (random.nextInt(3) == 0) {
                random.nextBytes(noise);
            } else {
                byte[] text = payload().replace('|', '\0').getBytes(StandardCharsets.ISO_8859_1);
                byte[] message = GuestDriver.encode(random.nextInt(24), i, random.nextInt(3), "");
                System.arraycopy(message, 0, noise, 0, 16);
                System.arraycopy(text, 0, noise, 16, Math.min(text.length, 240));
                noise[12] = (byte) text.length;
            }
            bad.page.write(random.nextInt(2048 - 256), noise, 0, noise.length);
            int field = XenstoreRing.REQ_CONS + 4 * random.nextInt(8);
            if (random.nextInt(10) == 0) {
                bad.page.put32(field, random.nextBoolean() ? random.nextInt() : random.nextInt(3000) - 1000);
            } else if (random.nextInt(5) == 0) {
                bad.page.put32(XenstoreRing.CONNECTION, random.nextInt(2));
            } else {
                bad.page.put32(XenstoreRing.REQ_PROD, bad.page.get32(XenstoreRing.REQ_CONS) + random.nextInt(1024));
                bad.page.put32(XenstoreRing.RSP_CONS, bad.page.get32(XenstoreRing.RSP_PROD));
            }
            hypervisor.signalFrom(1);
            hypervisor.run();
            errors += bad.page.get32(XenstoreRing.ERROR) == XenstoreRing.ERROR_NONE ? 0 : 1;
            if (i % 500 == 0) {
                assertThat(good.ask(MessageType.WRITE, "data|" + i)).as("seed %d", seed).isEqualTo("OK|");
                assertThat(xenstored.store().audit()).as("seed %d", seed).isEmpty();
            }
        }
        assertThat(errors).as("seed %d", seed).isPositive();
        hypervisor.destroy(1);
        hypervisor.run();
        assertThat(xenstored.store().domains.find(1)).as("seed %d", seed).isNull();
        assertThat(dom0.list("/local/domain")).as("seed %d", seed).containsExactly("2");
        assertThat(xenstored.store().audit()).as("seed %d", seed).isEmpty();
    }
}
