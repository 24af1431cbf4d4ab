package dev.xenolith.hypervisor.memory;

import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.hypervisor.abi.EventChannel;
import dev.xenolith.hypervisor.abi.Struct;
import dev.xenolith.hypervisor.abi.Xen;

/**
 * Where in shared_info and vcpu_info the members are whose place depends on the width of the guest's words (xen/include/public/xen.h;
 * {@code shared_info(d, field)} of Xen). All other members that the hypervisor uses are at the same place for both.
 */
public enum SharedLayout {
    /** Of 64-bit guests. */
    NATIVE(Long.BYTES),
    /** Of 32-bit guests. */
    COMPAT(Integer.BYTES);

    /** Bytes of an {@code unsigned long}. */
    public final int wordBytes;
    /** Logarithm of the bits of one. */
    private final int wordShift;
    /** Offsets in shared_info of the two bit maps of events, and of other members. */
    public final int pending;
    public final int mask;
    public final int wallClockVersion;
    public final int wallClockSeconds;
    public final int wallClockNanoseconds;
    public final int wallClockSecondsHigh;
    public final int maxPfn;
    /** Offsets in vcpu_info. */
    public final int pendingSelector;
    public final int cr2;

    SharedLayout(int wordBytes) {
        this.wordBytes = wordBytes;
        wordShift = Integer.numberOfTrailingZeros(wordBytes * Byte.SIZE);
        pending = offset(Xen.SharedInfo.LAYOUT, "evtchn_pending");
        mask = offset(Xen.SharedInfo.LAYOUT, "evtchn_mask");
        wallClockVersion = offset(Xen.SharedInfo.LAYOUT, "wc_version");
        wallClockSeconds = offset(Xen.SharedInfo.LAYOUT, "wc_sec");
        wallClockNanoseconds = offset(Xen.SharedInfo.LAYOUT, "wc_nsec");
        wallClockSecondsHigh = offset(Xen.SharedInfo.LAYOUT,
                wordBytes == Long.BYTES ? "wc_sec_hi" : "arch.wc_sec_hi");
        maxPfn = offset(Xen.SharedInfo.LAYOUT, "arch.max_pfn");
        pendingSelector = offset(Xen.VcpuInfo.LAYOUT, "evtchn_pending_sel");
        cr2 = offset(Xen.VcpuInfo.LAYOUT, "arch.cr2");
    }

    private int offset(Struct struct, String member) {
        return wordBytes == Long.BYTES ? struct.offset(member) : struct.compatOffset(member);
    }

    /** Event channels of two levels: bits of a word, squared. */
    public int eventChannels() {
        return this == NATIVE ? EventChannel.NR_CHANNELS_2L : 1 << 2 * wordShift;
    }

    /** Number of the word that has the bit of {@code port}. */
    public int wordOf(int port) {
        return port >>> wordShift;
    }

    /** The bit of {@code port} in its word. */
    public long bitOf(int port) {
        return 1L << (port & (1 << wordShift) - 1);
    }

    /** Bytes of each of the two bit maps. */
    public int bitmapBytes() {
        return mask - pending;
    }

    /** The word at a physical address, extended with zeros. */
    public long read(PhysicalMemory ram, long address) {
        return this == NATIVE ? ram.read64(address) : ram.read32(address) & 0xffff_ffffL;
    }

    /** Writes a word, or the lower half of a longer one, to a physical address. */
    public void write(PhysicalMemory ram, long address, long value) {
        if (this == NATIVE) {
            ram.write64(address, value);
        } else {
            ram.write32(address, (int) value);
        }
    }
}
