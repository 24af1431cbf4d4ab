package dev.xenolith.hypervisor.abi;

import dev.xenolith.hypervisor.abi.Struct.Type;

/** xen/include/public/io/xs_wire.h: the page and message header of xenstore. Indexes run freely. */
public final class XenstoreRing {
    /** Size of each of the two rings. */
    public static final int RING_SIZE = 1024;
    public static final Struct LAYOUT = Struct.of("xenstore_domain_interface")
            .array(Type.U8, "req", RING_SIZE).array(Type.U8, "rsp", RING_SIZE).u32("req_cons").u32("req_prod")
            .u32("rsp_cons").u32("rsp_prod").u32("server_features").u32("connection").u32("error").build();
    public static final int SIZE = LAYOUT.size();
    public static final int REQ = LAYOUT.offset("req");
    public static final int RSP = LAYOUT.offset("rsp");
    public static final int REQ_CONS = LAYOUT.offset("req_cons");
    public static final int REQ_PROD = LAYOUT.offset("req_prod");
    public static final int RSP_CONS = LAYOUT.offset("rsp_cons");
    public static final int RSP_PROD = LAYOUT.offset("rsp_prod");
    public static final int SERVER_FEATURES = LAYOUT.offset("server_features");
    public static final int CONNECTION = LAYOUT.offset("connection");
    public static final int ERROR = LAYOUT.offset("error");

    /** Bits of server_features. */
    public static final int FEATURE_RECONNECTION = 1;
    public static final int FEATURE_ERROR = 2;
    /** Values of connection. */
    public static final int CONNECTED = 0;
    public static final int RECONNECT = 1;
    /** Values of error. */
    public static final int ERROR_NONE = 0;
    public static final int ERROR_COMM = 1;
    public static final int ERROR_RINGIDX = 2;
    public static final int ERROR_PROTO = 3;
    /** Limits of the protocol, in bytes. */
    public static final int PAYLOAD_MAX = 4096;
    public static final int ABS_PATH_MAX = 3072;
    public static final int REL_PATH_MAX = 2048;

    /** Header of every message. */
    public static final class Header {
        public static final Struct LAYOUT = Struct.of("xsd_sockmsg").u32("type").u32("req_id").u32("tx_id").u32("len")
                .build();
        public static final int SIZE = LAYOUT.size();
        public static final int TYPE = LAYOUT.offset("type");
        public static final int REQ_ID = LAYOUT.offset("req_id");
        public static final int TX_ID = LAYOUT.offset("tx_id");
        public static final int LEN = LAYOUT.offset("len");

        private Header() {
        }
    }

    private XenstoreRing() {
    }
}
