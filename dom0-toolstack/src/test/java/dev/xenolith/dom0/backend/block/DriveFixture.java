package dev.xenolith.dom0.backend.block;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xenolith.dom0.backend.BackendBus;
import dev.xenolith.dom0.backend.HostWork;
import dev.xenolith.dom0.disk.DiskImages;
import dev.xenolith.dom0.disk.ImageLocks;
import dev.xenolith.dom0.disk.OpenMode;
import dev.xenolith.dom0.support.FakeHypervisor;
import dev.xenolith.dom0.support.FakePage;
import dev.xenolith.dom0.xenstore.XenstoreClient;
import dev.xenolith.dom0.xenstore.XenstoreException;
import dev.xenolith.dom0.xenstore.Xenstored;
import dev.xenolith.hypervisor.abi.Blkif;
import dev.xenolith.hypervisor.abi.Ring;
import dev.xenolith.hypervisor.operations.DomainHandle;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.Callable;

/** A CD-ROM drive with a frontend, in a hypervisor of queues and byte arrays; files answer when they are told to. */
final class DriveFixture implements HostWork {
    static final int OKAY = Blkif.RSP_OKAY;
    static final int ERROR = Blkif.RSP_ERROR;
    private static final int DOMID = 1;
    private static final String BACKEND = "/local/domain/0/backend/qdisk/1/51744";
    private static final String FRONTEND = "/local/domain/1/device/vbd/51744";
    private static final int RING = 1;
    private static final int DATA = 2;
    private static final int SLOTS = 32;

    /** A response. */
    record Answer(long id, int status) {
    }

    final FakeHypervisor hypervisor = new FakeHypervisor();
    final ImageLocks locks = new ImageLocks();
    final BackendBus bus;
    private final XenstoreClient store;
    private final Deque<Runnable> work = new ArrayDeque<>();
    private final FakePage ring;
    private final FakePage data;
    private int produced;
    private int consumed;
    private int stateWrites;

    DriveFixture(String params) throws XenstoreException {
        DomainHandle dom0 = hypervisor.handle(0);
        Xenstored xenstored = new Xenstored(dom0);
        store = xenstored.connect(dom0);
        bus = new BackendBus(dom0, xenstored.connect(dom0));
        bus.add(new BlockDriver(BlockDriver.QDISK, (file, format, readOnly) -> DiskImages.open(file, format,
                readOnly ? OpenMode.READ_ONLY : OpenMode.READ_WRITE, locks), this));
        hypervisor.addDomain(DOMID);
        ring = hypervisor.grant(DOMID, RING);
        data = hypervisor.grant(DOMID, DATA);
        ring.put32(Ring.REQ_EVENT, 1);
        ring.put32(Ring.RSP_EVENT, 1);
        store.writeText(FRONTEND + "/state", "1");
        for (String[] setting : List.of(new String[]{"params", params}, new String[]{"device-type", "cdrom"},
                new String[]{"removable", "1"}, new String[]{"mode", "r"}, new String[]{"frontend", FRONTEND},
                new String[]{"frontend-id", "1"}, new String[]{"state", "1"}, new String[]{"online", "1"})) {
            store.writeText(BACKEND + '/' + setting[0], setting[1]);
        }
        settle();
    }

    /** Runs everything: handlers and files. */
    void settle() {
        do {
            hypervisor.run();
        } while (answerFile());
    }

    /** Lets files do one thing. Returns whether there was one. */
    boolean answerFile() {
        Runnable next = work.poll();
        if (next != null) {
            next.run();
            hypervisor.run();
        }
        return next != null;
    }

    @Override
    public <T> void submit(long latency, Callable<T> task, Completion<? super T> completion) {
        work.add(() -> {
            T result;
            try {
                result = task.call();
            } catch (Exception e) {
                completion.completed(null, e);
                return;
            }
            completion.completed(result, null);
        });
    }

    void connect() throws XenstoreException {
        store.writeText(FRONTEND + "/ring-ref", Integer.toString(RING));
        store.writeText(FRONTEND + "/event-channel", "7");
        store.writeText(FRONTEND + "/protocol", "x86_64-abi");
        become(3);
        assertThat(told("state")).isEqualTo("4");
        become(4);
        store.watch(BACKEND + "/state", path -> stateWrites++);
        settle();
        stateWrites = 0;
    }

    void become(int state) throws XenstoreException {
        store.writeText(FRONTEND + "/state", Integer.toString(state));
        settle();
    }

    /** Asks for another medium as the toolstack does; files have not answered yet when this returns. */
    void ask(String params) throws XenstoreException {
        store.transaction(transaction -> {
            transaction.write(BACKEND + "/params", params.getBytes(StandardCharsets.US_ASCII));
            transaction.write(BACKEND + "/medium-error", new byte[0]);
            return true;
        });
        hypervisor.run();
    }

    String told(String name) throws XenstoreException {
        String text = store.findText(BACKEND + '/' + name);
        return text == null ? "(none)" : text;
    }

    /** How often the backend has written its state since last asked: each time a frontend looks at the drive again. */
    int takeStateWrites() {
        int writes = stateWrites;
        stateWrites = 0;
        return writes;
    }

    /** Sends a request for the first sectors of a page's worth; files have not answered yet when this returns. */
    void request(int operation, int id, long sector) {
        int at = Ring.ENTRIES + (produced++ & SLOTS - 1) * BlockProtocol.X86_64.entryBytes;
        ring.put8(at, operation);
        ring.put8(at + 1, operation == Blkif.OP_FLUSH_DISKCACHE ? 0 : 1);
        ring.put64(at + BlockProtocol.X86_64.id, id);
        ring.put64(at + BlockProtocol.X86_64.sector, sector);
        ring.put32(at + BlockProtocol.X86_64.segments, DATA);
        ring.put8(at + BlockProtocol.X86_64.segments + 4, 0);
        ring.put8(at + BlockProtocol.X86_64.segments + 5, 0);
        ring.put32(Ring.REQ_PROD, produced);
        hypervisor.signalFrom(DOMID);
        hypervisor.run();
    }

    List<Answer> answers() {
        List<Answer> answers = new ArrayList<>();
        while (consumed != ring.get32(Ring.RSP_PROD)) {
            int at = Ring.ENTRIES + (consumed++ & SLOTS - 1) * BlockProtocol.X86_64.entryBytes;
            answers.add(new Answer(ring.get64(at), (short) ring.get16(at + BlockProtocol.X86_64.responseStatus)));
        }
        ring.put32(Ring.RSP_EVENT, consumed + 1);
        return answers;
    }

    /** Reads a sector; the first byte of it, or -1 if that is refused. */
    int read(long sector) {
        data.put8(0, 0xee);
        request(Blkif.OP_READ, 99, sector);
        settle();
        int status = answers().getFirst().status();
        return status == OKAY ? data.get8(0) : -1;
    }

    /** The toolstack takes the drive back; nothing is left of it. */
    void withdraw() throws XenstoreException {
        store.remove(FRONTEND);
        store.writeText(BACKEND + "/online", "0");
        settle();
        assertThat(bus.devices()).isZero();
        assertThat(hypervisor.mappedPages()).isZero();
    }
}
