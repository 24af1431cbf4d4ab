package dev.xenolith.dom0.gdb;

import dev.xenolith.cpu.processor.ControlRegisters;
import dev.xenolith.cpu.processor.DebugAccess;
import dev.xenolith.cpu.processor.DebugPoints;
import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.cpu.processor.ProcessorState;
import dev.xenolith.cpu.processor.Segmentation;
import dev.xenolith.device.board.PcBoard;
import dev.xenolith.device.board.RunControl;
import java.util.ArrayList;
import java.util.List;

/** The processors of a bare machine, for a debugger. */
public final class BoardTarget implements GdbTarget {
    private static final long PRIORITY_CLASSES = 15;

    private final PcBoard board;
    private final RunControl control;
    private final List<Processor> all;

    public BoardTarget(PcBoard board) {
        this.board = board;
        control = board.control();
        all = board.machine().processors();
    }

    @Override
    public int processors() {
        return all.size();
    }

    @Override
    public String describe(int processor) {
        Processor p = all.get(processor);
        String state = p.waitsForStartup ? "waits for a start-up IPI" : p.halted ? "halted" : "running";
        return "processor " + processor + ", " + state;
    }

    @Override
    public String dump(int processor) {
        return control.dump(all.get(processor));
    }

    @Override
    public void save(int processor, ProcessorState into) {
        into.save(all.get(processor));
    }

    @Override
    public boolean load(int processor, ProcessorState from) {
        from.load(all.get(processor));
        return true;
    }

    @Override
    public long control(int processor, Control register) {
        Processor p = all.get(processor);
        return switch (register) {
            case CR0 -> p.cr0;
            case CR3 -> p.cr3;
            case CR4 -> p.cr4;
            case CR8 -> p.apic.taskPriorityClass();
            case EFER -> p.efer;
        };
    }

    @Override
    public boolean setControl(int processor, Control register, long value) {
        Processor p = all.get(processor);
        return switch (register) {
            case CR0 -> ControlRegisters.writeCr0(p, value);
            case CR3 -> ControlRegisters.writeCr3(p, value);
            case CR4 -> ControlRegisters.writeCr4(p, value);
            case CR8 -> {
                if (value < 0 || value > PRIORITY_CLASSES) {
                    yield false;
                }
                p.apic.setTaskPriorityClass((int) value);
                yield true;
            }
            case EFER -> ControlRegisters.writeEfer(p, value);
        };
    }

    /** CS too, though only where that is no more than a base: in real-address mode. */
    @Override
    public boolean setSegment(int processor, int segment, int selector) {
        Processor p = all.get(processor);
        boolean real = (p.cr0 & 1) == 0;
        if (segment == Processor.CS && !real) {
            return false;
        }
        long offset = p.rip - p.segmentBase[Processor.CS];
        if (Segmentation.tryLoadSegment(p, segment, selector) >= 0) {
            return false;
        }
        if (segment == Processor.CS) {
            p.rip = p.segmentBase[Processor.CS] + (offset & 0xffff_ffffL);
            p.updateContext();
        }
        return true;
    }

    @Override
    public int read(int processor, long address, byte[] into, int length) {
        return DebugAccess.read(all.get(processor), address, into, length);
    }

    @Override
    public int write(int processor, long address, byte[] from, int length) {
        return DebugAccess.write(all.get(processor), address, from, length);
    }

    @Override
    public void setPoints(DebugPoints points) {
        control.setPoints(points);
    }

    @Override
    public void attach(Listener listener) {
        control.attach(event -> listener.stopped(new Event(event.processor().index, switch (event.cause()) {
            case BREAKPOINT -> Cause.BREAKPOINT;
            case WATCHPOINT -> Cause.WATCHPOINT;
            case STEP -> Cause.STEP;
            case SHUTDOWN -> Cause.SHUTDOWN;
        }, event.address(), event.access())));
    }

    @Override
    public void detach() {
        control.detach();
    }

    @Override
    public void stop() {
        control.stop();
    }

    @Override
    public void resume(List<? extends Action> actions) {
        List<RunControl.Action> next = new ArrayList<>();
        for (Action action : actions) {
            next.add(switch (action) {
                case Continue() -> new RunControl.Continue();
                case Hold() -> new RunControl.Hold();
                case Step(long first, long end) -> new RunControl.Step(first, end);
            });
        }
        control.resume(next);
    }

    @Override
    public void kill() {
        board.stop();
    }

    @Override
    public void execute(Runnable work) {
        board.machine().post(work);
    }
}
