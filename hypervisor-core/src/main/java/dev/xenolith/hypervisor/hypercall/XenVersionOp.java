package dev.xenolith.hypervisor.hypercall;

import static dev.xenolith.hypervisor.abi.Errno.EFAULT;
import static dev.xenolith.hypervisor.abi.Errno.EINVAL;
import static dev.xenolith.hypervisor.abi.Errno.ENODATA;
import static dev.xenolith.hypervisor.abi.Errno.ENOSYS;
import static dev.xenolith.hypervisor.abi.Errno.EPERM;

import dev.xenolith.hypervisor.abi.ArchX86;
import dev.xenolith.hypervisor.abi.Bytes;
import dev.xenolith.hypervisor.abi.Version.CompileInfo;
import dev.xenolith.hypervisor.abi.Version.FeatureInfo;
import dev.xenolith.hypervisor.abi.Version;
import dev.xenolith.hypervisor.operations.HostControl;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** xen_version (xen/include/public/version.h): the hypervisor about itself, out of the one version block. */
public final class XenVersionOp implements Handler {
    private static final int HANDLE_SIZE = 16;
    private static final int PV_FEATURES = 1 << Version.XENFEAT_MMU_PT_UPDATE_PRESERVE_AD
            | 1 << Version.XENFEAT_HIGHMEM_ASSIST
            | 1 << Version.XENFEAT_GNTTAB_MAP_AVAIL_BITS | 1 << Version.XENFEAT_MEMORY_OP_VNODE_SUPPORTED
            | 1 << Version.XENFEAT_NOT_DIRECT_MAPPED;
    /** VMASST_TYPE_pae_extended_cr3. */
    private static final int PAE_EXTENDED_CR3 = 1 << 3;

    private final HostControl.Version version;

    public XenVersionOp(HostControl.Version version) {
        this.version = version;
    }

    @Override
    public long call(Call call) {
        long handle = call.argument(1);
        return switch ((int) call.argument(0)) {
            case Version.XENVER_VERSION -> version.major() << 16 | version.minor();
            case Version.XENVER_EXTRAVERSION -> text(call, handle, version.extra(), Version.EXTRAVERSION_LEN);
            case Version.XENVER_COMPILE_INFO -> compileInfo(call, handle);
            case Version.XENVER_CAPABILITIES -> text(call, handle, version.capabilities(), Version.CAPABILITIES_LEN);
            case Version.XENVER_CHANGESET -> text(call, handle, version.changeset(), Version.CHANGESET_LEN);
            case Version.XENVER_PLATFORM_PARAMETERS -> platformParameters(call, handle);
            case Version.XENVER_GET_FEATURES -> features(call, handle);
            case Version.XENVER_PAGESIZE -> handle == 0 ? version.pageSize() : -EINVAL;
            case Version.XENVER_GUEST_HANDLE -> guestHandle(call, handle);
            case Version.XENVER_COMMANDLINE -> call.domain.privileged
                    ? text(call, handle, version.commandLine(), Version.COMMANDLINE_LEN)
                    : -EPERM;
            // There is no build id: nothing is linked.
            case Version.XENVER_BUILD_ID -> -ENODATA;
            default -> -ENOSYS;
        };
    }

    private static void put(byte[] buffer, int offset, String value, int length) {
        byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
        Arrays.fill(buffer, offset, offset + length, (byte) 0);
        System.arraycopy(bytes, 0, buffer, offset, Math.min(bytes.length, length - 1));
    }

    private static long text(Call call, long handle, String value, int length) {
        put(call.buffer, 0, value, length);
        return call.write(handle, length) ? 0 : -EFAULT;
    }

    private long platformParameters(Call call, long handle) {
        long start = call.compat ? ArchX86.HYPERVISOR_COMPAT_VIRT_START : version.virtStart();
        return call.writeWord(handle, start) ? 0 : -EFAULT;
    }

    private long compileInfo(Call call, long handle) {
        put(call.buffer, CompileInfo.COMPILER, version.compiler(), CompileInfo.COMPILE_BY - CompileInfo.COMPILER);
        put(call.buffer, CompileInfo.COMPILE_BY, version.compileBy(),
                CompileInfo.COMPILE_DOMAIN - CompileInfo.COMPILE_BY);
        put(call.buffer, CompileInfo.COMPILE_DOMAIN, version.compileDomain(),
                CompileInfo.COMPILE_DATE - CompileInfo.COMPILE_DOMAIN);
        put(call.buffer, CompileInfo.COMPILE_DATE, version.compileDate(), CompileInfo.SIZE - CompileInfo.COMPILE_DATE);
        return call.write(handle, CompileInfo.LAYOUT) ? 0 : -EFAULT;
    }

    private static long features(Call call, long handle) {
        if (!call.read(handle, FeatureInfo.LAYOUT)) {
            return -EFAULT;
        }
        int submap = 0;
        if (call.get32(FeatureInfo.SUBMAP_IDX) == 0) {
            submap = PV_FEATURES;
            if ((call.domain.vmAssist & PAE_EXTENDED_CR3) != 0) {
                submap |= 1 << Version.XENFEAT_PAE_PGDIR_ABOVE_4GB;
            }
            if (call.domain.domid == 0) {
                submap |= 1 << Version.XENFEAT_DOM0;
            }
        }
        return call.writeBack32(handle, FeatureInfo.LAYOUT, FeatureInfo.SUBMAP, submap) ? 0 : -EFAULT;
    }

    /** The domain's UUID, in the byte order of its text. */
    private static long guestHandle(Call call, long handle) {
        long high = Long.reverseBytes(call.domain.handle.getMostSignificantBits());
        long low = Long.reverseBytes(call.domain.handle.getLeastSignificantBits());
        Bytes.put64(call.buffer, 0, high);
        Bytes.put64(call.buffer, Long.BYTES, low);
        return call.write(handle, HANDLE_SIZE) ? 0 : -EFAULT;
    }
}
