package dev.xenolith.dom0.xenstore;

import dev.xenolith.hypervisor.abi.Xen;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Takes the requests of one connection apart and carries them out (docs/misc/xenstore.txt). */
final class Requests {
    private static final byte[] OK = Payload.of("OK");

    private final StoreConnection connection;
    private final DomainManagement domains;
    private final ControlCommands control;
    private @Nullable Watch announced;

    Requests(StoreConnection connection, DomainManagement domains) {
        this.connection = connection;
        this.domains = domains;
        control = new ControlCommands(connection.store);
    }

    /** Carries out a request. Returns the payload of the reply, which has the same type. */
    byte[] execute(MessageType type, int transactionId, byte[] bytes) throws XenstoreException {
        if (type.isPrivileged() && connection.isUnprivileged()) {
            throw new XenstoreException(XenstoreError.EACCES, type.name());
        }
        StoreView view = connection.view(type.ignoresTransaction() ? 0 : transactionId);
        Payload payload = new Payload(bytes);
        switch (type) {
            case CONTROL -> {
                return Payload.of(control.execute(payload.strings(1)));
            }
            case DIRECTORY -> {
                return names(view.readable(payload.only()));
            }
            case DIRECTORY_PART -> {
                return directoryPart(view, payload.strings());
            }
            case READ -> {
                return view.read(payload.only());
            }
            case GET_PERMS -> {
                return Payload.of(view.permissions(payload.only()).entries());
            }
            case TRANSACTION_START -> {
                return startTransaction(transactionId);
            }
            case GET_DOMAIN_PATH -> {
                return Payload.of(StorePath.home(CNumbers.atoi(payload.only())));
            }
            case IS_DOMAIN_INTRODUCED -> {
                int domid = CNumbers.atoi(payload.only());
                return Payload.of(domid == Xen.DOMID_SELF || domains.isIntroduced(domid) ? "T" : "F");
            }
            case WATCH -> watch(payload.strings());
            case UNWATCH -> unwatch(payload.strings());
            case RESET_WATCHES -> connection.reset();
            case TRANSACTION_END -> endTransaction(payload.only(), transactionId);
            case WRITE -> view.write(payload.first(), payload.rest());
            case MKDIR -> view.mkdir(payload.only());
            case RM -> view.remove(payload.only());
            case SET_PERMS -> setPermissions(view, payload.strings(2));
            case INTRODUCE -> introduce(payload.strings(3));
            case RELEASE -> domains.release(domain(payload.only()));
            case RESUME -> domains.resume(domain(payload.only()));
            case SET_TARGET -> setTarget(payload.strings(2));
            case WATCH_EVENT, ERROR -> throw new XenstoreException(XenstoreError.ENOSYS, type.name());
        }
        return OK;
    }

    /** The watch that the last request has set, which fires once after the reply; null if there is none. */
    @Nullable
    Watch takeAnnounced() {
        Watch watch = announced;
        announced = null;
        return watch;
    }

    private static byte[] names(Node node) {
        return Payload.of(node.children.names());
    }

    /** The node's generation and as many whole names from a byte offset as fit; an empty name after the last one. */
    private static byte[] directoryPart(StoreView view, List<String> arguments) throws XenstoreException {
        if (arguments.size() != 2) {
            throw new XenstoreException(XenstoreError.EINVAL, "payload");
        }
        Node node = view.readable(arguments.getFirst());
        byte[] names = names(node);
        byte[] generation = Payload.of(Long.toUnsignedString(node.generation));
        int offset = CNumbers.atoi(arguments.get(1));
        int end = offset < 0 ? names.length : Math.min(offset, names.length);
        int start = end;
        int room = StoreConnection.MAX_PAYLOAD - generation.length - 1;
        while (end < names.length) {
            int next = end;
            while (names[next] != 0) {
                next++;
            }
            next++;
            if (next - start > room) {
                break;
            }
            end = next;
        }
        boolean last = end == names.length;
        byte[] part = Arrays.copyOf(generation, generation.length + end - start + (last ? 1 : 0));
        System.arraycopy(names, start, part, generation.length, end - start);
        return part;
    }

    private byte[] startTransaction(int transactionId) throws XenstoreException {
        if (transactionId != 0) {
            throw new XenstoreException(XenstoreError.EBUSY, "nested transaction");
        }
        return Payload.of(Integer.toUnsignedString(connection.start().id));
    }

    private void endTransaction(String verdict, int transactionId) throws XenstoreException {
        if (!verdict.equals("T") && !verdict.equals("F")) {
            throw new XenstoreException(XenstoreError.EINVAL, verdict);
        }
        connection.end(transactionId, verdict.equals("T"));
    }

    private void watch(List<String> arguments) throws XenstoreException {
        requireTwo(arguments);
        announced = connection.watch(arguments.getFirst(), arguments.getLast());
    }

    private void unwatch(List<String> arguments) throws XenstoreException {
        requireTwo(arguments);
        connection.unwatch(arguments.getFirst(), arguments.getLast());
    }

    private static void requireTwo(List<String> arguments) throws XenstoreException {
        if (arguments.size() != 2) {
            throw new XenstoreException(XenstoreError.EINVAL, "payload");
        }
    }

    private void setPermissions(StoreView view, List<String> arguments) throws XenstoreException {
        view.setPermissions(arguments.getFirst(), Permissions.parse(arguments.subList(1, arguments.size())));
    }

    /** Domid, frame, port: the frame is the one that grant 1 gives, which is what we map. */
    private void introduce(List<String> arguments) throws XenstoreException {
        int port = CNumbers.atoi(arguments.get(2));
        if (port <= 0) {
            throw new XenstoreException(XenstoreError.EINVAL, "port " + port);
        }
        domains.introduce(CNumbers.atoi(arguments.getFirst()), port);
    }

    private void setTarget(List<String> arguments) throws XenstoreException {
        domains.setTarget(CNumbers.atoi(arguments.get(0)), CNumbers.atoi(arguments.get(1)));
    }

    private static int domain(String text) throws XenstoreException {
        int domid = CNumbers.atoi(text);
        if (domid == 0) {
            throw new XenstoreException(XenstoreError.EINVAL, "domain " + text);
        }
        return domid;
    }

    /** The payload of an error reply. */
    static byte[] error(XenstoreError error) {
        return Payload.of(error.name());
    }

    /** For logs: a payload with its NULs as blanks. */
    static String printable(byte[] bytes) {
        return new String(bytes, StandardCharsets.ISO_8859_1).replace('\0', ' ').replaceAll("[^ -~]", "?");
    }
}
