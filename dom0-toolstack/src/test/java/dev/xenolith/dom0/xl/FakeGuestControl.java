package dev.xenolith.dom0.xl;

import java.nio.file.Path;
import java.util.List;

/** Writes down what is asked for; knows no trigger but NMIs. */
final class FakeGuestControl implements GuestControl {
    private final List<String> log;

    FakeGuestControl(List<String> log) {
        this.log = log;
    }

    @Override
    public void sysrq(int domid, char key) {
        log.add("sysrq " + domid + " " + key);
    }

    @Override
    public void trigger(int domid, Trigger trigger, int vcpu) {
        if (trigger != Trigger.NMI) {
            throw ToolstackException.failure("sending " + trigger + " failed");
        }
        log.add("nmi " + domid + "." + vcpu);
    }

    @Override
    public void dumpCore(int domid, Path file) {
        log.add("dump " + domid + " " + file);
    }

    @Override
    public void suspend(int domid) {
        log.add("suspend " + domid);
    }

    @Override
    public void resume(int domid, boolean reconnected) {
        log.add((reconnected ? "reconnect " : "resume ") + domid);
    }
}
