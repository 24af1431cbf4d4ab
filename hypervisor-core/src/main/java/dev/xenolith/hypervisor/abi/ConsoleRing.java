package dev.xenolith.hypervisor.abi;

import dev.xenolith.hypervisor.abi.Struct.Type;

/** xen/include/public/io/console.h: the page of the PV console. Indexes run freely; the place is the index modulo the size. */
public final class ConsoleRing {
    public static final int IN_SIZE = 1024;
    public static final int OUT_SIZE = 2048;
    public static final Struct LAYOUT = Struct.of("xencons_interface")
            .array(Type.U8, "in", IN_SIZE).array(Type.U8, "out", OUT_SIZE).u32("in_cons").u32("in_prod")
            .u32("out_cons").u32("out_prod").build();
    public static final int SIZE = LAYOUT.size();
    public static final int IN = LAYOUT.offset("in");
    public static final int OUT = LAYOUT.offset("out");
    public static final int IN_CONS = LAYOUT.offset("in_cons");
    public static final int IN_PROD = LAYOUT.offset("in_prod");
    public static final int OUT_CONS = LAYOUT.offset("out_cons");
    public static final int OUT_PROD = LAYOUT.offset("out_prod");

    private ConsoleRing() {
    }
}
