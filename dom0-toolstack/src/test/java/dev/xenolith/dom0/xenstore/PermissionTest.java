package dev.xenolith.dom0.xenstore;

import static dev.xenolith.dom0.xenstore.StoreFixture.bytes;
import static dev.xenolith.dom0.xenstore.StoreFixture.errorOf;
import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.dom0.xenstore.StoreFixture.Attempt;
import dev.xenolith.dom0.xenstore.StoreFixture.Client;
import java.util.List;
import java.util.StringJoiner;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PermissionTest {
    private final StoreFixture fixture = new StoreFixture();
    private final Client dom0 = fixture.client(0);

    /** What each domain may do with /n, as letters: read, list, get permissions, write, mkdir below, set permissions, rm. */
    private String ability(Client client) {
        StringJoiner ability = new StringJoiner("");
        Permissions same = Permissions.owned(1, Permissions.NONE);
        List<Attempt> attempts = List.of(() -> client.direct().read("/n"), () -> client.direct().permissions("/n"),
                () -> client.direct().write("/n", bytes("w")),
                () -> client.direct().mkdir("/n/below" + client.hashCode()),
                () -> {
                    Transaction transaction = client.connection.start();
                    try {
                        transaction.setPermissions("/n", same);
                    } finally {
                        client.connection.end(transaction.id, false);
                    }
                }, () -> {
                    Transaction transaction = client.connection.start();
                    try {
                        transaction.remove("/n");
                    } finally {
                        client.connection.end(transaction.id, false);
                    }
                });
        String letters = "rgwmsx";
        for (int i = 0; i < letters.length(); i++) {
            XenstoreError error = errorOf(attempts.get(i));
            assertThat(error).isIn(null, XenstoreError.EACCES);
            ability.add(error == null ? letters.substring(i, i + 1) : "-");
        }
        return ability.toString();
    }

    @ParameterizedTest
    @CsvSource({
        // permissions of /n, what dom0, domain 1 and domain 2 may do
        "n1,    rgwmsx, rgwmsx, ------",
        "r1,    rgwmsx, rgwmsx, rg----",
        "w1,    rgwmsx, rgwmsx, --wm-x",
        "b1,    rgwmsx, rgwmsx, rgwm-x",
        "n0,    rgwmsx, ------, ------",
        "r0,    rgwmsx, rg----, rg----",
        "n1 r2, rgwmsx, rgwmsx, rg----",
        "n1 w2, rgwmsx, rgwmsx, --wm-x",
        "n1 b2, rgwmsx, rgwmsx, rgwm-x",
        "b1 n2, rgwmsx, rgwmsx, ------",
        "n0 b1, rgwmsx, rgwm-x, ------",
        "n0 r1 w2, rgwmsx, rg----, --wm-x",
        "r1 n1 n2 b2, rgwmsx, rgwmsx, ------"})
    void matrix(String permissions, String zero, String one, String two) throws XenstoreException {
        Client first = fixture.client(1);
        Client second = fixture.client(2);
        dom0.direct().write("/n", bytes("value"));
        dom0.direct().setPermissions("/n", Permissions.parse(List.of(permissions.split(" "))));
        assertThat(ability(dom0)).isEqualTo(zero);
        assertThat(ability(first)).isEqualTo(one);
        assertThat(ability(second)).isEqualTo(two);
        assertThat(fixture.store.audit()).isEmpty();
    }

    @Test
    void ownershipOfNewNodes() throws XenstoreException {
        dom0.direct().mkdir("/shared");
        dom0.direct().setPermissions("/shared", Permissions.parse(List.of("n1", "b2", "r3")));
        Client second = fixture.client(2);
        second.direct().mkdir("/shared/of2/deep");
        assertThat(dom0.direct().permissions("/shared/of2/deep").entries()).containsExactly("n2", "b2", "r3");
        assertThat(dom0.direct().permissions("/shared/of2").entries()).containsExactly("n2", "b2", "r3");
        dom0.direct().mkdir("/shared/of0");
        assertThat(dom0.direct().permissions("/shared/of0").entries()).containsExactly("n1", "b2", "r3");
        assertThat(second.connection.domain.nodes).isEqualTo(2);
        assertThat(fixture.store.audit()).isEmpty();
    }

    @Test
    void onlyDom0MayGiveANodeAway() throws XenstoreException {
        dom0.direct().mkdir("/n");
        dom0.direct().setPermissions("/n", Permissions.owned(1, Permissions.NONE));
        Client first = fixture.client(1);
        assertThat(errorOf(() -> first.direct().setPermissions("/n", Permissions.owned(2, Permissions.NONE))))
                .isEqualTo(XenstoreError.EPERM);
        dom0.direct().setPermissions("/n", Permissions.owned(2, Permissions.NONE));
        assertThat(errorOf(() -> first.direct().read("/n"))).isEqualTo(XenstoreError.EACCES);
        assertThat(fixture.store.audit()).isEmpty();
    }

    @Test
    void absenceIsToldOnlyToThoseWhoMayReadAbove() throws XenstoreException {
        Client first = fixture.client(1);
        dom0.direct().mkdir("/hidden");
        dom0.direct().mkdir("/open");
        dom0.direct().setPermissions("/open", Permissions.owned(0, Permissions.READ));
        assertThat(errorOf(() -> first.direct().read("/open/x/y"))).isEqualTo(XenstoreError.ENOENT);
        assertThat(errorOf(() -> first.direct().read("/hidden/x"))).isEqualTo(XenstoreError.EACCES);
        assertThat(errorOf(() -> first.direct().write("/open/x", bytes("")))).isEqualTo(XenstoreError.EACCES);
        assertThat(errorOf(() -> first.direct().remove("/open/x"))).isEqualTo(XenstoreError.EACCES);
        assertThat(errorOf(() -> dom0.direct().remove("/open/x/y"))).isEqualTo(XenstoreError.ENOENT);
        assertThat(errorOf(() -> dom0.direct().remove("/open/x"))).isNull();
    }

    @Test
    void ownersMustExistOthersNeedNot() throws XenstoreException {
        dom0.direct().mkdir("/n");
        assertThat(errorOf(() -> dom0.direct().setPermissions("/n", Permissions.owned(77, Permissions.NONE))))
                .isEqualTo(XenstoreError.ENOENT);
        dom0.direct().setPermissions("/n", Permissions.parse(List.of("n0", "b77")));
        fixture.domains.add(77);
        assertThat(errorOf(() -> fixture.client(77).direct().read("/n"))).as("entry was for an earlier domain 77")
                .isEqualTo(XenstoreError.EACCES);
    }

    @Test
    void aLaterDomainOfTheSameNumberInheritsNothing() throws XenstoreException {
        fixture.client(2);
        dom0.direct().mkdir("/n");
        dom0.direct().mkdir("/written");
        dom0.direct().setPermissions("/n", Permissions.parse(List.of("n0", "b2")));
        dom0.direct().setPermissions("/written", Permissions.parse(List.of("n0", "b2")));
        assertThat(errorOf(() -> fixture.client(2).direct().read("/n"))).isNull();
        fixture.store.forget(2);
        dom0.direct().write("/written", bytes("while it was gone"));
        Client later = fixture.client(2);
        assertThat(errorOf(() -> later.direct().read("/n"))).isEqualTo(XenstoreError.EACCES);
        assertThat(errorOf(() -> later.direct().read("/written"))).isEqualTo(XenstoreError.EACCES);
        dom0.direct().write("/written", bytes("again"));
        assertThat(errorOf(() -> later.direct().read("/written"))).isEqualTo(XenstoreError.EACCES);
        dom0.direct().setPermissions("/n", Permissions.parse(List.of("n0", "r2")));
        assertThat(errorOf(() -> later.direct().read("/n"))).isNull();
    }

    @Test
    void nodesDieWithTheirOwnerAndTakeWhatIsBelow() throws XenstoreException {
        dom0.direct().mkdir("/local/domain/1");
        dom0.direct().setPermissions("/local/domain/1", Permissions.owned(1, Permissions.NONE));
        dom0.direct().mkdir("/local/domain/1/of2");
        dom0.direct().setPermissions("/local/domain/1/of2", Permissions.owned(2, Permissions.NONE));
        dom0.direct().mkdir("/backend/of1");
        dom0.direct().setPermissions("/backend/of1", Permissions.owned(1, Permissions.NONE));
        dom0.watch("/backend", "b");
        dom0.heard();
        fixture.domains.remove(1);
        fixture.store.forget(1);
        assertThat(dom0.direct().readable("/local/domain").children.names()).isEmpty();
        assertThat(dom0.direct().readable("/backend").children.names()).isEmpty();
        assertThat(dom0.heard()).containsExactly("/backend/of1|b");
        assertThat(fixture.store.domains.find(1)).isNull();
        assertThat(fixture.store.audit()).isEmpty();
    }

    @Test
    void aDeviceModelActsForItsTarget() throws XenstoreException {
        Client model = fixture.client(2);
        Client target = fixture.client(1);
        dom0.direct().mkdir("/n");
        dom0.direct().setPermissions("/n", Permissions.owned(1, Permissions.NONE));
        assertThat(errorOf(() -> model.direct().read("/n"))).isEqualTo(XenstoreError.EACCES);
        model.connection.domain.target = target.connection.domain;
        assertThat(errorOf(() -> model.direct().write("/n", bytes("x")))).isNull();
        fixture.store.forget(1);
        assertThat(model.connection.domain.target).isNull();
    }
}
