package dev.xenolith.hypervisor.abi;

/** xen/include/public/event_channel.h: event channel operations. */
public final class EventChannel {
    public static final int EVTCHNOP_BIND_INTERDOMAIN = 0;
    public static final int EVTCHNOP_BIND_VIRQ = 1;
    public static final int EVTCHNOP_BIND_PIRQ = 2;
    public static final int EVTCHNOP_CLOSE = 3;
    public static final int EVTCHNOP_SEND = 4;
    public static final int EVTCHNOP_STATUS = 5;
    public static final int EVTCHNOP_ALLOC_UNBOUND = 6;
    public static final int EVTCHNOP_BIND_IPI = 7;
    public static final int EVTCHNOP_BIND_VCPU = 8;
    public static final int EVTCHNOP_UNMASK = 9;
    public static final int EVTCHNOP_RESET = 10;
    public static final int EVTCHNOP_INIT_CONTROL = 11;
    public static final int EVTCHNOP_EXPAND_ARRAY = 12;
    public static final int EVTCHNOP_SET_PRIORITY = 13;
    /** A reset that goes on after it was interrupted: not for guests to begin. */
    public static final int EVTCHNOP_RESET_CONT = 14;

    /** States that EVTCHNOP_status reports. */
    public static final int EVTCHNSTAT_CLOSED = 0;
    public static final int EVTCHNSTAT_UNBOUND = 1;
    public static final int EVTCHNSTAT_INTERDOMAIN = 2;
    public static final int EVTCHNSTAT_PIRQ = 3;
    public static final int EVTCHNSTAT_VIRQ = 4;
    public static final int EVTCHNSTAT_IPI = 5;

    /** Ports of the 2-level ABI of 64-bit guests; port 0 is never used. */
    public static final int NR_CHANNELS_2L = 4096;

    /** The FIFO ABI: a 32-bit word for each port, with its state and the next port of its queue. */
    public static final int EVTCHN_FIFO_PENDING = 1 << 31;
    public static final int EVTCHN_FIFO_MASKED = 1 << 30;
    public static final int EVTCHN_FIFO_LINKED = 1 << 29;
    public static final int EVTCHN_FIFO_BUSY = 1 << 28;
    public static final int EVTCHN_FIFO_LINK_BITS = 17;
    public static final int EVTCHN_FIFO_LINK_MASK = (1 << EVTCHN_FIFO_LINK_BITS) - 1;
    public static final int EVTCHN_FIFO_NR_CHANNELS = 1 << EVTCHN_FIFO_LINK_BITS;
    /** Priorities: 0 is the most urgent, each vCPU has a queue for each. */
    public static final int EVTCHN_FIFO_PRIORITY_DEFAULT = 7;
    public static final int EVTCHN_FIFO_PRIORITY_MIN = 15;
    public static final int EVTCHN_FIFO_MAX_QUEUES = 16;

    /** EVTCHNOP_alloc_unbound. */
    public static final class AllocUnbound {
        public static final Struct LAYOUT = Struct.of("evtchn_alloc_unbound").u16("dom").u16("remote_dom").u32("port")
                .build();
        public static final int SIZE = LAYOUT.size();
        public static final int DOM = LAYOUT.offset("dom");
        public static final int REMOTE_DOM = LAYOUT.offset("remote_dom");
        public static final int PORT = LAYOUT.offset("port");

        private AllocUnbound() {
        }
    }

    /** EVTCHNOP_bind_interdomain. */
    public static final class BindInterdomain {
        public static final Struct LAYOUT = Struct.of("evtchn_bind_interdomain").u16("remote_dom").u32("remote_port")
                .u32("local_port").build();
        public static final int SIZE = LAYOUT.size();
        public static final int REMOTE_DOM = LAYOUT.offset("remote_dom");
        public static final int REMOTE_PORT = LAYOUT.offset("remote_port");
        public static final int LOCAL_PORT = LAYOUT.offset("local_port");

        private BindInterdomain() {
        }
    }

    /** EVTCHNOP_bind_virq. */
    public static final class BindVirq {
        public static final Struct LAYOUT = Struct.of("evtchn_bind_virq").u32("virq").u32("vcpu").u32("port").build();
        public static final int SIZE = LAYOUT.size();
        public static final int VIRQ = LAYOUT.offset("virq");
        public static final int VCPU = LAYOUT.offset("vcpu");
        public static final int PORT = LAYOUT.offset("port");

        private BindVirq() {
        }
    }

    /** EVTCHNOP_bind_pirq. */
    public static final class BindPirq {
        public static final Struct LAYOUT = Struct.of("evtchn_bind_pirq").u32("pirq").u32("flags").u32("port").build();
        public static final int SIZE = LAYOUT.size();
        public static final int PIRQ = LAYOUT.offset("pirq");
        public static final int FLAGS = LAYOUT.offset("flags");
        public static final int PORT = LAYOUT.offset("port");

        private BindPirq() {
        }
    }

    /** EVTCHNOP_bind_ipi. */
    public static final class BindIpi {
        public static final Struct LAYOUT = Struct.of("evtchn_bind_ipi").u32("vcpu").u32("port").build();
        public static final int SIZE = LAYOUT.size();
        public static final int VCPU = LAYOUT.offset("vcpu");
        public static final int PORT = LAYOUT.offset("port");

        private BindIpi() {
        }
    }

    /** EVTCHNOP_close. */
    public static final class Close {
        public static final Struct LAYOUT = Struct.of("evtchn_close").u32("port").build();
        public static final int SIZE = LAYOUT.size();
        public static final int PORT = LAYOUT.offset("port");

        private Close() {
        }
    }

    /** EVTCHNOP_send. */
    public static final class Send {
        public static final Struct LAYOUT = Struct.of("evtchn_send").u32("port").build();
        public static final int SIZE = LAYOUT.size();
        public static final int PORT = LAYOUT.offset("port");

        private Send() {
        }
    }

    /** EVTCHNOP_status. */
    public static final class Status {
        public static final Struct LAYOUT = Struct.of("evtchn_status").u16("dom").u32("port").u32("status").u32("vcpu")
                .union("u", Struct.of("unbound").u16("dom").build(),
                        Struct.of("interdomain").u16("dom").u32("port").build(), Struct.of("").u32("pirq").build(),
                        Struct.of("").u32("virq").build())
                .build();
        public static final int SIZE = LAYOUT.size();
        public static final int DOM = LAYOUT.offset("dom");
        public static final int PORT = LAYOUT.offset("port");
        public static final int STATUS = LAYOUT.offset("status");
        public static final int VCPU = LAYOUT.offset("vcpu");
        public static final int UNBOUND_DOM = LAYOUT.offset("u.unbound.dom");
        public static final int INTERDOMAIN_DOM = LAYOUT.offset("u.interdomain.dom");
        public static final int INTERDOMAIN_PORT = LAYOUT.offset("u.interdomain.port");
        public static final int PIRQ = LAYOUT.offset("u.pirq");
        public static final int VIRQ = LAYOUT.offset("u.virq");

        private Status() {
        }
    }

    /** EVTCHNOP_bind_vcpu. */
    public static final class BindVcpu {
        public static final Struct LAYOUT = Struct.of("evtchn_bind_vcpu").u32("port").u32("vcpu").build();
        public static final int SIZE = LAYOUT.size();
        public static final int PORT = LAYOUT.offset("port");
        public static final int VCPU = LAYOUT.offset("vcpu");

        private BindVcpu() {
        }
    }

    /** EVTCHNOP_unmask. */
    public static final class Unmask {
        public static final Struct LAYOUT = Struct.of("evtchn_unmask").u32("port").build();
        public static final int SIZE = LAYOUT.size();
        public static final int PORT = LAYOUT.offset("port");

        private Unmask() {
        }
    }

    /** EVTCHNOP_reset. */
    public static final class Reset {
        public static final Struct LAYOUT = Struct.of("evtchn_reset").u16("dom").build();
        public static final int SIZE = LAYOUT.size();
        public static final int DOM = LAYOUT.offset("dom");

        private Reset() {
        }
    }

    /** EVTCHNOP_init_control. */
    public static final class InitControl {
        public static final Struct LAYOUT = Struct.of("evtchn_init_control").u64("control_gfn").u32("offset")
                .u32("vcpu").u8("link_bits").array(Struct.Type.U8, "_pad", 7).build();
        public static final int SIZE = LAYOUT.size();
        public static final int CONTROL_GFN = LAYOUT.offset("control_gfn");
        public static final int OFFSET = LAYOUT.offset("offset");
        public static final int VCPU = LAYOUT.offset("vcpu");
        public static final int LINK_BITS = LAYOUT.offset("link_bits");

        private InitControl() {
        }
    }

    /** EVTCHNOP_expand_array. */
    public static final class ExpandArray {
        public static final Struct LAYOUT = Struct.of("evtchn_expand_array").u64("array_gfn").build();
        public static final int SIZE = LAYOUT.size();
        public static final int ARRAY_GFN = LAYOUT.offset("array_gfn");

        private ExpandArray() {
        }
    }

    /** EVTCHNOP_set_priority. */
    public static final class SetPriority {
        public static final Struct LAYOUT = Struct.of("evtchn_set_priority").u32("port").u32("priority").build();
        public static final int SIZE = LAYOUT.size();
        public static final int PORT = LAYOUT.offset("port");
        public static final int PRIORITY = LAYOUT.offset("priority");

        private SetPriority() {
        }
    }

    /** What a vCPU shares with the hypervisor in the FIFO ABI: which of its queues have events, and the first port of each. */
    public static final class FifoControlBlock {
        public static final Struct LAYOUT = Struct.of("evtchn_fifo_control_block").u32("ready").u32("_rsvd")
                .array(Struct.Type.U32, "head", EVTCHN_FIFO_MAX_QUEUES).build();
        public static final int SIZE = LAYOUT.size();
        public static final int READY = LAYOUT.offset("ready");
        public static final int HEAD = LAYOUT.offset("head");

        private FifoControlBlock() {
        }
    }

    private EventChannel() {
    }
}
