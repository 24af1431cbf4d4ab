package dev.xenolith.cpu.model;

import dev.xenolith.cpu.time.TimeScale;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** A model of processor; immutable, so processors and machines share it. */
public final class CpuModel {
    /** Who a model imitates where Intel and AMD differ. */
    public enum Vendor {
        INTEL, AMD
    }

    /** What RDMSR and WRMSR do to a model-specific register; what they cannot do raises #GP(0). */
    public enum Access {
        READ_ONLY,
        /** Takes the bits that can be written, for what that does; holds nothing. */
        WRITE_ONLY,
        /** Can be read; writes change nothing. */
        WRITES_IGNORED,
        /** Writes change the bits that can be written; the others must be as they are after reset. */
        READ_WRITE
    }

    /** A model-specific register that the model describes: its value after reset and the bits that WRMSR can change. */
    public record ModelMsr(long reset, long writable, Access access) {}

    /** Highest basic and extended leaves. */
    private static final int EXTENDED = 0x8000_0000;

    private static final class Holder {
        static final CpuModel INTEL = ModelParser.load("intel");
        static final CpuModel AMD = ModelParser.load("amd");
    }

    private final String name;
    private final Vendor vendor;
    private final String brand;
    private final int physicalBits;
    private final int linearBits;
    private final TimeScale tscScale;
    private final Set<String> features;
    private final Map<Long, int[]> leaves;
    private final Map<Integer, ModelMsr> msrs;
    private final int highestBasic;
    private final int highestExtended;

    CpuModel(String name, Vendor vendor, String brand, int physicalBits, int linearBits, long tscKilohertz,
            Set<String> features, Map<Long, int[]> leaves, Map<Integer, ModelMsr> msrs) {
        this.name = name;
        this.vendor = vendor;
        this.brand = brand;
        this.physicalBits = physicalBits;
        this.linearBits = linearBits;
        this.tscScale = new TimeScale(tscKilohertz);
        this.features = Collections.unmodifiableSet(new HashSet<>(features));
        this.leaves = new TreeMap<>(leaves);
        this.msrs = Map.copyOf(msrs);
        int basic = 0;
        int extended = 0;
        for (long key : leaves.keySet()) {
            int leaf = (int) (key >>> 32);
            if (leaf < 0) {
                extended = Math.max(extended, leaf & Integer.MAX_VALUE);
            } else {
                basic = Math.max(basic, leaf);
            }
        }
        highestBasic = basic;
        highestExtended = EXTENDED | extended;
    }

    public static CpuModel intel() {
        return Holder.INTEL;
    }

    public static CpuModel amd() {
        return Holder.AMD;
    }

    /** Family, model and stepping as CPUID leaf 1 has them in EAX. */
    public int signature() {
        int[] result = new int[4];
        cpuid(1, 0, result);
        return result[0];
    }

    /** The model called {@code intel} or {@code amd}; throws {@link IllegalArgumentException} for others. */
    public static CpuModel named(String name) {
        return switch (name.toLowerCase(Locale.ROOT)) {
            case "intel" -> intel();
            case "amd" -> amd();
            default -> throw new IllegalArgumentException("no processor model '" + name + "': there are intel and amd");
        };
    }

    public String name() {
        return name;
    }

    public Vendor vendor() {
        return vendor;
    }

    public boolean isIntel() { return vendor == Vendor.INTEL; }

    /** Processor brand string, up to 47 characters. */
    public String brand() {
        return brand;
    }

    /** Physical-address width (MAXPHYADDR). */
    public int physicalBits() {
        return physicalBits;
    }

    public int linearBits() {
        return linearBits;
    }

    /** Time-stamp counter: ticks since the machine was started, of machine time. */
    public TimeScale tscScale() {
        return tscScale;
    }

    /** Whether the model has the feature, by its name in {@code features.txt}. */
    public boolean has(String feature) {
        return features.contains(feature);
    }

    /** Whether {@code features.txt} knows the name. */
    public static boolean isFeatureName(String name) {
        return ModelParser.featureNames().contains(name);
    }

    /** Names of all features, in no order. */
    public Set<String> features() {
        return features;
    }

    /** The register at {@code address} if the model describes it; others exist too, in the processor. */
    public @Nullable ModelMsr msr(int address) {
        return msrs.get(address);
    }

    public Map<Integer, ModelMsr> msrs() {
        return msrs;
    }

    /**
     * The static part of CPUID: EAX, EBX, ECX, EDX into {@code result}. A leaf above the highest gives the highest basic leaf on
     * Intel and zeros on AMD, as the vendors' processors do; an absent one below it gives zeros.
     */
    public void cpuid(int leaf, int subleaf, int[] result) {
        if (leaf >= 0 && leaf > highestBasic || leaf < 0 && leaf > highestExtended) {
            leaf = isIntel() ? highestBasic : -1;
        }
        int[] values = leaves.get(key(leaf, subleaf));
        if (values == null && !dependsOnSubleaf(leaf)) {
            values = leaves.get(key(leaf, 0));
        }
        for (int i = 0; i < 4; i++) {
            result[i] = values == null ? 0 : values[i];
        }
    }

    static long key(int leaf, int subleaf) {
        return (long) leaf << 32 | subleaf & 0xffff_ffffL;
    }

    /** Leaves whose values for ECX differ; elsewhere ECX is ignored (SDM 2A CPUID). */
    private static boolean dependsOnSubleaf(int leaf) {
        return switch (leaf) {
            case 4, 7, 0xb, 0xd, 0xf, 0x10, 0x12, 0x14, 0x17, 0x18, 0x1f, 0x8000_001d -> true;
            default -> false;
        };
    }

    /** All static leaves as (leaf, subleaf) pairs in ascending order. */
    public List<long[]> leaves() {
        return leaves.keySet().stream().map(key -> new long[]{key >>> 32, key & 0xffff_ffffL}).toList();
    }
}
