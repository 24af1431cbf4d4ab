package dev.xenolith.dom0.config;

import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A domain as it is to be created: everything that xl.cfg and the command line say and that we act on, checked on its
 * own, that is without regard to what the host has. {@code DomainConfigReader} makes it.
 *
 * @param name legal by {@link DomainName}
 * @param uuid the handle
 * @param type how it is virtualized
 * @param boot what it starts with; null for a Java domain, which starts with what is built into the host
 * @param memoryKiB memory at the start ({@code memory}), a multiple of 4
 * @param maxMemoryKiB what it may grow to ({@code maxmem}), at least {@code memoryKiB}
 * @param vcpus virtual CPUs that are online at the start, 1..{@code maxVcpus}
 * @param maxVcpus virtual CPUs it has, 1..32
 * @param hardAffinity by virtual CPU, where it may run; empty if no {@code cpus} is given, else {@code maxVcpus} entries
 * @param scheduling its share of the processors
 * @param lifecycle what to do when it stops
 * @param limits of its event channels and grants
 * @param devices what is attached to it at the start
 * @param privileged whether it may do what domain 0 may ({@code privileged}, a key of ours)
 */
public record DomainConfig(String name, UUID uuid, DomainType type, @Nullable Boot boot, long memoryKiB,
        long maxMemoryKiB,
        int vcpus, int maxVcpus, List<CpuSelection> hardAffinity, Scheduling scheduling, Lifecycle lifecycle,
        Limits limits, Devices devices, boolean privileged) {
    /** Copies the list. */
    public DomainConfig {
        hardAffinity = List.copyOf(hardAffinity);
    }

    /** Of a domain without privilege. */
    public DomainConfig(String name, UUID uuid, DomainType type, @Nullable Boot boot, long memoryKiB, long maxMemoryKiB,
            int vcpus, int maxVcpus, List<CpuSelection> hardAffinity, Scheduling scheduling, Lifecycle lifecycle,
            Limits limits, Devices devices) {
        this(name, uuid, type, boot, memoryKiB, maxMemoryKiB, vcpus, maxVcpus, hardAffinity, scheduling, lifecycle,
                limits, devices, false);
    }

    /** Returns the same under another name, for {@code rename-restart} and {@code xl rename}. */
    public DomainConfig withName(String newName) {
        return with(newName, uuid, memoryKiB, vcpus, scheduling, devices);
    }

    /** Returns the same with another handle. */
    public DomainConfig withUuid(UUID newUuid) {
        return with(name, newUuid, memoryKiB, vcpus, scheduling, devices);
    }

    /** Returns the same with other devices. */
    public DomainConfig withDevices(Devices newDevices) {
        return with(name, uuid, memoryKiB, vcpus, scheduling, newDevices);
    }

    /** Returns the same with other memory at the start. */
    public DomainConfig withMemory(long newMemoryKiB) {
        return with(name, uuid, newMemoryKiB, vcpus, scheduling, devices);
    }

    /** Returns the same with another number of virtual CPUs that are online at the start. */
    public DomainConfig withVcpus(int newVcpus) {
        return with(name, uuid, memoryKiB, newVcpus, scheduling, devices);
    }

    /** Returns the same with another share of the processors. */
    public DomainConfig withScheduling(Scheduling newScheduling) {
        return with(name, uuid, memoryKiB, vcpus, newScheduling, devices);
    }

    private DomainConfig with(String newName, UUID newUuid, long newMemoryKiB, int newVcpus, Scheduling newScheduling,
            Devices newDevices) {
        return new DomainConfig(newName, newUuid, type, boot, newMemoryKiB, maxMemoryKiB, newVcpus, maxVcpus,
                hardAffinity, newScheduling, lifecycle, limits, newDevices, privileged);
    }

    /**
     * What the domain starts with.
     *
     * @param kernel absolute, existed when the configuration was read
     * @param ramdisk absolute, existed when the configuration was read; null for none
     * @param commandLine for the kernel, may be empty; UTF-8
     */
    public record Boot(Path kernel, @Nullable Path ramdisk, String commandLine) {
    }

    /**
     * Parameters of the credit schedulers.
     *
     * @param weight 1..65535; empty for the scheduler's default of 256
     * @param cap percent of one processor, 0 for none; empty for none
     */
    public record Scheduling(OptionalInt weight, OptionalInt cap) {
    }

    /** What to do after each way of stopping (SHUTDOWN_* of xen/include/public/sched.h). */
    public record Lifecycle(LifecycleAction onPoweroff, LifecycleAction onReboot, LifecycleAction onWatchdog,
            LifecycleAction onCrash, LifecycleAction onSoftReset) {
        /** What xl.cfg(5) gives when nothing is said. */
        public static final Lifecycle DEFAULT = new Lifecycle(LifecycleAction.DESTROY, LifecycleAction.RESTART,
                LifecycleAction.DESTROY, LifecycleAction.DESTROY, LifecycleAction.SOFT_RESET);
    }

    /**
     * Limits of the hypervisor's tables for the domain; empty for the host's default.
     *
     * @param maxEventChannels {@code max_event_channels}, the highest port, libxl's default 1023
     * @param maxGrantFrames {@code max_grant_frames}, pages of grant table
     * @param maxMaptrackFrames {@code max_maptrack_frames}, pages of maptrack
     * @param maxGrantVersion {@code max_grant_version}, 1 or 2
     */
    public record Limits(OptionalInt maxEventChannels, OptionalInt maxGrantFrames, OptionalInt maxMaptrackFrames,
            OptionalInt maxGrantVersion) {
        /** Nothing said. */
        public static final Limits DEFAULT = new Limits(OptionalInt.empty(), OptionalInt.empty(), OptionalInt.empty(),
                OptionalInt.empty());
    }

    /**
     * Devices that PV drivers serve.
     *
     * @param disks with absolute targets, each a virtual device of its own
     * @param vifs each with a number of its own
     * @param channels with absolute paths; in their order the consoles from number 1 on
     */
    public record Devices(List<DiskSpec> disks, List<VifSpec> vifs, List<ChannelSpec> channels) {
        /** None at all. */
        public static final Devices NONE = new Devices(List.of(), List.of());

        /** Copies the lists. */
        public Devices {
            disks = List.copyOf(disks);
            vifs = List.copyOf(vifs);
            channels = List.copyOf(channels);
        }

        /** Without channels. */
        public Devices(List<DiskSpec> disks, List<VifSpec> vifs) {
            this(disks, vifs, List.of());
        }

        /** Returns whether there are none. */
        public boolean isEmpty() {
            return disks.isEmpty() && vifs.isEmpty() && channels.isEmpty();
        }

        /** Returns the same with other disks. */
        public Devices withDisks(List<DiskSpec> newDisks) {
            return new Devices(newDisks, vifs, channels);
        }

        /** Returns the same with other vifs. */
        public Devices withVifs(List<VifSpec> newVifs) {
            return new Devices(disks, newVifs, channels);
        }

        /** Returns the same with one more disk. */
        public Devices with(DiskSpec disk) {
            return withDisks(Stream.concat(disks.stream(), Stream.of(disk)).toList());
        }

        /** Returns the same with one more vif. */
        public Devices with(VifSpec vif) {
            return withVifs(Stream.concat(vifs.stream(), Stream.of(vif)).toList());
        }

        /** Returns the same with a disk instead of the one that has its number. */
        public Devices withChanged(DiskSpec changed) {
            return withDisks(disks.stream()
                    .map(disk -> disk.device().number() == changed.device().number() ? changed : disk).toList());
        }

        /** Returns the same without the disk of a number. */
        public Devices withoutDisk(int number) {
            return withDisks(disks.stream().filter(disk -> disk.device().number() != number).toList());
        }

        /** Returns the same without the vif of a number. */
        public Devices withoutVif(int number) {
            return withVifs(vifs.stream().filter(vif -> vif.device().orElse(-1) != number).toList());
        }
    }
}
