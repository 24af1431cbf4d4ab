package dev.xenolith.dom0.console;

import dev.xenolith.hypervisor.abi.ConsoleRing;
import dev.xenolith.hypervisor.operations.DomainHandle;
import dev.xenolith.hypervisor.operations.SharedPage;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The console of one domain: its ring, the output that waits for readers, the input that waits for the domain, and who is
 * attached. It may be attached to before there is a ring.
 */
final class GuestConsole {
    /** As in xenconsoled: so many events are heeded in a period of that length (ns). */
    private static final int EVENTS_PER_PERIOD = 30;
    private static final long PERIOD = 200_000_000;

    /** Input that waits until the domain reads. */
    private static final int INPUT_LIMIT = 4096;

    /** What an event and each byte moved are charged, in ns of machine time. */
    private static final long EVENT_TIME = 2_000;
    private static final long BYTE_TIME = 1;

    /** Names the ring that is connected, to see whether the one in xenstore is another. */
    record Ring(SharedPage page, int localPort, int remotePort) {
    }

    private final DomainHandle handle;
    private final Overflow overflow;
    private final Backlog backlog;
    private final List<Attached> clients = new ArrayList<>();
    private final byte[] piece = new byte[ConsoleRing.OUT_SIZE];
    private final byte[] input = new byte[INPUT_LIMIT];
    private int inputCount;
    private long readUpTo;
    private @Nullable Ring ring;
    private ConsoleLogs.@Nullable Log log;
    private boolean ended;
    private int events;
    private long periodEnd;
    private DomainHandle.@Nullable Timer pause;

    GuestConsole(DomainHandle handle, Overflow overflow, int limit) {
        this.handle = handle;
        this.overflow = overflow;
        backlog = new Backlog(limit);
    }

    @Nullable
    Ring ring() {
        return ring;
    }

    /** Bytes of output that are kept for readers. */
    void setLimit(int bytes) {
        backlog.setLimit(bytes);
    }

    void setLog(ConsoleLogs.@Nullable Log newLog) { log = newLog; }

    boolean hasLog() {
        return log != null;
    }

    Backlog backlog() {
        return backlog;
    }

    boolean hasClients() {
        return !clients.isEmpty();
    }

    /** Starts to serve a ring; the one before, if any, was disconnected. */
    void connect(Ring newRing) {
        ring = newRing;
        handle.events().onEvent(newRing.localPort, this::onEvent);
        onEvent();
    }

    /** Gives the ring back after a last look at it. */
    void disconnect() {
        Ring old = ring;
        if (old != null) {
            drain(old);
            ring = null;
            handle.events().close(old.localPort);
            old.page.unmap();
        }
        if (pause != null) {
            pause.cancel();
            pause = null;
        }
    }

    private void onEvent() {
        Ring current = ring;
        if (current == null) {
            return;
        }
        handle.charge(EVENT_TIME);
        fillInput(current);
        tellRoom();
        long now = handle.now();
        if (now >= periodEnd) {
            periodEnd = now + PERIOD;
            events = 0;
        }
        if (events < EVENTS_PER_PERIOD) {
            events++;
            drain(current);
        } else if (pause == null) {
            pause = handle.at(periodEnd, this::resume);
        }
    }

    private void resume() {
        pause = null;
        onEvent();
    }

    /** Takes over what the domain has written. */
    private void drain(Ring current) {
        SharedPage page = current.page;
        int consumer = page.get32(ConsoleRing.OUT_CONS);
        int available = page.get32(ConsoleRing.OUT_PROD) - consumer;
        if (Integer.compareUnsigned(available, ConsoleRing.OUT_SIZE) > 0) {
            return;
        }
        int count = overflow == Overflow.KEEP ? Math.min(available, Math.max(0, backlog.room())) : available;
        if (count == 0) {
            return;
        }
        int start = consumer & ConsoleRing.OUT_SIZE - 1;
        int unwrapped = Math.min(count, ConsoleRing.OUT_SIZE - start);
        page.read(ConsoleRing.OUT + start, piece, 0, unwrapped);
        page.read(ConsoleRing.OUT, piece, unwrapped, count - unwrapped);
        page.put32(ConsoleRing.OUT_CONS, consumer + count);
        handle.events().send(current.localPort);
        handle.charge(count * BYTE_TIME);
        if (log != null) {
            log.append(piece, 0, count);
        }
        backlog.append(piece, 0, count);
        distribute();
    }

    /** Hands clients what they have not seen and have room for. */
    private void distribute() {
        for (Attached client : List.copyOf(clients)) {
            client.push();
        }
        long needed = clients.isEmpty() ? readUpTo : Long.MAX_VALUE;
        for (Attached client : clients) {
            needed = Math.min(needed, client.position);
        }
        backlog.discardBefore(needed);
    }

    /** Passes on input as far as the domain has room. */
    private void fillInput(Ring current) {
        if (inputCount == 0) {
            return;
        }
        SharedPage page = current.page;
        int producer = page.get32(ConsoleRing.IN_PROD);
        int used = producer - page.get32(ConsoleRing.IN_CONS);
        if (Integer.compareUnsigned(used, ConsoleRing.IN_SIZE) > 0) {
            return;
        }
        int count = Math.min(inputCount, ConsoleRing.IN_SIZE - used);
        if (count == 0) {
            return;
        }
        int start = producer & ConsoleRing.IN_SIZE - 1;
        int unwrapped = Math.min(count, ConsoleRing.IN_SIZE - start);
        page.write(ConsoleRing.IN + start, input, 0, unwrapped);
        page.write(ConsoleRing.IN, input, unwrapped, count - unwrapped);
        page.put32(ConsoleRing.IN_PROD, producer + count);
        handle.events().send(current.localPort);
        handle.charge(count * BYTE_TIME);
        inputCount -= count;
        System.arraycopy(input, count, input, 0, inputCount);
    }

    private void tellRoom() {
        if (inputCount < INPUT_LIMIT) {
            for (Attached client : List.copyOf(clients)) {
                client.tellRoom();
            }
        }
    }

    /** Attaches a client: it is offered what nobody has read yet, then what comes. */
    ConsoleAttachment attach(ConsoleClient client) {
        Attached attached = new Attached(client, Math.max(readUpTo, backlog.start()));
        clients.add(attached);
        distribute();
        takeWhatWaited();
        return attached;
    }

    /** The backlog may have room for output that the domain could not get rid of. */
    private void takeWhatWaited() {
        if (overflow == Overflow.KEEP) {
            onEvent();
        }
    }

    /** The domain is gone: clients are closed as soon as they have all its output. */
    void end() {
        disconnect();
        ended = true;
        inputCount = 0;
        if (log != null) {
            log.close();
            log = null;
        }
        tellRoom();
        distribute();
    }

    /** One client's hold on this console. */
    private final class Attached implements ConsoleAttachment {
        private final ConsoleClient client;
        private long position;
        private boolean wantsRoom;
        private boolean detached;

        Attached(ConsoleClient client, long position) {
            this.client = client;
            this.position = position;
        }

        void push() {
            boolean room = true;
            while (room && position < backlog.end() && !detached) {
                position = Math.max(position, backlog.start());
                int count = backlog.copy(position, piece);
                int taken = client.offer(piece, 0, count);
                position += taken;
                room = taken == count;
            }
            readUpTo = Math.max(readUpTo, position);
            if (ended && !detached && position >= backlog.end()) {
                detach();
                client.closed();
            }
        }

        void tellRoom() {
            if (wantsRoom) {
                wantsRoom = false;
                client.inputHasRoom();
            }
        }

        @Override
        public int input(byte[] bytes, int offset, int length) {
            if (ended || detached) {
                return length;
            }
            int taken = 0;
            int count;
            do {
                count = Math.min(length - taken, INPUT_LIMIT - inputCount);
                System.arraycopy(bytes, offset + taken, input, inputCount, count);
                inputCount += count;
                taken += count;
                if (ring != null) {
                    fillInput(ring);
                }
            } while (count > 0);
            wantsRoom = taken < length;
            return taken;
        }

        @Override
        public void outputHasRoom() {
            if (detached) {
                return;
            }
            distribute();
            takeWhatWaited();
        }

        @Override
        public void detach() {
            detached = true;
            clients.remove(this);
        }
    }
}
