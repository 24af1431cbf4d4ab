package dev.xenolith.device.board;

import dev.xenolith.cpu.apic.ApicBus;
import dev.xenolith.device.pci.MessageSink;

/** What the writes by which devices interrupt mean to the local APICs (SDM 3A, 11.11 "Message Signalled Interrupts"). */
record ApicMessages(ApicBus bus) implements MessageSink {
    private static final long WINDOW_MASK = ~0xf_ffffL;
    private static final long WINDOW = 0xfee0_0000L;
    private static final int DESTINATION_SHIFT = 12;
    private static final int BROADCAST = 0xff;
    private static final int LOGICAL = 1 << 2;
    private static final int MODE_SHIFT = 8;
    private static final int LEVEL = 1 << 15;

    /** A write to anywhere else is one to memory or to nobody, and interrupts no processor. */
    @Override
    public void write(long address, int data) {
        if ((address & WINDOW_MASK) != WINDOW) {
            return;
        }
        int destination = (int) address >>> DESTINATION_SHIFT & 0xff;
        int mode = data >>> MODE_SHIFT & 7;
        // The manual has the mode count with the redirection hint only; processors, and kernels, do not mind the hint.
        bus.send(destination == BROADCAST ? -1 : destination, (address & LOGICAL) != 0, mode, data & 0xff,
                (data & LEVEL) != 0);
    }
}
