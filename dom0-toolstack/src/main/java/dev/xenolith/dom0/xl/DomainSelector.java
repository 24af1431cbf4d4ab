package dev.xenolith.dom0.xl;

/** Finds domains by what users call them: a domid in decimal, or a name. */
final class DomainSelector {
    private DomainSelector() {
    }

    /**
     * Finds a domain. Only digits are a domid; anything else is a name (libxl_domain_qualifier_to_domid).
     *
     * @throws ToolstackException there is none
     */
    static DomainInfo find(Toolstack toolstack, String nameOrId) {
        if (isNumber(nameOrId)) {
            int domid = parse(nameOrId);
            return toolstack.domain(domid)
                    .orElseThrow(() -> ToolstackException.failure("domain '" + nameOrId + "' does not exist"));
        }
        return byName(toolstack, nameOrId);
    }

    /** Finds a domain by its name only. */
    static DomainInfo byName(Toolstack toolstack, String name) {
        return toolstack.domains().stream().filter(domain -> domain.name().equals(name)).findFirst()
                .orElseThrow(() -> ToolstackException.failure("domain '" + name + "' does not exist"));
    }

    static boolean isNumber(String text) {
        return !text.isEmpty() && text.chars().allMatch(c -> c >= '0' && c <= '9');
    }

    /** Returns the number, or one that is no domid if it is too large. */
    static int parse(String digits) {
        return digits.length() > 9 ? Integer.MAX_VALUE : Integer.parseInt(digits);
    }
}
