package dev.xenolith.hypervisor.trace;

/** What records say: bit number of the class in the high byte, number within the class in the low byte. */
public final class TraceEvent {
    /** A hypercall ended: number, first argument, result. */
    public static final int HYPERCALL = 0x0001;
    /** A hypercall was preempted and will be executed again: number, first argument. */
    public static final int HYPERCALL_PREEMPTED = 0x0002;
    /** A trap was delivered to the guest's kernel: vector, error code, address of the instruction. */
    public static final int TRAP = 0x0101;
    /** An event upcall was delivered: address of the interrupted instruction. */
    public static final int UPCALL = 0x0102;
    /** A privileged instruction was emulated: its first bytes, its address. */
    public static final int EMULATED = 0x0103;
    /** The guest's kernel returned with the iret hypercall: address, code selector. */
    public static final int IRET = 0x0104;
    /** A non-root guest left: reason, qualification, address of the instruction. */
    public static final int EXIT = 0x0201;
    /** A processor was given to a vCPU, whose domain the record names: what ran before as domid &lt;&lt; 16 | vcpu, or -1. */
    public static final int RUN = 0x0301;
    /** A processor became idle: what ran before as domid &lt;&lt; 16 | vcpu, or -1. */
    public static final int IDLE = 0x0302;
    /** A vCPU became runnable. */
    public static final int WAKE = 0x0303;
    /** An event channel was notified: port, and domid &lt;&lt; 32 | port of the end that became pending. */
    public static final int EVENT_SEND = 0x0401;
    /** A virtual interrupt was raised: its number, port. */
    public static final int EVENT_VIRQ = 0x0402;
    /** A grant was mapped: granter, reference, status. */
    public static final int GRANT_MAP = 0x0501;
    /** A grant mapping ended: granter, reference, status. */
    public static final int GRANT_UNMAP = 0x0502;
    /** Granted pages were copied: source, destination, status. */
    public static final int GRANT_COPY = 0x0503;
    /** A xenstore request was answered: message type, bytes, error (0: none). */
    public static final int XENSTORE = 0x0601;

    private TraceEvent() {
    }

    /** The class bit that an event belongs to. */
    public static int classOf(int event) {
        return 1 << (event >>> 8);
    }
}
