package dev.xenolith.dom0.config;

import dev.xenolith.dom0.config.DomainConfig.Scheduling;
import dev.xenolith.dom0.net.packet.Mac;
import java.io.Writer;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.PrettyPrinter;
import tools.jackson.core.StreamWriteFeature;
import tools.jackson.core.json.JsonFactory;

/**
 * Domains as JSON, as libxl writes a libxl_domain_config (tools/libs/light/libxl_types.idl): fields in the order of the
 * IDL, those that have their default left out, truth values as strings, laid out as yajl does.
 */
public final class DomainConfigJson implements AutoCloseable {
    /** What libxl says where no domid was asked for: ~0 as a uint32. */
    private static final long ANY_DOMID = 0xffffffffL;

    private static final JsonFactory FACTORY = JsonFactory.builder().disable(StreamWriteFeature.AUTO_CLOSE_TARGET)
            .build();

    private final JsonGenerator json;

    /**
     * What a running domain has that its configuration does not tell.
     *
     * @param domid its id
     * @param name its name now
     * @param scheduler the name of the scheduler of its pool
     * @param weight its weight
     * @param cap its cap
     * @param maxMemoryKiB its limit
     * @param memoryKiB what it is meant to hold
     */
    public record Live(int domid, String name, String scheduler, int weight, int cap, long maxMemoryKiB,
            long memoryKiB) {
    }

    /** Starts writing; the target stays open. */
    public DomainConfigJson(Writer target) {
        json = FACTORY.createGenerator(new ObjectWriteContext.Base() {
            @Override
            public PrettyPrinter getPrettyPrinter() { return new YajlPrinter(); }

            @Override
            public boolean hasPrettyPrinter() {
                return true;
            }
        }, target);
    }

    /** Writes a configuration as it was read, as {@code xl create -n} does. */
    public void writeRead(DomainConfig config) {
        writeConfig(config, null);
        json.flush();
    }

    /** Writes one disk, as {@code xl -N block-attach} does. */
    public void writeDisk(DiskSpec disk) {
        writeDisk(disk, false);
        json.flush();
    }

    /** Writes one vif, as {@code xl -N network-attach} does. */
    public void writeVif(VifSpec vif) {
        writeVif(vif, false);
        json.flush();
    }

    /** Begins the list of {@code xl list -l}. */
    public void beginList() {
        json.writeStartArray();
    }

    /** Writes a domain that was created from a configuration. */
    public void writeLive(DomainConfig config, Live live) {
        json.writeStartObject();
        json.writeNumberProperty("domid", live.domid());
        json.writeName("config");
        writeConfig(config, live);
        json.writeEndObject();
    }

    /** Writes Domain-0, which has no configuration. */
    public void writeInitialDomain(Live live) {
        json.writeStartObject();
        json.writeNumberProperty("domid", live.domid());
        json.writeObjectPropertyStart("config");
        json.writeObjectPropertyStart("c_info");
        json.writeStringProperty("type", DomainType.PV.key());
        json.writeStringProperty("name", live.name());
        json.writeEndObject();
        json.writeObjectPropertyStart("b_info");
        json.writeNumberProperty("max_memkb", live.maxMemoryKiB());
        json.writeNumberProperty("target_memkb", live.memoryKiB());
        writeScheduler(live);
        writeEmpty("type.pv");
        writeEmpty("arch_arm");
        writeEmpty("arch_x86");
        json.writeEndObject();
        json.writeEndObject();
        json.writeEndObject();
    }

    /** Ends the list. */
    public void endList() {
        json.writeEndArray();
        json.flush();
    }

    @Override
    public void close() {
        json.close();
    }

    private void writeConfig(DomainConfig config, @Nullable Live live) {
        json.writeStartObject();
        json.writeObjectPropertyStart("c_info");
        json.writeStringProperty("type", config.type().key());
        json.writeStringProperty("name", live == null ? config.name() : live.name());
        if (live != null) {
            json.writeNumberProperty("domid", ANY_DOMID);
        }
        json.writeStringProperty("uuid", config.uuid().toString());
        json.writeStringProperty("run_hotplug_scripts", "True");
        json.writeEndObject();
        writeBuildInfo(config, live);
        writeDevices(config.devices(), live != null);
        writeLifecycle(config.lifecycle());
        json.writeEndObject();
    }

    private void writeBuildInfo(DomainConfig config, @Nullable Live live) {
        json.writeObjectPropertyStart("b_info");
        json.writeNumberProperty("max_vcpus", config.maxVcpus());
        json.writeArrayPropertyStart("avail_vcpus");
        for (int vcpu = 0; vcpu < config.vcpus(); vcpu++) {
            json.writeNumber(vcpu);
        }
        json.writeEndArray();
        writeAffinity(config);
        json.writeNumberProperty("max_memkb", config.maxMemoryKiB());
        json.writeNumberProperty("target_memkb", live == null ? config.memoryKiB() : live.memoryKiB());
        if (live != null) {
            json.writeNumberProperty("video_memkb", 0);
        }
        writeIfPresent("max_grant_frames", config.limits().maxGrantFrames());
        writeIfPresent("max_maptrack_frames", config.limits().maxMaptrackFrames());
        writeIfPresent("max_grant_version", config.limits().maxGrantVersion());
        if (live == null) {
            Scheduling scheduling = config.scheduling();
            json.writeObjectPropertyStart("sched_params");
            writeIfPresent("weight", scheduling.weight());
            writeIfPresent("cap", scheduling.cap());
            json.writeEndObject();
        } else {
            writeScheduler(live);
        }
        json.writeStringProperty("claim_mode", "True");
        writeIfPresent("event_channels", config.limits().maxEventChannels());
        if (config.boot() != null) {
            writeBoot(config.boot());
        }
        writeEmpty("type." + config.type().key());
        writeEmpty("arch_arm");
        json.writeObjectPropertyStart("arch_x86");
        if (live != null) {
            json.writeStringProperty("msr_relaxed", "False");
        }
        json.writeEndObject();
        json.writeEndObject();
    }

    private void writeBoot(DomainConfig.Boot boot) {
        json.writeStringProperty("kernel", boot.kernel().toString());
        if (!boot.commandLine().isEmpty()) {
            json.writeStringProperty("cmdline", boot.commandLine());
        }
        if (boot.ramdisk() != null) {
            json.writeStringProperty("ramdisk", boot.ramdisk().toString());
        }
    }

    private void writeDevices(DomainConfig.Devices devices, boolean live) {
        if (!devices.disks().isEmpty()) {
            json.writeArrayPropertyStart("disks");
            devices.disks().forEach(disk -> writeDisk(disk, live));
            json.writeEndArray();
        }
        if (!devices.vifs().isEmpty()) {
            json.writeArrayPropertyStart("nics");
            devices.vifs().forEach(vif -> writeVif(vif, live));
            json.writeEndArray();
        }
        if (!devices.channels().isEmpty()) {
            json.writeArrayPropertyStart("channels");
            devices.channels().forEach(this::writeChannel);
            json.writeEndArray();
        }
    }

    /** A libxl_device_channel. */
    private void writeChannel(ChannelSpec channel) {
        json.writeStartObject();
        if (channel.backend() != null) {
            json.writeStringProperty("backend_domname", channel.backend());
        }
        json.writeStringProperty("name", channel.name());
        if (channel.path() == null) {
            writeEmpty("connection." + channel.connection().key());
        } else {
            json.writeObjectPropertyStart("connection." + channel.connection().key());
            json.writeStringProperty("path", channel.path());
            json.writeEndObject();
        }
        json.writeEndObject();
    }

    /** A libxl_device_disk; of a live one libxl has filled in who serves it. */
    private void writeDisk(DiskSpec disk, boolean live) {
        json.writeStartObject();
        if (disk.backend() != null) {
            json.writeStringProperty("backend_domname", disk.backend());
        }
        if (disk.target() != null) {
            json.writeStringProperty("pdev_path", disk.target());
        }
        json.writeStringProperty("vdev", disk.device().name());
        if (live || disk.backendType() != null) {
            json.writeStringProperty("backend", disk.isQdisk() ? "qdisk" : "phy");
        }
        json.writeStringProperty("format", disk.target() == null ? "empty" : disk.format().key());
        if (disk.cdrom()) {
            json.writeNumberProperty("removable", 1);
        }
        if (!disk.readOnly()) {
            json.writeNumberProperty("readwrite", 1);
        }
        if (disk.cdrom()) {
            json.writeNumberProperty("is_cdrom", 1);
        }
        json.writeStringProperty("discard_enable", disk.discard() && !disk.readOnly() ? "True" : "False");
        if (!disk.trusted()) {
            json.writeStringProperty("trusted", "False");
        }
        json.writeEndObject();
    }

    /** A libxl_device_nic. */
    private void writeVif(VifSpec vif, boolean live) {
        json.writeStartObject();
        if (!vif.backend().equals(VifSpec.DEFAULT.backend())) {
            json.writeStringProperty("backend_domname", vif.backend());
        }
        writeIfPresent("devid", vif.device());
        writeIfPresent("mtu", vif.mtu());
        if (!vif.model().equals(VifSpec.DEFAULT.model())) {
            json.writeStringProperty("model", vif.model());
        }
        if (vif.mac().isPresent()) {
            json.writeStringProperty("mac", Mac.toString(vif.mac().getAsLong()));
        }
        writeIfPresent("ip", vif.ip());
        json.writeStringProperty("bridge", vif.bridge());
        writeIfPresent("ifname", vif.name());
        if (live || vif.script().isPresent()) {
            json.writeStringProperty("script", vif.script().orElse(VifSpec.DEFAULT_SCRIPT));
        }
        if (live) {
            // To a PV guest it is nothing else, whatever was written.
            json.writeStringProperty("nictype", "vif");
        } else if (vif.type() != VifSpec.DEFAULT.type()) {
            json.writeStringProperty("nictype", "vif");
        }
        if (vif.rate().isPresent()) {
            json.writeNumberProperty("rate_bytes_per_interval", vif.rate().get().bytesPerInterval());
            json.writeNumberProperty("rate_interval_usecs", vif.rate().get().intervalMicros());
        }
        writeIfPresent("gatewaydev", vif.gatewayDevice());
        if (!vif.trusted()) {
            json.writeStringProperty("trusted", "False");
        }
        json.writeEndObject();
    }

    private void writeIfPresent(String key, Optional<String> value) {
        value.ifPresent(text -> json.writeStringProperty(key, text));
    }

    private void writeAffinity(DomainConfig config) {
        if (config.hardAffinity().isEmpty()) {
            return;
        }
        json.writeArrayPropertyStart("vcpu_hard_affinity");
        for (CpuSelection selection : config.hardAffinity()) {
            json.writeStartArray();
            if (!selection.all()) {
                selection.cpus().stream().forEach(json::writeNumber);
            }
            json.writeEndArray();
        }
        json.writeEndArray();
    }

    private void writeScheduler(Live live) {
        json.writeObjectPropertyStart("sched_params");
        json.writeStringProperty("sched", live.scheduler());
        json.writeNumberProperty("weight", live.weight());
        json.writeNumberProperty("cap", live.cap());
        json.writeEndObject();
    }

    private void writeLifecycle(DomainConfig.Lifecycle lifecycle) {
        writeAction("on_poweroff", lifecycle.onPoweroff());
        writeAction("on_reboot", lifecycle.onReboot());
        writeAction("on_watchdog", lifecycle.onWatchdog());
        writeAction("on_crash", lifecycle.onCrash());
        writeAction("on_soft_reset", lifecycle.onSoftReset());
    }

    private void writeAction(String key, LifecycleAction action) {
        switch (action) {
            case DESTROY -> {
                // The default of the IDL, left out.
            }
            case RENAME_RESTART -> json.writeStringProperty(key, "restart_rename");
            default -> json.writeStringProperty(key, action.key().replace('-', '_'));
        }
    }

    private void writeIfPresent(String key, OptionalInt value) {
        if (value.isPresent()) {
            json.writeNumberProperty(key, value.getAsInt());
        }
    }

    private void writeEmpty(String key) {
        json.writeObjectPropertyStart(key);
        json.writeEndObject();
    }

    /** yajl's "beautify" layout: four spaces, and a blank line where there is nothing. */
    private static final class YajlPrinter implements PrettyPrinter {
        private int depth;

        @Override
        public void writeRootValueSeparator(JsonGenerator g) {
            g.writeRaw('\n');
        }

        @Override
        public void writeStartObject(JsonGenerator g) {
            g.writeRaw('{');
            depth++;
        }

        @Override
        public void beforeObjectEntries(JsonGenerator g) {
            newLine(g);
        }

        @Override
        public void writeObjectNameValueSeparator(JsonGenerator g) {
            g.writeRaw(": ");
        }

        @Override
        public void writeObjectEntrySeparator(JsonGenerator g) {
            g.writeRaw(',');
            newLine(g);
        }

        @Override
        public void writeEndObject(JsonGenerator g, int entries) {
            end(g, entries, '}');
        }

        @Override
        public void writeStartArray(JsonGenerator g) {
            g.writeRaw('[');
            depth++;
        }

        @Override
        public void beforeArrayValues(JsonGenerator g) {
            newLine(g);
        }

        @Override
        public void writeArrayValueSeparator(JsonGenerator g) {
            g.writeRaw(',');
            newLine(g);
        }

        @Override
        public void writeEndArray(JsonGenerator g, int values) {
            end(g, values, ']');
        }

        private void end(JsonGenerator g, int count, char bracket) {
            depth--;
            if (count == 0) {
                g.writeRaw('\n');
            }
            newLine(g);
            g.writeRaw(bracket);
            if (depth == 0) {
                g.writeRaw('\n');
            }
        }

        private void newLine(JsonGenerator g) {
            g.writeRaw('\n');
            for (int i = 0; i < depth; i++) {
                g.writeRaw("    ");
            }
        }
    }
}
