package dev.xenolith.dom0.gdb;

import dev.xenolith.cpu.processor.DebugPoints;
import dev.xenolith.cpu.processor.ProcessorState;
import dev.xenolith.dom0.pv.PvAbi;
import dev.xenolith.dom0.pv.VcpuContext;
import dev.xenolith.hypervisor.abi.ArchX86;
import dev.xenolith.hypervisor.abi.Bytes;
import dev.xenolith.hypervisor.abi.Errno;
import dev.xenolith.hypervisor.operations.DomainControl;
import dev.xenolith.hypervisor.operations.DomainDebug;
import dev.xenolith.hypervisor.operations.DomainHandle;
import java.util.List;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * The vCPUs of a PV domain, for a debugger. The domain stops when this is made. It belongs to dom0's handlers. A domain that has gone has
 * neither memory nor registers.
 */
public final class DomainTarget implements GdbTarget {
    /** What becomes of the domain beside what the debugger asks. */
    public interface Fate {
        /** The debugger wants it killed. */
        void kill();

        /** It has shut down with SHUTDOWN_* {@code reason} (but not to suspend), or is being destroyed: -1. */
        void ended(int reason);
    }

    /** Bit of a selector: its descriptor is in the LDT. */
    private static final int TABLE_LDT = 1 << 2;
    private static final int INDEX_SHIFT = 3;
    private static final int DESCRIPTORS_PER_FRAME_SHIFT = 9;
    /** Descriptor of 64-bit code of ring 3, and of flat data. */
    private static final long CODE_64 = 0x00af_fb00_0000_ffffL;
    private static final long FLAT = 0x00cf_f300_0000_ffffL;

    private final DomainControl control;
    private final DomainDebug debug;
    private final int domid;
    private final int vcpus;
    private final PvAbi abi;
    private final GuestMemory memory;
    private final Executor handlers;
    private final Fate fate;
    private final byte[] descriptors = new byte[4096];
    private @Nullable Listener listener;

    private DomainTarget(DomainHandle dom0, int domid, int vcpus, Executor handlers, Fate fate) {
        control = dom0.control();
        debug = dom0.debug();
        this.domid = domid;
        this.vcpus = vcpus;
        this.handlers = handlers;
        this.fate = fate;
        abi = PvAbi.of(control, domid);
        memory = new GuestMemory(control, domid, abi);
    }

    /**
     * Attaches to a domain, which stops.
     *
     * @param handlers runs work as handlers of dom0; for any thread
     * @throws IllegalStateException why that is not possible
     */
    public static DomainTarget attach(DomainHandle dom0, int domid, Executor handlers, Fate fate) {
        DomainControl.DomainInfo info = dom0.control().info(domid);
        if (info == null) {
            throw new IllegalStateException("there is no domain " + domid);
        }
        DomainTarget target = new DomainTarget(dom0, domid, info.maxVcpus(), handlers, fate);
        int error = dom0.debug().attach(domid, target.new Events());
        if (error < 0) {
            throw new IllegalStateException(switch (-error) {
                case Errno.EBUSY -> "a debugger is attached to domain " + domid + " already";
                case Errno.EINVAL -> info.shutdown() || info.dying()
                        ? "domain " + domid + " has shut down"
                        : "domain " + domid + " is none that can be debugged: it is not a PV domain";
                default -> "attaching to domain " + domid + " failed: " + Errno.name(error);
            });
        }
        return target;
    }

    private final class Events implements DomainDebug.Listener {
        @Override
        public void stopped(DomainDebug.Event event) {
            if (listener != null) {
                listener.stopped(new Event(event.vcpu(), switch (event.cause()) {
                    case BREAKPOINT -> Cause.BREAKPOINT;
                    case WATCHPOINT -> Cause.WATCHPOINT;
                    case STEP -> Cause.STEP;
                    case CRASH -> Cause.SHUTDOWN;
                }, event.address(), event.access()));
            }
        }

        @Override
        public void ended(int reason) {
            fate.ended(reason);
        }
    }

    /** What processors a domain's kernel is written for. */
    public static Architecture architecture(DomainHandle dom0, int domid) {
        return switch (PvAbi.of(dom0.control(), domid)) {
            case X86_64 -> Architecture.X86_64;
            case X86_32P -> Architecture.I386;
        };
    }

    @Override
    public int processors() {
        return vcpus;
    }

    @Override
    public String describe(int processor) {
        DomainControl.VcpuInfo info = control.vcpu(domid, processor);
        String state = info == null ? "gone" : !info.online() ? "offline" : info.blocked() ? "blocked" : "running";
        return "vCPU " + processor + " of domain " + domid + ", " + state;
    }

    @Override
    public String dump(int processor) {
        VcpuContext context = VcpuContext.read(control, domid, processor);
        return context == null ? describe(processor) + '\n' : registers(context).dump();
    }

    // ---- registers ---------------------------------------------------------------------------------------------------

    private GuestRegisters registers(VcpuContext context) {
        return new GuestRegisters(context, selector -> descriptor(context, selector));
    }

    @Override
    public void save(int processor, ProcessorState into) {
        VcpuContext context = VcpuContext.read(control, domid, processor);
        registers(context == null ? new VcpuContext(abi) : context).save(into);
    }

    @Override
    public boolean load(int processor, ProcessorState from) {
        VcpuContext context = VcpuContext.read(control, domid, processor);
        if (context == null || !registers(context).load(from)) {
            return false;
        }
        int result;
        do {
            result = control.setVcpuContext(domid, processor, context.bytes());
        } while (result == DomainControl.AGAIN);
        return result == 0;
    }

    /** The descriptor that a selector names, 0 if there is none. */
    private long descriptor(VcpuContext context, int selector) {
        int index = selector >> INDEX_SHIFT;
        if ((selector & TABLE_LDT) != 0) {
            long address = context.word("ldt_base") + (long) index * Long.BYTES;
            byte[] descriptor = new byte[Long.BYTES];
            return memory.read(context.root(), address, descriptor, Long.BYTES) == Long.BYTES
                    ? Bytes.get64(descriptor, 0)
                    : 0;
        }
        if (index >= ArchX86.FIRST_RESERVED_GDT_ENTRY) {
            return (selector | 3) == ArchX86.FLAT_RING3_CS64 && abi == PvAbi.X86_64 ? CODE_64 : FLAT;
        }
        long frame = context.word("gdt_frames", index >> DESCRIPTORS_PER_FRAME_SHIFT);
        int within = index & (1 << DESCRIPTORS_PER_FRAME_SHIFT) - 1;
        return memory.readFrame(frame, descriptors) ? Bytes.get64(descriptors, within * Long.BYTES) : 0;
    }

    @Override
    public long control(int processor, Control register) {
        VcpuContext context = VcpuContext.read(control, domid, processor);
        if (context == null) {
            return 0;
        }
        return switch (register) {
            case CR0 -> context.control(0);
            case CR3 -> abi.cr3(context.root());
            case CR4 -> context.control(4);
            case CR8 -> 0;
            case EFER -> GuestRegisters.EFER;
        };
    }

    /** Control registers of a PV guest are the hypervisor's; their values may only be confirmed. */
    @Override
    public boolean setControl(int processor, Control register, long value) {
        return value == control(processor, register);
    }

    /** Segments are loaded by the guest only. */
    @Override
    public boolean setSegment(int processor, int segment, int selector) {
        return false;
    }

    // ---- memory ------------------------------------------------------------------------------------------------------

    @Override
    public int read(int processor, long address, byte[] into, int length) {
        return memory.read(root(processor), address, into, length);
    }

    @Override
    public int write(int processor, long address, byte[] from, int length) {
        return memory.write(root(processor), address, from, length);
    }

    /** The frame of the kernel's root, 0 without a vCPU. */
    private long root(int processor) {
        VcpuContext context = VcpuContext.read(control, domid, processor);
        return context == null ? 0 : context.root();
    }

    // ---- execution ---------------------------------------------------------------------------------------------------

    @Override
    public void setPoints(DebugPoints points) {
        debug.setPoints(domid, points);
    }

    @Override
    public void attach(Listener debugger) {
        listener = debugger;
    }

    @Override
    public void detach() {
        listener = null;
        debug.detach(domid);
    }

    @Override
    public void stop() {
        debug.stop(domid);
    }

    @Override
    public void resume(List<? extends Action> actions) {
        debug.resume(domid, actions.stream().map(action -> switch (action) {
            case Continue() -> new DomainDebug.Continue();
            case Hold() -> new DomainDebug.Hold();
            case Step(long first, long end) -> new DomainDebug.Step(first, end);
        }).toList());
    }

    @Override
    public void kill() {
        detach();
        fate.kill();
    }

    @Override
    public void execute(Runnable work) {
        handlers.execute(work);
    }
}
