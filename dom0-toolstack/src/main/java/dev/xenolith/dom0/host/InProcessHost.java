package dev.xenolith.dom0.host;

import dev.xenolith.device.board.ClockMode;
import dev.xenolith.device.board.Machine;
import dev.xenolith.dom0.console.ConsoleClient;
import dev.xenolith.dom0.host.HostOptions.CpuVendor;
import dev.xenolith.dom0.lifecycle.DomainListener;
import dev.xenolith.dom0.testrun.GuestHost;
import dev.xenolith.dom0.xl.DomainEvent;
import dev.xenolith.dom0.xl.ShutdownReason;
import dev.xenolith.dom0.xl.Toolstack;
import java.util.Arrays;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.stream.Collectors;

/**
 * A {@link Host} for one test. Domain, console and time limit are there from the first instant of machine time on, so that runs with
 * one seed are identical.
 */
final class InProcessHost implements GuestHost {
    /** What dom0 and the hypervisor need beside the guest, MiB. */
    private static final long OVERHEAD_MIB = 128;

    private final Host host;
    private final Watcher watcher;
    private final BugWatch bugs;
    private final Thread machineThread;
    private final long freeAtBoot;

    private InProcessHost(Host host, Thread machineThread, Watcher watcher, BugWatch bugs, long freeAtBoot) {
        this.host = host;
        this.machineThread = machineThread;
        this.watcher = watcher;
        this.bugs = bugs;
        this.freeAtBoot = freeAtBoot;
    }

    /** Boots hosts of that many processors that translate, and with a memory that the guest fits in. */
    static Factory factory(HostOptions like, BugWatch bugs, BootHooks hooks) {
        return (request, watcher) -> {
            long memory = OVERHEAD_MIB + (request.config().maxMemoryKiB() >> 10);
            CpuVendor vendor = CpuVendor.valueOf(request.cpu().toUpperCase(Locale.ROOT));
            HostOptions options = new HostOptions(like.cpus(), memory, vendor, ClockMode.VIRTUAL,
                    OptionalLong.of(request.seed()), like.xenCommandLine(), like.translation(), like.network());
            long[] free = new long[1];
            Thread[] machineThread = new Thread[1];
            Host host = Host.boot(options, hooks.withFirst(booted -> {
                hooks.first().accept(booted);
                machineThread[0] = Thread.currentThread();
                bugs.add(machineThread[0], watcher::bug);
                free[0] = free(booted);
                begin(booted, request, watcher);
            }));
            host.machine().ended().whenComplete((nothing, bug) -> {
                if (bug != null) {
                    watcher.machineEnded("BUG: the machine ended by " + bug);
                }
            });
            return new InProcessHost(host, machineThread[0], watcher, bugs, free[0]);
        };
    }

    private static void begin(Host host, Request request, Watcher watcher) {
        Machine machine = host.machine();
        host.addListener(new Listener(host, watcher));
        machine.timers().timer(watcher::machineTimeIsUp).set(machine.clock().now() + request.machineNanos());
        host.createAndRun(request.config(), () -> {}, watcher::notCreated);
    }

    private static long free(Host host) {
        return host.dom0().host().physicalInfo().freePages() * 4;
    }

    /** Passes on what happens to domains, and attaches to their consoles before their first instructions. */
    private record Listener(Host host, Watcher watcher) implements DomainListener {
        @Override
        public void created(int domid, String name) {
            host.consoles().attach(domid, new Ear(domid, watcher));
            watcher.happened(new DomainEvent.Created(domid, name));
        }

        @Override
        public void shutDown(int domid, int reason) {
            watcher.happened(new DomainEvent.ShutDown(domid, ShutdownReason.of(reason)));
        }

        @Override
        public void restarted(int domid, int newDomid) {
            watcher.happened(new DomainEvent.Restarted(domid, newDomid));
        }

        @Override
        public void destroyed(int domid) {
            watcher.happened(new DomainEvent.Destroyed(domid));
            // Between two turns, when nothing is half done.
            host.machine().post(() -> watcher.audited(host.hypervisor().audit()));
        }
    }

    /** Hears a domain's console. */
    private record Ear(int domid, Watcher watcher) implements ConsoleClient {
        @Override
        public int offer(byte[] bytes, int offset, int length) {
            watcher.said(bytes, offset, length);
            return length;
        }

        @Override
        public void inputHasRoom() {
            // Nobody types.
        }

        @Override
        public void closed() {
            watcher.closed(domid);
        }
    }

    @Override
    public Toolstack toolstack() {
        return host.toolstack();
    }

    @Override
    public void audit() {
        host.machine().call(() -> {
            watcher.audited(host.hypervisor().audit());
            return true;
        }).join();
    }

    @Override
    public long bugs() {
        return host.machine().call(() -> host.hypervisor().bugs()).join();
    }

    @Override
    public long freeKiB() {
        return host.machine().call(() -> free(host)).join();
    }

    @Override
    public long freeKiBAtBoot() {
        return freeAtBoot;
    }

    @Override
    public long machineNanos() {
        return host.machine().call(() -> host.machine().clock().now()).join();
    }

    @Override
    public String machineThread() {
        return Arrays.stream(machineThread.getStackTrace()).map(frame -> "  at " + frame + "\n")
                .collect(Collectors.joining());
    }

    @Override
    public void close() {
        host.close();
        bugs.remove(machineThread);
    }
}
