package dev.xenolith.dom0.host;

import dev.xenolith.cpu.model.CpuModel;
import dev.xenolith.device.board.Machine;
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
 */
record MachineSettings(@Nullable Path kernel, @Nullable Path initrd, String commandLine, List<Module> modules,
        @Nullable Path firmware, long memoryBytes, int processors, CpuModel model, Machine.Configuration machine,
        @Nullable Long seconds, @Nullable Path serialFile, boolean debugExit, long maxInstructions, boolean stats) {
    /** A boot module and its arguments. */
    record Module(Path file, String arguments) {
    }
}
