package dev.xenolith.dom0.host;

import dev.xenolith.dom0.xl.ToolstackException;
import dev.xenolith.dom0.xl.TraceOptions;
import dev.xenolith.dom0.xl.TraceOutput;
import dev.xenolith.hypervisor.operations.HostControl;
import dev.xenolith.hypervisor.trace.TraceClass;
import dev.xenolith.hypervisor.trace.TraceDecoder;

/**
 * Reads the hypervisor's trace for a command and prints it line by line; switches recording on if it was off. It begins with
 * what the rings hold at one moment, and only {@code follow} goes on from there. Nothing waits for a reader that is slow: the
 * rings go round, and what it missed is counted.
 */
final class TraceReader {
    private static final int RECORDS_PER_READ = 1024;
    private static final long POLL_MILLIS = 100;

    private final HostToolstack toolstack;
    private final HostControl host;

    TraceReader(HostToolstack toolstack, HostControl host) {
        this.toolstack = toolstack;
        this.host = host;
    }

    void print(TraceOptions options, TraceOutput output) throws InterruptedException {
        int wanted = mask(options);
        int wasOff = toolstack.ask(() -> {
            int off = wanted & ~host.traceMask();
            host.setTraceMask(host.traceMask() | wanted);
            return off;
        });
        if (wasOff != 0) {
            output.note(wasOff == wanted
                    ? "recording was off and is on from now"
                    : "recording was off and is on from now for " + names(wasOff));
        }
        HostControl.TraceChunk chunk = toolstack.ask(() -> host.trace(0, Integer.MAX_VALUE));
        print(chunk, options, wanted, output);
        while (options.follow()) {
            long position = chunk.next();
            chunk = toolstack.ask(() -> host.trace(position, RECORDS_PER_READ));
            if (chunk.next() == position) {
                toolstack.requireRunning();
                Thread.sleep(POLL_MILLIS);
                continue;
            }
            if (chunk.lost() > 0) {
                output.line("... " + chunk.lost() + " records were overwritten before they could be read");
            }
            print(chunk, options, wanted, output);
        }
    }

    private static void print(HostControl.TraceChunk chunk, TraceOptions options, int wanted, TraceOutput output) {
        byte[] records = chunk.records();
        for (int i = 0; i < TraceDecoder.count(records); i++) {
            boolean ofClass = (TraceDecoder.classOf(records, i) & wanted) != 0;
            boolean ofDomain = options.domid().isEmpty()
                    || options.domid().getAsInt() == TraceDecoder.domid(records, i);
            if (ofClass && ofDomain) {
                output.line(TraceDecoder.line(records, i));
            }
        }
        output.flush();
    }

    private static String names(int mask) {
        StringBuilder names = new StringBuilder();
        for (int bit = 0; bit < Integer.SIZE; bit++) {
            if ((mask & 1 << bit) != 0) {
                names.append(names.isEmpty() ? "" : ", ").append(TraceClass.name(bit));
            }
        }
        return names.toString();
    }

    private static int mask(TraceOptions options) {
        int mask = options.classes().isEmpty() ? TraceClass.ALL : 0;
        for (String name : options.classes()) {
            int bit = TraceClass.named(name);
            if (bit == 0) {
                throw new ToolstackException(ToolstackException.USAGE, "no trace class '" + name
                        + "'; there are hypercall, trap, exit, schedule, event, grant and xenstore");
            }
            mask |= bit;
        }
        return mask;
    }
}
