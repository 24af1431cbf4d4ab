package dev.xenolith.dom0.xl;

import dev.xenolith.dom0.config.DiskSpec;
import dev.xenolith.dom0.config.DomainConfig;
import dev.xenolith.dom0.config.VifSpec;
import dev.xenolith.dom0.net.packet.Mac;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import org.jspecify.annotations.Nullable;

/**
 * Domains that only exist on paper: their consoles echo input in upper case, "bye" on one ends its domain. Public because the
 * daemon's tests use it too.
 */
public final class FakeToolstack implements Toolstack {
    private static final UUID NIL = new UUID(0, 0);

    private final SortedMap<Integer, DomainInfo> domains = new TreeMap<>();
    private final Map<Integer, DomainConfig> configs = new HashMap<>();
    private final Map<Integer, ConsoleOutput> consoles = new HashMap<>();
    private final List<LinkedBlockingQueue<DomainEvent>> subscribers = new CopyOnWriteArrayList<>();
    private final List<BlockDeviceInfo> disks = new ArrayList<>();
    private final List<VifInfo> vifs = new ArrayList<>();
    private final List<String> log = new CopyOnWriteArrayList<>();
    private final GuestControl guests = new FakeGuestControl(log);
    private final DomainResources resources = new FakeResources(log);
    private final Set<Integer> goingWhileListed = new HashSet<>();
    private final FakeXenstore xenstore = new FakeXenstore();
    private String ring = "(XEN) Xen version 4.17.7\n(XEN) Freed 656kB init mem\n";
    private int nextDomid = 4;
    private @Nullable ToolstackException refusal;

    /** Makes a host with Domain-0 as in the transcript of the real xl. */
    public FakeToolstack() {
        domains.put(0,
                new DomainInfo(0, "Domain-0", NIL, 786432, 17179869180L, 1, true, false, false, false, null, "Pool-0",
                        256, 0, 17_000_000_000L, 18_000_000_000L));
    }

    /** Returns what was asked for, in order. */
    public List<String> log() {
        return log;
    }

    /** Makes create fail. */
    synchronized void refuseCreation(ToolstackException e) {
        refusal = e;
    }

    FakeXenstore fakeXenstore() {
        return xenstore;
    }

    /** Puts a domain there as it is. */
    synchronized void put(DomainInfo domain) {
        domains.put(domain.domid(), domain);
    }

    private void event(DomainEvent event) {
        subscribers.forEach(queue -> queue.add(event));
    }

    private void update(int domid, boolean paused, @Nullable ShutdownReason reason) {
        DomainInfo old = need(domid);
        domains.put(domid, new DomainInfo(domid, old.name(), old.uuid(), old.memoryKiB(), old.maxMemoryKiB(),
                old.onlineVcpus(), old.running(), reason == null && old.blocked(), paused, old.dying(), reason,
                old.cpupool(),
                old.weight(), old.cap(), old.cpuTimeNanos(), old.uptimeNanos()));
    }

    private DomainInfo need(int domid) {
        DomainInfo domain = domains.get(domid);
        if (domain == null || goingWhileListed.contains(domid)) {
            throw new NoSuchDomainException(domid);
        }
        return domain;
    }

    /** The domain is listed still, and gone when it is looked at. */
    void goWhileListed(int domid) {
        goingWhileListed.add(domid);
    }

    @Override
    public synchronized List<DomainInfo> domains() {
        return List.copyOf(domains.values());
    }

    @Override
    public synchronized Optional<DomainInfo> domain(int domid) {
        return Optional.ofNullable(domains.get(domid));
    }

    @Override
    public synchronized List<VcpuInfo> vcpus(int domid) {
        BitSet all = new BitSet();
        all.set(0, 64);
        DomainInfo domain = need(domid);
        return List.of(new VcpuInfo(domid, domain.name(), 0, true, domain.running(), domain.blocked(), 0,
                domain.cpuTimeNanos(), all, all));
    }

    @Override
    public synchronized Optional<DomainConfig> configuration(int domid) {
        need(domid);
        return Optional.ofNullable(configs.get(domid));
    }

    @Override
    public synchronized void attachDisk(int domid, DiskSpec disk) {
        need(domid);
        int number = disk.device().number();
        disks.add(
                new BlockDeviceInfo(number, 0, domid, 4, 13, 8, "/local/domain/0/backend/vbd/" + domid + '/' + number));
        log.add("attach " + domid + " disk " + disk.target() + ' ' + disk.device().name());
    }

    @Override
    public synchronized DomainDebugger debug(int domid, InetSocketAddress address, boolean destroys) {
        need(domid);
        log.add("debug " + domid + (destroys ? " destroys" : ""));
        return new DomainDebugger() {
            @Override
            public InetSocketAddress address() {
                return address;
            }

            @Override
            public void await() {
            }

            @Override
            public void close() {
                log.add("let go " + domid);
            }
        };
    }

    @Override
    public synchronized List<ChannelInfo> channels(int domid) {
        need(domid);
        return domid == 0
                ? List.of()
                : List.of(new ChannelInfo(1, 0, 4, 15, 9, "pty", null),
                        new ChannelInfo(2, 0, 1, -1, -1, "socket", "/run/agent"));
    }

    @Override
    public synchronized void changeMedium(int domid, DiskSpec medium) {
        need(domid);
        log.add("medium " + domid + ' ' + medium.device().name() + ' ' + medium.format().key() + ' ' + medium.target());
    }

    @Override
    public synchronized void attachVif(int domid, VifSpec vif) {
        need(domid);
        int number = vifs(domid).size();
        vifs.add(new VifInfo(number, 0, Mac.toString(vif.mac().orElse(0x00163e000001L)), 4, 14, 768, 769,
                "/local/domain/0/backend/vif/" + domid + '/' + number));
        log.add("attach " + domid + " vif " + vif.bridge());
    }

    @Override
    public synchronized void detachDisk(int domid, int number, boolean force) {
        disks.removeIf(disk -> disk.frontendDomid() == domid && disk.number() == number);
        log.add("detach " + domid + " disk " + number + (force ? " force" : ""));
    }

    @Override
    public synchronized void detachVif(int domid, int number) {
        vifs.removeIf(vif -> vif.number() == number);
        log.add("detach " + domid + " vif " + number);
    }

    @Override
    public synchronized List<BlockDeviceInfo> disks(int domid) {
        need(domid);
        return disks.stream().filter(disk -> disk.frontendDomid() == domid).toList();
    }

    @Override
    public synchronized List<VifInfo> vifs(int domid) {
        need(domid);
        return List.copyOf(vifs);
    }

    @Override
    public List<NetworkPortInfo> networkPorts() {
        return List.of(new NetworkPortInfo("xenbr0", "vif4.0", 10, 1000, 1, 20, 3000, 2));
    }

    @Override
    public NetworkCapture capture(String port, Path file, int snapLength) {
        log.add("capture " + port + ' ' + file + ' ' + snapLength);
        return new NetworkCapture() {
            @Override
            public void await() {
                // The port goes at once.
            }

            @Override
            public long written() {
                return 3;
            }

            @Override
            public long dropped() {
                return 1;
            }

            @Override
            public void close() {
                log.add("capture closed");
            }
        };
    }

    @Override
    public HostInfo hostInfo() {
        return new HostInfo(
                new HostInfo.Uname("(none)", "6.1.0-56-amd64", "#1 SMP PREEMPT_DYNAMIC Debian 6.1.192-2 (2026-11-16)",
                        "x86_64"),
                new HostInfo.Physical(1, 0, 1, 1, 2445429,
                        List.of(0x0fcbf3fd, 0xf6d8320b, 0xec500800, 0x00000075, 0x00000005, 0x01884329, 0x0000020c, 0),
                        List.of("pv", "hvm", "hap", "gnttab-v1", "gnttab-v2"), 2047 * 1024 + 512, 1256 * 1024 + 3, 0, 0,
                        0, 0),
                List.of(new HostInfo.CpuTopology(0, 0, 0)),
                List.of(new HostInfo.NumaNode(2047 * 1024, 1256 * 1024, List.of(10))),
                new HostInfo.Version(4, 17, ".7", "xen-3.0-x86_64 hvm-3.0-x86_32 hvm-3.0-x86_32p hvm-3.0-x86_64 ",
                        "credit2",
                        4096, 0xffff800000000000L, "",
                        "com1=115200,8n1 console=com1 dom0_mem=768M noreboot=1 sched=credit2",
                        "x86_64-linux-gnu-gcc (Debian 12.2.0-14+deb12u1) 12.2.0", "pkg-xen-devel", "example.org",
                        "Wed Nov  4 16:52:28 UTC 2026", "151b373fd64b321593bf987fd923cd10dabadac4"));
    }

    @Override
    public Instant wallClock() {
        return Instant.parse("2026-11-22T08:54:08Z");
    }

    @Override
    public synchronized String consoleRing(boolean clear) {
        String contents = ring;
        if (clear) {
            ring = "";
        }
        return contents;
    }

    @Override
    public synchronized int create(DomainConfig config) {
        if (refusal != null) {
            throw refusal;
        }
        int domid = nextDomid++;
        domains.put(domid,
                new DomainInfo(domid, config.name(), config.uuid(), config.memoryKiB(), config.maxMemoryKiB(),
                        config.vcpus(), false, true, true, false, null, "Pool-0", 256, 0, 7_200_000_000L,
                        3_000_000_000L));
        configs.put(domid, config);
        log.add("create " + config.name());
        event(new DomainEvent.Created(domid, config.name()));
        return domid;
    }

    @Override
    public synchronized void unpause(int domid) {
        update(domid, false, need(domid).shutdownReason());
        log.add("unpause " + domid);
        ConsoleOutput console = consoles.get(domid);
        if (console != null) {
            print(console, "hello from " + need(domid).name() + "\r\n");
        }
    }

    @Override
    public synchronized void pause(int domid) {
        update(domid, true, need(domid).shutdownReason());
        log.add("pause " + domid);
    }

    @Override
    public synchronized void destroy(int domid) {
        need(domid);
        if (domid == 0) {
            throw ToolstackException.failure("Domain-0 cannot be destroyed");
        }
        domains.remove(domid);
        log.add("destroy " + domid);
        ConsoleOutput console = consoles.remove(domid);
        if (console != null) {
            console.closed();
        }
        event(new DomainEvent.Destroyed(domid));
    }

    /** Ends a domain by itself; kept domains stay. */
    synchronized void stop(int domid, ShutdownReason reason, boolean keep) {
        update(domid, false, reason);
        event(new DomainEvent.ShutDown(domid, reason));
        if (!keep) {
            destroy(domid);
        }
    }

    @Override
    public synchronized void requestShutdown(int domid, ShutdownRequest request) {
        need(domid);
        log.add(request + " " + domid);
        stop(domid, request == ShutdownRequest.REBOOT ? ShutdownReason.REBOOT : ShutdownReason.POWEROFF, false);
    }

    @Override
    public synchronized void rename(int domid, String oldName, String newName) {
        DomainInfo old = need(domid);
        for (DomainInfo other : domains.values()) {
            if (other.domid() != domid && other.name().equals(newName)) {
                throw ToolstackException
                        .failure("rename: domain " + other.domid() + " is called " + newName + " already");
            }
        }
        domains.put(domid,
                new DomainInfo(domid, newName, old.uuid(), old.memoryKiB(), old.maxMemoryKiB(), old.onlineVcpus(),
                        old.running(), old.blocked(), old.paused(), old.dying(), old.shutdownReason(), old.cpupool(),
                        old.weight(),
                        old.cap(), old.cpuTimeNanos(), old.uptimeNanos()));
    }

    @Override
    public DomainResources resources() {
        return resources;
    }

    @Override
    public GuestControl guests() {
        return guests;
    }

    @Override
    public DomainEvents events() {
        LinkedBlockingQueue<DomainEvent> queue = new LinkedBlockingQueue<>();
        subscribers.add(queue);
        return new DomainEvents() {
            @Override
            public DomainEvent take() throws InterruptedException {
                return queue.take();
            }

            @Override
            public void close() {
                subscribers.remove(queue);
            }
        };
    }

    private static void print(ConsoleOutput console, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        console.offer(bytes, 0, bytes.length);
    }

    @Override
    public synchronized ConsoleConnection attachConsole(int domid, int number, ConsoleOutput output) {
        need(domid);
        consoles.put(domid, output);
        log.add("attach " + domid + (number == 0 ? "" : " console " + number));
        return new ConsoleConnection() {
            @Override
            public void input(byte[] bytes, int offset, int length) {
                String text = new String(bytes, offset, length, StandardCharsets.UTF_8);
                if (length > 0) {
                    print(output, text.toUpperCase(Locale.ROOT));
                }
                if (text.contains("bye")) {
                    stop(domid, ShutdownReason.POWEROFF, false);
                }
            }

            @Override
            public void outputHasRoom() {
                // Our output is small.
            }

            @Override
            public void close() {
                log.add("detach " + domid);
            }
        };
    }

    @Override
    public Xenstore xenstore() {
        return xenstore;
    }

    @Override
    public void trace(TraceOptions options, TraceOutput output) {
        List<String> words = new ArrayList<>(options.classes());
        words.sort(null);
        output.line("0.000001 trace " + words + " " + options.domid());
    }
}
