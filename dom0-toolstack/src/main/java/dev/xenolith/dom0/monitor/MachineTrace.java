package dev.xenolith.dom0.monitor;

import dev.xenolith.cpu.interpret.InstructionTrace;
import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.cpu.processor.ProcessorMonitor;
import dev.xenolith.cpu.processor.Vector;
import dev.xenolith.device.board.PcBoard;
import java.io.IOException;
import java.io.Writer;
import org.jspecify.annotations.Nullable;

/**
 * Writes a line for each thing that happens on a bare machine: its number (instructions retired by all processors before it), the processor,
 * and what it is. Everything but {@link #failure} belongs to the machine thread.
 */
public final class MachineTrace implements InstructionTrace, ProcessorMonitor {
    private static final int BYTES_WIDTH = 31;
    private static final int TEXT_WIDTH = 48;
    private static final String[] EXCEPTIONS = {"#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM", "#DF", "09h",
        "#TS", "#NP", "#SS", "#GP", "#PF", "0fh", "#MF", "#AC", "#MC", "#XM", "#VE", "#CP"};

    private final TraceSettings settings;
    private final Writer out;
    private final String lineEnd;
    private final StringBuilder line = new StringBuilder(256);
    private final RegisterChanges changes = new RegisterChanges();
    private @Nullable PcBoard board;
    /** Instructions of the machine before its latest reset. */
    private long retiredBefore;
    private long left;
    private volatile @Nullable IOException failure;

    /** Writes to {@code out}, which the caller closes, lines that end with {@code lineEnd}. */
    public MachineTrace(TraceSettings settings, Writer out, String lineEnd) {
        this.settings = settings;
        this.out = out;
        this.lineEnd = lineEnd;
        left = settings.count();
    }

    /** Traces {@code next}, which has not started, when it comes to the first instruction to be traced. */
    public void attach(PcBoard next, long retiredSoFar, Monitors monitors) {
        retiredBefore = retiredSoFar;
        if (left > 0) {
            next.atInstruction(Math.max(0, settings.from() - retiredSoFar), () -> begin(next, monitors));
        }
    }

    private void begin(PcBoard next, Monitors monitors) {
        board = next;
        if (settings.kinds().contains(TraceSettings.Kind.INSTRUCTIONS)) {
            next.machine().interpreter().trace(this);
        }
        if (settings.kinds().contains(TraceSettings.Kind.INTERRUPTS)
                || settings.kinds().contains(TraceSettings.Kind.DEVICES)) {
            monitors.add(this);
        }
    }

    /** Why the trace is not whole, or null. */
    public @Nullable IOException failure() {
        return failure;
    }

    private long number() {
        PcBoard traced = board;
        return traced == null ? retiredBefore : retiredBefore + traced.retired();
    }

    private boolean isTraced(Processor p) {
        return left > 0 && (settings.processor() < 0 || settings.processor() == p.index);
    }

    private boolean isTraced(Processor p, TraceSettings.Kind kind) {
        return isTraced(p) && settings.kinds().contains(kind);
    }

    private void start(Processor p, long number) {
        line.setLength(0);
        line.append(number).append(" cpu").append(p.index).append(' ');
    }

    private void write() {
        line.append(lineEnd);
        try {
            out.append(line);
        } catch (IOException e) {
            failure = e;
            left = 0;
        }
        left--;
        PcBoard traced = board;
        if (left <= 0 && traced != null) {
            traced.machine().interpreter().trace(null);
        }
    }

    // ---- instructions ------------------------------------------------------------------------------------------------

    @Override
    public boolean wants(Processor p, long rip) {
        if (!isTraced(p) || !settings.covers(rip)) {
            return false;
        }
        changes.before(p);
        return true;
    }

    @Override
    public void retired(Processor p, long rip, byte[] bytes, String disassembly, long[] before) {
        start(p, number() - 1);
        RegisterChanges.hex(line, rip, 16);
        line.append(' ');
        int column = line.length();
        for (byte each : bytes) {
            RegisterChanges.hex(line, each, 2);
        }
        pad(column + BYTES_WIDTH);
        line.append(disassembly);
        int end = line.length();
        changes.append(line, p, before);
        if (line.length() > end) {
            line.insert(end, " ".repeat(Math.max(0, column + BYTES_WIDTH + TEXT_WIDTH - end)));
        }
        write();
    }

    private void pad(int column) {
        while (line.length() < column) {
            line.append(' ');
        }
    }

    // ---- interrupts --------------------------------------------------------------------------------------------------

    @Override
    public void interrupt(Processor p, int vector) {
        if (isTraced(p, TraceSettings.Kind.INTERRUPTS)) {
            start(p, number());
            line.append(vector == Vector.NMI ? "NMI" : "interrupt ");
            if (vector != Vector.NMI) {
                RegisterChanges.hex(line.append("0x"), vector, 2);
            }
            at(p);
        }
    }

    @Override
    public void exception(Processor p, int vector, int errorCode) {
        if (isTraced(p, TraceSettings.Kind.INTERRUPTS)) {
            start(p, number());
            line.append("exception ")
                    .append(vector < EXCEPTIONS.length ? EXCEPTIONS[vector] : Integer.toString(vector));
            if (Vector.hasErrorCode(vector)) {
                RegisterChanges.hex(line.append('('), errorCode, 4);
                line.append(')');
            }
            if (vector == Vector.PF) {
                RegisterChanges.hex(line.append(" cr2="), p.cr2, 16);
            }
            at(p);
        }
    }

    @Override
    public void softwareInterrupt(Processor p, int vector) {
        if (isTraced(p, TraceSettings.Kind.INTERRUPTS)) {
            start(p, number());
            RegisterChanges.hex(line.append("int 0x"), vector, 2);
            at(p);
        }
    }

    private void at(Processor p) {
        RegisterChanges.hex(line.append(" at "), p.rip, 16);
        write();
    }

    // ---- devices -----------------------------------------------------------------------------------------------------

    @Override
    public void portAccess(Processor p, int port, int size, long value, boolean write) {
        PcBoard traced = board;
        if (traced != null && isTraced(p, TraceSettings.Kind.DEVICES)) {
            // The instruction that makes the access has been counted.
            start(p, number() - 1);
            line.append(write ? "out 0x" : "in 0x");
            RegisterChanges.hex(line, port, 4);
            access(size, value, traced.deviceAtPort(port));
        }
    }

    @Override
    public void deviceAccess(Processor p, long physical, int size, long value, boolean write) {
        PcBoard traced = board;
        if (traced != null && isTraced(p, TraceSettings.Kind.DEVICES)) {
            // The instruction that makes the access has been counted.
            start(p, number() - 1);
            line.append(write ? "write 0x" : "read 0x");
            RegisterChanges.hex(line, physical, 12);
            access(size, value, traced.deviceAtAddress(p, physical));
        }
    }

    private void access(int size, long value, String device) {
        line.append('/').append(size).append(" 0x");
        RegisterChanges.hex(line, value, 2 * size);
        line.append(' ').append(device);
        write();
    }
}
