package dev.xenolith.cpu.apic;

import java.util.Arrays;
import java.util.function.IntConsumer;

/**
 * Carries interrupts between local APICs, and from devices to them, by the destination rules of SDM 3A 11.6.2. With several
 * processors taking turns on one thread, an interrupt is at its target when {@link #send} returns.
 */
public final class ApicBus {
    /** Delivery modes (SDM 3A 11.6.1). */
    public static final int FIXED = 0;
    public static final int LOWEST_PRIORITY = 1;
    public static final int SMI = 2;
    public static final int NMI = 4;
    public static final int INIT = 5;
    public static final int STARTUP = 6;
    /** From an I/O APIC: the vector comes from the controller behind INTR. */
    public static final int EXT_INT = 7;

    private static final int BROADCAST = -1;

    private LocalApic[] apics = {};
    private IntConsumer endOfInterrupt = vector -> {};
    /** Where the search for the lowest priority starts, so that equals take turns. */
    private int lowestNext;

    /** Connects a local APIC; it sends through this bus from now on. */
    public void connect(LocalApic apic) {
        apics = Arrays.copyOf(apics, apics.length + 1);
        apics[apics.length - 1] = apic;
        apic.connect(this);
    }

    /** Who is told the vector of each level-triggered interrupt that a processor ends: I/O APICs. */
    public void onEndOfInterrupt(IntConsumer listener) {
        endOfInterrupt = listener;
    }

    void endOfInterrupt(int vector) {
        endOfInterrupt.accept(vector);
    }

    /**
     * Sends an interrupt message.
     *
     * @param destination APIC id, or with {@code logical} a set in the targets' logical format; all ones: every APIC. In xAPIC
     *        format (from MSI and I/O APIC) 8 bits, extended by the caller: 0xff is all ones
     */
    public void send(int destination, boolean logical, int mode, int vector, boolean level) {
        if (mode == LOWEST_PRIORITY) {
            sendLowest(destination, logical, vector, level);
            return;
        }
        for (LocalApic apic : apics) {
            if (destination == BROADCAST || apic.matches(destination, logical)) {
                apic.receive(mode, vector, level);
            }
        }
    }

    /** Sends to every APIC, except {@code sender} unless {@code self}. */
    void sendToAll(LocalApic sender, boolean self, int mode, int vector) {
        for (LocalApic apic : apics) {
            if (self || apic != sender) {
                apic.receive(mode, vector, false);
            }
        }
    }

    private void sendLowest(int destination, boolean logical, int vector, boolean level) {
        int best = -1;
        for (int i = 0; i < apics.length; i++) {
            int at = (lowestNext + i) % apics.length;
            LocalApic apic = apics[at];
            if (apic.isSoftwareEnabled() && (destination == BROADCAST || apic.matches(destination, logical))
                    && (best < 0 || apic.processorPriority() < apics[best].processorPriority())) {
                best = at;
            }
        }
        if (best >= 0) {
            lowestNext = (best + 1) % apics.length;
            apics[best].receive(FIXED, vector, level);
        }
    }
}
