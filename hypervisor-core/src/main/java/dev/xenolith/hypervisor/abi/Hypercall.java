package dev.xenolith.hypervisor.abi;

/** Hypercall numbers (xen/include/public/xen.h, {@code __HYPERVISOR_*}). */
public final class Hypercall {
    public static final int SET_TRAP_TABLE = 0;
    public static final int MMU_UPDATE = 1;
    public static final int SET_GDT = 2;
    public static final int STACK_SWITCH = 3;
    public static final int SET_CALLBACKS = 4;
    public static final int FPU_TASKSWITCH = 5;
    public static final int SCHED_OP_COMPAT = 6;
    public static final int PLATFORM_OP = 7;
    public static final int SET_DEBUGREG = 8;
    public static final int GET_DEBUGREG = 9;
    public static final int UPDATE_DESCRIPTOR = 10;
    public static final int MEMORY_OP = 12;
    public static final int MULTICALL = 13;
    public static final int UPDATE_VA_MAPPING = 14;
    public static final int SET_TIMER_OP = 15;
    public static final int EVENT_CHANNEL_OP_COMPAT = 16;
    public static final int XEN_VERSION = 17;
    public static final int CONSOLE_IO = 18;
    public static final int PHYSDEV_OP_COMPAT = 19;
    public static final int GRANT_TABLE_OP = 20;
    public static final int VM_ASSIST = 21;
    public static final int UPDATE_VA_MAPPING_OTHERDOMAIN = 22;
    public static final int IRET = 23;
    public static final int VCPU_OP = 24;
    public static final int SET_SEGMENT_BASE = 25;
    public static final int MMUEXT_OP = 26;
    public static final int XSM_OP = 27;
    public static final int NMI_OP = 28;
    public static final int SCHED_OP = 29;
    public static final int CALLBACK_OP = 30;
    public static final int XENOPROF_OP = 31;
    public static final int EVENT_CHANNEL_OP = 32;
    public static final int PHYSDEV_OP = 33;
    public static final int HVM_OP = 34;
    public static final int SYSCTL = 35;
    public static final int DOMCTL = 36;
    public static final int KEXEC_OP = 37;
    public static final int TMEM_OP = 38;
    public static final int ARGO_OP = 39;
    public static final int XENPMU_OP = 40;
    public static final int DM_OP = 41;
    public static final int HYPFS_OP = 42;
    public static final int ARCH_0 = 48;
    public static final int ARCH_1 = 49;
    public static final int ARCH_2 = 50;
    public static final int ARCH_3 = 51;
    public static final int ARCH_4 = 52;
    public static final int ARCH_5 = 53;
    public static final int ARCH_6 = 54;
    public static final int ARCH_7 = 55;
    /** Hypercall numbers are below this. */
    public static final int COUNT = 64;

    private static final String[] NAMES = names();

    private Hypercall() {
    }

    /** The name without prefix, such as {@code sched_op}, for logs and traces. */
    public static String name(long number) {
        return number >= 0 && number < COUNT ? NAMES[(int) number] : "hypercall " + number;
    }

    private static String[] names() {
        String[] names = new String[COUNT];
        for (int i = 0; i < COUNT; i++) {
            names[i] = "hypercall " + i;
        }
        names[SET_TRAP_TABLE] = "set_trap_table";
        names[MMU_UPDATE] = "mmu_update";
        names[SET_GDT] = "set_gdt";
        names[STACK_SWITCH] = "stack_switch";
        names[SET_CALLBACKS] = "set_callbacks";
        names[FPU_TASKSWITCH] = "fpu_taskswitch";
        names[SCHED_OP_COMPAT] = "sched_op_compat";
        names[PLATFORM_OP] = "platform_op";
        names[SET_DEBUGREG] = "set_debugreg";
        names[GET_DEBUGREG] = "get_debugreg";
        names[UPDATE_DESCRIPTOR] = "update_descriptor";
        names[MEMORY_OP] = "memory_op";
        names[MULTICALL] = "multicall";
        names[UPDATE_VA_MAPPING] = "update_va_mapping";
        names[SET_TIMER_OP] = "set_timer_op";
        names[EVENT_CHANNEL_OP_COMPAT] = "event_channel_op_compat";
        names[XEN_VERSION] = "xen_version";
        names[CONSOLE_IO] = "console_io";
        names[PHYSDEV_OP_COMPAT] = "physdev_op_compat";
        names[GRANT_TABLE_OP] = "grant_table_op";
        names[VM_ASSIST] = "vm_assist";
        names[UPDATE_VA_MAPPING_OTHERDOMAIN] = "update_va_mapping_otherdomain";
        names[IRET] = "iret";
        names[VCPU_OP] = "vcpu_op";
        names[SET_SEGMENT_BASE] = "set_segment_base";
        names[MMUEXT_OP] = "mmuext_op";
        names[XSM_OP] = "xsm_op";
        names[NMI_OP] = "nmi_op";
        names[SCHED_OP] = "sched_op";
        names[CALLBACK_OP] = "callback_op";
        names[XENOPROF_OP] = "xenoprof_op";
        names[EVENT_CHANNEL_OP] = "event_channel_op";
        names[PHYSDEV_OP] = "physdev_op";
        names[HVM_OP] = "hvm_op";
        names[SYSCTL] = "sysctl";
        names[DOMCTL] = "domctl";
        names[KEXEC_OP] = "kexec_op";
        names[TMEM_OP] = "tmem_op";
        names[ARGO_OP] = "argo_op";
        names[XENPMU_OP] = "xenpmu_op";
        names[DM_OP] = "dm_op";
        names[HYPFS_OP] = "hypfs_op";
        names[ARCH_0] = "arch_0";
        names[ARCH_1] = "arch_1";
        names[ARCH_2] = "arch_2";
        names[ARCH_3] = "arch_3";
        names[ARCH_4] = "arch_4";
        names[ARCH_5] = "arch_5";
        names[ARCH_6] = "arch_6";
        names[ARCH_7] = "arch_7";
        return names;
    }
}
