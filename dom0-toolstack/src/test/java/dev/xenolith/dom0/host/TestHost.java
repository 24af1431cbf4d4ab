package dev.xenolith.dom0.host;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.device.board.ClockMode;
import dev.xenolith.dom0.config.DomainConfig;
import dev.xenolith.dom0.config.DomainType;
import dev.xenolith.dom0.xl.ConsoleConnection;
import dev.xenolith.dom0.xl.ConsoleOutput;
import dev.xenolith.dom0.xl.Toolstack;
import dev.xenolith.hypervisor.Hypervisor;
import dev.xenolith.hypervisor.memory.Checks;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A host in this JVM for tests: guests of the project's own, their consoles, and the checks that follow every test. */
final class TestHost implements AutoCloseable {
    private static final int PATIENCE_SECONDS = 300;

    final Host host;
    final Toolstack toolstack;

    TestHost(HostOptions options, BootHooks hooks) {
        host = Host.boot(options, hooks);
        toolstack = host.toolstack();
    }

    /** Waits until nothing is left of a domain that has ended. */
    void awaitGone(int domid) throws InterruptedException {
        for (int i = 0; toolstack.domain(domid).isPresent(); i++) {
            assertThat(i).as("domain %d stays: %s", domid, toolstack.domain(domid)).isLessThan(5000);
            Thread.sleep(1);
        }
    }

    static HostOptions options(ClockMode clock, long seed) {
        return new HostOptions(1, 128, HostOptions.DEFAULT.cpuModel(), clock, OptionalLong.of(seed),
                "loglvl=all guest_loglvl=all");
    }

    static TestHost virtual(long seed) {
        return new TestHost(options(ClockMode.VIRTUAL, seed), BootHooks.NONE);
    }

    /** Boots with a hypervisor that makes these checks only. */
    static BootHooks checking(Checks checks) {
        return BootHooks.NONE.withHypervisor((machine, commandLine, seconds, console) -> Hypervisor.bootWith(checks,
                machine, commandLine, seconds, console));
    }

    static Path image(String name) {
        return Path.of(System.getProperty("xenolith.home", ".."), "guest-images", "images", name + ".elf");
    }

    static DomainConfig config(String name, Path kernel, String commandLine, int vcpus) {
        return new DomainConfig(name, UUID.nameUUIDFromBytes(name.getBytes(StandardCharsets.UTF_8)), DomainType.PV,
                new DomainConfig.Boot(kernel, null, commandLine), 8 << 10, 8 << 10, vcpus, vcpus, List.of(),
                new DomainConfig.Scheduling(OptionalInt.empty(), OptionalInt.empty()), DomainConfig.Lifecycle.DEFAULT,
                DomainConfig.Limits.DEFAULT, DomainConfig.Devices.NONE);
    }

    /** Creates and starts a guest of {@code guest-images}. */
    TestGuest start(String name, String image) {
        return start(config(name, image(image), "", 1));
    }

    TestGuest start(DomainConfig config) {
        int domid = toolstack.create(config);
        TestGuest guest = new TestGuest(toolstack, domid);
        toolstack.unpause(domid);
        return guest;
    }

    /** What the audit finds wrong; nothing if all is well. */
    List<String> audit() {
        return host.machine().call(() -> host.hypervisor().audit()).join();
    }

    long freeKiB() {
        return toolstack.hostInfo().physical().freeKiB();
    }

    @Override
    public void close() {
        long bugs = host.hypervisor().bugs();
        String log = bugs == 0 ? "" : toolstack.consoleRing(false);
        host.close();
        if (bugs != 0) {
            throw new AssertionError(bugs + " bugs of the hypervisor\n" + log);
        }
    }

    /** A guest and what it has said. */
    static final class TestGuest implements ConsoleOutput {
        final int domid;
        private final ConsoleConnection console;
        private final StringBuilder said = new StringBuilder();
        private boolean closed;

        TestGuest(Toolstack toolstack, int domid) {
            this.domid = domid;
            console = toolstack.attachConsole(domid, this);
        }

        @Override
        public synchronized int offer(byte[] bytes, int offset, int length) {
            said.append(new String(bytes, offset, length, StandardCharsets.ISO_8859_1));
            notifyAll();
            return length;
        }

        @Override
        public synchronized void closed() {
            closed = true;
            notifyAll();
        }

        void type(String line) throws InterruptedException {
            byte[] bytes = (line + "\r").getBytes(StandardCharsets.US_ASCII);
            console.input(bytes, 0, bytes.length);
        }

        synchronized String said() {
            return said.toString();
        }

        /** Whether the console has been closed, because the domain has ended. */
        synchronized boolean hasEnded() {
            return closed;
        }

        /** Waits until the guest has said {@code text}; returns everything it has said. */
        synchronized String await(String text) throws InterruptedException {
            return await(text, false);
        }

        /** Waits until the console is closed, because the domain has ended; returns everything it has said. */
        synchronized String awaitEnd() throws InterruptedException {
            return await(null, true);
        }

        private String await(@Nullable String text, boolean end) throws InterruptedException {
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
            while (text == null ? !closed : said.indexOf(text) < 0) {
                long left = deadline - System.nanoTime();
                if (left <= 0 || closed && !end) {
                    throw new AssertionError((text == null ? "domain " + domid + " does not end" : "no \"" + text + '"')
                            + "; it said:\n" + said);
                }
                TimeUnit.NANOSECONDS.timedWait(this, left);
            }
            return said.toString();
        }
    }
}
