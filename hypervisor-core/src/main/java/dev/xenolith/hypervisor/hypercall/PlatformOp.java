package dev.xenolith.hypervisor.hypercall;

import static dev.xenolith.hypervisor.abi.Errno.EACCES;
import static dev.xenolith.hypervisor.abi.Errno.EFAULT;
import static dev.xenolith.hypervisor.abi.Errno.ENOSYS;
import static dev.xenolith.hypervisor.abi.Errno.EPERM;

import dev.xenolith.hypervisor.domain.Access;

/** platform_op (xen/include/public/platform.h): for the owner of the hardware, which no guest is; nothing of it is there. */
public final class PlatformOp implements Handler {
    private static final int SIZE = 136;
    private static final int INTERFACE_VERSION_AT = 4;
    private static final int INTERFACE_VERSION = 0x0300_0001;

    @Override
    public long call(Call call) {
        if (!call.read(call.argument(0), SIZE)) {
            return -EFAULT;
        }
        if (call.get32(INTERFACE_VERSION_AT) != INTERFACE_VERSION) {
            return -EACCES;
        }
        return Access.isPrivileged(call.domain) ? -ENOSYS : -EPERM;
    }
}
