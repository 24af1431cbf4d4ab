package dev.xenolith.benchmark;

/** What a PV guest asks of the hypervisor, one by one or in batches; times are always those of one. */
public enum GuestOperation {
    /** xen_version by SYSCALL in place: the way there and back. The others are relative to it. */
    NULL_HYPERCALL("hypercall %d"),
    /** The same through the hypercall page. */
    HYPERCALL_PAGE("page %d"),
    /** The same, 8 to a multicall. */
    MULTICALL_8("multicall %d 8"),
    /** The same, 128 to a multicall. */
    MULTICALL_128("multicall %d 128"),
    /** SCHEDOP_yield by the only vCPU that wants to run. */
    SCHED_YIELD("yield %d"),
    /** set_timer_op, an hour ahead. */
    SET_TIMER("set_timer %d"),
    /** VCPUOP_is_up. */
    VCPU_OP("vcpu_op %d"),
    /** XENMEM_current_reservation. */
    MEMORY_OP("memory_op %d"),

    /** A page-table entry by an mmu_update of its own. */
    MMU_UPDATE_1("pte %d"),
    /** An entry of an mmu_update of 128. */
    MMU_UPDATE_128("ptes %d"),
    /** An entry by update_va_mapping with UVMF_INVLPG. */
    UPDATE_VA_MAPPING("va %d"),
    /** An entry by a plain store, which is emulated. */
    EMULATED_STORE("store %d"),
    /** An L1 table of 512 mappings pinned and unpinned. */
    PIN_L1("pin %d 1"),
    /** An L2 table with that one below it. */
    PIN_L2("pin %d 2"),
    /** An L3 table with those below it. */
    PIN_L3("pin %d 3"),
    /** An L4 table with those below it. */
    PIN_L4("pin %d 4"),
    /** Another root by MMUEXT_NEW_BASEPTR. */
    NEW_BASEPTR("baseptr %d"),

    /** An event to the vCPU that sends it, until its handler has run. */
    EVENT_TO_SELF("self %d"),
    /** An event to a guest and one back, both blocked in between: two context switches, on one processor. */
    EVENT_PING_PONG("ping %d"),
    /** An IPI to another vCPU and one back, both blocked in between. */
    IPI_PING_PONG("ipi %d"),
    /** A turn of another vCPU of the domain and one of this, both yielding. */
    YIELD_PING_PONG("turns %d"),
    /** The timer set to now, until its handler has run. */
    TIMER("timer %d"),

    /** A page of another guest mapped and unmapped. */
    GRANT_MAP_UNMAP("map %d"),
    /** 4,096 bytes of another guest copied. */
    GRANT_COPY_1("copy %d"),
    /** The same, 32 to a hypercall. */
    GRANT_COPY_32("copies %d");

    private final String command;

    GuestOperation(String command) {
        this.command = command;
    }

    /** The command that makes a {@code bench} guest do it {@code count} times; a multiple of 128. */
    String command(int count) {
        return command.formatted(count);
    }
}
