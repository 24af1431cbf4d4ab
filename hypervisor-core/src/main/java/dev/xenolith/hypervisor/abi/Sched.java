package dev.xenolith.hypervisor.abi;

/** xen/include/public/sched.h: scheduling operations and shutdown reasons. */
public final class Sched {
    public static final int SCHEDOP_YIELD = 0;
    public static final int SCHEDOP_BLOCK = 1;
    public static final int SCHEDOP_SHUTDOWN = 2;
    public static final int SCHEDOP_POLL = 3;
    public static final int SCHEDOP_REMOTE_SHUTDOWN = 4;
    public static final int SCHEDOP_SHUTDOWN_CODE = 5;
    public static final int SCHEDOP_WATCHDOG = 6;
    public static final int SCHEDOP_PIN_OVERRIDE = 7;

    /** Why a domain shut down. */
    public static final int SHUTDOWN_POWEROFF = 0;
    public static final int SHUTDOWN_REBOOT = 1;
    public static final int SHUTDOWN_SUSPEND = 2;
    public static final int SHUTDOWN_CRASH = 3;
    public static final int SHUTDOWN_WATCHDOG = 4;
    public static final int SHUTDOWN_SOFT_RESET = 5;
    public static final int SHUTDOWN_MAX = 5;

    /** Argument of SCHEDOP_shutdown and SCHEDOP_shutdown_code. */
    public static final class Shutdown {
        public static final Struct LAYOUT = Struct.of("sched_shutdown").u32("reason").build();
        public static final int SIZE = LAYOUT.size();
        public static final int REASON = LAYOUT.offset("reason");

        private Shutdown() {
        }
    }

    /** Argument of SCHEDOP_poll; at most {@link #MAX_PORTS} ports, timeout in absolute ns of system time or 0. */
    public static final class Poll {
        public static final Struct LAYOUT = Struct.of("sched_poll").ulong("ports").u32("nr_ports").u64("timeout")
                .build();
        public static final int SIZE = LAYOUT.size();
        public static final int PORTS = LAYOUT.offset("ports");
        public static final int NR_PORTS = LAYOUT.offset("nr_ports");
        public static final int TIMEOUT = LAYOUT.offset("timeout");
        public static final int MAX_PORTS = 128;

        private Poll() {
        }
    }

    /** Argument of SCHEDOP_remote_shutdown. */
    public static final class RemoteShutdown {
        public static final Struct LAYOUT = Struct.of("sched_remote_shutdown").u16("domain_id").u32("reason").build();
        public static final int SIZE = LAYOUT.size();
        public static final int DOMAIN_ID = LAYOUT.offset("domain_id");
        public static final int REASON = LAYOUT.offset("reason");

        private RemoteShutdown() {
        }
    }

    /** Argument of SCHEDOP_watchdog; timeout in seconds, 0 to disable. */
    public static final class Watchdog {
        public static final Struct LAYOUT = Struct.of("sched_watchdog").u32("id").u32("timeout").build();
        public static final int SIZE = LAYOUT.size();
        public static final int ID = LAYOUT.offset("id");
        public static final int TIMEOUT = LAYOUT.offset("timeout");

        private Watchdog() {
        }
    }

    /** Argument of SCHEDOP_pin_override. */
    public static final class PinOverride {
        public static final Struct LAYOUT = Struct.of("sched_pin_override").u32("pcpu").build();
        public static final int SIZE = LAYOUT.size();
        public static final int PCPU = LAYOUT.offset("pcpu");

        private PinOverride() {
        }
    }

    private Sched() {
    }
}
