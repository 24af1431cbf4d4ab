package dev.xenolith.hypervisor.pv;

import static dev.xenolith.hypervisor.abi.Errno.EFAULT;
import static dev.xenolith.hypervisor.abi.Errno.EINVAL;
import static dev.xenolith.hypervisor.abi.Errno.ENOSYS;
import static dev.xenolith.hypervisor.abi.Errno.EPERM;

import dev.xenolith.hypervisor.abi.Physdev;
import dev.xenolith.hypervisor.domain.PvContext;
import dev.xenolith.hypervisor.hypercall.Call;
import dev.xenolith.hypervisor.hypercall.Handler;

/** physdev_op: the virtual IOPL and I/O bitmap. No guest owns a device yet, so everything about interrupts is forbidden. */
final class PhysdevOperations implements Handler {
    private static final int PORTS = 65536;

    @Override
    public long call(Call call) {
        long handle = call.argument(1);
        PvContext context = call.vcpu.pv();
        switch ((int) call.argument(0)) {
            case Physdev.PHYSDEVOP_SET_IOPL -> {
                if (!call.read(handle, Physdev.SetIopl.LAYOUT)) {
                    return -EFAULT;
                }
                int iopl = call.get32(Physdev.SetIopl.IOPL);
                if (iopl < 0 || iopl > 3) {
                    return -EINVAL;
                }
                context.iopl = iopl;
                return 0;
            }
            case Physdev.PHYSDEVOP_SET_IOBITMAP -> {
                if (!call.read(handle, Physdev.SetIobitmap.LAYOUT)) {
                    return -EFAULT;
                }
                int ports = call.get32(Physdev.SetIobitmap.NR_PORTS);
                if (ports < 0 || ports > PORTS) {
                    return -EINVAL;
                }
                context.ioBitmap = call.get64(Physdev.SetIobitmap.BITMAP);
                context.ioBitmapPorts = ports;
                return 0;
            }
            case Physdev.PHYSDEVOP_EOI, Physdev.PHYSDEVOP_IRQ_STATUS_QUERY -> {
                // There is no such interrupt.
                return -EINVAL;
            }
            case Physdev.PHYSDEVOP_APIC_READ, Physdev.PHYSDEVOP_APIC_WRITE, Physdev.PHYSDEVOP_ALLOC_IRQ_VECTOR,
                    Physdev.PHYSDEVOP_MAP_PIRQ, Physdev.PHYSDEVOP_UNMAP_PIRQ, Physdev.PHYSDEVOP_MANAGE_PCI_ADD,
                    Physdev.PHYSDEVOP_MANAGE_PCI_REMOVE, Physdev.PHYSDEVOP_MANAGE_PCI_ADD_EXT,
                    Physdev.PHYSDEVOP_RESTORE_MSI, Physdev.PHYSDEVOP_RESTORE_MSI_EXT, Physdev.PHYSDEVOP_SETUP_GSI,
                    Physdev.PHYSDEVOP_GET_FREE_PIRQ, Physdev.PHYSDEVOP_PCI_MMCFG_RESERVED,
                    Physdev.PHYSDEVOP_PCI_DEVICE_ADD, Physdev.PHYSDEVOP_PCI_DEVICE_REMOVE,
                    Physdev.PHYSDEVOP_DBGP_OP, Physdev.PHYSDEVOP_PREPARE_MSIX, Physdev.PHYSDEVOP_RELEASE_MSIX -> {
                return -EPERM;
            }
            default -> {
                return -ENOSYS;
            }
        }
    }
}
