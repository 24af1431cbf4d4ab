package dev.xenolith.dom0.xenstore;

import static dev.xenolith.dom0.xenstore.StoreFixture.bytes;
import static dev.xenolith.dom0.xenstore.StoreFixture.errorOf;
import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.dom0.xenstore.StoreFixture.Client;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class WatchTest {
    private final StoreFixture fixture = new StoreFixture();
    private final Client dom0 = fixture.client(0);

    @Test
    void firesOnceOnRegistrationAndThenForTheNodeAndAllBelow() throws XenstoreException {
        dom0.watch("/a/b", "t");
        assertThat(dom0.heard()).containsExactly("/a/b|t");
        dom0.direct().write("/a/b", bytes("1"));
        dom0.direct().write("/a/b/c/d", bytes("2"));
        dom0.direct().write("/a/bc", bytes("3"));
        dom0.direct().write("/a", bytes("4"));
        dom0.direct().mkdir("/a/b/e");
        dom0.direct().mkdir("/a/b/e");
        assertThat(dom0.heard()).containsExactly("/a/b|t", "/a/b/c/d|t", "/a/b/e|t");
    }

    @Test
    void creationOfParentsIsNotAnEventOfItsOwn() throws XenstoreException {
        dom0.watch("/", "root");
        dom0.watch("/x/y", "middle");
        dom0.heard();
        dom0.direct().write("/x/y/z", bytes("1"));
        assertThat(dom0.heard()).containsExactly("/x/y/z|root", "/x/y/z|middle");
    }

    @Test
    void removalTellsWatchersBelowByTheirOwnPathChildrenFirst() throws XenstoreException {
        dom0.direct().write("/a/b/c", bytes("1"));
        dom0.direct().write("/a/d", bytes("1"));
        dom0.watch("/a/b/c", "c");
        dom0.watch("/a/b", "b");
        dom0.watch("/a", "a");
        dom0.watch("/a/none", "none");
        dom0.heard();
        dom0.direct().remove("/a");
        assertThat(dom0.heard()).containsExactly("/a/b/c|c", "/a/b|b", "/a|a");
    }

    @Test
    void removalOfWhatIsNotThereIsNoEvent() throws XenstoreException {
        dom0.watch("/", "root");
        dom0.heard();
        dom0.direct().remove("/nothing");
        assertThat(dom0.heard()).isEmpty();
    }

    @Test
    void connectionsHearInOrderOfTheirAgeWatchesInOrderOfRegistration() throws XenstoreException {
        List<String> log = new ArrayList<>();
        StoreConnection first = fixture.store.connect(0, (path, token, cause) -> log.add("first " + token));
        StoreConnection second = fixture.store.connect(0, (path, token, cause) -> log.add("second " + token));
        second.watch("/", "1");
        first.watch("/x", "2");
        first.watch("/", "3");
        second.watch("/x", "4");
        dom0.direct().mkdir("/x");
        assertThat(log).containsExactly("first 2", "first 3", "second 1", "second 4");
    }

    @Test
    void relativeWatchesReportRelativePaths() throws XenstoreException {
        dom0.direct().mkdir("/local/domain/1");
        dom0.direct().setPermissions("/local/domain/1", Permissions.owned(1, Permissions.NONE));
        Client guest = fixture.client(1);
        guest.watch("device", "rel");
        guest.watch("/local/domain/1/device", "abs");
        assertThat(guest.heard()).containsExactly("device|rel", "/local/domain/1/device|abs");
        guest.direct().write("device/vif/0", bytes("1"));
        assertThat(guest.heard()).containsExactly("device/vif/0|rel", "/local/domain/1/device/vif/0|abs");
        assertThat(errorOf(() -> guest.connection.unwatch("device", "abs"))).isEqualTo(null);
        assertThat(errorOf(() -> guest.connection.unwatch("device", "abs"))).isEqualTo(XenstoreError.ENOENT);
        guest.direct().write("device/vif/0", bytes("2"));
        assertThat(guest.heard()).containsExactly("device/vif/0|rel");
    }

    @Test
    void transactionsTellAfterCommitOnceForEachNode() throws XenstoreException {
        dom0.direct().write("/a/gone/below", bytes("1"));
        dom0.watch("/a", "a");
        dom0.watch("/a/gone/below", "below");
        dom0.heard();
        Transaction transaction = dom0.connection.start();
        transaction.write("/a/2", bytes("x"));
        transaction.write("/a/1", bytes("x"));
        transaction.write("/a/2", bytes("y"));
        transaction.remove("/a/gone");
        transaction.write("/a/passing", bytes("x"));
        transaction.remove("/a/passing");
        assertThat(dom0.heard()).isEmpty();
        dom0.connection.end(transaction.id, true);
        assertThat(dom0.heard()).containsExactly("/a/2|a", "/a/1|a", "/a/gone|a", "/a/gone/below|below");
    }

    @Test
    void abortedAndConflictingTransactionsTellNothing() throws XenstoreException {
        dom0.direct().write("/a", bytes("1"));
        dom0.watch("/a", "a");
        dom0.heard();
        Transaction aborted = dom0.connection.start();
        aborted.write("/a", bytes("2"));
        dom0.connection.end(aborted.id, false);
        Transaction conflicting = dom0.connection.start();
        conflicting.write("/a", bytes("3"));
        fixture.client(0).direct().write("/a", bytes("4"));
        dom0.heard();
        assertThat(errorOf(() -> dom0.connection.end(conflicting.id, true))).isEqualTo(XenstoreError.EAGAIN);
        assertThat(dom0.heard()).isEmpty();
    }

    @Test
    void whoMayReadNeitherTheNodeNorItsParentHearsNothing() throws XenstoreException {
        Client guest = fixture.client(1);
        dom0.direct().mkdir("/open");
        dom0.direct().setPermissions("/open", Permissions.owned(0, Permissions.READ));
        dom0.direct().mkdir("/secret");
        guest.watch("/", "t");
        guest.heard();
        dom0.direct().write("/secret/x", bytes("1"));
        assertThat(guest.heard()).isEmpty();
        dom0.direct().write("/open/x", bytes("1"));
        assertThat(guest.heard()).containsExactly("/open/x|t");
        dom0.direct().setPermissions("/open/x", Permissions.owned(0, Permissions.NONE));
        assertThat(guest.heard()).as("may still read the parent").containsExactly("/open/x|t");
        dom0.direct().setPermissions("/open", Permissions.owned(0, Permissions.NONE));
        assertThat(guest.heard()).as("could read it before").containsExactly("/open|t");
        dom0.direct().write("/open/x", bytes("2"));
        dom0.direct().remove("/open");
        assertThat(guest.heard()).isEmpty();
    }

    @Test
    void specialEventsReachThoseWhoArePermitted() throws XenstoreException {
        Client guest = fixture.client(1);
        dom0.watch("@introduceDomain", "in");
        dom0.watch("@releaseDomain", "out");
        guest.watch("@releaseDomain", "out");
        assertThat(dom0.heard()).containsExactly("@introduceDomain|in", "@releaseDomain|out");
        assertThat(guest.heard()).containsExactly("@releaseDomain|out");
        fixture.store.fireSpecial(XenStore.INTRODUCE_DOMAIN);
        fixture.store.fireSpecial(XenStore.RELEASE_DOMAIN);
        assertThat(dom0.heard()).containsExactly("@introduceDomain|in", "@releaseDomain|out");
        assertThat(guest.heard()).isEmpty();

        Permissions forGuest = Permissions.owned(0, Permissions.NONE).and(1, Permissions.READ);
        assertThat(errorOf(() -> guest.direct().setPermissions("@releaseDomain", forGuest)))
                .isEqualTo(XenstoreError.EACCES);
        assertThat(errorOf(() -> dom0.direct().setPermissions("@other", forGuest))).isEqualTo(XenstoreError.EINVAL);
        dom0.direct().setPermissions("@releaseDomain", forGuest);
        fixture.store.fireSpecial(XenStore.RELEASE_DOMAIN);
        assertThat(guest.heard()).containsExactly("@releaseDomain|out");
    }

    @Test
    void refusesDoublesAndBadPaths() throws XenstoreException {
        dom0.watch("/a", "t");
        assertThat(errorOf(() -> dom0.watch("/a", "t"))).isEqualTo(XenstoreError.EEXIST);
        dom0.watch("/a", "u");
        assertThat(errorOf(() -> dom0.watch("/a/", "t"))).isEqualTo(XenstoreError.EINVAL);
        assertThat(errorOf(() -> dom0.watch("", "t"))).isEqualTo(XenstoreError.EINVAL);
        assertThat(errorOf(() -> dom0.watch("@" + "x".repeat(2048), "t"))).isEqualTo(XenstoreError.EINVAL);
        dom0.watch("@" + "x".repeat(2047), "t");
    }

    @Test
    void resetForgetsWatchesAndTransactions() throws XenstoreException {
        dom0.watch("/a", "t");
        int id = dom0.connection.start().id;
        dom0.heard();
        dom0.connection.reset();
        dom0.direct().mkdir("/a");
        assertThat(dom0.heard()).isEmpty();
        assertThat(errorOf(() -> dom0.connection.view(id))).isEqualTo(XenstoreError.ENOENT);
        assertThat(dom0.connection.domain.watches).isZero();
        assertThat(dom0.connection.domain.sessionMemory).isZero();
    }

    @Test
    void eventsTooLongForAMessageAreNotSent() throws XenstoreException {
        dom0.watch("/", "t".repeat(4000));
        assertThat(dom0.heard()).hasSize(1);
        dom0.direct().mkdir("/" + "a".repeat(93));
        assertThat(dom0.heard()).hasSize(1);
        dom0.direct().mkdir("/" + "b".repeat(94));
        assertThat(dom0.heard()).isEmpty();
    }
}
