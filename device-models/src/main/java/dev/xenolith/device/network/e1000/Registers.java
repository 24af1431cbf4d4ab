package dev.xenolith.device.network.e1000;

/** Offsets of the registers in the card's 128 KiB (chapter 13), and the causes of interrupts. */
final class Registers {
    static final int CTRL = 0x0000;
    static final int STATUS = 0x0008;
    static final int EECD = 0x0010;
    static final int EERD = 0x0014;
    static final int CTRL_EXT = 0x0018;
    static final int MDIC = 0x0020;
    static final int VET = 0x0038;
    static final int ICR = 0x00c0;
    static final int ITR = 0x00c4;
    static final int ICS = 0x00c8;
    static final int IMS = 0x00d0;
    static final int IMC = 0x00d8;
    static final int RCTL = 0x0100;
    static final int TCTL = 0x0400;
    static final int PBA = 0x1000;
    static final int RDBAL = 0x2800;
    static final int RDBAH = 0x2804;
    static final int RDLEN = 0x2808;
    static final int RDH = 0x2810;
    static final int RDT = 0x2818;
    static final int TDBAL = 0x3800;
    static final int TDBAH = 0x3804;
    static final int TDLEN = 0x3808;
    static final int TDH = 0x3810;
    static final int TDT = 0x3818;
    /** The statistics, which reading clears. */
    static final int STATISTICS = 0x4000;
    static final int STATISTICS_END = 0x4100;
    static final int MPC = 0x4010;
    static final int PRC64 = 0x405c;
    static final int GPRC = 0x4074;
    static final int BPRC = 0x4078;
    static final int MPRC = 0x407c;
    static final int GPTC = 0x4080;
    static final int GORCL = 0x4088;
    static final int GOTCL = 0x4090;
    static final int RNBC = 0x40a0;
    static final int TORL = 0x40c0;
    static final int TOTL = 0x40c8;
    static final int TPR = 0x40d0;
    static final int TPT = 0x40d4;
    static final int PTC64 = 0x40d8;
    static final int MPTC = 0x40f0;
    static final int BPTC = 0x40f4;
    static final int TSCTC = 0x40f8;
    static final int RXCSUM = 0x5000;
    static final int MTA = 0x5200;
    static final int MTA_END = 0x5400;
    static final int RA = 0x5400;
    static final int RA_END = 0x5480;
    static final int VFTA = 0x5600;
    static final int VFTA_END = 0x5800;

    /** Causes: a descriptor has been written back, the ring to send is empty, the link has changed. */
    static final int TXDW = 1;
    static final int TXQE = 1 << 1;
    static final int LSC = 1 << 2;
    /** Descriptors to receive into get few, there were none, a frame has been received, the PHY has answered. */
    static final int RXDMT0 = 1 << 4;
    static final int RXO = 1 << 6;
    static final int RXT0 = 1 << 7;
    static final int MDAC = 1 << 9;

    private Registers() {}
}
