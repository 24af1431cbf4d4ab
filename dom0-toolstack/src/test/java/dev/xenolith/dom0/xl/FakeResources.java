package dev.xenolith.dom0.xl;

import dev.xenolith.dom0.config.CpuSelection;
import java.util.List;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/** Writes down what is asked for; vCPUs from 4 on do not exist. */
final class FakeResources implements DomainResources {
    private final List<String> log;
    private int ratelimit = 1000;

    FakeResources(List<String> log) {
        this.log = log;
    }

    @Override
    public void setMaxMemory(int domid, long kibibytes) {
        log.add("mem-max " + domid + " " + kibibytes);
    }

    @Override
    public void setMemoryTarget(int domid, long kibibytes) {
        log.add("mem-set " + domid + " " + kibibytes);
    }

    @Override
    public void setVcpus(int domid, int count) {
        log.add("vcpus " + domid + " " + count);
    }

    @Override
    public void setAffinity(int domid, int vcpu, @Nullable CpuSelection hard, @Nullable CpuSelection soft) {
        if (vcpu >= 4) {
            throw ToolstackException.failure("domain " + domid + " has no vCPU " + vcpu);
        }
        log.add("pin " + domid + "." + vcpu + " " + text(hard) + " " + text(soft));
    }

    private static String text(@Nullable CpuSelection selection) {
        return selection == null ? "-" : selection.all() ? "all" : selection.cpus().toString();
    }

    @Override
    public void setScheduling(int domid, OptionalInt weight, OptionalInt cap) {
        log.add("share " + domid + " " + (weight.isPresent() ? weight.getAsInt() : "-") + " "
                + (cap.isPresent() ? cap.getAsInt() : "-"));
    }

    @Override
    public int ratelimitMicros() {
        return ratelimit;
    }

    @Override
    public void setRatelimitMicros(int micros) { ratelimit = micros; }
}
