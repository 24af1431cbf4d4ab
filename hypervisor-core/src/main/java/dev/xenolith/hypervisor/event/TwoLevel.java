package dev.xenolith.hypervisor.event;

import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.hypervisor.memory.SharedLayout;

/**
 * The two-level bitmaps of a 64-bit guest (xen/common/event_2l.c): a pending and a mask bit per port in shared_info, a selector
 * word and the upcall flag in each vcpu_info. The guest owns these words too, so nothing here believes them.
 */
public final class TwoLevel implements Delivery {
    private final PhysicalMemory ram;
    private final Upcall target;

    public TwoLevel(PhysicalMemory ram, Upcall target) {
        this.ram = ram;
        this.target = target;
    }

    @Override
    public int limit() {
        return target.layout().eventChannels();
    }

    @Override
    public void setPending(int port, int vcpu) {
        SharedLayout layout = target.layout();
        if (!set(layout, word(layout, layout.pending, port), port)) {
            return;
        }
        if (!isMasked(port)) {
            select(layout, port, vcpu);
        }
        target.portPending(port, vcpu);
    }

    @Override
    public void close(int port) {
        SharedLayout layout = target.layout();
        clear(layout, word(layout, layout.pending, port), port);
    }

    @Override
    public boolean isPending(int port) {
        SharedLayout layout = target.layout();
        return isSet(layout, word(layout, layout.pending, port), port);
    }

    @Override
    public boolean isMasked(int port) {
        SharedLayout layout = target.layout();
        return isSet(layout, word(layout, layout.mask, port), port);
    }

    @Override
    public void unmask(int port, int vcpu) {
        SharedLayout layout = target.layout();
        if (clear(layout, word(layout, layout.mask, port), port) && isPending(port)) {
            select(layout, port, vcpu);
        }
    }

    /** Sets the port's word in the selector; the first such word raises the upcall flag. */
    private void select(SharedLayout layout, int port, int vcpu) {
        long info = target.vcpuInfo(vcpu);
        if (info >= 0 && set(layout, info + layout.pendingSelector, layout.wordOf(port))) {
            target.markPending(ram, vcpu);
        }
    }

    private long word(SharedLayout layout, int array, int port) {
        return target.sharedInfo() + array + (long) layout.wordOf(port) * layout.wordBytes;
    }

    private boolean isSet(SharedLayout layout, long at, int number) {
        return (layout.read(ram, at) & layout.bitOf(number)) != 0;
    }

    /** Sets a bit of the word at {@code at}; returns whether it was clear. */
    private boolean set(SharedLayout layout, long at, int number) {
        long word = layout.read(ram, at);
        long bit = layout.bitOf(number);
        if ((word & bit) != 0) {
            return false;
        }
        layout.write(ram, at, word | bit);
        return true;
    }

    /** Clears a bit of the word at {@code at}; returns whether it was set. */
    private boolean clear(SharedLayout layout, long at, int number) {
        long word = layout.read(ram, at);
        long bit = layout.bitOf(number);
        if ((word & bit) == 0) {
            return false;
        }
        layout.write(ram, at, word & ~bit);
        return true;
    }
}
