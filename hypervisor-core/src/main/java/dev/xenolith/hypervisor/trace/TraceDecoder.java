package dev.xenolith.hypervisor.trace;

import dev.xenolith.hypervisor.abi.Bytes;
import dev.xenolith.hypervisor.abi.Errno;
import dev.xenolith.hypervisor.abi.Hypercall;
import java.util.Locale;

/** Turns trace records into lines of text, for {@code xenolith trace} and for people who look at failed tests. */
public final class TraceDecoder {
    private TraceDecoder() {
    }

    /** Number of whole records in {@code records}. */
    public static int count(byte[] records) {
        return records.length / Trace.RECORD_SIZE;
    }

    /** The class bit of record {@code index}. */
    public static int classOf(byte[] records, int index) {
        return TraceEvent.classOf(Bytes.get16(records, index * Trace.RECORD_SIZE + 8));
    }

    /** The domain id of record {@code index}. */
    public static int domid(byte[] records, int index) {
        return Bytes.get16(records, index * Trace.RECORD_SIZE + 12);
    }

    /** Record {@code index} as a line such as {@code [    0.001203] cpu0 d3v0 hypercall sched_op(0x1) = 0}. */
    public static String line(byte[] records, int index) {
        int at = index * Trace.RECORD_SIZE;
        long time = Bytes.get64(records, at);
        int event = Bytes.get16(records, at + 8);
        int processor = Bytes.get16(records, at + 10);
        int domid = Bytes.get16(records, at + 12);
        int vcpu = Bytes.get16(records, at + 14);
        long a = Bytes.get64(records, at + 16);
        long b = Bytes.get64(records, at + 24);
        long c = Bytes.get64(records, at + 32);
        return String.format(Locale.ROOT, "[%12.6f] cpu%d d%dv%d %s", time / 1e9, processor, domid, vcpu,
                text(event, a, b, c));
    }

    private static String text(int event, long a, long b, long c) {
        return switch (event) {
            case TraceEvent.HYPERCALL -> "hypercall " + Hypercall.name(a) + "(0x" + hex(b) + ") = " + result(c);
            case TraceEvent.HYPERCALL_PREEMPTED -> "hypercall " + Hypercall.name(a) + "(0x" + hex(b) + ") preempted";
            case TraceEvent.TRAP -> "trap " + a + " error 0x" + hex(b) + " at 0x" + hex(c);
            case TraceEvent.UPCALL -> "upcall at 0x" + hex(a);
            case TraceEvent.EMULATED -> "emulated " + instruction(a) + " at 0x" + hex(b);
            case TraceEvent.IRET -> "iret to 0x" + hex(a) + " cs 0x" + hex(b);
            case TraceEvent.EXIT -> "exit " + a + " qualification 0x" + hex(b) + " at 0x" + hex(c);
            case TraceEvent.RUN -> "runs after " + unit(a);
            case TraceEvent.IDLE -> "idle after " + unit(a);
            case TraceEvent.WAKE -> "wakes";
            case TraceEvent.EVENT_SEND -> "sends port " + a + " to d" + (b >>> 32) + " port " + (int) b;
            case TraceEvent.EVENT_VIRQ -> "virq " + a + " port " + b;
            case TraceEvent.GRANT_MAP -> "grant map d" + a + " ref " + b + " = " + c;
            case TraceEvent.GRANT_UNMAP -> "grant unmap d" + a + " ref " + b + " = " + c;
            case TraceEvent.GRANT_COPY -> "grant copy d" + a + " to d" + b + " = " + c;
            case TraceEvent.XENSTORE -> "xenstore message " + a + ", " + b + " bytes, " + result(-c);
            default -> "event 0x" + hex(event) + ' ' + hex(a) + ' ' + hex(b) + ' ' + hex(c);
        };
    }

    private static String hex(long value) {
        return Long.toHexString(value);
    }

    private static String result(long value) {
        return value < 0 && value > -4096 ? "-" + Errno.name(value) : Long.toString(value);
    }

    private static String unit(long packed) {
        return packed < 0 ? "idle" : "d" + (packed >>> 16) + "v" + (packed & 0xFFFF);
    }

    /** Instruction bytes, first in the low byte. */
    private static String instruction(long bytes) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < 8; i++) {
            text.append(String.format("%02x", bytes >>> (8 * i) & 0xFF));
        }
        return text.toString();
    }
}
