package dev.xenolith.dom0.console;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.dom0.support.FakeHypervisor;
import dev.xenolith.dom0.support.FakePage;
import dev.xenolith.dom0.xenstore.Xenstored;
import dev.xenolith.dom0.xenstore.XenstoreClient;
import dev.xenolith.dom0.xenstore.XenstoreException;
import dev.xenolith.hypervisor.abi.ConsoleRing;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ConsoleDaemonTest {
    private final FakeHypervisor hypervisor = new FakeHypervisor();
    private final Xenstored xenstored = new Xenstored(hypervisor.handle(0));
    private final XenstoreClient store = xenstored.connect(hypervisor.handle(0));
    private final List<String> logged = new ArrayList<>();

    private ConsoleDaemon daemon(Overflow overflow) throws XenstoreException {
        ConsoleDaemon daemon = new ConsoleDaemon(hypervisor.handle(0), store, overflow, this::openLog);
        hypervisor.run();
        return daemon;
    }

    private ConsoleLogs.Log openLog(int domid, String name) {
        return new ConsoleLogs.Log() {
            @Override
            public void append(byte[] bytes, int offset, int length) {
                logged.add(name + ": " + new String(bytes, offset, length, StandardCharsets.ISO_8859_1));
            }

            @Override
            public void close() {
                logged.add(name + " closed");
            }
        };
    }

    /** The guest's end of a console. */
    private final class Guest {
        final int domid;
        final FakePage page;

        Guest(int domid) {
            this.domid = domid;
            hypervisor.addDomain(domid);
            page = hypervisor.grant(domid, 0);
            hypervisor.grant(domid, 1);
        }

        /** What the toolstack does for it. */
        Guest introduce(int port) throws XenstoreException {
            String home = "/local/domain/" + domid;
            store.writeText(home + "/name", "guest" + domid);
            store.transaction(transaction -> {
                transaction.writeText(home + "/console/ring-ref", "1234");
                transaction.writeText(home + "/console/port", Integer.toString(port));
                transaction.writeText(home + "/console/type", "xenconsoled");
                transaction.writeText(home + "/console/limit", "65536");
                return "";
            });
            store.introduce(domid, 9);
            hypervisor.run();
            return this;
        }

        /** Writes what fits and signals. Returns how much. */
        int write(String text) {
            int producer = page.get32(ConsoleRing.OUT_PROD);
            int free = ConsoleRing.OUT_SIZE - (producer - page.get32(ConsoleRing.OUT_CONS));
            int count = Math.min(free, text.length());
            for (int i = 0; i < count; i++) {
                page.put8(ConsoleRing.OUT + (producer + i & ConsoleRing.OUT_SIZE - 1), text.charAt(i));
            }
            page.put32(ConsoleRing.OUT_PROD, producer + count);
            signal();
            return count;
        }

        void signal() {
            hypervisor.signalFrom(domid);
            hypervisor.run();
        }

        /** Reads all input there is. */
        String read() {
            StringBuilder text = new StringBuilder();
            int before;
            do {
                before = text.length();
                int consumer = page.get32(ConsoleRing.IN_CONS);
                while (consumer != page.get32(ConsoleRing.IN_PROD)) {
                    text.append((char) page.get8(ConsoleRing.IN + (consumer & ConsoleRing.IN_SIZE - 1)));
                    consumer++;
                }
                page.put32(ConsoleRing.IN_CONS, consumer);
                signal();
            } while (text.length() > before);
            return text.toString();
        }
    }

    /** A client with so much room. */
    private static final class Terminal implements ConsoleClient {
        final StringBuilder text = new StringBuilder();
        int room = Integer.MAX_VALUE;
        int roomTold;
        boolean closed;

        @Override
        public int offer(byte[] bytes, int offset, int length) {
            int taken = Math.min(length, room);
            text.append(new String(bytes, offset, taken, StandardCharsets.ISO_8859_1));
            room -= taken;
            return taken;
        }

        @Override
        public void inputHasRoom() {
            roomTold++;
        }

        @Override
        public void closed() {
            closed = true;
        }
    }

    private static ConsoleAttachment attach(ConsoleDaemon daemon, int domid, Terminal terminal) {
        return Objects.requireNonNull(daemon.attach(domid, terminal));
    }

    private static int input(ConsoleAttachment attachment, String text) {
        return attachment.input(text.getBytes(StandardCharsets.ISO_8859_1), 0, text.length());
    }

    @Test
    void outputWaitsForAReaderAndGoesToAllThatAreAttached() throws XenstoreException {
        ConsoleDaemon daemon = daemon(Overflow.DISCARD);
        Guest guest = new Guest(1).introduce(4);
        guest.write("before\n");
        Terminal first = new Terminal();
        Terminal second = new Terminal();
        ConsoleAttachment attachment = attach(daemon, 1, first);
        assertThat(first.text).hasToString("before\n");
        attach(daemon, 1, second);
        guest.write("both\n");
        attachment.detach();
        attachment.detach();
        guest.write("second\n");
        assertThat(first.text).hasToString("before\nboth\n");
        assertThat(second.text).hasToString("both\nsecond\n");
        assertThat(logged).containsExactly("guest1: before\n", "guest1: both\n", "guest1: second\n");
    }

    @Test
    void inputOfAllClientsReachesTheDomainInOrder() throws XenstoreException {
        ConsoleDaemon daemon = daemon(Overflow.DISCARD);
        Guest guest = new Guest(1).introduce(4);
        ConsoleAttachment first = attach(daemon, 1, new Terminal());
        ConsoleAttachment second = attach(daemon, 1, new Terminal());
        hypervisor.takeSignals(1);
        assertThat(input(first, "ab")).isEqualTo(2);
        assertThat(input(second, "cd")).isEqualTo(2);
        assertThat(hypervisor.takeSignals(1)).isEqualTo(2);
        assertThat(guest.read()).isEqualTo("abcd");
    }

    @Test
    void inputIsBoundedAndGoesOnWhenTheDomainReads() throws XenstoreException {
        ConsoleDaemon daemon = daemon(Overflow.DISCARD);
        Guest guest = new Guest(1).introduce(4);
        Terminal terminal = new Terminal();
        ConsoleAttachment attachment = attach(daemon, 1, terminal);
        String text = "0123456789".repeat(1000);
        int taken = input(attachment, text);
        assertThat(taken).isEqualTo(ConsoleRing.IN_SIZE + 4096);
        assertThat(input(attachment, text.substring(taken))).isZero();
        assertThat(terminal.roomTold).isZero();
        String read = guest.read();
        assertThat(terminal.roomTold).isEqualTo(1);
        assertThat(input(attachment, text.substring(taken))).isEqualTo(text.length() - taken);
        assertThat(read + guest.read()).isEqualTo(text);
    }

    @Test
    void mayBeAttachedToBeforeThereIsARing() throws XenstoreException {
        ConsoleDaemon daemon = daemon(Overflow.DISCARD);
        Guest guest = new Guest(1);
        Terminal terminal = new Terminal();
        ConsoleAttachment attachment = attach(daemon, 1, terminal);
        assertThat(input(attachment, "early")).isEqualTo(5);
        guest.introduce(4);
        guest.write("hello");
        assertThat(terminal.text).hasToString("hello");
        assertThat(guest.read()).isEqualTo("early");
        assertThat(daemon.attach(7, new Terminal())).isNull();
        assertThat(daemon.attach(0, new Terminal())).isNull();
    }

    @Test
    void theBacklogDropsTheOldestLines() throws XenstoreException {
        ConsoleDaemon daemon = daemon(Overflow.DISCARD);
        Guest guest = new Guest(1).introduce(4);
        for (int i = 0; i < 10_000; i++) {
            assertThat(guest.write("line %05d\n".formatted(i))).isEqualTo(11);
            if (i % 10 == 0) {
                hypervisor.advance(200_000_000);
            }
        }
        Terminal terminal = new Terminal();
        attach(daemon, 1, terminal);
        assertThat(terminal.text.length()).isBetween(65_000, 65_536);
        assertThat(terminal.text).startsWith("line 0").endsWith("line 09999\n");
        assertThat(daemon.droppedLines(1)).isEqualTo(10_000 - terminal.text.length() / 11);
    }

    @Test
    void keepingLetsTheDomainWait() throws XenstoreException {
        ConsoleDaemon daemon = daemon(Overflow.KEEP);
        Guest guest = new Guest(1).introduce(4);
        StringBuilder written = new StringBuilder();
        String line = "x".repeat(99) + "\n";
        int count;
        do {
            hypervisor.advance(200_000_000);
            count = guest.write(line);
            written.append(line, 0, count);
        } while (count > 0);
        assertThat(written.length()).isEqualTo(65_536 + ConsoleRing.OUT_SIZE);
        Terminal terminal = new Terminal();
        terminal.room = 60_000;
        ConsoleAttachment attachment = attach(daemon, 1, terminal);
        assertThat(terminal.text.length()).isEqualTo(60_000);
        terminal.room = Integer.MAX_VALUE;
        attachment.outputHasRoom();
        assertThat(terminal.text).hasToString(written.toString());
        assertThat(daemon.droppedLines(1)).isZero();
    }

    @Test
    void aSlowClientGetsTheRestLater() throws XenstoreException {
        ConsoleDaemon daemon = daemon(Overflow.DISCARD);
        Guest guest = new Guest(1).introduce(4);
        Terminal slow = new Terminal();
        slow.room = 3;
        ConsoleAttachment attachment = attach(daemon, 1, slow);
        guest.write("abcdef");
        guest.write("ghi");
        assertThat(slow.text).hasToString("abc");
        slow.room = 100;
        attachment.outputHasRoom();
        assertThat(slow.text).hasToString("abcdefghi");
    }

    @Test
    void aFloodIsHeardThirtyTimesAPeriod() throws XenstoreException {
        ConsoleDaemon daemon = daemon(Overflow.DISCARD);
        Guest guest = new Guest(1).introduce(4);
        Terminal terminal = new Terminal();
        attach(daemon, 1, terminal);
        hypervisor.advance(1_000_000_000);
        String full = "y".repeat(ConsoleRing.OUT_SIZE);
        for (int i = 0; i < 1000; i++) {
            guest.write(full);
        }
        assertThat(terminal.text.length()).isEqualTo(30 * ConsoleRing.OUT_SIZE);
        hypervisor.advance(199_000_000);
        assertThat(terminal.text.length()).isEqualTo(30 * ConsoleRing.OUT_SIZE);
        hypervisor.advance(1_000_000);
        assertThat(terminal.text.length()).as("what waited, without another event")
                .isEqualTo(31 * ConsoleRing.OUT_SIZE);
        guest.write("z");
        assertThat(terminal.text).endsWith("yz");
    }

    @Test
    void impossibleIndexesAreLeftAlone() throws XenstoreException {
        ConsoleDaemon daemon = daemon(Overflow.DISCARD);
        Guest guest = new Guest(1).introduce(4);
        Guest other = new Guest(2).introduce(4);
        Terminal terminal = new Terminal();
        Terminal otherTerminal = new Terminal();
        ConsoleAttachment attachment = attach(daemon, 1, terminal);
        attach(daemon, 2, otherTerminal);
        long seed = System.nanoTime();
        Random random = new Random(seed);
        for (int i = 0; i < 20_000; i++) {
            int field = ConsoleRing.IN_CONS + 4 * random.nextInt(4);
            guest.page.put32(field, random.nextInt(3) == 0 ? random.nextInt() : random.nextInt(6000) - 3000);
            guest.signal();
            input(attachment, "x");
            if (i % 100 == 0) {
                hypervisor.advance(200_000_000);
            }
        }
        guest.page.put32(ConsoleRing.OUT_CONS, 5);
        guest.page.put32(ConsoleRing.OUT_PROD, 5 + ConsoleRing.OUT_SIZE + 1);
        guest.page.put32(ConsoleRing.IN_CONS, 5);
        guest.page.put32(ConsoleRing.IN_PROD, 4);
        hypervisor.advance(400_000_000);
        terminal.text.setLength(0);
        guest.signal();
        assertThat(terminal.text).as("seed %d", seed).isEmpty();
        assertThat(guest.page.get32(ConsoleRing.OUT_CONS)).isEqualTo(5);
        assertThat(guest.page.get32(ConsoleRing.IN_PROD)).isEqualTo(4);
        other.write("fine");
        assertThat(otherTerminal.text).hasToString("fine");
    }

    @Test
    void theEndOfTheDomainClosesClientsOnceTheyHaveAll() throws XenstoreException {
        ConsoleDaemon daemon = daemon(Overflow.DISCARD);
        int ports = hypervisor.openPorts();
        Guest guest = new Guest(1).introduce(4);
        Terminal quick = new Terminal();
        Terminal slow = new Terminal();
        attach(daemon, 1, quick);
        ConsoleAttachment attachment = attach(daemon, 1, slow);
        slow.room = 4;
        int producer = guest.page.get32(ConsoleRing.OUT_PROD);
        for (int i = 0; i < 6; i++) {
            guest.page.put8(ConsoleRing.OUT + producer + i, "last\n!".charAt(i));
        }
        guest.page.put32(ConsoleRing.OUT_PROD, producer + 6);
        hypervisor.destroy(1);
        hypervisor.run();
        assertThat(quick.text).hasToString("last\n!");
        assertThat(quick.closed).isTrue();
        assertThat(slow.closed).isFalse();
        slow.room = 100;
        attachment.outputHasRoom();
        assertThat(slow.text).hasToString("last\n!");
        assertThat(slow.closed).isTrue();
        assertThat(input(attachment, "into the void")).isEqualTo(13);
        assertThat(guest.page.isUnmapped()).isTrue();
        assertThat(hypervisor.mappedPages()).isZero();
        assertThat(hypervisor.openPorts()).isEqualTo(ports);
        assertThat(logged).endsWith("guest1 closed");
        assertThat(daemon.attach(1, new Terminal())).isNull();
    }

    @Test
    void aNewPortMeansANewRing() throws XenstoreException {
        ConsoleDaemon daemon = daemon(Overflow.DISCARD);
        Guest guest = new Guest(1).introduce(4);
        Terminal terminal = new Terminal();
        attach(daemon, 1, terminal);
        int ports = hypervisor.openPorts();
        store.writeText("/local/domain/1/console/limit", "70000");
        hypervisor.run();
        guest.write("same ");
        FakePage before = guest.page;
        Guest resumed = new Guest(1);
        store.writeText("/local/domain/1/console/port", "5");
        hypervisor.run();
        assertThat(before.isUnmapped()).isTrue();
        resumed.write("new");
        assertThat(terminal.text).hasToString("same new");
        assertThat(hypervisor.openPorts()).isEqualTo(ports);
    }

    @Test
    void aRingThatIsNotAnnouncedAnyMoreIsGivenBack() throws XenstoreException {
        ConsoleDaemon daemon = daemon(Overflow.DISCARD);
        Guest guest = new Guest(1).introduce(4);
        Terminal terminal = new Terminal();
        attach(daemon, 1, terminal);
        store.remove("/local/domain/1");
        hypervisor.run();
        assertThat(guest.page.isUnmapped()).isTrue();
        assertThat(terminal.closed).isFalse();
        hypervisor.destroy(1);
        hypervisor.run();
        assertThat(terminal.closed).isTrue();
    }

    @Test
    void consolesOfOthersAreNotOurs() throws XenstoreException {
        ConsoleDaemon daemon = daemon(Overflow.DISCARD);
        Guest guest = new Guest(1);
        store.writeText("/local/domain/1/console/type", "ioemu");
        store.writeText("/local/domain/1/console/ring-ref", "1");
        store.writeText("/local/domain/1/console/port", "x");
        attach(daemon, 1, new Terminal());
        hypervisor.run();
        store.writeText("/local/domain/1/console/port", "4");
        hypervisor.run();
        assertThat(hypervisor.mappedPages()).isZero();
        assertThat(guest.write("x")).isEqualTo(1);
        assertThat(guest.page.get32(ConsoleRing.OUT_CONS)).isZero();
    }
}
