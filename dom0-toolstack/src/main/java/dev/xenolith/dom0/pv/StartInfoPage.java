package dev.xenolith.dom0.pv;

import dev.xenolith.hypervisor.abi.Xen.StartInfo;
import dev.xenolith.hypervisor.operations.SharedPage;
import java.nio.charset.StandardCharsets;

/** The start_info (xen/include/public/xen.h) in a page of a domain's memory, to be written by the names of its members. */
public final class StartInfoPage {
    private final PvAbi abi;
    private final SharedPage page;

    public StartInfoPage(PvAbi abi, SharedPage page) {
        this.abi = abi;
        this.page = page;
    }

    /** Sets an {@code unsigned long}: a count, an address, a frame number. */
    public StartInfoPage word(String member, long value) {
        abi.putWord(page, abi.offset(StartInfo.LAYOUT, member), value);
        return this;
    }

    /** Sets a {@code uint32_t}: flags, a port. */
    public StartInfoPage u32(String member, int value) {
        page.put32(abi.offset(StartInfo.LAYOUT, member), value);
        return this;
    }

    /** Sets a string, which with its NUL fits. */
    public StartInfoPage text(String member, String value) {
        byte[] bytes = (value + '\0').getBytes(StandardCharsets.UTF_8);
        page.write(abi.offset(StartInfo.LAYOUT, member), bytes, 0, bytes.length);
        return this;
    }
}
