package dev.xenolith.hypervisor.abi;

import dev.xenolith.hypervisor.abi.Struct.Type;

/** xen/include/public/vcpu.h: operations on vCPUs. */
public final class VcpuOp {
    public static final int VCPUOP_INITIALISE = 0;
    public static final int VCPUOP_UP = 1;
    public static final int VCPUOP_DOWN = 2;
    public static final int VCPUOP_IS_UP = 3;
    public static final int VCPUOP_GET_RUNSTATE_INFO = 4;
    public static final int VCPUOP_REGISTER_RUNSTATE_MEMORY_AREA = 5;
    public static final int VCPUOP_SET_PERIODIC_TIMER = 6;
    public static final int VCPUOP_STOP_PERIODIC_TIMER = 7;
    public static final int VCPUOP_SET_SINGLESHOT_TIMER = 8;
    public static final int VCPUOP_STOP_SINGLESHOT_TIMER = 9;
    public static final int VCPUOP_REGISTER_VCPU_INFO = 10;
    public static final int VCPUOP_SEND_NMI = 11;
    public static final int VCPUOP_GET_PHYSID = 12;
    public static final int VCPUOP_REGISTER_VCPU_TIME_MEMORY_AREA = 13;

    /** States of a vCPU as its runstate area tells them. */
    public static final int RUNSTATE_RUNNING = 0;
    public static final int RUNSTATE_RUNNABLE = 1;
    public static final int RUNSTATE_BLOCKED = 2;
    public static final int RUNSTATE_OFFLINE = 3;
    /** Set in state_entry_time while the guest-visible copy is being updated (assist runstate_update_flag). */
    public static final long RUNSTATE_UPDATE = 1L << 63;
    /** Flag of a singleshot timer: -ETIME if the time has passed. */
    public static final int SSHOTTMR_FUTURE = 1;

    /** Time spent in each runstate, ns. */
    public static final class RunstateInfo {
        public static final Struct LAYOUT = Struct.of("vcpu_runstate_info").u32("state").u64("state_entry_time")
                .array(Type.U64, "time", 4).build();
        public static final int SIZE = LAYOUT.size();
        public static final int STATE = LAYOUT.offset("state");
        public static final int STATE_ENTRY_TIME = LAYOUT.offset("state_entry_time");
        public static final int TIME = LAYOUT.offset("time");

        private RunstateInfo() {
        }
    }

    /** VCPUOP_set_periodic_timer. */
    public static final class SetPeriodicTimer {
        public static final Struct LAYOUT = Struct.of("vcpu_set_periodic_timer").u64("period_ns").build();
        public static final int SIZE = LAYOUT.size();
        public static final int PERIOD_NS = LAYOUT.offset("period_ns");

        private SetPeriodicTimer() {
        }
    }

    /** VCPUOP_set_singleshot_timer; absolute system time in ns. */
    public static final class SetSingleshotTimer {
        public static final Struct LAYOUT = Struct.of("vcpu_set_singleshot_timer").u64("timeout_abs_ns").u32("flags")
                .build();
        public static final int SIZE = LAYOUT.size();
        public static final int TIMEOUT_ABS_NS = LAYOUT.offset("timeout_abs_ns");
        public static final int FLAGS = LAYOUT.offset("flags");

        private SetSingleshotTimer() {
        }
    }

    /** VCPUOP_register_vcpu_info. */
    public static final class RegisterVcpuInfo {
        public static final Struct LAYOUT = Struct.of("vcpu_register_vcpu_info").u64("mfn").u32("offset").u32("rsvd")
                .build();
        public static final int SIZE = LAYOUT.size();
        public static final int MFN = LAYOUT.offset("mfn");
        public static final int OFFSET = LAYOUT.offset("offset");

        private RegisterVcpuInfo() {
        }
    }

    /** VCPUOP_get_physid. */
    public static final class GetPhysid {
        public static final Struct LAYOUT = Struct.of("vcpu_get_physid").u64("phys_id").build();
        public static final int SIZE = LAYOUT.size();
        public static final int PHYS_ID = LAYOUT.offset("phys_id");

        private GetPhysid() {
        }
    }

    /** VCPUOP_register_runstate_memory_area. */
    public static final class RegisterRunstateMemoryArea {
        public static final Struct LAYOUT = Struct.of("vcpu_register_runstate_memory_area").u64("addr.p").build();
        public static final int SIZE = LAYOUT.size();
        public static final int ADDR_P = LAYOUT.offset("addr.p");

        private RegisterRunstateMemoryArea() {
        }
    }

    /** VCPUOP_register_vcpu_time_memory_area. */
    public static final class RegisterTimeMemoryArea {
        public static final Struct LAYOUT = Struct.of("vcpu_register_time_memory_area").u64("addr.p").build();
        public static final int SIZE = LAYOUT.size();
        public static final int ADDR_P = LAYOUT.offset("addr.p");

        private RegisterTimeMemoryArea() {
        }
    }

    private VcpuOp() {
    }
}
