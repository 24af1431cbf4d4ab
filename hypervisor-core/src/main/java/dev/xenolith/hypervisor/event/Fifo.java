package dev.xenolith.hypervisor.event;

import static dev.xenolith.hypervisor.abi.Errno.EINVAL;
import static dev.xenolith.hypervisor.abi.Errno.ENOSPC;
import static dev.xenolith.hypervisor.abi.EventChannel.EVTCHN_FIFO_BUSY;
import static dev.xenolith.hypervisor.abi.EventChannel.EVTCHN_FIFO_LINKED;
import static dev.xenolith.hypervisor.abi.EventChannel.EVTCHN_FIFO_LINK_MASK;
import static dev.xenolith.hypervisor.abi.EventChannel.EVTCHN_FIFO_MASKED;
import static dev.xenolith.hypervisor.abi.EventChannel.EVTCHN_FIFO_MAX_QUEUES;
import static dev.xenolith.hypervisor.abi.EventChannel.EVTCHN_FIFO_NR_CHANNELS;
import static dev.xenolith.hypervisor.abi.EventChannel.EVTCHN_FIFO_PENDING;
import static dev.xenolith.hypervisor.abi.EventChannel.EVTCHN_FIFO_PRIORITY_DEFAULT;
import static dev.xenolith.hypervisor.abi.EventChannel.EVTCHN_FIFO_PRIORITY_MIN;

import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.hypervisor.abi.EventChannel.FifoControlBlock;
import dev.xenolith.hypervisor.memory.MemoryOwner;
import dev.xenolith.hypervisor.paging.PageTypes;
import java.util.Arrays;
import java.util.BitSet;
import java.util.function.IntConsumer;
import java.util.function.IntUnaryOperator;

/**
 * The FIFO ABI (xen/common/event_fifo.c and the design "FIFO-based event channels"): a word for each port in an array of the guest's
 * pages, which grows; and for each vCPU and priority a queue, linked through those words, with its head and a "ready" bit in the
 * vCPU's control block. The guest takes ports off at the head, the hypervisor appends at the tail, which it keeps to itself.
 *
 * <p>All these words are in the guest's reach. None is followed or believed further than its one bit in question: a guest that spoils
 * them loses its own events. Words change only while the machine thread is here, so that a read and a write make an exchange.
 */
public final class Fifo implements Delivery {
    private static final int WORD = Integer.BYTES;
    private static final int WORDS_PER_PAGE = PhysicalMemory.FRAME_SIZE / WORD;
    private static final int MOST_PAGES = EVTCHN_FIFO_NR_CHANNELS / WORDS_PER_PAGE;
    private static final int ALIGNMENT = 8;

    private final PageTypes types;
    private final MemoryOwner owner;
    private final PhysicalMemory ram;
    private final Upcall target;
    /** Physical address of each vCPU's control block, -1 if it has none. */
    private final long[] controlBlock;
    /** Last port that was appended to each queue, 0 if none is known to be in it: index vcpu * queues + priority. */
    private final int[] tail;
    /** Frames of the event array. */
    private final int[] array = new int[MOST_PAGES];
    private int arrayPages;
    /** By port, as far as one of them differed from what it is at first. */
    private byte[] priority = {};
    /** Queue that the port was appended to latest, by port. */
    private char[] queue = {};
    /** Pending ports for which the array has no word yet. */
    private final BitSet waiting = new BitSet();

    /**
     * Without any control block or array page yet.
     *
     * @param owner whose pages those will be
     */
    public Fifo(PageTypes types, MemoryOwner owner, int vcpus, Upcall target) {
        this.types = types;
        this.owner = owner;
        this.target = target;
        ram = types.memory().ram();
        controlBlock = new long[vcpus];
        Arrays.fill(controlBlock, -1);
        tail = new int[vcpus * EVTCHN_FIFO_MAX_QUEUES];
    }

    // ---- pages of the guest ------------------------------------------------------------------------------------------

    /** Whether a control block may be at byte {@code offset}, any value, of a page. */
    static boolean isControlOffset(long offset) {
        return offset >= 0 && offset <= PhysicalMemory.FRAME_SIZE - FifoControlBlock.SIZE && offset % ALIGNMENT == 0;
    }

    /** Gives {@code vcpu} its control block, once: in page {@code mfn}, any value, at a byte offset that is allowed. 0 or -EINVAL. */
    int setControlBlock(int vcpu, long mfn, int offset) {
        if (controlBlock[vcpu] >= 0 || !types.hold(mfn, owner)) {
            return -EINVAL;
        }
        controlBlock[vcpu] = (mfn << PhysicalMemory.FRAME_SHIFT) + offset;
        return 0;
    }

    /**
     * Appends page {@code mfn}, any value, to the event array, and delivers ports that became pending when they had no word.
     *
     * @param vcpuOf says which vCPU a port notifies
     * @return 0, -EINVAL or -ENOSPC
     */
    int expandArray(long mfn, IntUnaryOperator vcpuOf) {
        if (arrayPages == MOST_PAGES) {
            return -ENOSPC;
        }
        if (!types.hold(mfn, owner)) {
            return -EINVAL;
        }
        array[arrayPages++] = (int) mfn;
        int words = arrayPages * WORDS_PER_PAGE;
        for (int port = waiting.nextSetBit(0); port >= 0 && port < words; port = waiting.nextSetBit(port)) {
            waiting.clear(port);
            setPending(port, vcpuOf.applyAsInt(port));
        }
        return 0;
    }

    /** Gives all pages back: the domain has left this ABI, or has ended. No port is open. */
    void release() {
        forEachFrame(types::letGo);
        arrayPages = 0;
        Arrays.fill(controlBlock, -1);
        Arrays.fill(tail, 0);
    }

    /** Calls {@code visitor} for each page that is held, as often as it is. */
    public void forEachFrame(IntConsumer visitor) {
        for (long block : controlBlock) {
            if (block >= 0) {
                visitor.accept((int) (block >>> PhysicalMemory.FRAME_SHIFT));
            }
        }
        for (int i = 0; i < arrayPages; i++) {
            visitor.accept(array[i]);
        }
    }

    // ---- words -------------------------------------------------------------------------------------------------------

    /** Physical address of the port's word, -1 if the array does not reach it. */
    private long word(int port) {
        int page = port / WORDS_PER_PAGE;
        return page < arrayPages
                ? ((long) array[page] << PhysicalMemory.FRAME_SHIFT) + port % WORDS_PER_PAGE * WORD
                : -1;
    }

    private boolean has(int port, int bit) {
        long word = word(port);
        return word >= 0 && (ram.read32(word) & bit) != 0;
    }

    // ---- priorities --------------------------------------------------------------------------------------------------

    /** Chooses the queue of the port's next event, any {@code wanted} priority. 0 or -EINVAL. */
    int setPriority(int port, long wanted) {
        if (wanted < 0 || wanted > EVTCHN_FIFO_PRIORITY_MIN) {
            return -EINVAL;
        }
        know(port);
        priority[port] = (byte) wanted;
        return 0;
    }

    private void know(int port) {
        int old = priority.length;
        if (port >= old) {
            int size = Integer.highestOneBit(Math.max(port, 32)) << 1;
            priority = Arrays.copyOf(priority, size);
            queue = Arrays.copyOf(queue, size);
            Arrays.fill(priority, old, size, (byte) EVTCHN_FIFO_PRIORITY_DEFAULT);
        }
    }

    // ---- Delivery ----------------------------------------------------------------------------------------------------

    @Override
    public int limit() {
        return EVTCHN_FIFO_NR_CHANNELS;
    }

    @Override
    public void setPending(int port, int vcpu) {
        long at = word(port);
        if (at < 0) {
            waiting.set(port);
            return;
        }
        int word = ram.read32(at);
        boolean wasPending = (word & EVTCHN_FIFO_PENDING) != 0;
        if (!wasPending) {
            word |= EVTCHN_FIFO_PENDING;
            ram.write32(at, word);
        }
        // Without control block the guest should not have unmasked the port: it stays pending, and unmasking delivers it.
        if ((word & (EVTCHN_FIFO_MASKED | EVTCHN_FIFO_LINKED)) == 0 && controlBlock[vcpu] >= 0) {
            ram.write32(at, word | EVTCHN_FIFO_LINKED);
            append(port, vcpu);
        }
        if (!wasPending) {
            target.portPending(port, vcpu);
        }
    }

    /** Puts a port that has just been marked as linked at the end of its queue. */
    private void append(int port, int vcpu) {
        know(port);
        int chosen = vcpu * EVTCHN_FIFO_MAX_QUEUES + priority[port];
        // If it was the last of a queue, the guest has emptied that queue since: what comes next must not be linked to it.
        if (tail[queue[port]] == port) {
            tail[queue[port]] = 0;
        }
        queue[port] = (char) chosen;
        boolean linked = tail[chosen] != 0 && link(tail[chosen], port);
        tail[chosen] = port;
        if (linked) {
            return;
        }
        long block = controlBlock[vcpu];
        ram.write32(block + FifoControlBlock.HEAD + (long) priority[port] * WORD, port);
        int ready = ram.read32(block + FifoControlBlock.READY);
        int bit = 1 << priority[port];
        if ((ready & bit) == 0) {
            ram.write32(block + FifoControlBlock.READY, ready | bit);
            target.markPending(ram, vcpu);
        }
    }

    /** Lets the word of {@code last} name {@code port} as the next, if it is still linked: else the queue is empty. */
    private boolean link(int last, int port) {
        long at = word(last);
        int word = ram.read32(at);
        if ((word & EVTCHN_FIFO_LINKED) == 0) {
            return false;
        }
        ram.write32(at, word & ~(EVTCHN_FIFO_BUSY | EVTCHN_FIFO_LINK_MASK) | port);
        return true;
    }

    /** The guest unlinks the port when it comes to it, and sees that there is nothing to do. */
    @Override
    public void close(int port) {
        waiting.clear(port);
        if (port < priority.length) {
            priority[port] = EVTCHN_FIFO_PRIORITY_DEFAULT;
        }
        long at = word(port);
        if (at >= 0) {
            int word = ram.read32(at);
            if ((word & EVTCHN_FIFO_PENDING) != 0) {
                ram.write32(at, word & ~EVTCHN_FIFO_PENDING);
            }
        }
    }

    @Override
    public boolean isPending(int port) {
        return has(port, EVTCHN_FIFO_PENDING);
    }

    @Override
    public boolean isMasked(int port) {
        return word(port) < 0 || has(port, EVTCHN_FIFO_MASKED);
    }

    @Override
    public void unmask(int port, int vcpu) {
        long at = word(port);
        if (at < 0) {
            return;
        }
        int word = ram.read32(at);
        if ((word & EVTCHN_FIFO_MASKED) != 0) {
            ram.write32(at, word & ~EVTCHN_FIFO_MASKED);
        }
        if ((word & EVTCHN_FIFO_PENDING) != 0) {
            setPending(port, vcpu);
        }
    }

    @Override
    public boolean isBusy(int port) {
        return has(port, EVTCHN_FIFO_LINKED);
    }
}
