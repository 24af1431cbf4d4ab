package dev.xenolith.dom0.xl;

import dev.xenolith.dom0.config.DiskSpec;
import dev.xenolith.dom0.config.DomainConfigJson;
import dev.xenolith.dom0.config.VirtualDevice;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** The commands about disks (tools/xl/xl_block.c). */
final class BlockCommands {
    private BlockCommands() {
    }

    /** {@code xl block-attach}. */
    static final class Attach extends XlCommand {
        @Override
        int leastArguments() {
            return 2;
        }

        @Override
        int run(CommandContext context) {
            DiskSpec disk;
            try {
                disk = DiskSpec.parse(String.join(",", arguments.subList(1, arguments.size())));
            } catch (IllegalArgumentException e) {
                throw new ToolstackException(ToolstackException.FAILURE, "block-attach: " + e.getMessage(), e);
            }
            int domid = find(context, arguments.getFirst()).domid();
            if (context.options().dryRun()) {
                print(context, disk);
                return 0;
            }
            context.toolstack().attachDisk(domid, BlockCommands.find(context, "block-attach", disk));
            return 0;
        }
    }

    private static void print(CommandContext context, DiskSpec disk) {
        StringWriter text = new StringWriter();
        try (DomainConfigJson json = new DomainConfigJson(text)) {
            json.writeDisk(disk);
        }
        context.line("disk: %s", text);
    }

    /** The same disk with the absolute path of its image. */
    private static DiskSpec find(CommandContext context, String command, DiskSpec disk) {
        String target = disk.target();
        if (target == null) {
            return disk;
        }
        try {
            Path file = context.client().directory().resolve(target).toAbsolutePath().normalize();
            if (!Files.exists(file)) {
                throw ToolstackException.failure(command + ": " + disk.device().name() + ": no such file: " + file);
            }
            return disk.withTarget(file.toString());
        } catch (InvalidPathException e) {
            throw new ToolstackException(ToolstackException.FAILURE,
                    command + ": expected a file, found \"" + target + "\": " + e.getReason(), e);
        }
    }

    /** {@code xl block-list}. */
    static final class ListDisks extends XlCommand {
        @Override
        int leastArguments() {
            return 1;
        }

        @Override
        int run(CommandContext context) {
            String format = "%-5s %-3s %-6s %-5s %-6s %-8s %-30s";
            context.line(format, "Vdev", "BE", "handle", "state", "evt-ch", "ring-ref", "BE-path");
            for (String argument : arguments) {
                for (BlockDeviceInfo disk : context.toolstack().disks(find(context, argument).domid())) {
                    context.line(format, disk.number(), disk.backendDomid(), disk.frontendDomid(), disk.state(),
                            disk.eventChannel(), disk.ringReference(), disk.backend());
                }
            }
            return 0;
        }
    }

    /** {@code xl block-detach}. */
    static final class Detach extends XlCommand {
        @Option(names = {"-f", "--force"})
        private boolean force;

        @Override
        int leastArguments() {
            return 2;
        }

        @Override
        int run(CommandContext context) {
            int domid = find(context, arguments.getFirst()).domid();
            String which = arguments.get(1);
            int number = number(which);
            if (context.toolstack().disks(domid).stream().noneMatch(disk -> disk.number() == number)) {
                throw ToolstackException.failure("block-detach: device " + which + " not connected");
            }
            context.toolstack().detachDisk(domid, number, force);
            return 0;
        }

        /** A number as {@code block-list} shows it, or a name. */
        private static int number(String which) {
            try {
                return DomainSelector.isNumber(which)
                        ? DomainSelector.parse(which)
                        : VirtualDevice.parse(which).number();
            } catch (IllegalArgumentException e) {
                throw new ToolstackException(ToolstackException.FAILURE, "block-detach: " + e.getMessage(), e);
            }
        }
    }

    /** {@code xl cd-insert} and {@code xl cd-eject} (tools/xl/xl_cdrom.c). */
    static final class ChangeMedium extends XlCommand {
        private final String command;
        private final boolean insert;

        /** @param insert whether a medium is named */
        ChangeMedium(String command, boolean insert) {
            this.command = command;
            this.insert = insert;
        }

        @Override
        int leastArguments() {
            return insert ? 3 : 2;
        }

        @Override
        int run(CommandContext context) {
            DiskSpec medium;
            try {
                medium = DiskSpec.parse("vdev=" + arguments.get(1) + ",access=r,devtype=cdrom,target="
                        + (insert ? arguments.get(2) : ""));
            } catch (IllegalArgumentException e) {
                throw new ToolstackException(ToolstackException.FAILURE, command + ": " + e.getMessage(), e);
            }
            if (insert && medium.target() == null) {
                throw ToolstackException.failure(command + ": expected a file, found nothing");
            }
            int domid = find(context, arguments.getFirst()).domid();
            if (context.options().dryRun()) {
                print(context, medium);
                return 0;
            }
            if (context.toolstack().disks(domid).stream()
                    .noneMatch(disk -> disk.number() == medium.device().number())) {
                throw ToolstackException.failure(command + ": device " + arguments.get(1) + " not connected");
            }
            context.toolstack().changeMedium(domid, BlockCommands.find(context, command, medium));
            return 0;
        }
    }
}
