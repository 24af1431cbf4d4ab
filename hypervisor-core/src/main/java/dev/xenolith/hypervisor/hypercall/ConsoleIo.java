package dev.xenolith.hypervisor.hypercall;

import static dev.xenolith.hypervisor.abi.Errno.EFAULT;
import static dev.xenolith.hypervisor.abi.Errno.ENOSYS;
import static dev.xenolith.hypervisor.abi.Errno.EPERM;

import dev.xenolith.hypervisor.abi.Xen;
import dev.xenolith.hypervisor.console.Log;
import dev.xenolith.hypervisor.console.LogLevel;
import dev.xenolith.hypervisor.domain.Access;
import dev.xenolith.hypervisor.domain.Domain;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/**
 * console_io: a guest's emergency console. What unprivileged domains write appears in the hypervisor's log, line by line, as far as
 * {@code guest_loglvl} lets it; reading is not for them.
 */
public final class ConsoleIo implements Handler {
    private static final int MAX_LINE = 256;

    private final Log log;
    /** Unfinished lines by domid. */
    private final Map<Integer, StringBuilder> lines = new HashMap<>();

    public ConsoleIo(Log log) {
        this.log = log;
    }

    /** Forgets a domain that has ended. */
    public void forget(Domain domain) {
        lines.remove(domain.domid);
    }

    @Override
    public long call(Call call) {
        return switch ((int) call.argument(0)) {
            case Xen.CONSOLEIO_WRITE -> write(call);
            // Nobody types at the hypervisor's console.
            case Xen.CONSOLEIO_READ -> Access.isPrivileged(call.domain) ? 0 : -EPERM;
            default -> -ENOSYS;
        };
    }

    private long write(Call call) {
        long handle = call.argument(2);
        int left = (int) call.argument(1);
        while (left > 0) {
            int chunk = Math.min(left, Xen.CONSOLEIO_CHUNK);
            if (!call.read(handle, chunk)) {
                return -EFAULT;
            }
            append(call.domain, new String(call.buffer, 0, chunk, StandardCharsets.ISO_8859_1));
            handle += chunk;
            left -= chunk;
            if (left > 0 && call.preempt.check()) {
                call.arguments[1] = left;
                call.arguments[2] = handle;
                return Call.RESTART;
            }
        }
        return 0;
    }

    private void append(Domain domain, String text) {
        StringBuilder line = lines.computeIfAbsent(domain.domid, id -> new StringBuilder());
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '\n' || line.length() == MAX_LINE) {
                log.guest(LogLevel.DEBUG, "(d" + domain.domid + ") " + line);
                line.setLength(0);
            }
            if (c != '\n' && c != '\r') {
                line.append(c);
            }
        }
    }
}
