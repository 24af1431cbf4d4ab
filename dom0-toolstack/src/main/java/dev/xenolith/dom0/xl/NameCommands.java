package dev.xenolith.dom0.xl;

import dev.xenolith.dom0.config.DomainName;

/** The commands about names and ids. */
final class NameCommands {
    private NameCommands() {
    }

    /** {@code xl domid}. */
    static final class DomId extends XlCommand {
        @Override
        int leastArguments() {
            return 1;
        }

        @Override
        int run(CommandContext context) {
            context.line("%d", DomainSelector.byName(context.toolstack(), arguments.getFirst()).domid());
            return 0;
        }
    }

    /** {@code xl domname}. */
    static final class DomName extends XlCommand {
        @Override
        int leastArguments() {
            return 1;
        }

        @Override
        int run(CommandContext context) {
            String id = arguments.getFirst();
            if (!DomainSelector.isNumber(id)) {
                throw ToolstackException.failure("domname: expected a domain id, found '" + id + "'");
            }
            context.line("%s", find(context, id).name());
            return 0;
        }
    }

    /** {@code xl rename}. */
    static final class Rename extends XlCommand {
        @Override
        int leastArguments() {
            return 2;
        }

        @Override
        int run(CommandContext context) {
            DomainInfo domain = find(context, arguments.getFirst());
            String newName = arguments.get(1);
            String problem = DomainName.problem(newName);
            if (problem != null) {
                throw ToolstackException.failure("rename: the name \"" + newName + "\" " + problem);
            }
            context.toolstack().rename(domain.domid(), domain.name(), newName);
            return 0;
        }
    }

    /** {@code xl vm-list}. */
    static final class VmList extends XlCommand {
        @Override
        int run(CommandContext context) {
            context.line("UUID                                  ID    name");
            for (DomainInfo domain : context.toolstack().domains()) {
                context.line("%s  %d    %s", domain.uuid(), domain.domid(), domain.name());
            }
            return 0;
        }
    }
}
