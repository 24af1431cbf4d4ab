package dev.xenolith.dom0.host;

import dev.xenolith.dom0.xl.ToolstackException;
import dev.xenolith.dom0.xl.TraceOptions;
import dev.xenolith.hypervisor.operations.HostControl;
import dev.xenolith.hypervisor.trace.TraceClass;
import dev.xenolith.hypervisor.trace.TraceDecoder;
import java.util.function.Consumer;

/** Reads the hypervisor's trace for a command and prints it line by line; switches recording on if it was off. */
final class TraceReader {
    private static final int RECORDS_PER_READ = 1024;
    private static final long POLL_MILLIS = 100;

    private final HostToolstack toolstack;
    private final HostControl host;

    TraceReader(HostToolstack toolstack, HostControl host) {
        this.toolstack = toolstack;
        this.host = host;
    }

    void print(TraceOptions options, Consumer<String> line) throws InterruptedException {
        int wanted = mask(options);
        toolstack.ask(() -> {
            host.setTraceMask(host.traceMask() | wanted);
            return true;
        });
        long position = 0;
        while (true) {
            long from = position;
            HostControl.TraceChunk chunk = toolstack.ask(() -> host.trace(from, RECORDS_PER_READ));
            if (chunk.lost() > 0 && from > 0) {
                line.accept("... " + chunk.lost() + " records were overwritten before they could be read");
            }
            for (int i = 0; i < TraceDecoder.count(chunk.records()); i++) {
                boolean ofClass = (TraceDecoder.classOf(chunk.records(), i) & wanted) != 0;
                boolean ofDomain = options.domid().isEmpty()
                        || options.domid().getAsInt() == TraceDecoder.domid(chunk.records(), i);
                if (ofClass && ofDomain) {
                    line.accept(TraceDecoder.line(chunk.records(), i));
                }
            }
            boolean newest = chunk.next() == position;
            position = chunk.next();
            if (newest) {
                if (!options.follow()) {
                    return;
                }
                toolstack.requireRunning();
                Thread.sleep(POLL_MILLIS);
            }
        }
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
