package dev.xenolith.hypervisor.abi;

/** xen/include/public/physdev.h: interrupts and I/O ports of real devices. */
public final class Physdev {
    public static final int PHYSDEVOP_IRQ_UNMASK_NOTIFY = 4;
    public static final int PHYSDEVOP_IRQ_STATUS_QUERY = 5;
    public static final int PHYSDEVOP_SET_IOPL = 6;
    public static final int PHYSDEVOP_SET_IOBITMAP = 7;
    public static final int PHYSDEVOP_APIC_READ = 8;
    public static final int PHYSDEVOP_APIC_WRITE = 9;
    public static final int PHYSDEVOP_ALLOC_IRQ_VECTOR = 10;
    public static final int PHYSDEVOP_FREE_IRQ_VECTOR = 11;
    public static final int PHYSDEVOP_EOI = 12;
    public static final int PHYSDEVOP_MAP_PIRQ = 13;
    public static final int PHYSDEVOP_UNMAP_PIRQ = 14;
    public static final int PHYSDEVOP_MANAGE_PCI_ADD = 15;
    public static final int PHYSDEVOP_MANAGE_PCI_REMOVE = 16;
    public static final int PHYSDEVOP_PIRQ_EOI_GMFN_V1 = 17;
    public static final int PHYSDEVOP_RESTORE_MSI = 19;
    public static final int PHYSDEVOP_MANAGE_PCI_ADD_EXT = 20;
    public static final int PHYSDEVOP_SETUP_GSI = 21;
    public static final int PHYSDEVOP_GET_FREE_PIRQ = 23;
    public static final int PHYSDEVOP_PCI_MMCFG_RESERVED = 24;
    public static final int PHYSDEVOP_PCI_DEVICE_ADD = 25;
    public static final int PHYSDEVOP_PCI_DEVICE_REMOVE = 26;
    public static final int PHYSDEVOP_RESTORE_MSI_EXT = 27;
    public static final int PHYSDEVOP_PIRQ_EOI_GMFN_V2 = 28;
    public static final int PHYSDEVOP_DBGP_OP = 29;
    public static final int PHYSDEVOP_PREPARE_MSIX = 30;
    public static final int PHYSDEVOP_RELEASE_MSIX = 31;

    /** PHYSDEVOP_set_iopl. */
    public static final class SetIopl {
        public static final Struct LAYOUT = Struct.of("physdev_set_iopl").u32("iopl").build();
        public static final int SIZE = LAYOUT.size();
        public static final int IOPL = LAYOUT.offset("iopl");

        private SetIopl() {
        }
    }

    /** PHYSDEVOP_set_iobitmap: which of the first nr_ports I/O ports are refused. */
    public static final class SetIobitmap {
        public static final Struct LAYOUT = Struct.of("physdev_set_iobitmap").ulong("bitmap").u32("nr_ports").build();
        public static final int SIZE = LAYOUT.size();
        public static final int BITMAP = LAYOUT.offset("bitmap");
        public static final int NR_PORTS = LAYOUT.offset("nr_ports");

        private SetIobitmap() {
        }
    }

    /** PHYSDEVOP_irq_status_query. */
    public static final class IrqStatusQuery {
        public static final Struct LAYOUT = Struct.of("physdev_irq_status_query").u32("irq").u32("flags").build();
        public static final int SIZE = LAYOUT.size();
        public static final int IRQ = LAYOUT.offset("irq");
        public static final int FLAGS = LAYOUT.offset("flags");

        private IrqStatusQuery() {
        }
    }

    /** PHYSDEVOP_eoi. */
    public static final class Eoi {
        public static final Struct LAYOUT = Struct.of("physdev_eoi").u32("irq").build();
        public static final int SIZE = LAYOUT.size();
        public static final int IRQ = LAYOUT.offset("irq");

        private Eoi() {
        }
    }

    private Physdev() {
    }
}
