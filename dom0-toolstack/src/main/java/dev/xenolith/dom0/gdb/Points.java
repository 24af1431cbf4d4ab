package dev.xenolith.dom0.gdb;

import dev.xenolith.cpu.processor.DebugPoints;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * What a debugger has set with Z packets. Software breakpoints are made as hardware ones are: none is ever written into memory, where
 * software could see it.
 */
final class Points {
    /** More than a person sets. */
    private static final int MAX = 4096;
    private static final int SOFTWARE = 0;
    private static final int HARDWARE = 1;
    private static final int WRITE = 2;
    private static final int READ = 3;
    private static final int ACCESS = 4;

    private record Point(int type, long address, int length) {
    }

    private final Set<Point> all = new LinkedHashSet<>();

    /** Whether there is this type of breakpoint or watchpoint. */
    static boolean hasType(int type) {
        return type >= SOFTWARE && type <= ACCESS;
    }

    /** Sets one; the same twice is once. False if there are too many. */
    boolean add(int type, long address, int length) {
        Point point = point(type, address, length);
        if (all.size() >= MAX && !all.contains(point)) {
            return false;
        }
        all.add(point);
        return true;
    }

    void remove(int type, long address, int length) {
        all.remove(point(type, address, length));
    }

    /** Of breakpoints the length is that of the instruction that would be written, which says nothing. */
    private static Point point(int type, long address, int length) {
        return new Point(type, address, type <= HARDWARE ? 1 : length);
    }

    boolean isSoftware(long address) {
        return all.contains(point(SOFTWARE, address, 1));
    }

    DebugPoints toDebugPoints() {
        List<DebugPoints.Watchpoint> watchpoints = new ArrayList<>();
        for (Point point : all) {
            if (point.type >= WRITE) {
                watchpoints.add(new DebugPoints.Watchpoint(switch (point.type) {
                    case WRITE -> DebugPoints.Access.WRITE;
                    case READ -> DebugPoints.Access.READ;
                    default -> DebugPoints.Access.ANY;
                }, point.address, point.length));
            }
        }
        return new DebugPoints(all.stream().filter(point -> point.type <= HARDWARE).mapToLong(Point::address).toArray(),
                watchpoints);
    }
}
