package dev.xenolith.cpu.processor;

import dev.xenolith.cpu.paging.Mmu;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Interrupts and exceptions in bare mode (SDM 3A chapter 6): here through a 64-bit IDT with stacks from the TSS (6.14), in
 * {@link LegacyDelivery} in the other modes. Faults during delivery become double faults or a shutdown (6.15).
 */
final class Delivery {
    private static final Logger LOG = LoggerFactory.getLogger(Delivery.class);

    private static final int GATE_BYTES = 16;
    private static final int TSS_RSP0 = 4;
    private static final int TSS_IST1 = 36;
    private static final int FRAME = 5;

    private Delivery() {}

    /**
     * Delivers an exception at the present RIP: that of the instruction, or after it for a trap; a fault's frame has RF set.
     * Returns false if it ended in a shutdown.
     */
    static boolean exception(Processor p, int vector, int errorCode, boolean trap) {
        long resume = vector == Vector.DF || trap ? 0 : Bits.RFLAGS_RF;
        if (trap) {
            p.rflagsSystem &= ~Bits.RFLAGS_RF;
        }
        int current = vector;
        int code = errorCode;
        while (true) {
            if (current == Vector.PF) {
                p.cr2 = p.faultAddress;
            }
            if (p.monitor != null) {
                p.monitor.exception(p, current, code);
            }
            try {
                enter(p, current, Vector.hasErrorCode(current), code, Vector.ERROR_EXTERNAL, false, resume);
                return true;
            } catch (GuestFault fault) {
                if (current == Vector.DF) {
                    return shutdown(p);
                }
                boolean both = Vector.makesDoubleFault(current, p.faultVector);
                current = both ? Vector.DF : p.faultVector;
                code = both ? 0 : p.faultErrorCode;
            }
        }
    }

    /** Delivers an external interrupt or NMI; false if it ended in a shutdown. */
    static boolean interrupt(Processor p, int vector) {
        if (p.monitor != null) {
            p.monitor.interrupt(p, vector);
        }
        try {
            enter(p, vector, false, 0, Vector.ERROR_EXTERNAL, false, 0);
            if (vector == Vector.NMI) {
                p.nmiBlocked = true;
            }
            return true;
        } catch (GuestFault fault) {
            return exception(p, p.faultVector, p.faultErrorCode, false);
        }
    }

    /** Delivers INT n, INT3, INTO or (without {@code checkDpl}) INT1; a fault is the instruction's own. */
    static void software(Processor p, int vector, boolean checkDpl) {
        if (p.monitor != null) {
            p.monitor.softwareInterrupt(p, vector);
        }
        p.rflagsSystem &= ~Bits.RFLAGS_RF;
        // INT1 counts as an event from outside (SDM 2A INT n).
        enter(p, vector, false, 0, checkDpl ? 0 : Vector.ERROR_EXTERNAL, checkDpl, 0);
        p.enteredHandler = (p.rflagsSystem & Bits.RFLAGS_TF) == 0;
    }

    private static void enter(Processor p, int vector, boolean hasErrorCode, int errorCode, int external,
            boolean checkDpl, long resume) {
        if (p.isLongMode()) {
            enterLong(p, vector, hasErrorCode, errorCode, external, checkDpl, resume);
        } else if (p.isReal()) {
            LegacyDelivery.enterReal(p, vector, external);
        } else {
            LegacyDelivery.enterProtected(p, vector, hasErrorCode, errorCode, external, checkDpl, resume);
        }
    }

    private static boolean shutdown(Processor p) {
        LOG.debug("processor {}: triple fault at 0x{}", p.index, Long.toHexString(p.rip));
        p.stop(Stop.Kind.SHUTDOWN);
        return false;
    }

    /** Everything is checked, and every page of the frame probed, before the first word is written. */
    private static void enterLong(Processor p, int vector, boolean hasErrorCode, int errorCode, int external,
            boolean checkDpl, long resume) {
        int gateError = vector << 3 | Vector.ERROR_IDT | external;
        if (vector * GATE_BYTES + GATE_BYTES - 1 > p.idtLimit) {
            throw p.raise(Vector.GP, gateError);
        }
        long gate = p.loadSystem(p.idtBase + vector * GATE_BYTES, 8);
        long high = p.loadSystem(p.idtBase + vector * GATE_BYTES + 8, 8);
        int attributes = Segment.attributes(gate);
        int type = attributes & (Segment.TYPE | Segment.NON_SYSTEM);
        if (type != Segment.TYPE_INTERRUPT_GATE && type != Segment.TYPE_TRAP_GATE
                || checkDpl && Segment.dpl(attributes) < p.cpl) {
            throw p.raise(Vector.GP, gateError);
        }
        if ((attributes & Segment.PRESENT) == 0) {
            throw p.raise(Vector.NP, gateError);
        }
        int selector = (int) (gate >>> 16) & 0xffff;
        long code = readHandlerCode(p, selector, external);
        int codeAttributes = Segment.attributes(code);
        int newCpl = Segment.isConforming(codeAttributes) ? p.cpl : Segment.dpl(codeAttributes);
        long target = gate & 0xffff | gate >>> 32 & 0xffff_0000L | high << 32;
        if (!ControlRegisters.isCanonical(p, target)) {
            throw p.raise(Vector.GP, external);
        }
        int ist = (int) (gate >>> 32) & 7;
        long top = ist != 0 || newCpl < p.cpl ? ringStack(p, newCpl, ist) : p.gpr[Processor.RSP];
        top &= ~0xfL;
        int words = hasErrorCode ? FRAME + 1 : FRAME;
        int privilege = privilege(p, newCpl);
        for (int i = 1; i <= words; i++) {
            if (!ControlRegisters.isCanonical(p, top - 8 * i)) {
                throw p.raise(Vector.SS, external);
            }
            p.probeSystem(top - 8 * i, 8, privilege);
        }
        long marked = Segmentation.markAccessed(p, selector, code);
        p.storeSystem(top - 8, 8, p.segmentSelector[Processor.SS], privilege);
        p.storeSystem(top - 16, 8, p.gpr[Processor.RSP], privilege);
        p.storeSystem(top - 24, 8, p.rflags() | resume, privilege);
        p.storeSystem(top - 32, 8, p.segmentSelector[Processor.CS], privilege);
        p.storeSystem(top - 40, 8, returnAddress(p), privilege);
        if (hasErrorCode) {
            p.storeSystem(top - 48, 8, errorCode & 0xffff_ffffL, privilege);
        }
        if (newCpl != p.cpl) {
            Segmentation.setNullStack(p, newCpl);
        }
        Segmentation.set(p, Processor.CS, selector & ~3 | newCpl, marked);
        p.cpl = newCpl;
        p.gpr[Processor.RSP] = top - 8 * words;
        p.rip = target;
        long cleared = Bits.RFLAGS_TF | Bits.RFLAGS_NT | Bits.RFLAGS_RF | Bits.RFLAGS_VM
                | (type == Segment.TYPE_INTERRUPT_GATE ? Bits.RFLAGS_IF : 0);
        p.setSystemFlags(p.rflagsSystem & ~cleared);
        p.updateContext();
    }

    /** RIP relative to CS, which has a base only outside 64-bit mode. */
    private static long returnAddress(Processor p) {
        return p.is64Bit() ? p.rip : p.rip - p.segmentBase[Processor.CS] & 0xffff_ffffL;
    }

    private static long readHandlerCode(Processor p, int selector, int external) {
        if (Segmentation.isNull(selector)) {
            throw p.raise(Vector.GP, external);
        }
        int error = selector & ~3 | external;
        long address = Segmentation.descriptorAddress(p, selector, 8);
        if (address == -1) {
            throw p.raise(Vector.GP, error);
        }
        long code = p.loadSystem(address, 8);
        int attributes = Segment.attributes(code);
        if (!Segment.isCode(attributes) || Segment.dpl(attributes) > p.cpl
                || (attributes & (Segment.LONG | Segment.DEFAULT_32)) != Segment.LONG) {
            throw p.raise(Vector.GP, error);
        }
        if ((attributes & Segment.PRESENT) == 0) {
            throw p.raise(Vector.NP, error);
        }
        return code;
    }

    /** RSP from the TSS: that of the ring, or of the interrupt stack table if {@code ist} is not 0 (SDM 3A 6.14.4, 6.14.5). */
    static long ringStack(Processor p, int ring, int ist) {
        int offset = ist == 0 ? TSS_RSP0 + 8 * ring : TSS_IST1 + 8 * (ist - 1);
        if ((p.segmentAttributes[Processor.TR] & Segment.UNUSABLE) != 0
                || offset + 7 > p.segmentLimit[Processor.TR]) {
            throw Segmentation.fault(p, Vector.TS, p.segmentSelector[Processor.TR]);
        }
        long top = p.loadSystem(p.segmentBase[Processor.TR] + offset, 8);
        if (!ControlRegisters.isCanonical(p, top)) {
            throw p.raise(Vector.SS, 0);
        }
        return top;
    }

    /** Who writes a frame for a handler at {@code cpl}. */
    static int privilege(Processor p, int cpl) {
        return cpl == 3 ? Mmu.USER : p.systemPrivilege();
    }
}
