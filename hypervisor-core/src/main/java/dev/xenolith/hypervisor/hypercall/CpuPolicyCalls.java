package dev.xenolith.hypervisor.hypercall;

import static dev.xenolith.hypervisor.abi.Errno.EFAULT;
import static dev.xenolith.hypervisor.abi.Errno.EINVAL;
import static dev.xenolith.hypervisor.abi.Errno.ENOBUFS;
import static dev.xenolith.hypervisor.abi.Errno.EOPNOTSUPP;

import dev.xenolith.hypervisor.abi.Bytes;
import dev.xenolith.hypervisor.abi.Domctl;
import dev.xenolith.hypervisor.abi.Sysctl;
import dev.xenolith.hypervisor.abi.Sysctl.CpuFeatureset;
import dev.xenolith.hypervisor.operations.CpuPolicy;
import java.util.Optional;

/**
 * CPU policies and feature sets, of the host and of domains (xen/lib/x86). All PV domains have one policy: to set a domain's means to say
 * what it is already.
 */
final class CpuPolicyCalls {
    private static final int LEAF_SIZE = 6 * Integer.BYTES;
    private static final int MSR_SIZE = 2 * Integer.BYTES + Long.BYTES;
    private static final int NO_ERROR = -1;
    /** The words of a feature set (cpufeatureset.h): leaf, subleaf and register of each, EAX to EDX being 0 to 3. */
    private static final int[][] FEATURE_WORDS = {{1, -1, 3}, {1, -1, 2}, {0x8000_0001, -1, 3}, {0x8000_0001, -1, 2},
        {0xd, 1, 0}, {7, 0, 1}, {7, 0, 2}, {0x8000_0007, -1, 3}, {0x8000_0008, -1, 1}, {7, 0, 3}, {7, 1, 0},
        {0x8000_0021, -1, 0}, {7, 1, 1}, {7, 2, 3}, {7, 1, 2}, {7, 1, 3}, {}, {}, {0x8000_0021, -1, 2}};

    private CpuPolicyCalls() {
    }

    /** XEN_DOMCTL_get_cpu_policy. */
    static long ofDomain(ControlCall op) {
        CpuPolicy policy = op.host.cpuPolicy(CpuPolicy.Kind.PV);
        long rc = copyOut(op, policy, Domctl.CpuPolicy.NR_LEAVES, Domctl.CpuPolicy.LEAVES, Domctl.CpuPolicy.NR_MSRS,
                Domctl.CpuPolicy.MSRS);
        return rc == 0 ? op.copyBack(0) : rc;
    }

    /** XEN_SYSCTL_get_cpu_policy; HVM is not built in. */
    static long ofHost(ControlCall op) {
        CpuPolicy.Kind kind;
        switch (op.get32(Sysctl.CpuPolicy.INDEX)) {
            case Sysctl.CpuPolicy.RAW, Sysctl.CpuPolicy.HOST -> kind = CpuPolicy.Kind.HOST;
            case Sysctl.CpuPolicy.PV_MAX, Sysctl.CpuPolicy.PV_DEFAULT -> kind = CpuPolicy.Kind.PV;
            case Sysctl.CpuPolicy.HVM_MAX, Sysctl.CpuPolicy.HVM_DEFAULT -> {
                return -EOPNOTSUPP;
            }
            default -> {
                return -EINVAL;
            }
        }
        if (op.get32(Sysctl.CpuPolicy.RSVD) != 0) {
            return -EINVAL;
        }
        long rc = copyOut(op, op.host.cpuPolicy(kind), Sysctl.CpuPolicy.NR_LEAVES, Sysctl.CpuPolicy.LEAVES,
                Sysctl.CpuPolicy.NR_MSRS, Sysctl.CpuPolicy.MSRS);
        return rc == 0 ? op.copyBack(0) : rc;
    }

    /** Copies leaves and registers, or counts them where the caller has given no list. */
    private static long copyOut(ControlCall op, CpuPolicy policy, int leafCount, int leafList, int msrCount,
            int msrList) {
        byte[] leaves = new byte[policy.leaves().size() * LEAF_SIZE];
        int at = 0;
        for (CpuPolicy.Leaf leaf : policy.leaves()) {
            for (int word : new int[]{leaf.leaf(), leaf.subleaf(), leaf.a(), leaf.b(), leaf.c(), leaf.d()}) {
                Bytes.put32(leaves, at, word);
                at += Integer.BYTES;
            }
        }
        byte[] msrs = new byte[policy.msrs().size() * MSR_SIZE];
        at = 0;
        for (CpuPolicy.Msr msr : policy.msrs()) {
            Bytes.put32(msrs, at, msr.index());
            Bytes.put64(msrs, at + 2 * Integer.BYTES, msr.value());
            at += MSR_SIZE;
        }
        long rc = list(op, leafCount, leafList, leaves, policy.leaves().size());
        return rc == 0 ? list(op, msrCount, msrList, msrs, policy.msrs().size()) : rc;
    }

    private static long list(ControlCall op, int countAt, int listAt, byte[] entries, int count) {
        long handle = op.get64(listAt);
        if (handle != 0) {
            if (Integer.compareUnsigned(op.get32(countAt), count) < 0) {
                return -ENOBUFS;
            }
            if (op.write(handle, entries, entries.length) != 0) {
                return -EFAULT;
            }
        }
        op.put32(countAt, count);
        return 0;
    }

    /** XEN_DOMCTL_set_cpu_policy: names the first leaf or register that is not as the policy has it. */
    static long set(ControlCall op) {
        CpuPolicy policy = op.host.cpuPolicy(CpuPolicy.Kind.PV);
        op.put32(Domctl.CpuPolicy.ERR_LEAF, NO_ERROR);
        op.put32(Domctl.CpuPolicy.ERR_SUBLEAF, NO_ERROR);
        op.put32(Domctl.CpuPolicy.ERR_MSR, NO_ERROR);
        int leaves = op.get32(Domctl.CpuPolicy.NR_LEAVES);
        int msrs = op.get32(Domctl.CpuPolicy.NR_MSRS);
        if (Integer.compareUnsigned(leaves, policy.leaves().size()) > 0
                || Integer.compareUnsigned(msrs, policy.msrs().size()) > 0) {
            return -EINVAL;
        }
        byte[] copy = new byte[Math.max(leaves * LEAF_SIZE, msrs * MSR_SIZE)];
        if (op.call.memory.read(op.get64(Domctl.CpuPolicy.LEAVES), copy, 0, leaves * LEAF_SIZE) != 0) {
            return -EFAULT;
        }
        for (int at = 0; at < leaves * LEAF_SIZE; at += LEAF_SIZE) {
            int[] w = new int[LEAF_SIZE / Integer.BYTES];
            for (int i = 0; i < w.length; i++) {
                w[i] = Bytes.get32(copy, at + i * Integer.BYTES);
            }
            CpuPolicy.Leaf asked = new CpuPolicy.Leaf(w[0], w[1], w[2], w[3], w[4], w[5]);
            if (!policy.leaves().contains(asked)) {
                op.put32(Domctl.CpuPolicy.ERR_LEAF, w[0]);
                op.put32(Domctl.CpuPolicy.ERR_SUBLEAF, w[1]);
                return op.copyBack(-EINVAL);
            }
        }
        if (op.call.memory.read(op.get64(Domctl.CpuPolicy.MSRS), copy, 0, msrs * MSR_SIZE) != 0) {
            return -EFAULT;
        }
        for (int at = 0; at < msrs * MSR_SIZE; at += MSR_SIZE) {
            int index = Bytes.get32(copy, at);
            CpuPolicy.Msr asked = new CpuPolicy.Msr(index, Bytes.get64(copy, at + 2 * Integer.BYTES));
            if (Bytes.get32(copy, at + Integer.BYTES) != 0 || !policy.msrs().contains(asked)) {
                op.put32(Domctl.CpuPolicy.ERR_MSR, index);
                return op.copyBack(-EINVAL);
            }
        }
        return 0;
    }

    /** XEN_SYSCTL_get_cpu_featureset: as many words as the caller has room for. */
    static long featureset(ControlCall op) {
        int count = FEATURE_WORDS.length;
        long handle = op.get64(CpuFeatureset.FEATURES);
        if (handle == 0) {
            op.put32(CpuFeatureset.NR_FEATURES, count);
            return op.copyBack(0);
        }
        CpuPolicy.Kind kind;
        switch (op.get32(CpuFeatureset.INDEX)) {
            case CpuFeatureset.RAW, CpuFeatureset.HOST -> kind = CpuPolicy.Kind.HOST;
            case CpuFeatureset.PV, CpuFeatureset.PV_MAX -> kind = CpuPolicy.Kind.PV;
            case CpuFeatureset.HVM, CpuFeatureset.HVM_MAX -> {
                return -EOPNOTSUPP;
            }
            default -> {
                return -EINVAL;
            }
        }
        CpuPolicy policy = op.host.cpuPolicy(kind);
        byte[] words = new byte[count * Integer.BYTES];
        for (int i = 0; i < count; i++) {
            Bytes.put32(words, i * Integer.BYTES, word(policy, FEATURE_WORDS[i]));
        }
        int room = op.get32(CpuFeatureset.NR_FEATURES);
        int copied = Integer.compareUnsigned(room, count) < 0 ? room : count;
        if (op.write(handle, words, copied * Integer.BYTES) != 0) {
            return -EFAULT;
        }
        op.put32(CpuFeatureset.NR_FEATURES, copied);
        return op.copyBack(copied < count ? -ENOBUFS : 0);
    }

    private static int word(CpuPolicy policy, int[] where) {
        if (where.length == 0) {
            return 0;
        }
        Optional<CpuPolicy.Leaf> leaf = policy.leaf(where[0], where[1]);
        return leaf.map(l -> switch (where[2]) {
            case 0 -> l.a();
            case 1 -> l.b();
            case 2 -> l.c();
            default -> l.d();
        }).orElse(0);
    }
}
