package dev.xenolith.hypervisor.event;

import static dev.xenolith.hypervisor.abi.Errno.EEXIST;
import static dev.xenolith.hypervisor.abi.Errno.EINVAL;
import static dev.xenolith.hypervisor.abi.Errno.ENOENT;
import static dev.xenolith.hypervisor.abi.Errno.ENOSPC;

import dev.xenolith.hypervisor.abi.EventChannel;
import dev.xenolith.hypervisor.abi.Xen;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The event channel ports of one domain and what they are bound to. Operations take any port and return a value that is not
 * negative, or a negative errno as Xen does.
 */
public final class EventPorts {
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
    private final Delivery delivery;
    /** Ports below this have entries in the arrays. */
    private int size = 64;
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
    private int lowestFree = 1;

    /**
     * @param maxPort the highest port that may be used, at least 1
     */
    public EventPorts(int domid, int vcpus, int maxPort, Delivery delivery) {
        this.domid = domid;
        this.vcpus = vcpus;
        this.maxPort = maxPort;
        this.delivery = delivery;
        virqPort = new int[vcpus * Xen.NR_VIRQS];
        state[0] = RESERVED;
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
        int port = lowestFree;
        while (port < size && state[port] != FREE) {
            port++;
        }
        if (port > maxPort || port >= delivery.limit()) {
            return -ENOSPC;
        }
        if (port >= size) {
            grow();
        }
        lowestFree = port + 1;
        used++;
        vcpu[port] = 0;
        // Until the caller says what it is.
        state[port] = RESERVED;
        return port;
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
        delivery.clearPending(port);
        state[port] = FREE;
        vcpu[port] = 0;
        peer[port] = 0;
        peerPort[port] = 0;
        peerPorts[port] = null;
        used--;
        lowestFree = Math.min(lowestFree, port);
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
        return port < 0 || port > maxPort || port >= delivery.limit()
                ? -EINVAL
                : port >= size ? EventChannel.EVTCHNSTAT_CLOSED : STATUS[state[(int) port]];
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

    /** Closes every port (EVTCHNOP_reset, or the end of the domain). */
    public void closeAll() {
        for (int port = 1; port < size; port++) {
            if (state[port] != FREE) {
                close(port);
            }
        }
    }
}
