package dev.xenolith.hypervisor.hypercall;

import static dev.xenolith.hypervisor.abi.Errno.EFAULT;
import static dev.xenolith.hypervisor.abi.Errno.EINVAL;
import static dev.xenolith.hypervisor.abi.Errno.ENOSYS;

import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.cpu.time.MachineClock;
import dev.xenolith.hypervisor.abi.Hypercall;
import dev.xenolith.hypervisor.abi.Xen.MulticallEntry;
import dev.xenolith.hypervisor.domain.Vcpu;
import dev.xenolith.hypervisor.memory.GuestLinear;
import dev.xenolith.hypervisor.memory.Preempt;
import dev.xenolith.hypervisor.time.Charges;
import dev.xenolith.hypervisor.trace.Trace;
import dev.xenolith.hypervisor.trace.TraceClass;
import dev.xenolith.hypervisor.trace.TraceEvent;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The hypercall table and what goes around a call: arguments out of registers, price, trace, result into RAX, and restart of calls
 * that stopped half way (xen/arch/x86/pv/hypercall.c, xen/common/multicall.c). One object a processor, because a call is one
 * processor's business at a time.
 */
public final class Hypercalls {
    private static final int R8 = 8;
    private static final int R9 = 9;
    private static final int R10 = 10;
    private static final int[] ARGUMENT_REGISTERS = {Processor.RDI, Processor.RSI, Processor.RDX, R10, R8, R9};
    /** Of 32-bit guests. */
    private static final int[] COMPAT_REGISTERS = {Processor.RBX, Processor.RCX, Processor.RDX, Processor.RSI,
        Processor.RDI, Processor.RBP};
    private static final long WORD = 0xffff_ffffL;
    /** Length of SYSCALL, and of INT 0x82: how far back RIP goes for a restart. */
    private static final int INSTRUCTION_LENGTH = 2;

    /** The handlers by number; shared by all processors. */
    public static final class Table {
        private final @Nullable Handler[] handlers = new Handler[Hypercall.COUNT];
        /** Those that 32-bit guests call in another way. */
        private final @Nullable Handler[] compatHandlers = new Handler[Hypercall.COUNT];

        /** Names the handler of {@code number}, which has none yet. */
        public Table add(int number, Handler handler) {
            if (handlers[number] != null) {
                throw new IllegalArgumentException(Hypercall.name(number) + " has a handler");
            }
            handlers[number] = handler;
            return this;
        }

        /** Names the handler that 32-bit guests have instead of that of {@code number}. */
        public Table addCompat(int number, Handler handler) {
            compatHandlers[number] = handler;
            return this;
        }

        /** The handler of {@code number}, which has one. */
        Handler get(int number) {
            return Objects.requireNonNull(handlers[number], Hypercall.name(number));
        }

        @Nullable
        Handler find(long number, boolean compat) {
            if (number < 0 || number >= handlers.length) {
                return null;
            }
            Handler handler = compat ? compatHandlers[(int) number] : null;
            return handler == null ? handlers[(int) number] : handler;
        }
    }

    private final Table table;
    private final MachineClock clock;
    private final Trace trace;
    private final Preempt preempt;
    private final Call call = new Call();
    /** The call inside a multicall. */
    private final Call inner = new Call();
    private long executed;

    public Hypercalls(Table table, MachineClock clock, Trace trace, Preempt preempt) {
        this.table = table;
        this.clock = clock;
        this.trace = trace;
        this.preempt = preempt;
    }

    /**
     * Carries out the hypercall that {@code vcpu}, loaded on {@code processor}, has made with SYSCALL, or in a 32-bit guest INT 0x82:
     * RIP is after it.
     */
    public void execute(Vcpu vcpu, Processor processor, GuestLinear memory) {
        boolean compat = vcpu.domain.memory.isCompat();
        int[] registers = compat ? COMPAT_REGISTERS : ARGUMENT_REGISTERS;
        long mask = compat ? WORD : -1;
        long number = processor.gpr[Processor.RAX] & mask;
        for (int i = 0; i < registers.length; i++) {
            call.arguments[i] = processor.gpr[registers[i]] & mask;
        }
        long first = call.arguments[0];
        clock.advance(Charges.HYPERCALL);
        vcpu.hypercalls++;
        executed++;
        call.begin(vcpu, memory, preempt);
        long result = number == Hypercall.MULTICALL ? multicall(vcpu, memory) : dispatch(number, call);
        if (result == Call.RESTART) {
            for (int i = 0; i < registers.length; i++) {
                processor.gpr[registers[i]] = call.arguments[i] & mask;
            }
            processor.rip -= INSTRUCTION_LENGTH;
        } else if (result != Call.NO_RESULT) {
            processor.gpr[Processor.RAX] = result & mask;
        }
        if (trace.on(TraceClass.HYPERCALL)) {
            trace.record(result == Call.RESTART ? TraceEvent.HYPERCALL_PREEMPTED : TraceEvent.HYPERCALL,
                    processor.index,
                    vcpu.domain.domid, vcpu.id, number, first, result);
        }
    }

    /** How many hypercalls this has carried out; a multicall is one. */
    public long executed() {
        return executed;
    }

    private long dispatch(long number, Call which) {
        Handler handler = table.find(number, which.compat);
        return handler == null ? -ENOSYS : handler.call(which);
    }

    /** A batch of calls: array at argument 0, count in argument 1; each result goes into its entry. */
    private long multicall(Vcpu vcpu, GuestLinear memory) {
        long list = call.arguments[0];
        int count = (int) call.arguments[1];
        for (int done = 0; Integer.compareUnsigned(done, count) < 0; done++) {
            if (done > 0 && preempt.check()) {
                return restart(list, count, done);
            }
            long entry = list + (long) done * call.sizeOf(MulticallEntry.LAYOUT);
            if (!call.read(entry, MulticallEntry.LAYOUT)) {
                return -EFAULT;
            }
            long number = call.get64(MulticallEntry.OP);
            for (int i = 0; i < inner.arguments.length; i++) {
                inner.arguments[i] = call.get64(MulticallEntry.ARGS + i * Long.BYTES);
            }
            inner.begin(vcpu, memory, preempt);
            long result = number == Hypercall.MULTICALL ? -EINVAL : dispatch(number, inner);
            if (result == Call.NO_RESULT) {
                return result;
            }
            if (result == Call.RESTART) {
                for (int i = 0; i < inner.arguments.length; i++) {
                    call.put64(MulticallEntry.ARGS + i * Long.BYTES, inner.arguments[i]);
                }
                return call.write(entry, MulticallEntry.LAYOUT) ? restart(list, count, done) : -EFAULT;
            }
            if (!call.writeBackWord(entry, MulticallEntry.LAYOUT, MulticallEntry.RESULT, result)) {
                return -EFAULT;
            }
        }
        return 0;
    }

    private long restart(long list, int count, int done) {
        call.arguments[0] = list + (long) done * call.sizeOf(MulticallEntry.LAYOUT);
        call.arguments[1] = count - done & 0xffff_ffffL;
        return Call.RESTART;
    }
}
