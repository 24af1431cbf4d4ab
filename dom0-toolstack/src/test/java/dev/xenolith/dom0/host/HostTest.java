package dev.xenolith.dom0.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xenolith.device.board.ClockMode;
import dev.xenolith.dom0.config.DomainConfig;
import dev.xenolith.dom0.host.TestHost.TestGuest;
import dev.xenolith.dom0.lifecycle.DomainManager;
import dev.xenolith.dom0.xenstore.XenstoreException;
import dev.xenolith.dom0.xl.DomainEvent;
import dev.xenolith.dom0.xl.DomainEvents;
import dev.xenolith.dom0.xl.DomainInfo;
import dev.xenolith.dom0.xl.ShutdownReason;
import dev.xenolith.dom0.xl.Toolstack.ShutdownRequest;
import dev.xenolith.dom0.xl.ToolstackException;
import dev.xenolith.dom0.xl.TraceOptions;
import dev.xenolith.dom0.xl.TraceOutput;
import dev.xenolith.dom0.xl.Xenstore;
import dev.xenolith.hypervisor.operations.DomainControl;
import dev.xenolith.hypervisor.operations.SharedPage;
import dev.xenolith.hypervisor.trace.TraceClass;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntConsumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The whole path in one JVM: machine, hypervisor, dom0, guests. */
@Timeout(180)
class HostTest {
    @Test
    void helloSaysWhatItFoundAndGoes() throws Exception {
        try (TestHost host = TestHost.virtual(1)) {
            long free = host.freeKiB();
            TestGuest hello = host.start(TestHost.config("hello", TestHost.image("hello"), "some words", 1));
            assertThat(hello.awaitEnd()).contains("xen-3.0-x86_64", "some words", "4.17");
            host.awaitGone(hello.domid);
            assertThat(host.audit()).isEmpty();
            assertThat(host.toolstack.domains()).hasSize(1);
            assertThat(host.freeKiB()).isEqualTo(free);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"traps", "events", "fifo", "time", "pagetables", "grants", "grants2", "memory", "smp",
        "fpu"})
    void testGuestsPass(String image) throws Exception {
        for (long seed : new long[]{1, 2}) {
            try (TestHost host = TestHost.virtual(seed)) {
                long free = host.freeKiB();
                TestGuest guest = host
                        .start(TestHost.config(image, TestHost.image(image), "", vcpus(image)));
                assertThat(guest.awaitEnd()).as("seed %d\n%s", seed, host.toolstack.consoleRing(false))
                        .contains("VERDICT " + image + " PASS");
                host.awaitGone(guest.domid);
                assertThat(host.audit()).isEmpty();
                assertThat(host.freeKiB()).isEqualTo(free);
            }
        }
    }

    private static int vcpus(String image) {
        return switch (image) {
            case "smp", "fifo" -> 2;
            case "fpu" -> 3;
            default -> 1;
        };
    }

    @Test
    void minishellAnswersAndShutsDownWhenAsked() throws Exception {
        try (TestHost host = TestHost.virtual(3); DomainEvents events = host.toolstack.events()) {
            TestGuest shell = host.start("minishell", "minishell");
            shell.await("Type help.");
            shell.type("help");
            shell.await("uptime");
            shell.type("store");
            shell.await("static-max");
            shell.type("uptime");
            shell.await("up ");
            assertThat(host.audit()).isEmpty();
            host.toolstack.requestShutdown(shell.domid, ShutdownRequest.POWEROFF);
            shell.awaitEnd();
            List<DomainEvent> seen = new ArrayList<>();
            while (seen.isEmpty() || !(seen.getLast() instanceof DomainEvent.Destroyed)) {
                seen.add(events.take());
            }
            assertThat(seen).hasExactlyElementsOfTypes(DomainEvent.Created.class, DomainEvent.ShutDown.class,
                    DomainEvent.Destroyed.class);
        }
    }

    @Test
    void aRebootBuildsTheDomainAnew() throws Exception {
        try (TestHost host = TestHost.virtual(4); DomainEvents events = host.toolstack.events()) {
            TestGuest shell = host.start("minishell", "minishell");
            shell.await("Type help.");
            shell.type("reboot");
            DomainEvent.Restarted restarted = null;
            while (restarted == null) {
                if (events.take() instanceof DomainEvent.Restarted again) {
                    restarted = again;
                }
            }
            TestGuest again = new TestGuest(host.toolstack, restarted.newDomid());
            again.await("Type help.");
            assertThat(host.toolstack.domains()).extracting(DomainInfo::name).containsExactly("Domain-0", "minishell");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"null", "ud", "stack", "hypercall"})
    void aGuestThatCrashesGoesAlone(String how) throws Exception {
        try (TestHost host = TestHost.virtual(5)) {
            TestGuest bystander = host.start("bystander", "minishell");
            bystander.await("Type help.");
            long free = host.freeKiB();
            TestGuest victim = host.start("victim", "minishell");
            victim.await("Type help.");
            victim.type("crash " + how);
            victim.awaitEnd();
            host.awaitGone(victim.domid);
            bystander.type("echo still-here");
            bystander.await("\nstill-here");
            assertThat(host.freeKiB()).isEqualTo(free);
            assertThat(host.audit()).isEmpty();
        }
    }

    @Test
    void aWatchdogThatIsNotSetAnewEndsTheDomain() throws Exception {
        try (TestHost host = TestHost.virtual(9); DomainEvents events = host.toolstack.events()) {
            TestGuest shell = host.start("hanging", "minishell");
            shell.await("Type help.");
            shell.type("crash hang");
            DomainEvent event = events.take();
            while (!(event instanceof DomainEvent.ShutDown)) {
                event = events.take();
            }
            assertThat(event).isEqualTo(new DomainEvent.ShutDown(shell.domid, ShutdownReason.WATCHDOG));
            host.awaitGone(shell.domid);
        }
    }

    @Test
    void eachStepOfACreationThatFailsLeavesNothing() throws Exception {
        for (String step : DomainManager.creationSteps()) {
            AtomicReference<String> failing = new AtomicReference<>(step);
            try (TestHost host = new TestHost(TestHost.options(ClockMode.VIRTUAL, 6),
                    BootHooks.NONE.withFailure(s -> s.equals(failing.get())));
                    Xenstore store = host.toolstack.xenstore()) {
                long free = host.freeKiB();
                List<String> nodes = tree(store, "/");
                assertThatThrownBy(() -> host.start("doomed", "hello")).isInstanceOf(ToolstackException.class)
                        .hasMessageContainingAll("doomed", step);
                assertThat(host.toolstack.domains()).as("domains after a failure at '%s'", step).hasSize(1);
                assertThat(tree(store, "/")).as("nodes after a failure at '%s'", step).isEqualTo(nodes);
                assertThat(host.freeKiB()).as("memory after a failure at '%s'", step).isEqualTo(free);
                assertThat(host.audit()).isEmpty();
                failing.set("");
                TestGuest hello = host.start("doomed", "hello");
                hello.awaitEnd();
                host.awaitGone(hello.domid);
                assertThat(host.freeKiB()).isEqualTo(free);
            }
        }
    }

    @Test
    void aDomainWhosePagesAreMappedStaysAsAZombieUntilTheyAreNot() throws Exception {
        try (TestHost host = TestHost.virtual(10); Xenstore store = host.toolstack.xenstore()) {
            long free = host.freeKiB();
            List<String> nodes = tree(store, "/");
            TestGuest shell = host.start("shell", "minishell");
            shell.await("Type help.");
            DomainControl control = host.host.dom0().control();
            long ring = Long.parseLong(store.readText("/local/domain/" + shell.domid + "/console/ring-ref"));
            SharedPage mapped = host.host.machine().call(() -> control.mapForeign(shell.domid, ring)).join();
            host.toolstack.destroy(shell.domid);
            shell.awaitEnd();
            assertThat(tree(store, "/")).isEqualTo(nodes);
            DomainInfo zombie = host.toolstack.domain(shell.domid).orElseThrow();
            assertThat(zombie.name()).isEqualTo("(null)");
            assertThat(zombie.dying()).isTrue();
            assertThat(zombie.memoryKiB()).isEqualTo(4);
            host.toolstack.destroy(shell.domid);
            // Its name is free, though it is still there.
            TestGuest again = host.start("shell", "minishell");
            again.await("Type help.");
            host.toolstack.destroy(again.domid);
            assertThat(host.toolstack.domains()).extracting(DomainInfo::domid).containsExactly(0, zombie.domid());
            assertThat(host.audit()).isEmpty();
            host.host.machine().call(() -> {
                mapped.unmap();
                return true;
            }).join();
            assertThat(host.toolstack.domains()).hasSize(1);
            assertThat(host.freeKiB()).isEqualTo(free);
            assertThat(host.audit()).isEmpty();
        }
    }

    /** When the command returns, all is as before: nobody has to wait or look again. */
    @Test
    void aDestroyedDomainIsGoneWhenTheCommandReturns() throws Exception {
        try (TestHost host = TestHost.virtual(11)) {
            long free = host.freeKiB();
            for (int i = 0; i < 5; i++) {
                TestGuest shell = host.start("shell", "minishell");
                shell.await("Type help.");
                shell.type("echo last-words");
                shell.await("\nlast-words");
                host.toolstack.destroy(shell.domid);
                assertThat(host.toolstack.domain(shell.domid)).isEmpty();
                assertThat(host.freeKiB()).isEqualTo(free);
                shell.awaitEnd();
            }
        }
    }

    private static List<String> tree(Xenstore store, String path) throws XenstoreException {
        List<String> nodes = new ArrayList<>();
        for (String name : store.list(path)) {
            String child = path.equals("/") ? "/" + name : path + "/" + name;
            nodes.add(child);
            nodes.addAll(tree(store, child));
        }
        return nodes;
    }

    @Test
    void badKernelsAreRefusedByName(@TempDir Path directory) throws Exception {
        Path text = Files.writeString(directory.resolve("text"), "no kernel");
        try (TestHost host = TestHost.virtual(7)) {
            long free = host.freeKiB();
            assertThatThrownBy(() -> host.start(TestHost.config("a", directory.resolve("missing"), "", 1)))
                    .hasMessageContainingAll("a", "missing", "no such file");
            assertThatThrownBy(() -> host.start(TestHost.config("a", text, "", 1)))
                    .hasMessageContaining("not a kernel");
            DomainConfig config = TestHost.config("a", TestHost.image("hello"), "", 1);
            DomainConfig huge = new DomainConfig(config.name(), config.uuid(), config.type(), config.boot(), 1L << 30,
                    1L << 30, 1, 1,
                    List.of(), config.scheduling(), config.lifecycle(), config.limits(), config.devices());
            assertThatThrownBy(() -> host.start(huge)).hasMessageContainingAll("1048576 MiB", "free");
            assertThat(host.freeKiB()).isEqualTo(free);
        }
    }

    /** Eight clients at once create, rename and destroy one name: each time one has it its way, and the others are told why not. */
    @Test
    void oneNameBelongsToOneDomain() throws Exception {
        try (TestHost host = TestHost.virtual(8)) {
            Race race = new Race(8);
            DomainConfig config = TestHost.config("contended", TestHost.image("minishell"), "", 1);
            race.run(_ -> host.toolstack.create(config.withName("contended")));
            assertThat(race.winners).hasSize(1);
            assertThat(race.refusals).hasSize(7).allMatch(line -> line.contains("in use"));

            int domid = host.toolstack.domains().getLast().domid();
            race.run(client -> host.toolstack.rename(domid, "contended", "client-" + client));
            assertThat(race.refusals).hasSize(7).allMatch(line -> line.contains("is not called 'contended' any more"));
            assertThat(host.toolstack.domain(domid).orElseThrow().name())
                    .isEqualTo("client-" + race.winners.element());

            race.run(_ -> host.toolstack.destroy(domid));
            assertThat(race.winners).isNotEmpty();
            assertThat(race.refusals).allMatch(line -> line.contains(Integer.toString(domid)));
            assertThat(host.toolstack.domains()).hasSize(1);
            assertThat(host.audit()).isEmpty();
        }
    }

    /** Several clients that start the same thing at once. */
    private static final class Race {
        /** Numbers of the clients whose last action was done. */
        final ConcurrentLinkedQueue<Integer> winners = new ConcurrentLinkedQueue<>();
        /** What the others were told. */
        final ConcurrentLinkedQueue<String> refusals = new ConcurrentLinkedQueue<>();
        private final int clients;

        Race(int clients) {
            this.clients = clients;
        }

        void run(IntConsumer action) throws InterruptedException {
            winners.clear();
            refusals.clear();
            CyclicBarrier start = new CyclicBarrier(clients);
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < clients; i++) {
                int client = i;
                threads.add(Thread.ofVirtual().start(() -> {
                    try {
                        start.await();
                        action.accept(client);
                        winners.add(client);
                    } catch (ToolstackException e) {
                        refusals.add(e.line());
                    } catch (InterruptedException | BrokenBarrierException e) {
                        throw new AssertionError(e);
                    }
                }));
            }
            for (Thread thread : threads) {
                thread.join();
            }
            assertThat(winners.size() + refusals.size()).isEqualTo(clients);
        }
    }

    @Test
    void aTraceEndsWhileAGuestIsBusyAndASlowReaderIsToldWhatItMissed() throws Exception {
        try (TestHost host = TestHost.virtual(9)) {
            host.toolstack.trace(new TraceOptions(Set.of(), OptionalInt.empty(), false), new Lines());
            TestGuest busy = host
                    .start(TestHost.config("busy", TestHost.image("torture"), "seed=1 calls=100000000", 1));
            TraceOptions once = new TraceOptions(Set.of("hypercall"), OptionalInt.of(busy.domid), false);
            Lines full = new Lines();
            while (full.lines.size() < 1000) {
                full = new Lines();
                host.toolstack.trace(once, full);
            }
            assertThat(full.lines).allMatch(line -> line.contains(" d" + busy.domid + "v0 hypercall "));
            Lines slow = new Lines();
            slow.awaited = 2;
            Thread follower = Thread.ofVirtual().start(() -> {
                try {
                    host.toolstack.trace(new TraceOptions(Set.of(), OptionalInt.empty(), true), slow);
                } catch (InterruptedException | ToolstackException e) {
                    // As when its client goes.
                }
            });
            slow.reached.await();
            // While the reader stands still the guest goes on, for several rounds of the ring.
            long position = host.host.machine().call(() -> host.host.dom0().host().trace(Long.MAX_VALUE, 0).next())
                    .join();
            while (host.host.machine().call(() -> host.host.dom0().host().trace(Long.MAX_VALUE, 0).next())
                    .join() < position + 50_000) {
                Thread.sleep(1);
            }
            slow.goOn.countDown();
            while (slow.lines.stream().noneMatch(line -> line.startsWith("... "))) {
                Thread.sleep(1);
            }
            follower.interrupt();
            follower.join();
            assertThat(slow.lines).filteredOn(line -> line.startsWith("... ")).first().asString()
                    .matches("\\.\\.\\. [0-9]{5,} records were overwritten before they could be read");
        }
    }

    /** A reader of a trace, which stands still at a flush if so asked. */
    private static final class Lines implements TraceOutput {
        final List<String> lines = new CopyOnWriteArrayList<>();
        final CountDownLatch reached = new CountDownLatch(1);
        final CountDownLatch goOn = new CountDownLatch(1);
        int awaited;

        @Override
        public void line(String text) {
            lines.add(text);
        }

        @Override
        public void note(String text) {
            assertThat(text).startsWith("recording was off");
        }

        @Override
        public void flush() {
            if (--awaited == 0) {
                reached.countDown();
                try {
                    goOn.await();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            }
        }
    }

    @Test
    void oneSeedOneRun() throws Exception {
        String first = digest(11);
        assertThat(digest(11)).isEqualTo(first);
        assertThat(digest(12)).isNotEqualTo(first);
    }

    /** Trace digest, time and instructions retired when a guest that was created at boot has come and gone. */
    private static String digest(long seed) throws Exception {
        CompletableFuture<String> end = new CompletableFuture<>();
        try (TestHost host = new TestHost(TestHost.options(ClockMode.VIRTUAL, seed),
                BootHooks.NONE.withFirst(started -> {
                    started.dom0().host().setTraceMask(TraceClass.ALL);
                    started.createAndRun(TestHost.config("busy", TestHost.image("torture"), "seed=1 calls=2000", 2),
                            () -> end.complete(
                                    started.hypervisor().traceDigest() + " " + started.machine().clock().now() + " "
                                            + started.machine().processors().getFirst().retired));
                }))) {
            String digest = end.get(60, TimeUnit.SECONDS);
            assertThat(host.audit()).isEmpty();
            return digest;
        }
    }
}
