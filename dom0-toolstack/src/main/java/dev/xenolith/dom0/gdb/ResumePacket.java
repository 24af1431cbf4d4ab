package dev.xenolith.dom0.gdb;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The forms in which a debugger says who goes on and how: vCont, and s, c and their kin. */
final class ResumePacket {
    private ResumePacket() {}

    /**
     * What follows {@code vCont}: actions, each for a thread or for all that have none yet. Who is in none stays where it is. Signals
     * are not delivered: a processor has no such thing.
     */
    static List<GdbTarget.Action> parse(PacketCursor in, int processors) throws BadPacketException {
        List<GdbTarget.@Nullable Action> actions = new ArrayList<>();
        for (int i = 0; i < processors; i++) {
            actions.add(null);
        }
        do {
            in.expect(";");
            GdbTarget.Action action = action(in);
            int thread = in.skip(":") ? thread(in, processors) : -1;
            for (int i = 0; i < processors; i++) {
                if ((thread == i || thread < 0) && actions.get(i) == null) {
                    actions.set(i, action);
                }
            }
        } while (!in.atEnd());
        List<GdbTarget.Action> complete = new ArrayList<>();
        for (GdbTarget.Action action : actions) {
            complete.add(action == null ? new GdbTarget.Hold() : action);
        }
        return complete;
    }

    private static GdbTarget.Action action(PacketCursor in) throws BadPacketException {
        switch (in.next()) {
            case 'c' :
                return new GdbTarget.Continue();
            case 'C' :
                in.number(0xff);
                return new GdbTarget.Continue();
            case 's' :
                return new GdbTarget.Step(0, 0);
            case 'S' :
                in.number(0xff);
                return new GdbTarget.Step(0, 0);
            case 'r' :
                long first = in.number();
                in.expect(",");
                return new GdbTarget.Step(first, in.number());
            default :
                throw new BadPacketException("unknown action");
        }
    }

    /** A thread's processor; -1 for all threads, and 0 for any, which is the first. */
    static int thread(PacketCursor in, int processors) throws BadPacketException {
        if (in.skip("p")) {
            // With a process, of which there is one.
            if (!in.skip("-1") && in.number() != 1) {
                throw new BadPacketException("no such process");
            }
            if (!in.skip(".")) {
                return -1;
            }
        }
        if (in.skip("-1")) {
            return -1;
        }
        return Math.max(0, in.number(processors) - 1);
    }
}
