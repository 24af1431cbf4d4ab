package dev.xenolith.dom0.xenstore;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.dom0.xenstore.GuestDriver.Message;
import dev.xenolith.hypervisor.abi.XenstoreRing;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What goes in and what comes out, byte by byte (docs/misc/xenstore.txt). In texts | is a NUL. */
class ProtocolTest {
    private final StoreFixture stores = new StoreFixture();
    private final SessionFixture dom0 = new SessionFixture(stores, 0);
    private final SessionFixture guest = new SessionFixture(stores, 1);

    @BeforeEach
    void fill() {
        for (String request : List.of("/local/domain/1/name|one", "/a/b|value", "/a/c|", "/secret/x|y")) {
            assertThat(dom0.ask(MessageType.WRITE, 0, request)).isEqualTo("WRITE OK|");
        }
        assertThat(dom0.ask(MessageType.SET_PERMS, 0, "/local/domain/1|n1|r2|")).isEqualTo("SET_PERMS OK|");
        assertThat(dom0.ask(MessageType.SET_PERMS, 0, "/local/domain/1/name|n0|r1|")).isEqualTo("SET_PERMS OK|");
        assertThat(dom0.ask(MessageType.SET_PERMS, 0, "/a|r0|")).isEqualTo("SET_PERMS OK|");
        assertThat(dom0.ask(MessageType.SET_PERMS, 0, "/a/b|r0|")).isEqualTo("SET_PERMS OK|");
    }

    @ParameterizedTest
    @CsvSource(delimiterString = " -> ", ignoreLeadingAndTrailingWhitespace = false, value = {
        "0 READ 0 /a/b| -> READ value",
        "0 READ 0 /a/c| -> READ ",
        "0 READ 0 /a/none| -> ERROR ENOENT|",
        "0 READ 0 /a/b -> ERROR EINVAL|",
        "0 READ 0 /a/b|| -> ERROR EINVAL|",
        "0 READ 0  -> ERROR EINVAL|",
        "0 READ 0 | -> ERROR EINVAL|",
        "0 READ 0 a/b| -> ERROR ENOENT|",
        "0 READ 0 /a/b/| -> ERROR EINVAL|",
        "0 READ 0 //a| -> ERROR EINVAL|",
        "0 READ 0 /a b| -> ERROR EINVAL|",
        "0 READ 0 @releaseDomain| -> ERROR EINVAL|",
        "0 READ 9 /a/b| -> ERROR ENOENT|",
        "1 READ 0 /a/b| -> READ value",
        "1 READ 0 name| -> READ one",
        "1 READ 0 /secret/x| -> ERROR EACCES|",
        "1 READ 0 /secret/none| -> ERROR EACCES|",
        "1 READ 0 /a/none| -> ERROR ENOENT|",
        "0 DIRECTORY 0 /| -> DIRECTORY a|local|secret|tool|",
        "0 DIRECTORY 0 /a| -> DIRECTORY b|c|",
        "0 DIRECTORY 0 /a/b| -> DIRECTORY ",
        "0 DIRECTORY 0 /n| -> ERROR ENOENT|",
        "1 DIRECTORY 0 /secret| -> ERROR EACCES|",
        "0 GET_PERMS 0 /local/domain/1| -> GET_PERMS n1|r2|",
        "1 GET_PERMS 0 /secret| -> ERROR EACCES|",
        "0 SET_PERMS 0 /a| -> ERROR EINVAL|",
        "0 SET_PERMS 0 /a|x0| -> ERROR EINVAL|",
        "0 SET_PERMS 0 /a|r| -> ERROR EINVAL|",
        "0 SET_PERMS 0 /a|r0x| -> ERROR EINVAL|",
        "0 SET_PERMS 0 /a|r77| -> ERROR ENOENT|",
        "0 SET_PERMS 0 /a|r0|b77| -> SET_PERMS OK|",
        "0 SET_PERMS 0 /a|r0|ignored -> SET_PERMS OK|",
        "0 SET_PERMS 0 /none|r0| -> ERROR ENOENT|",
        "1 SET_PERMS 0 /a|r1| -> ERROR EACCES|",
        "1 SET_PERMS 0 name|n2| -> ERROR EACCES|",
        "1 SET_PERMS 0 /local/domain/1|n2| -> ERROR EPERM|",
        "1 SET_PERMS 0 /local/domain/1|n1|r1|r1|r1|r1|r1| -> ERROR ENOSPC|",
        "1 SET_PERMS 0 @releaseDomain|n0|r1| -> ERROR EACCES|",
        "0 SET_PERMS 0 @releaseDomain|n0|r1| -> SET_PERMS OK|",
        "0 SET_PERMS 0 @else|n0|r1| -> ERROR EINVAL|",
        "0 WRITE 0 /a/new/deep|x -> WRITE OK|",
        "0 WRITE 0 /a/b|with|nuls| -> WRITE OK|",
        "0 WRITE 0 /a/b -> ERROR EINVAL|",
        "0 WRITE 0 |x -> ERROR EINVAL|",
        "1 WRITE 0 /a/b|x -> ERROR EACCES|",
        "1 WRITE 0 /new|x -> ERROR EACCES|",
        "1 WRITE 0 new|x -> WRITE OK|",
        "0 MKDIR 0 /a/d| -> MKDIR OK|",
        "0 MKDIR 0 /a/b| -> MKDIR OK|",
        "0 MKDIR 0 /a/d -> ERROR EINVAL|",
        "1 MKDIR 0 /a/d| -> ERROR EACCES|",
        "1 MKDIR 0 d| -> MKDIR OK|",
        "0 RM 0 /a| -> RM OK|",
        "0 RM 0 /a/none| -> RM OK|",
        "0 RM 0 /none/none| -> ERROR ENOENT|",
        "0 RM 0 /| -> ERROR EINVAL|",
        "0 RM 0 /a -> ERROR EINVAL|",
        "1 RM 0 /a/b| -> ERROR EACCES|",
        "0 TRANSACTION_START 0 | -> TRANSACTION_START 1|",
        "0 TRANSACTION_START 0  -> TRANSACTION_START 1|",
        "0 TRANSACTION_START 5 | -> ERROR ENOENT|",
        "0 TRANSACTION_END 0 T| -> ERROR ENOENT|",
        "0 TRANSACTION_END 0 X| -> ERROR EINVAL|",
        "0 TRANSACTION_END 0 T -> ERROR EINVAL|",
        "0 TRANSACTION_END 5 T| -> ERROR ENOENT|",
        "0 GET_DOMAIN_PATH 0 7| -> GET_DOMAIN_PATH /local/domain/7|",
        "1 GET_DOMAIN_PATH 0 007x| -> GET_DOMAIN_PATH /local/domain/7|",
        "1 GET_DOMAIN_PATH 0 7 -> ERROR EINVAL|",
        "0 IS_DOMAIN_INTRODUCED 0 0| -> IS_DOMAIN_INTRODUCED T|",
        "0 IS_DOMAIN_INTRODUCED 0 1| -> IS_DOMAIN_INTRODUCED F|",
        "0 IS_DOMAIN_INTRODUCED 0 32752| -> IS_DOMAIN_INTRODUCED T|",
        "1 IS_DOMAIN_INTRODUCED 0 0| -> ERROR EACCES|",
        "0 INTRODUCE 0 2|1234|7| -> INTRODUCE OK|",
        "0 INTRODUCE 0 2|1234|0| -> ERROR EINVAL|",
        "0 INTRODUCE 0 2|1234| -> ERROR EINVAL|",
        "1 INTRODUCE 0 2|1234|7| -> ERROR EACCES|",
        "0 RELEASE 0 2| -> ERROR ENOENT|",
        "0 RELEASE 0 0| -> ERROR EINVAL|",
        "0 RELEASE 0 x| -> ERROR EINVAL|",
        "1 RELEASE 0 1| -> ERROR EACCES|",
        "0 RESUME 0 2| -> RESUME OK|",
        "0 RESUME 0 0| -> ERROR EINVAL|",
        "1 RESUME 0 1| -> ERROR EACCES|",
        "0 SET_TARGET 0 2|1| -> SET_TARGET OK|",
        "0 SET_TARGET 0 2| -> ERROR EINVAL|",
        "1 SET_TARGET 0 1|0| -> ERROR EACCES|",
        "1 RESET_WATCHES 0 | -> RESET_WATCHES OK|",
        "0 WATCH 0 /a| -> ERROR EINVAL|",
        "0 WATCH 0 /a|t|3| -> ERROR EINVAL|",
        "0 WATCH 0 /a/|t| -> ERROR EINVAL|",
        "0 UNWATCH 0 /a|t| -> ERROR ENOENT|",
        "0 UNWATCH 0 /a| -> ERROR EINVAL|",
        "1 CONTROL 0 help| -> ERROR EACCES|",
        "0 CONTROL 0 check| -> CONTROL OK|",
        "0 CONTROL 0 check|x| -> ERROR EINVAL|",
        "0 CONTROL 0 print|hello| -> CONTROL OK|",
        "0 CONTROL 0 log|on| -> CONTROL OK|",
        "0 CONTROL 0 log|perhaps| -> ERROR EINVAL|",
        "0 CONTROL 0 live-update|-s| -> ERROR EINVAL|",
        "0 CONTROL 0  -> ERROR EINVAL|",
        "0 CONTROL 0 quota|77| -> ERROR ENOENT|",
        "0 CONTROL 0 quota|set|nodes|0| -> ERROR EINVAL|",
        "0 CONTROL 0 quota|set|nodes|10| -> CONTROL OK|",
        "0 CONTROL 0 quota-soft|set|memory|10| -> CONTROL OK|",
        "0 CONTROL 0 quota-soft|1| -> ERROR EINVAL|",
        "0 DIRECTORY_PART 0 /a| -> ERROR EINVAL|",
        "0 DIRECTORY_PART 0 /none|0| -> ERROR ENOENT|"})
    void table(String request, String reply) {
        String[] parts = request.split(" ", 4);
        SessionFixture session = parts[0].equals("0") ? dom0 : guest;
        assertThat(session.ask(MessageType.valueOf(parts[1]), Integer.parseInt(parts[2]), parts[3])).isEqualTo(reply);
        assertThat(stores.store.audit()).isEmpty();
    }

    @Test
    void unknownTypesAreNotImplemented() {
        for (int type : new int[]{15, 16, 20, 23, 24, 25, 26, 27, 0xffff, -1, Integer.MIN_VALUE}) {
            assertThat(dom0.exchange(type, 0, "/a/b|")).as("type %d", type).containsExactly("ERROR ENOSYS|");
        }
    }

    @Test
    void requestsArriveInAnyPieces() {
        byte[] request = GuestDriver.encode(MessageType.READ.code, 7, 0, "/a/b|");
        for (byte b : request) {
            assertThat(dom0.session.feed(new byte[]{b}, 0, 1)).isEqualTo(1);
        }
        assertThat(dom0.take()).containsExactly(new Message(MessageType.READ.code, 7, 0, "value"));
        byte[] two = new byte[2 * request.length];
        System.arraycopy(request, 0, two, 0, request.length);
        System.arraycopy(request, 0, two, request.length, request.length);
        assertThat(dom0.session.feed(two, 0, two.length)).as("one request at a time").isEqualTo(request.length);
    }

    @Test
    void watchesAnswerFirstAndThenFireWhileChangesFireFirst() {
        assertThat(dom0.exchange(MessageType.WATCH.code, 99, "/w|tok en|")).containsExactly("WATCH OK|",
                "WATCH_EVENT /w|tok en|");
        assertThat(dom0.exchange(MessageType.WRITE.code, 0, "/w/x|1")).containsExactly("WATCH_EVENT /w/x|tok en|",
                "WRITE OK|");
        assertThat(dom0.exchange(MessageType.WATCH.code, 0, "/w|tok en|")).containsExactly("ERROR EEXIST|");
        assertThat(dom0.exchange(MessageType.UNWATCH.code, 0, "/w|tok en|")).containsExactly("UNWATCH OK|");
        assertThat(dom0.exchange(MessageType.WRITE.code, 0, "/w/x|2")).containsExactly("WRITE OK|");
        assertThat(guest.exchange(MessageType.WATCH.code, 0, "rel|t|")).containsExactly("WATCH OK|",
                "WATCH_EVENT rel|t|");
        assertThat(guest.exchange(MessageType.MKDIR.code, 0, "rel|")).containsExactly("WATCH_EVENT rel|t|",
                "MKDIR OK|");
    }

    @Test
    void transactionsOverTheWire() {
        dom0.exchange(MessageType.WATCH.code, 0, "/a|t|");
        assertThat(dom0.ask(MessageType.TRANSACTION_START, 0, "|")).isEqualTo("TRANSACTION_START 1|");
        assertThat(dom0.ask(MessageType.TRANSACTION_START, 1, "|")).isEqualTo("ERROR EBUSY|");
        assertThat(dom0.ask(MessageType.WRITE, 1, "/a/b|in")).isEqualTo("WRITE OK|");
        assertThat(dom0.ask(MessageType.READ, 0, "/a/b|")).isEqualTo("READ value");
        assertThat(dom0.ask(MessageType.READ, 1, "/a/b|")).isEqualTo("READ in");
        assertThat(dom0.exchange(MessageType.TRANSACTION_END.code, 1, "T|")).containsExactly("WATCH_EVENT /a/b|t|",
                "TRANSACTION_END OK|");
        assertThat(dom0.ask(MessageType.TRANSACTION_END, 1, "T|")).isEqualTo("ERROR ENOENT|");
        assertThat(dom0.ask(MessageType.TRANSACTION_START, 0, "|")).isEqualTo("TRANSACTION_START 2|");
        dom0.ask(MessageType.READ, 2, "/a/b|");
        dom0.exchange(MessageType.WRITE.code, 0, "/a/b|out");
        assertThat(dom0.ask(MessageType.TRANSACTION_END, 2, "T|")).isEqualTo("ERROR EAGAIN|");
        assertThat(dom0.ask(MessageType.TRANSACTION_START, 0, "|")).isEqualTo("TRANSACTION_START 3|");
        assertThat(dom0.ask(MessageType.TRANSACTION_END, 3, "F|")).isEqualTo("TRANSACTION_END OK|");
    }

    @Test
    void longListsComeInParts() {
        List<String> names = new ArrayList<>();
        for (int i = 0; i < 1000; i++) {
            names.add("domain-%05d".formatted(i));
            dom0.ask(MessageType.MKDIR, 0, "/many/" + names.getLast() + "|");
        }
        assertThat(dom0.ask(MessageType.DIRECTORY, 0, "/many|")).isEqualTo("ERROR E2BIG|");
        StringBuilder all = new StringBuilder();
        String generation = "";
        String part;
        do {
            part = dom0.ask(MessageType.DIRECTORY_PART, 0, "/many|" + all.length() + "|").substring(15);
            assertThat(part.length()).isLessThanOrEqualTo(XenstoreRing.PAYLOAD_MAX);
            String counted = part.substring(0, part.indexOf('|') + 1);
            assertThat(counted).isEqualTo(generation.isEmpty() ? counted : generation);
            generation = counted;
            all.append(part.substring(generation.length()));
        } while (!part.endsWith("||"));
        assertThat(all).hasToString(String.join("|", names) + "||");
        assertThat(dom0.ask(MessageType.DIRECTORY_PART, 0, "/many|99999|"))
                .isEqualTo("DIRECTORY_PART " + generation + "|");
        dom0.ask(MessageType.MKDIR, 0, "/many/more|");
        assertThat(dom0.ask(MessageType.DIRECTORY_PART, 0, "/many|99999|")).doesNotContain(generation);
        assertThat(dom0.ask(MessageType.DIRECTORY_PART, 0, "/a/b|0|")).matches("DIRECTORY_PART [0-9]+\\|\\|");
    }

    @Test
    void controlTellsAndSetsQuotas() {
        assertThat(dom0.ask(MessageType.CONTROL, 0, "help|")).startsWith("CONTROL check\t\nlog\ton|off\n")
                .endsWith("|");
        assertThat(dom0.ask(MessageType.CONTROL, 0, "quota|")).contains("Quota settings:\n",
                "nodes            :     1000 Nodes per domain\n", "memory           :  2621440 Total");
        assertThat(dom0.ask(MessageType.CONTROL, 0, "quota|1|"))
                .startsWith("CONTROL Domain 1:\nnodes           :        1\n");
        dom0.ask(MessageType.CONTROL, 0, "quota|set|nodes|2|");
        assertThat(guest.ask(MessageType.MKDIR, 0, "x|")).isEqualTo("MKDIR OK|");
        assertThat(guest.ask(MessageType.MKDIR, 0, "y|")).isEqualTo("ERROR ENOSPC|");
        assertThat(dom0.ask(MessageType.CONTROL, 0, "quota-soft|")).contains("2097152").doesNotContain("nodes");
    }

    @Test
    void theLargestPayloadPassesAndOneMoreEndsTheSession() {
        String path = "/big";
        String value = "v".repeat(XenstoreRing.PAYLOAD_MAX - path.length() - 1);
        assertThat(dom0.ask(MessageType.WRITE, 0, path + "|" + value)).isEqualTo("WRITE OK|");
        dom0.exchange(MessageType.WATCH.code, 0, "/a|t|");
        dom0.feed(GuestDriver.encode(MessageType.WRITE.code, 1, 0, path + "|" + value + "v"));
        assertThat(dom0.session.error()).isEqualTo(XenstoreRing.ERROR_PROTO);
        assertThat(dom0.session.wantsInput()).isFalse();
        assertThat(guest.exchange(MessageType.READ.code, 0, "/big|")).hasSize(1);
        assertThat(stores.store.watches.isEmpty()).isTrue();
        assertThat(dom0.session.feed(new byte[16], 0, 16)).isZero();
        dom0.session.reset();
        assertThat(dom0.ask(MessageType.READ, 0, "/a/b|")).isEqualTo("READ value");
    }

    @Test
    void sameEventIsQueuedOnceUntilItIsTaken() {
        guest.exchange(MessageType.WATCH.code, 0, "name|t|");
        for (int i = 0; i < 5; i++) {
            dom0.ask(MessageType.WRITE, 0, "/local/domain/1/name|" + i);
        }
        assertThat(guest.take()).hasSize(1);
        dom0.ask(MessageType.WRITE, 0, "/local/domain/1/name|again");
        assertThat(guest.take()).hasSize(1);
        guest.exchange(MessageType.WATCH.code, 0, "@releaseDomain|r|");
        dom0.ask(MessageType.SET_PERMS, 0, "@releaseDomain|r0|");
        stores.store.fireSpecial(XenStore.RELEASE_DOMAIN);
        stores.store.fireSpecial(XenStore.RELEASE_DOMAIN);
        assertThat(guest.take()).as("special events are never dropped").hasSize(2);
    }

    @Test
    void nothingIsHeldWhenAllIsSaidAndDone() {
        guest.exchange(MessageType.WATCH.code, 0, "name|t|");
        guest.ask(MessageType.TRANSACTION_START, 0, "|");
        guest.ask(MessageType.WRITE, 1, "x|y");
        guest.ask(MessageType.TRANSACTION_END, 1, "F|");
        guest.exchange(MessageType.UNWATCH.code, 0, "name|t|");
        DomainRecord record = Objects.requireNonNull(guest.record(1));
        assertThat(record.outstanding).isZero();
        assertThat(record.sessionMemory).isZero();
        assertThat(record.transactions).isZero();
        assertThat(record.watches).isZero();
    }
}
