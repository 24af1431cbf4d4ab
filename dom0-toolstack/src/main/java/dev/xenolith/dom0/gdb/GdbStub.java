package dev.xenolith.dom0.gdb;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * One debugger's session: answers its packets. In all-stop mode: when one processor stops, all do, and the debugger is told of it.
 * Processor n is thread n + 1. Everything is called on the thread that owns the target.
 *
 * <p>What is wrong with a packet is answered, never thrown: E14 for memory that is not there, E22 for what has not the right form or cannot
 * be, E28 for more breakpoints than there may be, and an empty packet for what is not known, as the protocol wants it.
 */
final class GdbStub {
    private static final String OK = "OK";
    private static final String NO_MEMORY = "E14";
    private static final String INVALID = "E22";
    private static final String NO_SPACE = "E28";
    private static final String UNKNOWN = "";
    private static final int SIGINT = 2;
    private static final int SIGTRAP = 5;
    private static final int SIGSEGV = 11;
    /** Most bytes of memory in one packet: two digits each. */
    private static final int MAX_MEMORY = PacketFraming.MAX_PACKET / 2 - 64;
    private static final int ALL = -1;

    private final Architecture architecture;
    private final boolean avx;
    private final Consumer<byte[]> out;
    private final PacketFraming framing;
    private final Points points = new Points();
    private final String description;
    private GdbTarget target;
    private RegisterFile registers;
    private byte[] latest = {};
    private boolean acknowledges = true;
    private boolean running;
    private boolean ended;
    private boolean knowsSoftwareBreakpoints;
    private boolean knowsHardwareBreakpoints;
    /** Processor of g, m and the like. */
    private int current;
    /** Processor of s and c. */
    private int resumed = ALL;
    private String stopReply;
    /** The target has ended, and the debugger does not know it yet. */
    private @Nullable String endReply;

    /**
     * A session with a debugger that has just come; the target stops.
     *
     * @param avx whether the processors have AVX registers
     * @param out takes bytes for the debugger
     */
    GdbStub(Architecture architecture, boolean avx, GdbTarget target, Consumer<byte[]> out) {
        this.architecture = architecture;
        this.avx = avx;
        this.out = out;
        this.target = target;
        framing = new PacketFraming(new Incoming());
        List<Architecture.Feature> features = architecture.features(avx);
        registers = new RegisterFile(target, features);
        description = TargetDescription.of(architecture, features);
        stopReply = stopReply(SIGTRAP, 0, "");
        target.attach(this::stopped);
        target.stop();
    }

    private final class Incoming implements PacketFraming.Sink {
        @Override
        public void packet(byte[] contents) {
            if (acknowledges) {
                out.accept(new byte[]{'+'});
            }
            String reply;
            try {
                reply = answer(new PacketCursor(contents));
            } catch (BadPacketException e) {
                reply = INVALID;
            }
            if (reply != null) {
                send(reply);
            }
        }

        @Override
        public void badPacket() {
            if (acknowledges) {
                out.accept(new byte[]{'-'});
            }
        }

        @Override
        public void resend() {
            if (acknowledges) {
                out.accept(latest);
            }
        }

        @Override
        public void interrupt() {
            if (running) {
                target.stop();
                reportStop(SIGINT, current, "");
            }
        }
    }

    /** Bytes from the debugger. */
    void received(byte[] bytes) {
        if (!ended) {
            framing.received(bytes);
        }
    }

    /** The debugger has gone, with or without a word: the target is as if it had never been there. */
    void disconnected() {
        if (!ended) {
            ended = true;
            target.detach();
        }
    }

    /** The machine was reset: {@code next} is what it is now. It goes on as the one before. */
    void targetReplaced(GdbTarget next) {
        if (!ended) {
            target = next;
            registers = new RegisterFile(next, architecture.features(avx));
            next.attach(this::stopped);
            next.setPoints(points.toDebugPoints());
            if (!running) {
                next.stop();
            }
        }
    }

    /** The target has ended, with this exit code (0 to 255). */
    void exited(int exitCode) {
        if (!ended) {
            ended = true;
            StringBuilder reply = new StringBuilder("W");
            Hex.append(reply, exitCode);
            send(reply.toString());
        }
    }

    /**
     * There is nothing left to debug, for the target has ended while its thread goes on. A debugger that waits is told at once, another
     * when it wants the target to go on.
     *
     * @param killed whether {@code code} is the number of a signal, and not an exit code (0 to 255)
     */
    void targetEnded(boolean killed, int code) {
        if (!ended && endReply == null) {
            StringBuilder reply = new StringBuilder(killed ? "X" : "W");
            Hex.append(reply, code);
            endReply = reply.toString();
            if (running) {
                tellEnd(endReply);
            }
        }
    }

    private void tellEnd(String reply) {
        ended = true;
        send(reply);
    }

    // ---- what is sent ------------------------------------------------------------------------------------------------

    private void send(String reply) {
        latest = PacketFraming.frame(reply.getBytes(StandardCharsets.ISO_8859_1));
        out.accept(latest);
    }

    private void stopped(GdbTarget.Event event) {
        if (!running || ended) {
            return;
        }
        current = event.processor();
        switch (event.cause()) {
            case BREAKPOINT -> reportStop(SIGTRAP, current, breakpointReason(event.address()));
            case WATCHPOINT -> {
                String kind = switch (event.access()) {
                    case WRITE -> "watch";
                    case READ -> "rwatch";
                    case ANY -> "awatch";
                };
                reportStop(SIGTRAP, current, kind + ":" + Long.toHexString(event.address()) + ";");
            }
            case STEP -> reportStop(SIGTRAP, current, "");
            case SHUTDOWN -> reportStop(SIGSEGV, current, "");
        }
    }

    private String breakpointReason(long address) {
        if (points.isSoftware(address)) {
            return knowsSoftwareBreakpoints ? "swbreak:;" : "";
        }
        return knowsHardwareBreakpoints ? "hwbreak:;" : "";
    }

    private void reportStop(int signal, int processor, String reason) {
        running = false;
        stopReply = stopReply(signal, processor, reason);
        send(stopReply);
    }

    private static String stopReply(int signal, int processor, String reason) {
        StringBuilder reply = new StringBuilder("T");
        Hex.append(reply, signal);
        return reply.append("thread:").append(threadId(processor)).append(";core:")
                .append(Integer.toHexString(processor)).append(';').append(reason).toString();
    }

    private static String threadId(int processor) {
        return Integer.toHexString(processor + 1);
    }

    // ---- packets -----------------------------------------------------------------------------------------------------

    /** The reply, or null if there is none until the target stops. */
    private @Nullable String answer(PacketCursor in) throws BadPacketException {
        switch (in.next()) {
            case '?' :
                return stopReply;
            case 'g' :
                in.expectEnd();
                byte[] all = registers.readAll(current);
                return Hex.of(all, all.length);
            case 'G' :
                return registers.writeAll(current, in.hexBytes()) ? OK : INVALID;
            case 'p' :
                byte[] value = registers.read(current, in.number(registers.count() - 1));
                return Hex.of(value, value.length);
            case 'P' :
                int number = in.number(registers.count() - 1);
                in.expect("=");
                return registers.write(current, number, in.hexBytes()) ? OK : INVALID;
            case 'm' :
                return readMemory(in);
            case 'M' :
                return writeMemory(in, false);
            case 'X' :
                return writeMemory(in, true);
            case 'Z' :
                return setPoint(in, true);
            case 'z' :
                return setPoint(in, false);
            case 'H' :
                return selectThread(in);
            case 'T' :
                ResumePacket.thread(in, target.processors());
                return OK;
            case 'c' :
                return resume(in, false, false);
            case 's' :
                return resume(in, true, false);
            case 'C' :
                return resume(in, false, true);
            case 'S' :
                return resume(in, true, true);
            case 'D' :
                send(OK);
                disconnected();
                return null;
            case 'k' :
                kill();
                return null;
            case 'v' :
                return answerVerbose(in);
            case 'q' :
                return answerQuery(in);
            case 'Q' :
                if (in.skip("StartNoAckMode")) {
                    acknowledges = false;
                    return OK;
                }
                return UNKNOWN;
            default :
                return UNKNOWN;
        }
    }

    private @Nullable String answerVerbose(PacketCursor in) throws BadPacketException {
        if (in.skip("Cont?")) {
            return "vCont;c;C;s;S;r";
        }
        if (in.skip("Cont")) {
            resume(ResumePacket.parse(in, target.processors()));
            return null;
        }
        if (in.skip("Kill")) {
            send(OK);
            kill();
            return null;
        }
        return UNKNOWN;
    }

    private String answerQuery(PacketCursor in) throws BadPacketException {
        if (in.skip("Supported")) {
            return supported(in);
        }
        if (in.skip("Xfer:features:read:target.xml:")) {
            return part(description, in);
        }
        if (in.skip("Xfer:threads:read::")) {
            return part(threads(), in);
        }
        if (in.skip("fThreadInfo")) {
            return "m" + IntStream.range(0, target.processors()).mapToObj(GdbStub::threadId)
                    .collect(Collectors.joining(","));
        }
        if (in.skip("sThreadInfo")) {
            return "l";
        }
        if (in.skip("ThreadExtraInfo,")) {
            byte[] text = target.describe(Math.max(0, ResumePacket.thread(in, target.processors())))
                    .getBytes(StandardCharsets.US_ASCII);
            return Hex.of(text, text.length);
        }
        if (in.skip("Attached")) {
            return "1";
        }
        if (in.skip("Rcmd,")) {
            byte[] text = monitor(new String(in.hexBytes(), StandardCharsets.UTF_8))
                    .getBytes(StandardCharsets.UTF_8);
            return Hex.of(text, text.length);
        }
        if (in.skip("Symbol:")) {
            return OK;
        }
        if (in.skip("C")) {
            return in.atEnd() ? "QC" + threadId(current) : UNKNOWN;
        }
        return UNKNOWN;
    }

    private String supported(PacketCursor in) {
        in.skip(":");
        while (!in.atEnd()) {
            switch (in.until(';')) {
                case "swbreak+" -> knowsSoftwareBreakpoints = true;
                case "hwbreak+" -> knowsHardwareBreakpoints = true;
                default -> {
                    // Of the debugger's features, no other makes a difference.
                }
            }
        }
        return "PacketSize=" + Integer.toHexString(PacketFraming.MAX_PACKET)
                + ";QStartNoAckMode+;qXfer:features:read+;qXfer:threads:read+;vContSupported+;swbreak+;hwbreak+";
    }

    private static String part(String whole, PacketCursor in) throws BadPacketException {
        int offset = in.number(Integer.MAX_VALUE);
        in.expect(",");
        int length = Math.min(in.number(Integer.MAX_VALUE), MAX_MEMORY);
        if (offset >= whole.length()) {
            return "l";
        }
        int end = Math.min(whole.length(), offset + length);
        return (end == whole.length() ? "l" : "m") + whole.substring(offset, end);
    }

    private String threads() {
        StringBuilder xml = new StringBuilder("<?xml version=\"1.0\"?>\n<threads>\n");
        for (int i = 0; i < target.processors(); i++) {
            xml.append("<thread id=\"").append(threadId(i)).append("\" core=\"").append(i).append("\">")
                    .append(target.describe(i)).append("</thread>\n");
        }
        return xml.append("</threads>\n").toString();
    }

    private String monitor(String command) {
        return switch (command.strip()) {
            case "registers" -> target.dump(current);
            case "help" -> "registers  all registers of the current thread's processor, segments too\n";
            default -> "unknown command '" + command.strip() + "'; see 'monitor help'\n";
        };
    }

    // ---- memory, breakpoints -----------------------------------------------------------------------------------------

    private String readMemory(PacketCursor in) throws BadPacketException {
        long address = in.number();
        in.expect(",");
        // Fewer bytes than asked for are an answer.
        int length = Math.min(in.number(Integer.MAX_VALUE), MAX_MEMORY);
        in.expectEnd();
        byte[] bytes = new byte[length];
        int count = target.read(current, address, bytes, length);
        return count == 0 && length > 0 ? NO_MEMORY : Hex.of(bytes, count);
    }

    private String writeMemory(PacketCursor in, boolean binary) throws BadPacketException {
        long address = in.number();
        in.expect(",");
        int length = in.number(PacketFraming.MAX_PACKET);
        in.expect(":");
        byte[] bytes = binary ? in.rest() : in.hexBytes();
        if (bytes.length != length) {
            throw new BadPacketException("other length than announced");
        }
        return target.write(current, address, bytes, length) == length ? OK : NO_MEMORY;
    }

    private String setPoint(PacketCursor in, boolean add) throws BadPacketException {
        int type = Hex.digit(in.next());
        if (!Points.hasType(type)) {
            return UNKNOWN;
        }
        in.expect(",");
        long address = in.number();
        in.expect(",");
        int length = Math.max(1, in.number(Integer.MAX_VALUE));
        in.expectEnd();
        if (Long.compareUnsigned(address + length - 1, address) < 0) {
            throw new BadPacketException("wraps around the address space");
        }
        if (!add) {
            points.remove(type, address, length);
        } else if (!points.add(type, address, length)) {
            return NO_SPACE;
        }
        if (running) {
            target.setPoints(points.toDebugPoints());
        }
        return OK;
    }

    // ---- threads, execution ------------------------------------------------------------------------------------------

    private String selectThread(PacketCursor in) throws BadPacketException {
        char operation = in.next();
        int processor = ResumePacket.thread(in, target.processors());
        in.expectEnd();
        switch (operation) {
            case 'g' -> current = Math.max(0, processor);
            case 'c' -> resumed = processor;
            default -> throw new BadPacketException("no such operation");
        }
        return OK;
    }

    /** s, c, S and C: they step one processor, and let all others go on. */
    private @Nullable String resume(PacketCursor in, boolean steps, boolean withSignal) throws BadPacketException {
        if (withSignal) {
            in.number(0xff);
            if (!in.atEnd()) {
                in.expect(";");
            }
        }
        if (!in.atEnd()) {
            long address = in.number();
            in.expectEnd();
            registers.writeInstructionPointer(current, address);
        }
        List<GdbTarget.Action> actions = new ArrayList<>();
        int stepping = resumed < 0 ? current : resumed;
        for (int i = 0; i < target.processors(); i++) {
            actions.add(steps && i == stepping ? new GdbTarget.Step(0, 0) : new GdbTarget.Continue());
        }
        resume(actions);
        return null;
    }

    private void resume(List<GdbTarget.Action> actions) {
        if (endReply != null) {
            tellEnd(endReply);
            return;
        }
        target.setPoints(points.toDebugPoints());
        running = true;
        target.resume(actions);
    }

    private void kill() {
        ended = true;
        target.kill();
    }
}
