package dev.xenolith.hypervisor.event;

import static dev.xenolith.hypervisor.abi.Errno.EAGAIN;
import static dev.xenolith.hypervisor.abi.Errno.EBUSY;
import static dev.xenolith.hypervisor.abi.Errno.EEXIST;
import static dev.xenolith.hypervisor.abi.Errno.EINVAL;
import static dev.xenolith.hypervisor.abi.Errno.ENOENT;
import static dev.xenolith.hypervisor.abi.Errno.ENOSPC;
import static dev.xenolith.hypervisor.abi.Errno.ENOSYS;
import static dev.xenolith.hypervisor.abi.Errno.EOPNOTSUPP;
import static dev.xenolith.hypervisor.abi.Errno.ERESTART;

import dev.xenolith.hypervisor.abi.EventChannel;
import dev.xenolith.hypervisor.abi.Xen;
import dev.xenolith.hypervisor.memory.Preempt;
import java.util.Arrays;
import java.util.BitSet;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The event channel ports of one domain and what they are bound to. Operations take any port and return a value that is not
 * negative, or a negative errno as Xen does.
 */
public final class EventPorts {
    /** Ports become known by groups of so many, as Xen's buckets have. */
    private static final int GROUP = 64;
    /** How many busy ports one allocation looks at, so that a guest that keeps ports busy cannot make it long. */
    private static final int MOST_BUSY = 64;
    /** How many ports are closed before somebody else may go on. */
    private static final int CLOSED_AT_ONCE = 64;

    private static final byte FREE = 0;
    /** Port 0, which is never given out. */
    private static final byte RESERVED = 1;
    private static final byte UNBOUND = 2;
    private static final byte INTERDOMAIN = 3;
    private static final byte VIRQ = 4;
    private static final byte IPI = 5;

    private static final int[] STATUS = {EventChannel.EVTCHNSTAT_CLOSED, EventChannel.EVTCHNSTAT_CLOSED,
        EventChannel.EVTCHNSTAT_UNBOUND, EventChannel.EVTCHNSTAT_INTERDOMAIN, EventChannel.EVTCHNSTAT_VIRQ,
        EventChannel.EVTCHNSTAT_IPI};

    private final int domid;
    private final int vcpus;
    /** The highest port that may be used. */
    private final int maxPort;
    /** The delivery that it begins with. */
    private final Delivery basic;
    /** Makes the other one; null if there is none. */
    private final @Nullable Supplier<Fifo> fifoFactory;
    private @Nullable Fifo fifo;
    private Delivery delivery;
    /** Ports below this have entries in the arrays. */
    private int size = GROUP;
    private byte[] state = new byte[size];
    /** vCPU that is notified. */
    private char[] vcpu = new char[size];
    /** UNBOUND, INTERDOMAIN: domid of the other end. VIRQ: its number. */
    private char[] peer = new char[size];
    /** INTERDOMAIN: port of the other end. */
    private int[] peerPort = new int[size];
    /** INTERDOMAIN: the other end's ports. */
    private @Nullable EventPorts[] peerPorts = new EventPorts[size];
    /** Port bound to each virtual interrupt, 0 for none: index vcpu * NR_VIRQS + virq. */
    private final int[] virqPort;
    private int used;
    /** Ports below this are known to exist: those given out until now, and the rest of their group. */
    private int valid = GROUP;
    /** Ports that cannot be given out: in use, or {@link #lingering}. */
    private final BitSet taken = new BitSet();
    /** Ports that were found closed but busy. */
    private final BitSet lingering = new BitSet();
    private int nextLingering;
    /** Where an interrupted {@link #reset} goes on, 0 if none is under way. */
    private int resetAt;
    private boolean ending;

    /** For a domain whose ports are always delivered in one way. */
    public EventPorts(int domid, int vcpus, int maxPort, Delivery delivery) {
        this(domid, vcpus, maxPort, delivery, null);
    }

    /**
     * @param maxPort the highest port that may be used, at least 1
     * @param basic how ports are delivered at first
     * @param fifoFactory makes the FIFO ABI for the domain when it wants that
     */
    public EventPorts(int domid, int vcpus, int maxPort, Delivery basic, @Nullable Supplier<Fifo> fifoFactory) {
        this.domid = domid;
        this.vcpus = vcpus;
        this.maxPort = maxPort;
        this.basic = basic;
        this.fifoFactory = fifoFactory;
        delivery = basic;
        virqPort = new int[vcpus * Xen.NR_VIRQS];
        state[0] = RESERVED;
        taken.set(0);
    }

    /** Virtual interrupts that each vCPU binds for itself. */
    public static boolean isPerVcpu(int virq) {
        return virq == Xen.VIRQ_TIMER || virq == Xen.VIRQ_DEBUG || virq == Xen.VIRQ_XENOPROF
                || virq == Xen.VIRQ_XENPMU;
    }

    /** How pending ports are made known. */
    public Delivery delivery() {
        return delivery;
    }

    /** Ports in use. */
    public int used() {
        return used;
    }

    // ---- making ports ------------------------------------------------------------------------------------------------

    /** Makes a port that domain {@code remote} may bind to. Returns it, or -ENOSPC. */
    public int allocUnbound(int remote) {
        int port = allocate();
        if (port > 0) {
            state[port] = UNBOUND;
            peer[port] = (char) remote;
        }
        return port;
    }

    /**
     * Makes a port bound to {@code remotePort}, any value, of {@code remote}, which must be unbound and meant for this domain.
     * Returns it; -EINVAL or -ENOSPC.
     */
    public int bindInterdomain(EventPorts remote, int remotePort) {
        int port = allocate();
        if (port < 0) {
            return port;
        }
        if (!remote.isValid(remotePort) || remote.state[remotePort] != UNBOUND || remote.peer[remotePort] != domid
                || remote == this && remotePort == port) {
            free(port);
            return -EINVAL;
        }
        connect(port, remote, remotePort);
        remote.connect(remotePort, this, port);
        // Notifications may have been lost while the remote port was unbound.
        delivery.setPending(port, vcpu[port]);
        return port;
    }

    private void connect(int port, EventPorts remote, int remotePort) {
        state[port] = INTERDOMAIN;
        peer[port] = (char) remote.domid;
        peerPort[port] = remotePort;
        peerPorts[port] = remote;
    }

    /** Makes a port for virtual interrupt {@code virq} of {@code onVcpu}, any values. -EINVAL, -ENOENT, -EEXIST, -ENOSPC. */
    public int bindVirq(long virq, long onVcpu) {
        if (virq < 0 || virq >= Xen.NR_VIRQS) {
            return -EINVAL;
        }
        if (!isPerVcpu((int) virq) && onVcpu != 0) {
            return -EINVAL;
        }
        if (onVcpu < 0 || onVcpu >= vcpus) {
            return -ENOENT;
        }
        int index = (int) onVcpu * Xen.NR_VIRQS + (int) virq;
        if (virqPort[index] != 0) {
            return -EEXIST;
        }
        int port = allocate();
        if (port > 0) {
            state[port] = VIRQ;
            peer[port] = (char) virq;
            vcpu[port] = (char) onVcpu;
            virqPort[index] = port;
        }
        return port;
    }

    /** Makes a port by which vCPUs of the domain notify {@code onVcpu}, any value. -ENOENT, -ENOSPC. */
    public int bindIpi(long onVcpu) {
        if (onVcpu < 0 || onVcpu >= vcpus) {
            return -ENOENT;
        }
        int port = allocate();
        if (port > 0) {
            state[port] = IPI;
            vcpu[port] = (char) onVcpu;
        }
        return port;
    }

    private int allocate() {
        settleLingering();
        int port = taken.nextClearBit(1);
        for (int busy = 0; port <= maxPort && delivery.isBusy(port); busy++) {
            taken.set(port);
            lingering.set(port);
            port = busy < MOST_BUSY ? taken.nextClearBit(port + 1) : delivery.limit();
        }
        if (port > maxPort || port >= delivery.limit()) {
            return -ENOSPC;
        }
        while (port >= size) {
            grow();
        }
        valid = Math.max(valid, (port | GROUP - 1) + 1);
        taken.set(port);
        used++;
        vcpu[port] = 0;
        // Until the caller says what it is.
        state[port] = RESERVED;
        return port;
    }

    /** Looks at some of the closed ports that were busy, in turn: those that are no longer are free. */
    private void settleLingering() {
        int port = lingering.nextSetBit(nextLingering);
        for (int i = 0; i < MOST_BUSY && port >= 0; i++) {
            if (!delivery.isBusy(port)) {
                lingering.clear(port);
                taken.clear(port);
            }
            port = lingering.nextSetBit(port + 1);
        }
        nextLingering = Math.max(port, 0);
    }

    private void grow() {
        size *= 2;
        state = Arrays.copyOf(state, size);
        vcpu = Arrays.copyOf(vcpu, size);
        peer = Arrays.copyOf(peer, size);
        peerPort = Arrays.copyOf(peerPort, size);
        peerPorts = Arrays.copyOf(peerPorts, size);
    }

    private void free(int port) {
        delivery.close(port);
        if (delivery.isBusy(port)) {
            lingering.set(port);
        } else {
            taken.clear(port);
        }
        state[port] = FREE;
        vcpu[port] = 0;
        peer[port] = 0;
        peerPort[port] = 0;
        peerPorts[port] = null;
        used--;
    }

    // ---- using them --------------------------------------------------------------------------------------------------

    private boolean isValid(long port) {
        return port > 0 && port < size && state[(int) port] > RESERVED;
    }

    /** Ends a port; the other end becomes unbound. 0 or -EINVAL. */
    public int close(long port) {
        if (!isValid(port)) {
            return -EINVAL;
        }
        int p = (int) port;
        if (state[p] == VIRQ) {
            virqPort[vcpuOfVirq(p) * Xen.NR_VIRQS + peer[p]] = 0;
        } else if (state[p] == INTERDOMAIN) {
            EventPorts other = peerPorts[p];
            if (other != null) {
                int otherPort = peerPort[p];
                other.state[otherPort] = UNBOUND;
                other.peer[otherPort] = (char) domid;
                other.peerPort[otherPort] = 0;
                other.peerPorts[otherPort] = null;
            }
        }
        free(p);
        return 0;
    }

    /** A global virtual interrupt is bound at vCPU 0, whatever vCPU it notifies. */
    private int vcpuOfVirq(int port) {
        return isPerVcpu(peer[port]) ? vcpu[port] : 0;
    }

    /** Notifies the other end. 0, also if there is none at present, or -EINVAL if the port is of another kind. */
    public int send(long port) {
        if (!isValid(port)) {
            return -EINVAL;
        }
        int p = (int) port;
        switch (state[p]) {
            case INTERDOMAIN -> {
                EventPorts other = peerPorts[p];
                if (other != null) {
                    other.notifyPort(peerPort[p]);
                }
            }
            case IPI -> notifyPort(p);
            case UNBOUND -> {
                // Nobody there yet: binding will notify.
            }
            default -> {
                return -EINVAL;
            }
        }
        return 0;
    }

    private void notifyPort(int port) {
        delivery.setPending(port, vcpu[port]);
    }

    /** Raises a virtual interrupt for {@code onVcpu} (global ones: 0), if it is bound. Returns the port, 0 if it is not. */
    public int raiseVirq(int virq, int onVcpu) {
        int port = virqPort[onVcpu * Xen.NR_VIRQS + virq];
        if (port != 0) {
            notifyPort(port);
        }
        return port;
    }

    /** Chooses the vCPU that a port notifies, any values. 0, -ENOENT, -EINVAL if the port's kind does not allow it. */
    public int bindVcpu(long port, long onVcpu) {
        if (onVcpu < 0 || onVcpu >= vcpus) {
            return -ENOENT;
        }
        if (!isValid(port)) {
            return -EINVAL;
        }
        int p = (int) port;
        if (state[p] == IPI || state[p] == VIRQ && isPerVcpu(peer[p])) {
            return -EINVAL;
        }
        vcpu[p] = (char) onVcpu;
        return 0;
    }

    /** Clears the mask of a port. 0 or -EINVAL. */
    public int unmask(long port) {
        if (!isValid(port)) {
            return -EINVAL;
        }
        delivery.unmask((int) port, vcpu[(int) port]);
        return 0;
    }

    /** Whether {@code port}, any value, may be polled. */
    public boolean exists(long port) {
        return isValid(port);
    }

    /** What a port is, for EVTCHNOP_status: the EVTCHNSTAT_* number, or -EINVAL. */
    public int status(long port) {
        return port < 0 || port >= valid || port > maxPort ? -EINVAL : STATUS[state[(int) port]];
    }

    /** vCPU that a valid port notifies. */
    public int vcpuOf(int port) {
        return port < size ? vcpu[port] : 0;
    }

    /** Domid of the other end of an unbound or interdomain port; number of the virtual interrupt of a VIRQ port. */
    public int peerOf(int port) {
        return peer[port];
    }

    /** Other end's port of an interdomain port. */
    public int peerPortOf(int port) {
        return peerPort[port];
    }

    // ---- the FIFO ABI ------------------------------------------------------------------------------------------------

    /**
     * EVTCHNOP_init_control: gives {@code onVcpu} its control block at byte {@code offset} of the domain's page {@code mfn}, any
     * values. The first time, the domain changes to the FIFO ABI; what is pending stays so. 0, -ENOENT, -EINVAL, -ENOSYS.
     */
    public int initControl(long onVcpu, long mfn, long offset) {
        if (fifoFactory == null) {
            return -ENOSYS;
        }
        if (onVcpu < 0 || onVcpu >= vcpus) {
            return -ENOENT;
        }
        if (!Fifo.isControlOffset(offset)) {
            return -EINVAL;
        }
        Fifo wanted = fifo != null ? fifo : fifoFactory.get();
        int rc = wanted.setControlBlock((int) onVcpu, mfn, (int) offset);
        if (rc == 0 && fifo == null) {
            fifo = wanted;
            deliverBy(wanted);
        }
        return rc;
    }

    private void deliverBy(Delivery next) {
        Delivery before = delivery;
        delivery = next;
        for (int port = taken.nextSetBit(1); port >= 0; port = taken.nextSetBit(port + 1)) {
            if (before.isPending(port)) {
                before.close(port);
                next.setPending(port, vcpu[port]);
            }
        }
    }

    /** EVTCHNOP_expand_array: appends the domain's page {@code mfn}, any value. 0, -EINVAL, -ENOSPC; -EOPNOTSUPP without FIFOs. */
    public int expandArray(long mfn) {
        return fifo == null ? -EOPNOTSUPP : fifo.expandArray(mfn, port -> vcpu[port]);
    }

    /** EVTCHNOP_set_priority, any values; from the port's next event on. 0, -EINVAL; -ENOSYS without FIFOs. */
    public int setPriority(long port, long priority) {
        if (!isValid(port)) {
            return -EINVAL;
        }
        return fifo == null ? -ENOSYS : fifo.setPriority((int) port, priority);
    }

    /** The FIFO ABI that is in use, or null. */
    public @Nullable Fifo fifo() {
        return fifo;
    }

    // ---- the end -----------------------------------------------------------------------------------------------------

    /**
     * EVTCHNOP_reset: closes every port and goes back to the ABI of the beginning.
     *
     * @param goingOn whether it was interrupted before
     * @return 0; -ERESTART: call again, going on; -EBUSY if another one is under way, or none to go on with; -EAGAIN if ports have been
     *         made meanwhile
     */
    public int reset(boolean goingOn, Preempt preempt) {
        if (goingOn != (resetAt != 0)) {
            return -EBUSY;
        }
        int rc = closeAll(preempt);
        if (rc != 0) {
            return rc;
        }
        if (used > 0) {
            return -EAGAIN;
        }
        leaveFifo();
        return 0;
    }

    /** Whether a {@link #reset} was interrupted and is to go on. */
    public boolean isResetting() {
        return resetAt != 0;
    }

    /** The end of the domain: closes every port and lets go of pages. 0, or -ERESTART: call again. */
    public int end(Preempt preempt) {
        if (!ending) {
            ending = true;
            resetAt = 0;
        }
        int rc = closeAll(preempt);
        if (rc == 0) {
            leaveFifo();
        }
        return rc;
    }

    private int closeAll(Preempt preempt) {
        int port = taken.nextSetBit(Math.max(resetAt, 1));
        for (int closed = 1; port >= 0; closed++) {
            close(port);
            port = taken.nextSetBit(port + 1);
            if (port >= 0 && closed % CLOSED_AT_ONCE == 0 && preempt.check()) {
                resetAt = port;
                return -ERESTART;
            }
        }
        resetAt = 0;
        return 0;
    }

    private void leaveFifo() {
        if (fifo != null) {
            delivery = basic;
            fifo.release();
            fifo = null;
            taken.andNot(lingering);
            lingering.clear();
        }
    }
}
