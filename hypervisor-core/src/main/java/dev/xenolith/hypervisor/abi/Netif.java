package dev.xenolith.hypervisor.abi;

import dev.xenolith.hypervisor.abi.Struct.Type;

/** xen/include/public/io/netif.h: requests of network frontends, which name pages to send and pages to receive into, and responses. */
public final class Netif {
    /** Flags of a request to send (NETTXF_*). The checksum is of the pseudo header only, and the data is as good as checked. */
    public static final int TX_CSUM_BLANK = 1;
    public static final int TX_DATA_VALIDATED = 2;
    public static final int TX_MORE_DATA = 4;
    public static final int TX_EXTRA_INFO = 8;

    /** Flags of what was received (NETRXF_*): the first two are the other way round than in {@link #TX_CSUM_BLANK}. */
    public static final int RX_DATA_VALIDATED = 1;
    public static final int RX_CSUM_BLANK = 2;
    public static final int RX_MORE_DATA = 4;
    public static final int RX_EXTRA_INFO = 8;

    public static final int RSP_DROPPED = -2;
    public static final int RSP_ERROR = -1;
    public static final int RSP_OKAY = 0;
    /** The response of a slot that held extra information. */
    public static final int RSP_NULL = 1;

    public static final int EXTRA_TYPE_GSO = 1;
    public static final int EXTRA_TYPE_MCAST_ADD = 2;
    public static final int EXTRA_TYPE_MCAST_DEL = 3;
    public static final int EXTRA_TYPE_HASH = 4;
    public static final int EXTRA_FLAG_MORE = 1;

    public static final int GSO_TYPE_TCPV4 = 1;
    public static final int GSO_TYPE_TCPV6 = 2;

    /** Slots that each frontend may use for a packet (XEN_NETIF_NR_SLOTS_MIN). */
    public static final int SLOTS_MIN = 18;

    public static final Struct TX_REQUEST = Struct.of("netif_tx_request").u32("gref").u16("offset").u16("flags")
            .u16("id").u16("size").build();
    public static final Struct TX_RESPONSE = Struct.of("netif_tx_response").u16("id").u16("status").build();
    public static final Struct RX_REQUEST = Struct.of("netif_rx_request").u16("id").u16("pad").u32("gref").build();
    public static final Struct RX_RESPONSE = Struct.of("netif_rx_response").u16("id").u16("offset").u16("flags")
            .u16("status").build();
    public static final Struct EXTRA_INFO = Struct.of("netif_extra_info").u8("type").u8("flags")
            .union("u", Struct.of("gso").u16("size").u8("type").u8("pad").u16("features").build(),
                    Struct.of("mcast").array(Type.U8, "addr", 6).build())
            .build();

    private Netif() {
    }
}
