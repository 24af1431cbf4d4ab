package dev.xenolith.dom0.xenstore;

import static dev.xenolith.dom0.xenstore.StoreFixture.bytes;
import static dev.xenolith.dom0.xenstore.StoreFixture.errorOf;
import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.dom0.xenstore.StoreFixture.Client;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class QuotaTest {
    private final StoreFixture fixture = new StoreFixture();
    private final Client dom0 = fixture.client(0);
    private final Client guest = fixture.client(1);

    @BeforeEach
    void home() throws XenstoreException {
        dom0.direct().mkdir("/local/domain/1");
        dom0.direct().setPermissions("/local/domain/1", Permissions.owned(1, Permissions.NONE));
        guest.direct().mkdir("data");
    }

    @Test
    void nodes() throws XenstoreException {
        int nodes = guest.connection.domain.nodes;
        for (int i = nodes; i < 1000; i++) {
            guest.direct().mkdir("data/d" + i % 10 + (i % 100 / 10) + "/" + i / 100);
            nodes = guest.connection.domain.nodes;
            if (nodes >= 999) {
                break;
            }
        }
        while (guest.connection.domain.nodes < 1000) {
            guest.direct().mkdir("data/n" + guest.connection.domain.nodes);
        }
        assertThat(errorOf(() -> guest.direct().mkdir("data/more"))).isEqualTo(XenstoreError.ENOSPC);
        assertThat(errorOf(() -> guest.direct().write("data", bytes("an existing one")))).isNull();
        assertThat(errorOf(() -> dom0.direct().mkdir("/local/domain/1/by-dom0"))).isNull();
        assertThat(guest.connection.domain.nodes).isEqualTo(1001);
        guest.direct().remove("data");
        dom0.direct().remove("/local/domain/1/by-dom0");
        assertThat(guest.connection.domain.nodes).isEqualTo(1);
        assertThat(errorOf(() -> guest.direct().mkdir("data/again"))).isNull();
        assertThat(fixture.store.audit()).isEmpty();
    }

    @Test
    void nodesInTransactions() throws XenstoreException {
        fixture.store.quotas.set(Quotas.Item.NODES, 10);
        Transaction transaction = guest.connection.start();
        for (int i = guest.connection.domain.nodes; i < 10; i++) {
            transaction.mkdir("data/" + i);
        }
        assertThat(errorOf(() -> transaction.mkdir("data/x"))).isEqualTo(XenstoreError.ENOSPC);
        assertThat(errorOf(() -> guest.connection.end(transaction.id, true))).as("one request was refused")
                .isEqualTo(XenstoreError.ENOMEM);

        Transaction first = guest.connection.start();
        Transaction second = guest.connection.start();
        for (int i = 0; i < 5; i++) {
            first.mkdir("data/first" + i);
            second.mkdir("first" + i);
        }
        guest.connection.end(first.id, true);
        assertThat(errorOf(() -> guest.connection.end(second.id, true))).isEqualTo(XenstoreError.ENOSPC);
        assertThat(guest.connection.domain.nodes).isEqualTo(7);
        assertThat(fixture.store.audit()).isEmpty();
    }

    @Test
    void nodeSize() throws XenstoreException {
        int room = 2048 - 24 - 8 - 1;
        assertThat(errorOf(() -> guest.direct().write("data", new byte[room]))).isNull();
        assertThat(errorOf(() -> guest.direct().write("data", new byte[room + 1]))).isEqualTo(XenstoreError.ENOSPC);
        assertThat(errorOf(() -> guest.direct().mkdir("data/x"))).as("the list of children counts")
                .isEqualTo(XenstoreError.ENOSPC);
        assertThat(errorOf(() -> guest.direct().write("new/a/b", new byte[2048]))).isEqualTo(XenstoreError.ENOSPC);
        assertThat(guest.direct().readable("/local/domain/1").children.names()).as("nothing is half made")
                .containsExactly("data");
        assertThat(errorOf(() -> dom0.direct().write("/big", new byte[4000]))).isNull();
        assertThat(fixture.store.audit()).isEmpty();
    }

    @Test
    void watches() throws XenstoreException {
        for (int i = 0; i < 128; i++) {
            guest.watch("w" + i, "t");
        }
        assertThat(errorOf(() -> guest.watch("more", "t"))).isEqualTo(XenstoreError.E2BIG);
        guest.connection.unwatch("w7", "t");
        assertThat(errorOf(() -> guest.watch("more", "t"))).isNull();
        for (int i = 0; i < 1000; i++) {
            dom0.watch("/w" + i, "t");
        }
        guest.connection.reset();
        assertThat(guest.connection.domain.watches).isZero();
        assertThat(guest.connection.domain.sessionMemory).isZero();
    }

    @Test
    void transactions() throws XenstoreException {
        for (int i = 0; i < 10; i++) {
            guest.connection.start();
        }
        assertThat(errorOf(() -> guest.connection.start())).isEqualTo(XenstoreError.ENOSPC);
        assertThat(errorOf(() -> fixture.client(1).connection.start())).as("another connection of the domain")
                .isEqualTo(XenstoreError.ENOSPC);
        guest.connection.end(3, false);
        assertThat(errorOf(() -> guest.connection.start())).isNull();
        guest.connection.reset();
        assertThat(guest.connection.domain.transactions).isZero();
        assertThat(guest.connection.domain.sessionMemory).isZero();
    }

    @Test
    void permissionEntries() throws XenstoreException {
        List<String> five = List.of("n1", "r2", "r3", "r0", "r1");
        guest.direct().setPermissions("data", Permissions.parse(five));
        Permissions six = Permissions.parse(five).and(2, Permissions.WRITE);
        assertThat(errorOf(() -> guest.direct().setPermissions("data", six))).isEqualTo(XenstoreError.ENOSPC);
        assertThat(errorOf(() -> dom0.direct().setPermissions("/local/domain/1/data", six))).isNull();
    }

    @Test
    void nodesOfATransaction() throws XenstoreException {
        Transaction transaction = guest.connection.start();
        for (int i = 0; i < 1023; i++) {
            int index = i;
            errorOf(() -> transaction.read("data/" + index));
        }
        assertThat(errorOf(() -> transaction.read("data/full"))).isEqualTo(XenstoreError.ENOSPC);
        assertThat(errorOf(() -> transaction.read("data/7"))).as("known already").isEqualTo(XenstoreError.ENOENT);
        assertThat(errorOf(() -> guest.connection.end(transaction.id, true))).isEqualTo(XenstoreError.ENOMEM);
        assertThat(guest.connection.domain.sessionMemory).isZero();
    }

    @Test
    void memory() throws XenstoreException {
        byte[] value = new byte[1900];
        String deep = "/" + "p".repeat(1800);
        int written = 0;
        XenstoreError error = null;
        while (error == null && written < 490) {
            String path = "data/" + written + deep;
            error = errorOf(() -> guest.direct().write(path, value));
            written += error == null ? 1 : 0;
        }
        assertThat(error).isEqualTo(XenstoreError.ENOMEM);
        assertThat(guest.connection.domain.memory()).isBetween((5 << 19) - 8000, 5 << 19);
        assertThat(errorOf(() -> guest.watch("x".repeat(2000), "y".repeat(2000)))).isEqualTo(XenstoreError.ENOMEM);
        Transaction transaction = guest.connection.start();
        assertThat(errorOf(() -> {
            for (int i = 0; i < 5; i++) {
                transaction.write("data/" + i + deep, value);
            }
        })).isEqualTo(XenstoreError.ENOMEM);
        guest.connection.end(transaction.id, false);
        guest.direct().remove("data");
        assertThat(guest.connection.domain.nodes).isEqualTo(1);
        assertThat(errorOf(() -> guest.direct().write("data", value))).isNull();
        assertThat(fixture.store.audit()).isEmpty();
    }

    @Test
    void allIsGivenBackWhenTheDomainEnds() throws XenstoreException {
        int before = dom0.connection.domain.nodes;
        for (int i = 0; i < 30; i++) {
            guest.watch("w" + i, "t");
            guest.direct().write("data/" + i, bytes("v"));
        }
        guest.connection.start().write("data/x", bytes("x"));
        DomainRecord record = guest.connection.domain;
        guest.connection.reset();
        fixture.store.forget(1);
        assertThat(record.memory()).isZero();
        assertThat(record.nodes).isZero();
        assertThat(dom0.connection.domain.nodes).isEqualTo(before);
        assertThat(fixture.store.watches.isEmpty()).isTrue();
        assertThat(fixture.store.audit()).isEmpty();
    }
}
