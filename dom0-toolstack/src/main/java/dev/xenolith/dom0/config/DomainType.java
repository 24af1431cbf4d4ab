package dev.xenolith.dom0.config;

/** How a domain is virtualized: the {@code type} key. */
public enum DomainType {
    /** Paravirtualized: the kernel knows that it runs on Xen. */
    PV("pv"),
    /** Hardware-assisted without an emulated PC. */
    PVH("pvh"),
    /** Hardware-assisted with an emulated PC. */
    HVM("hvm"),
    /** Handlers in Java, as domain 0 is: a driver domain. Not in Xen, where driver domains have kernels of their own. */
    JAVA("java");

    private final String key;

    DomainType(String key) {
        this.key = key;
    }

    /** Returns the word of xl.cfg and of libxl's JSON. */
    public String key() {
        return key;
    }
}
