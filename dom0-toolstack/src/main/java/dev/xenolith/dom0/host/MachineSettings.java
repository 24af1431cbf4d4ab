package dev.xenolith.dom0.host;

import dev.xenolith.cpu.model.CpuModel;
import dev.xenolith.device.board.Machine;
import dev.xenolith.dom0.gdb.Architecture;
import dev.xenolith.dom0.monitor.TraceSettings;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What {@code xenolith machine run} does, checked.
 *
 * @param kernel null if firmware is booted
 * @param firmware null if a kernel is booted
 * @param seconds time at the start, since 1970; null for the host's
 * @param serialFile where the serial port's output goes, null for standard output
 * @param maxInstructions how many instructions may be retired
 * @param screen whether the text on the screen is printed at the end
 * @param debugging null without a debugger
 * @param trace null if nothing is traced
 */
record MachineSettings(@Nullable Path kernel, @Nullable Path initrd, String commandLine, List<Module> modules,
        @Nullable Path firmware, long memoryBytes, int processors, CpuModel model, Machine.Configuration machine,
        @Nullable Long seconds, @Nullable Path serialFile, boolean debugExit, boolean testDevice, long maxInstructions,
        boolean stats, boolean screen, @Nullable Debugging debugging, @Nullable TraceSettings trace,
        MachineDevices devices) {
    /**
     * How a debugger finds the machine.
     *
     * @param address where the stub listens
     * @param freeze the machine waits for the debugger before its first instruction
     */
    record Debugging(InetSocketAddress address, Architecture architecture, boolean freeze) {
    }

    /** A boot module and its arguments. */
    record Module(Path file, String arguments) {
    }
}
