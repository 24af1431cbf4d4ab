package dev.xenolith.dom0.console;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.dom0.backend.BackendBus;
import dev.xenolith.dom0.backend.HostWork;
import dev.xenolith.dom0.support.FakeHypervisor;
import dev.xenolith.dom0.support.FakePage;
import dev.xenolith.dom0.xenstore.XenstoreClient;
import dev.xenolith.dom0.xenstore.XenstoreException;
import dev.xenolith.dom0.xenstore.Xenstored;
import dev.xenolith.hypervisor.abi.ConsoleRing;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Consoles that are devices, and a frontend that does as hvc_xen does. */
class ExtraConsoleTest implements ConsoleSockets {
    private static final int DOMID = 3;
    private static final int RING = 8;
    private static final String FRONTEND = "/local/domain/3/device/console/1";
    private static final String BACKEND = "/local/domain/0/backend/console/3/1";

    private final FakeHypervisor hypervisor = new FakeHypervisor();
    private final Xenstored xenstored = new Xenstored(hypervisor.handle(0));
    private final XenstoreClient store = xenstored.connect(hypervisor.handle(0));
    private final List<String> logged = new ArrayList<>();
    private final List<String> listening = new ArrayList<>();
    private final StringBuilder said = new StringBuilder();
    private boolean closed;
    private Function<ConsoleClient, ConsoleAttachment> behindSocket = client -> {
        throw new AssertionError("nobody listens");
    };
    private FakePage page = new FakePage();
    private final ConsoleDaemon daemon;
    private final BackendBus bus = new BackendBus(hypervisor.handle(0), store);
    private int portsBefore;

    ExtraConsoleTest() throws XenstoreException {
        daemon = new ConsoleDaemon(hypervisor.handle(0), store, Overflow.DISCARD, this::log);
    }

    private ConsoleLogs.Log log(int domid, String name) {
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

    private final ConsoleClient terminal = new ConsoleClient() {
        @Override
        public int offer(byte[] bytes, int offset, int length) {
            said.append(new String(bytes, offset, length, StandardCharsets.ISO_8859_1));
            return length;
        }

        @Override
        public void inputHasRoom() {
        }

        @Override
        public void closed() {
            closed = true;
        }
    };

    @Override
    public void listen(Path path, Function<ConsoleClient, ConsoleAttachment> attach,
            HostWork.Completion<? super Listener> completion) {
        if (path.startsWith("/none")) {
            completion.completed(null, new IOException(path + ": no such directory"));
            return;
        }
        listening.add(path.toString());
        behindSocket = attach;
        Listener listener = whenClosed -> {
            listening.remove(path.toString());
            whenClosed.run();
        };
        completion.completed(listener, null);
    }

    @BeforeEach
    void addDomain() throws XenstoreException {
        bus.add(daemon.extraConsoles(this));
        hypervisor.addDomain(DOMID);
        page = hypervisor.grant(DOMID, RING);
        store.writeText("/local/domain/3/name", "guest");
        hypervisor.run();
        portsBefore = hypervisor.openPorts();
    }

    private void announce(String... settings) throws XenstoreException {
        store.writeText(FRONTEND + "/state", "1");
        for (int i = 0; i < settings.length; i += 2) {
            store.writeText(BACKEND + '/' + settings[i], settings[i + 1]);
        }
        store.transaction(transaction -> {
            transaction.writeText(BACKEND + "/frontend", FRONTEND);
            transaction.writeText(BACKEND + "/frontend-id", "3");
            transaction.writeText(BACKEND + "/state", "1");
            transaction.writeText(BACKEND + "/online", "1");
            return true;
        });
        hypervisor.run();
    }

    private void connect(String ringReference, String port) throws XenstoreException {
        store.writeText(FRONTEND + "/ring-ref", ringReference);
        store.writeText(FRONTEND + "/port", port);
        become(3);
    }

    private void become(int state) throws XenstoreException {
        store.writeText(FRONTEND + "/state", Integer.toString(state));
        hypervisor.run();
    }

    private String told(String name) throws XenstoreException {
        return String.valueOf(store.findText(BACKEND + '/' + name));
    }

    private void write(String text) {
        int producer = page.get32(ConsoleRing.OUT_PROD);
        for (int i = 0; i < text.length(); i++) {
            page.put8(ConsoleRing.OUT + (producer + i & ConsoleRing.OUT_SIZE - 1), text.charAt(i));
        }
        page.put32(ConsoleRing.OUT_PROD, producer + text.length());
        hypervisor.signalFrom(DOMID);
        hypervisor.run();
    }

    private void assertLetGo() {
        assertThat(hypervisor.mappedPages()).isZero();
        assertThat(hypervisor.openPorts()).isEqualTo(portsBefore);
    }

    private void withdraw() throws XenstoreException {
        store.remove(FRONTEND);
        store.writeText(BACKEND + "/online", "0");
        hypervisor.run();
        assertLetGo();
        assertThat(bus.devices()).isZero();
        assertThat(daemon.attach(DOMID, 1, terminal)).isNull();
    }

    @Test
    void aConsoleIsADevice() throws XenstoreException {
        announce("connection", "pty", "name", "agent");
        assertThat(told("state")).isEqualTo("2");
        assertThat(daemon.attach(DOMID, 2, terminal)).isNull();
        ConsoleAttachment attachment = Objects.requireNonNull(daemon.attach(DOMID, 1, terminal));
        assertThat(attachment.input(new byte[]{'h', 'i'}, 0, 2)).isEqualTo(2);
        connect("8", "5");
        assertThat(told("state")).isEqualTo("4");
        assertThat(page.get32(ConsoleRing.IN_PROD)).isEqualTo(2);
        assertThat(page.get8(ConsoleRing.IN + 1)).isEqualTo('i');
        become(4);
        write("hello");
        assertThat(said).hasToString("hello");
        assertThat(page.get32(ConsoleRing.OUT_CONS)).isEqualTo(5);
        assertThat(logged).containsExactly("guest-1: hello");

        // The frontend closes, as when its module is taken out, and comes back with another ring.
        become(5);
        assertThat(told("state")).isEqualTo("5");
        become(6);
        assertThat(told("state")).isEqualTo("6");
        assertLetGo();
        page = hypervisor.grant(DOMID, 9);
        become(1);
        assertThat(told("state")).isEqualTo("2");
        connect("9", "6");
        write(" again");
        assertThat(said).hasToString("hello again");
        assertThat(closed).isFalse();
        withdraw();
        assertThat(closed).isTrue();
        assertThat(logged).last().isEqualTo("guest-1 closed");
    }

    @Test
    void aSocketIsThereAsLongAsTheDevice() throws XenstoreException {
        announce("connection", "socket", "path", "/run/agent");
        assertThat(listening).containsExactly("/run/agent");
        assertThat(behindSocket.apply(terminal)).isNotNull();
        connect("8", "5");
        write("by the socket");
        assertThat(said).hasToString("by the socket");
        withdraw();
        assertThat(closed).isTrue();
        assertThat(listening).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"connection, vc, 'connection ''vc'' is neither pty nor socket'",
        "path, '', 'connection socket: no path'",
        "path, /none/x, '/none/x: no such directory'"})
    void whatIsNoConnectionIsRefused(String key, String value, String error) throws XenstoreException {
        announce("connection", "socket", "path", "/run/agent", key, value);
        assertThat(told("state")).isEqualTo("6");
        assertThat(told("error")).isEqualTo(error);
        connect("8", "5");
        assertLetGo();
        withdraw();
    }

    @ParameterizedTest
    @CsvSource({"-1, 5, ring-ref", "x, 5, ring-ref", "77, 5, cannot be mapped", "8, 99999, cannot be bound",
        "8, , names no port", "4294967296, 5, ring-ref", "8, 9999999999, names no port"})
    void aFrontendThatSaysNonsenseIsRefused(String ringReference, String port, String error) throws XenstoreException {
        announce("connection", "pty");
        connect(ringReference, port == null ? "" : port);
        assertThat(told("error")).contains(error);
        assertThat(told("state")).isEqualTo("5");
        assertLetGo();
        withdraw();
    }

    @Test
    void indexesThatCannotBeAreLeftAlone() throws XenstoreException {
        announce("connection", "pty");
        ConsoleAttachment attachment = Objects.requireNonNull(daemon.attach(DOMID, 1, terminal));
        connect("8", "5");
        page.put32(ConsoleRing.OUT_PROD, ConsoleRing.OUT_SIZE + 1);
        page.put32(ConsoleRing.IN_CONS, 1);
        hypervisor.signalFrom(DOMID);
        hypervisor.run();
        assertThat(attachment.input(new byte[]{'x'}, 0, 1)).isEqualTo(1);
        hypervisor.run();
        assertThat(said).isEmpty();
        assertThat(page.get32(ConsoleRing.OUT_CONS)).isZero();
        assertThat(page.get32(ConsoleRing.IN_PROD)).isZero();
        page.put32(ConsoleRing.IN_CONS, 0);
        page.put32(ConsoleRing.OUT_PROD, 0);
        write("better");
        assertThat(said).hasToString("better");
        assertThat(page.get32(ConsoleRing.IN_PROD)).isEqualTo(1);
        hypervisor.destroy(DOMID);
        withdraw();
    }
}
