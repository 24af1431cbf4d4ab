package dev.xenolith.dom0.xl;

import dev.xenolith.dom0.config.DiskSpec;
import dev.xenolith.dom0.config.DomainConfig;
import dev.xenolith.dom0.config.VifSpec;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * What the commands of xl can do with a host: libxl, reduced to what we support.
 *
 * <p>Called by the worker threads of the daemon and by embedders, several at once. Each call posts to the machine thread
 * and waits for its answer; nothing here runs on the caller's thread except waiting. A caller that is interrupted while it
 * waits gets a {@link ToolstackException} with {@link ToolstackException#INTERRUPTED} (or an
 * {@link InterruptedException} where one is declared), and the operation has then either happened or not: operations are
 * transactions, there is no half.
 *
 * <p>Failures are {@link ToolstackException}s, {@link NoSuchDomainException} when a domid names no domain. When the host
 * is stopping every call fails, also those already waiting.
 */
public interface Toolstack {
    /** Returns all domains by ascending domid, Domain-0 included, dying ones included. */
    List<DomainInfo> domains();

    /** Returns one domain. */
    Optional<DomainInfo> domain(int domid);

    /** Returns the virtual CPUs of a domain by number. */
    List<VcpuInfo> vcpus(int domid);

    /** Returns the configuration that a domain was created from; empty for Domain-0. */
    Optional<DomainConfig> configuration(int domid);

    /** Returns what {@code xl info} prints. */
    HostInfo hostInfo();

    /** Returns the wall clock of the machine, which in virtual time is not that of the process. */
    Instant wallClock();

    /**
     * Returns the contents of the hypervisor's console ring (XEN_SYSCTL_readconsole).
     *
     * @param clear empties the ring
     */
    String consoleRing(boolean clear);

    /**
     * Makes and builds a domain, and leaves it paused (its builder's pause, which {@link #unpause} ends). All or nothing:
     * after a failure no domain, frame, xenstore node, port or file is left. The toolstack keeps the configuration and
     * itself carries out its on_poweroff, on_reboot, on_crash, on_watchdog and on_soft_reset when the time comes.
     *
     * @param config checked; its name may already be in use, which is refused with the name and domid of the holder
     * @return the domid
     * @throws ToolstackException with {@link ToolstackException#CREATE_FAILED}; the message names the domain and, where
     *     a file is at fault, the file
     */
    int create(DomainConfig config);

    /** Lets a domain run: one toolstack pause less. A domain that is not paused stays as it is. */
    void unpause(int domid);

    /** Pauses a domain; it is not running when this returns. A paused domain stays as it is. */
    void pause(int domid);

    /**
     * Kills a domain and frees what it holds; returns when it is gone. Domain-0 is refused.
     */
    void destroy(int domid);

    /**
     * Asks a domain to shut down or reboot by writing control/shutdown; returns when it is written. Domains that have
     * not said that they listen (control/feature-poweroff, feature-reboot) are asked all the same, as xl does.
     */
    void requestShutdown(int domid, ShutdownRequest request);

    /**
     * Gives a domain another name, in use by no other.
     *
     * @param oldName the name that it has, or the call fails: somebody else was faster
     * @param newName already checked to be legal
     */
    void rename(int domid, String oldName, String newName);

    /** Returns what changes the memory, virtual CPUs and processors of domains. */
    DomainResources resources();

    /** Returns what is done to running domains from outside: keys, triggers, dumps, suspend and resume. */
    GuestControl guests();

    /**
     * Attaches a disk to a domain and returns when its backend is ready for the domain's driver. The domain's configuration follows.
     *
     * @param disk its target absolute
     */
    void attachDisk(int domid, DiskSpec disk);

    /**
     * Changes what is in a CD-ROM drive of a domain and returns when its backend has. The domain's configuration follows.
     *
     * @param medium names the drive by its device, and the medium by its absolute target and its format; without a target the drive
     *     becomes empty
     */
    void changeMedium(int domid, DiskSpec medium);

    /** Attaches a vif likewise; a number and a MAC address are chosen if it does not say. */
    void attachVif(int domid, VifSpec vif);

    /**
     * Takes a disk from a domain: asks it to let go, and waits some seconds until it has.
     *
     * @param number of the virtual device
     * @param force takes it without asking
     */
    void detachDisk(int domid, int number, boolean force);

    /** Takes a vif from a domain: asks it to let go, and waits some seconds until it has. */
    void detachVif(int domid, int number);

    /** Returns the disks of a domain by number. */
    List<BlockDeviceInfo> disks(int domid);

    /** Returns the vifs of a domain by number. */
    List<VifInfo> vifs(int domid);

    /** Returns the channels of a domain by number. */
    List<ChannelInfo> channels(int domid);

    /** Returns the ports of all bridges, by bridge. */
    List<NetworkPortInfo> networkPorts();

    /**
     * Begins to write what passes a port of a bridge to a file, in the format of pcap.
     *
     * @param port as {@link NetworkPortInfo#port}
     * @param file absolute; one that is there is replaced
     * @param snapLength bytes of each frame that are kept
     */
    NetworkCapture capture(String port, Path file, int snapLength);

    /**
     * Attaches a debugger to a PV domain, which stops, and waits for gdb.
     *
     * @param address where to listen; port 0 is one that is free
     * @param destroys whether gdb's kill destroys the domain; otherwise it only lets go of it
     */
    DomainDebugger debug(int domid, InetSocketAddress address, boolean destroys);

    /** Subscribes to what happens to domains from now on. */
    DomainEvents events();

    /**
     * Attaches to the console of a domain: first the output that nobody has read yet (the console daemon keeps the last
     * of it), then what comes. An attachment that is there already is taken over: its output is closed.
     */
    default ConsoleConnection attachConsole(int domid, ConsoleOutput output) {
        return attachConsole(domid, 0, output);
    }

    /**
     * Attaches to one of the consoles of a domain, as {@link #attachConsole(int, ConsoleOutput)}.
     *
     * @param number 0 for the first, 1 for that of the first channel
     */
    ConsoleConnection attachConsole(int domid, int number, ConsoleOutput output);

    /** Opens a connection to xenstored as Domain-0. */
    Xenstore xenstore();

    /**
     * Prints trace records, one a line, oldest first: those that there are at the time of the call, and when following those
     * that come later too.
     *
     * @throws InterruptedException while following, the client has gone
     */
    void trace(TraceOptions options, TraceOutput output) throws InterruptedException;

    /** What a domain can be asked for through control/shutdown. */
    enum ShutdownRequest {
        /** Shut down and stay off. */
        POWEROFF,
        /** Shut down and start again. */
        REBOOT
    }
}
