package dev.xenolith.hypervisor.hypercall;

import static dev.xenolith.hypervisor.abi.Errno.EACCES;
import static dev.xenolith.hypervisor.abi.Errno.EDOM;
import static dev.xenolith.hypervisor.abi.Errno.EFAULT;
import static dev.xenolith.hypervisor.abi.Errno.EINVAL;
import static dev.xenolith.hypervisor.abi.Errno.ENOSYS;
import static dev.xenolith.hypervisor.abi.Errno.EOPNOTSUPP;
import static dev.xenolith.hypervisor.abi.Errno.EPERM;
import static dev.xenolith.hypervisor.abi.Errno.ESRCH;

import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.hypervisor.abi.ArchX86;
import dev.xenolith.hypervisor.abi.Xenmem.AddToPhysmap;
import dev.xenolith.hypervisor.abi.Xenmem.ForeignMemoryMap;
import dev.xenolith.hypervisor.abi.Xenmem.MachphysMapping;
import dev.xenolith.hypervisor.abi.Xenmem.MachphysMfnList;
import dev.xenolith.hypervisor.abi.Xenmem.MemoryMap;
import dev.xenolith.hypervisor.abi.Xenmem.PodTarget;
import dev.xenolith.hypervisor.abi.Xenmem.ReservedDeviceMemory;
import dev.xenolith.hypervisor.abi.Xenmem.VnumaTopology;
import dev.xenolith.hypervisor.abi.Xenmem;
import dev.xenolith.hypervisor.domain.Access;
import dev.xenolith.hypervisor.domain.Domain;
import dev.xenolith.hypervisor.domain.Domains;
import dev.xenolith.hypervisor.memory.MachineToPhysical;
import dev.xenolith.hypervisor.memory.Memory;
import dev.xenolith.hypervisor.memory.SharedLayout;

/**
 * memory_op: the command is in the low bits of argument 0, progress above them, the structure's address in argument 1. What concerns
 * translated guests is refused as Xen refuses it to PV ones; what Debian's Xen is built without is -ENOSYS.
 */
public final class MemoryOp implements Handler {
    /** End of the M2P table's part of the address space: of L4 slot 256 the first quarter. */
    private static final long M2P_END = 0xffff_8040_0000_0000L;
    private final Domains domains;
    private final Memory memory;
    private final ReservationOp reservations;
    private final ResourceOp resources;

    public MemoryOp(Domains domains, Controls controls) {
        this.domains = domains;
        memory = domains.memory;
        reservations = new ReservationOp(domains);
        resources = new ResourceOp(domains, controls);
    }

    @Override
    public long call(Call call) {
        int command = (int) call.argument(0) & Xenmem.MEMOP_CMD_MASK;
        long start = call.argument(0) >>> Xenmem.MEMOP_EXTENT_SHIFT;
        return switch (command) {
            case Xenmem.XENMEM_INCREASE_RESERVATION, Xenmem.XENMEM_DECREASE_RESERVATION,
                    Xenmem.XENMEM_POPULATE_PHYSMAP ->
                reservations.change(call, command, start);
            case Xenmem.XENMEM_EXCHANGE -> start != 0 ? -EINVAL : reservations.exchange(call);
            case Xenmem.XENMEM_MAXIMUM_RAM_PAGE -> start != 0 ? -EINVAL : memory.frames().size();
            case Xenmem.XENMEM_CURRENT_RESERVATION, Xenmem.XENMEM_MAXIMUM_RESERVATION, Xenmem.XENMEM_MAXIMUM_GPFN ->
                start != 0 ? -EINVAL : state(call, command);
            case Xenmem.XENMEM_ADD_TO_PHYSMAP -> start > 0xffff ? -EDOM : addToPhysmap(call);
            case Xenmem.XENMEM_ADD_TO_PHYSMAP_BATCH -> refuseTranslation(call, Short.BYTES);
            case Xenmem.XENMEM_REMOVE_FROM_PHYSMAP -> start != 0 ? -EINVAL : refuseTranslation(call, call.wordBytes());
            case Xenmem.XENMEM_MACHPHYS_MAPPING -> machphysMapping(call);
            case Xenmem.XENMEM_MACHPHYS_MFN_LIST -> machphysMfnList(call, call.compat);
            case Xenmem.XENMEM_MACHPHYS_COMPAT_MFN_LIST -> machphysMfnList(call, true);
            case Xenmem.XENMEM_MEMORY_MAP -> memoryMap(call);
            case Xenmem.XENMEM_SET_MEMORY_MAP -> setMemoryMap(call);
            case Xenmem.XENMEM_MACHINE_MEMORY_MAP -> Access.isPrivileged(call.domain) ? -ENOSYS : -EPERM;
            case Xenmem.XENMEM_SET_POD_TARGET, Xenmem.XENMEM_GET_POD_TARGET -> podTarget(call);
            // Nothing is shared.
            case Xenmem.XENMEM_GET_SHARING_FREED_PAGES, Xenmem.XENMEM_GET_SHARING_SHARED_PAGES -> 0;
            case Xenmem.XENMEM_CLAIM_PAGES -> start != 0 ? -EINVAL : resources.claim(call);
            case Xenmem.XENMEM_GET_VNUMAINFO -> start != 0 ? -EINVAL : vnuma(call);
            case Xenmem.XENMEM_RESERVED_DEVICE_MEMORY_MAP -> start != 0 ? -EINVAL : reservedDeviceMemory(call);
            case Xenmem.XENMEM_ACQUIRE_RESOURCE -> resources.acquire(call, start);
            default -> -ENOSYS;
        };
    }

    private long state(Call call, int command) {
        if (!call.read(call.argument(1), Short.BYTES)) {
            return -EFAULT;
        }
        Domain domain = domains.table.resolve(call.domain, call.get16(0));
        if (domain == null) {
            return -ESRCH;
        }
        if (!Access.toTarget(call.domain, domain)) {
            return -EPERM;
        }
        return switch (command) {
            case Xenmem.XENMEM_CURRENT_RESERVATION -> domain.memory.totalPages();
            case Xenmem.XENMEM_MAXIMUM_RESERVATION -> domain.memory.maxPages();
            default -> maximumGpfn(domain);
        };
    }

    private long maximumGpfn(Domain domain) {
        if (domain.sharedInfoFrame < 0) {
            return 0;
        }
        SharedLayout layout = domain.memory.sharedLayout();
        long pages = layout.read(memory.ram(),
                ((long) domain.sharedInfoFrame << PhysicalMemory.FRAME_SHIFT) + layout.maxPfn);
        return pages == 0 ? 0 : pages - 1;
    }

    private long addToPhysmap(Call call) {
        if (!call.read(call.argument(1), AddToPhysmap.LAYOUT)) {
            return -EFAULT;
        }
        if (call.get32(AddToPhysmap.SPACE) == Xenmem.XENMAPSPACE_GMFN_FOREIGN) {
            return -ENOSYS;
        }
        return domains.table.resolve(call.domain, call.get16(AddToPhysmap.DOMID)) == null ? -ESRCH : -EACCES;
    }

    private long refuseTranslation(Call call, int size) {
        if (!call.read(call.argument(1), size)) {
            return -EFAULT;
        }
        return domains.table.resolve(call.domain, call.get16(0)) == null ? -ESRCH : -EACCES;
    }

    private static long machphysMapping(Call call) {
        long start = call.compat ? ArchX86.HYPERVISOR_COMPAT_VIRT_START : MachineToPhysical.BASE;
        long end = call.compat ? ArchX86.MACH2PHYS_COMPAT_VIRT_END : M2P_END;
        call.put64(MachphysMapping.V_START, start);
        call.put64(MachphysMapping.V_END, end);
        call.put64(MachphysMapping.MAX_MFN, (end - start) / call.wordBytes() - 1);
        return call.write(call.argument(1), MachphysMapping.LAYOUT) ? 0 : -EFAULT;
    }

    private long machphysMfnList(Call call, boolean compat) {
        long handle = call.argument(1);
        if (!call.read(handle, MachphysMfnList.LAYOUT)) {
            return -EFAULT;
        }
        int most = call.get32(MachphysMfnList.MAX_EXTENTS);
        long list = call.get64(MachphysMfnList.EXTENT_START);
        MachineToPhysical m2p = memory.m2p();
        int there = compat ? m2p.compatExtents() : m2p.extents();
        int extents = Integer.compareUnsigned(most, there) < 0 ? most : there;
        for (int i = 0; i < extents; i++) {
            if (!call.writeWord(list + (long) i * call.wordBytes(),
                    compat ? m2p.compatExtentFrame(i) : m2p.extentFrame(i))) {
                return -EFAULT;
            }
        }
        return call.writeBack32(handle, MachphysMfnList.LAYOUT, MachphysMfnList.NR_EXTENTS, extents) ? 0 : -EFAULT;
    }

    private long podTarget(Call call) {
        if (!call.read(call.argument(1), PodTarget.LAYOUT)) {
            return -EFAULT;
        }
        return domains.table.resolve(call.domain, call.get16(PodTarget.DOMID)) == null ? -ESRCH : -EINVAL;
    }

    private long vnuma(Call call) {
        if (!call.read(call.argument(1), VnumaTopology.LAYOUT)) {
            return -EFAULT;
        }
        if (call.get16(VnumaTopology.PAD) != 0) {
            return -EINVAL;
        }
        Domain domain = domains.table.resolve(call.domain, call.get16(VnumaTopology.DOMID));
        if (domain == null) {
            return -ESRCH;
        }
        return Access.toTarget(call.domain, domain) ? -EOPNOTSUPP : -EPERM;
    }

    private static long reservedDeviceMemory(Call call) {
        long handle = call.argument(1);
        if (!call.read(handle, ReservedDeviceMemory.LAYOUT)) {
            return -EFAULT;
        }
        if ((call.get32(ReservedDeviceMemory.FLAGS) & ~ReservedDeviceMemory.ALL) != 0) {
            return -EINVAL;
        }
        return call.writeBack32(handle, ReservedDeviceMemory.LAYOUT, ReservedDeviceMemory.NR_ENTRIES, 0) ? 0 : -EFAULT;
    }

    // ---- memory maps -------------------------------------------------------------------------------------------------

    /** memory_map: what was set; -ENOSYS without one. */
    private static long memoryMap(Call call) {
        long handle = call.argument(1);
        if (!call.read(handle, MemoryMap.LAYOUT)) {
            return -EFAULT;
        }
        byte[] map = call.domain.memoryMap;
        if (map == null) {
            return -ENOSYS;
        }
        int wanted = call.get32(MemoryMap.NR_ENTRIES);
        long buffer = call.get64(MemoryMap.BUFFER);
        int entries = map.length / MemoryMap.ENTRY_SIZE;
        if (Integer.compareUnsigned(wanted, entries) < 0) {
            entries = wanted;
        }
        boolean copied = call.memory.write(buffer, map, 0, entries * MemoryMap.ENTRY_SIZE) == 0;
        return copied && call.writeBack32(handle, MemoryMap.LAYOUT, MemoryMap.NR_ENTRIES, entries) ? 0 : -EFAULT;
    }

    private long setMemoryMap(Call call) {
        if (!call.read(call.argument(1), ForeignMemoryMap.LAYOUT)) {
            return -EFAULT;
        }
        int entries = call.get32(ForeignMemoryMap.NR_ENTRIES);
        long buffer = call.get64(ForeignMemoryMap.BUFFER);
        if (Integer.compareUnsigned(entries, MemoryMap.MOST_ENTRIES) > 0) {
            return -EINVAL;
        }
        Domain domain = domains.table.resolve(call.domain, call.get16(ForeignMemoryMap.DOMID));
        if (domain == null) {
            return -ESRCH;
        }
        if (!Access.toTarget(call.domain, domain)) {
            return -EPERM;
        }
        byte[] map = new byte[entries * MemoryMap.ENTRY_SIZE];
        if (call.memory.read(buffer, map, 0, map.length) != 0) {
            return -EFAULT;
        }
        domain.memoryMap = map.length == 0 ? null : map;
        return 0;
    }
}
