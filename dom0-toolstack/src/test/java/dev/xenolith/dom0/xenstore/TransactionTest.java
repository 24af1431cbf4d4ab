package dev.xenolith.dom0.xenstore;

import static dev.xenolith.dom0.xenstore.StoreFixture.bytes;
import static dev.xenolith.dom0.xenstore.StoreFixture.errorOf;
import static dev.xenolith.dom0.xenstore.StoreFixture.text;
import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.dom0.xenstore.StoreFixture.Client;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TransactionTest {
    private final StoreFixture fixture = new StoreFixture();
    private final Client client = fixture.client(0);
    private final Client other = fixture.client(0);

    @BeforeEach
    void fill() throws XenstoreException {
        client.direct().write("/d/x", bytes("1"));
        client.direct().write("/d/y", bytes("2"));
        client.direct().write("/e/z", bytes("3"));
    }

    private static void act(StoreView view, String action) throws XenstoreException {
        String path = action.substring(action.indexOf(' ') + 1);
        switch (action.substring(0, action.indexOf(' '))) {
            case "read" -> errorOf(() -> view.read(path));
            case "list" -> view.readable(path);
            case "write" -> view.write(path, bytes("new"));
            case "mkdir" -> view.mkdir(path);
            case "rm" -> view.remove(path);
            case "chmod" -> view.setPermissions(path, Permissions.owned(1, Permissions.READ));
            default -> throw new IllegalArgumentException(action);
        }
    }

    @ParameterizedTest
    @CsvSource({
        // inside the transaction, outside meanwhile, conflict
        "read /d/x, write /d/x, true",
        "read /d/x, write /d/y, false",
        "read /d/x, chmod /d/x, true",
        "read /d/x, rm /d/x, true",
        "read /d/x, rm /d, true",
        "read /d/x, rm /d/y, false",
        "read /d/x, write /d/x/sub, true",
        "read /d/none, write /d/none, true",
        "read /d/none, write /d/other, true",
        "read /d/none, write /e/other, false",
        "list /d, write /d/x, false",
        "list /d, mkdir /d/w, true",
        "list /d, rm /d/x, true",
        "list /d, mkdir /d/x/w, false",
        "write /d/x, write /d/x, true",
        "write /d/x, read /d/x, false",
        "write /d/x, write /d/y, false",
        "write /d/x, write /e/z, false",
        "mkdir /d/v, mkdir /d/w, true",
        "mkdir /d/v, write /d/x, false",
        "mkdir /d/v, mkdir /e/w, false",
        "mkdir /d/x, mkdir /d/w, false",
        "rm /d, write /d/x, true",
        "rm /d, mkdir /d/x/deep, true",
        "rm /d, write /e/z, false",
        "rm /d, mkdir /f, true",
        "rm /d/x, write /d/y, false",
        "rm /d/none, mkdir /d/none, true",
        "chmod /d, write /d/x, false",
        "chmod /d, mkdir /d/w, true",
        "chmod /d, chmod /d, true"})
    void conflictsExactlyWhenSomethingLookedAtChanged(String inside, String outside, boolean conflict)
            throws XenstoreException {
        Transaction transaction = client.connection.start();
        act(transaction, inside);
        act(other.direct(), outside);
        assertThat(errorOf(() -> client.connection.end(transaction.id, true)))
                .isEqualTo(conflict ? XenstoreError.EAGAIN : null);
        assertThat(fixture.store.audit()).isEmpty();
    }

    @Test
    void readsItsSnapshotAndItsOwnWrites() throws XenstoreException {
        Transaction transaction = client.connection.start();
        other.direct().write("/d/x", bytes("outside"));
        other.direct().remove("/d/y");
        assertThat(text(transaction.read("/d/x"))).isEqualTo("1");
        assertThat(text(transaction.read("/d/y"))).isEqualTo("2");
        transaction.write("/d/x", bytes("inside"));
        assertThat(text(transaction.read("/d/x"))).isEqualTo("inside");
        assertThat(text(other.direct().read("/d/x"))).isEqualTo("outside");
        client.connection.end(transaction.id, false);
        assertThat(text(other.direct().read("/d/x"))).isEqualTo("outside");
    }

    @Test
    void mergesWithWhatOthersDidElsewhere() throws XenstoreException {
        Transaction transaction = client.connection.start();
        transaction.write("/d/x/deep/er", bytes("mine"));
        transaction.remove("/d/y");
        transaction.remove("/e");
        transaction.write("/e/again", bytes("new e"));
        other.direct().write("/tool/xenstored/elsewhere", bytes("theirs"));
        client.connection.end(transaction.id, true);
        assertThat(text(client.direct().read("/d/x/deep/er"))).isEqualTo("mine");
        assertThat(text(client.direct().read("/d/x"))).isEqualTo("1");
        assertThat(text(client.direct().read("/tool/xenstored/elsewhere"))).isEqualTo("theirs");
        assertThat(client.direct().readable("/d").children.names()).containsExactly("x");
        assertThat(client.direct().readable("/e").children.names()).containsExactly("again");
        assertThat(fixture.store.audit()).isEmpty();
    }

    @Test
    void idsAreOfTheConnectionAndEndWithTheTransaction() throws XenstoreException {
        int id = client.connection.start().id;
        assertThat(id).isEqualTo(1);
        assertThat(errorOf(() -> other.connection.view(id))).isEqualTo(XenstoreError.ENOENT);
        client.connection.end(id, false);
        assertThat(errorOf(() -> client.connection.view(id))).isEqualTo(XenstoreError.ENOENT);
        assertThat(errorOf(() -> client.connection.end(id, true))).isEqualTo(XenstoreError.ENOENT);
        assertThat(client.connection.start().id).isEqualTo(2);
    }

    @Test
    void oneWhoseOwnerDiesCannotBeCommitted() throws XenstoreException {
        fixture.store.connect(1, (path, token, cause) -> {});
        Transaction transaction = client.connection.start();
        transaction.setPermissions("/d/x", Permissions.owned(1, Permissions.NONE));
        fixture.domains.remove(1);
        fixture.store.forget(1);
        assertThat(errorOf(() -> client.connection.end(transaction.id, true))).isEqualTo(XenstoreError.ENOMEM);
        assertThat(fixture.store.audit()).isEmpty();
    }

    @Test
    void aSnapshotThatKeepsTooMuchAliveIsLetGo() throws XenstoreException {
        Transaction old = client.connection.start();
        old.read("/e/z");
        old.write("/e/z", bytes("old"));
        byte[] value = new byte[4000];
        for (int i = 0; i < 20_000; i++) {
            other.direct().write("/d/x", value);
        }
        assertThat(old.heldBytes()).isLessThanOrEqualTo(64 << 20);
        assertThat(text(old.read("/e/z"))).isEqualTo("3");
        assertThat(errorOf(() -> client.connection.end(old.id, true))).isEqualTo(XenstoreError.EAGAIN);

        Transaction young = client.connection.start();
        young.write("/e/z", bytes("young"));
        other.direct().write("/d/x", value);
        client.connection.end(young.id, true);
        assertThat(text(other.direct().read("/e/z"))).isEqualTo("young");
        assertThat(fixture.store.audit()).isEmpty();
    }
}
