package dev.xenolith.dom0.xl;

import dev.xenolith.dom0.xl.GuestControl.Trigger;
import java.nio.file.InvalidPathException;
import java.util.Arrays;
import picocli.CommandLine.Option;

/** The commands of {@link GuestControl}. */
final class GuestCommands {
    private GuestCommands() {
    }

    /** {@code xl sysrq}. */
    static final class Sysrq extends XlCommand {
        @Override
        int leastArguments() {
            return 2;
        }

        @Override
        int run(CommandContext context) {
            DomainInfo domain = find(context, arguments.getFirst());
            String key = arguments.get(1);
            if (key.length() != 1 || key.charAt(0) <= ' ' || key.charAt(0) > '~') {
                context.message("xl: sysrq: expected one letter, found '" + key + "'");
                XlCommandTable.printHelp(context, "sysrq");
                return ToolstackException.FAILURE;
            }
            context.toolstack().guests().sysrq(domain.domid(), key.charAt(0));
            return 0;
        }
    }

    /** {@code xl trigger}. Its exit code does not say whether the trigger could be sent; standard error does. */
    static final class SendTrigger extends XlCommand {
        @Override
        int leastArguments() {
            return 2;
        }

        @Override
        int run(CommandContext context) {
            DomainInfo domain = find(context, arguments.getFirst());
            String name = arguments.get(1);
            Trigger trigger = Arrays.stream(Trigger.values()).filter(t -> t.name().equalsIgnoreCase(name)).findFirst()
                    .orElseThrow(() -> ToolstackException.failure("trigger: invalid trigger '" + name
                            + "'; expected nmi, reset, init, power, sleep or s3resume"));
            int vcpu = 0;
            if (arguments.size() > 2) {
                if (DomainSelector.isNumber(arguments.get(2))) {
                    vcpu = DomainSelector.parse(arguments.get(2));
                } else {
                    context.message("xl: trigger: '" + arguments.get(2) + "' is no vCPU, using 0");
                }
            }
            try {
                context.toolstack().guests().trigger(domain.domid(), trigger, vcpu);
            } catch (NoSuchDomainException e) {
                throw e;
            } catch (ToolstackException e) {
                if (e.exitCode() != ToolstackException.FAILURE) {
                    throw e;
                }
                context.message("xl: trigger: " + e.line());
            }
            return 0;
        }
    }

    /** {@code xl dump-core}. */
    static final class DumpCore extends XlCommand {
        @Override
        int leastArguments() {
            return 2;
        }

        @Override
        int run(CommandContext context) {
            DomainInfo domain = find(context, arguments.getFirst());
            try {
                context.toolstack().guests().dumpCore(domain.domid(),
                        context.client().directory().resolve(arguments.get(1)));
            } catch (InvalidPathException e) {
                throw ToolstackException.failure("dump-core: invalid file name: " + e.getReason());
            }
            return 0;
        }
    }

    /** {@code xl suspend}. */
    static final class Suspend extends XlCommand {
        @Override
        int leastArguments() {
            return 1;
        }

        @Override
        int run(CommandContext context) {
            context.toolstack().guests().suspend(find(context, arguments.getFirst()).domid());
            return 0;
        }
    }

    /** {@code xl resume}. */
    static final class Resume extends XlCommand {
        @Option(names = {"-r", "--reconnect"})
        private boolean reconnect;

        @Override
        int leastArguments() {
            return 1;
        }

        @Override
        int run(CommandContext context) {
            context.toolstack().guests().resume(find(context, arguments.getFirst()).domid(), reconnect);
            return 0;
        }
    }
}
