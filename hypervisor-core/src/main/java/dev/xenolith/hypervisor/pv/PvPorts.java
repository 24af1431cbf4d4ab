package dev.xenolith.hypervisor.pv;

import dev.xenolith.cpu.decode.DecodedInstruction;
import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.cpu.paging.Mmu;
import dev.xenolith.cpu.processor.Bits;
import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.cpu.processor.Segment;
import dev.xenolith.hypervisor.abi.Xen;
import dev.xenolith.hypervisor.domain.PvContext;
import dev.xenolith.hypervisor.domain.Vcpu;
import dev.xenolith.hypervisor.memory.GuestLinear;
import dev.xenolith.hypervisor.memory.Preempt;
import java.util.Arrays;

/**
 * I/O ports of PV guests. No guest owns a port yet, so reads give all ones and writes are lost; what is checked is whether the
 * guest's kernel, or its user mode by IOPL and bitmap, may try.
 */
final class PvPorts {
    /** Outcomes of {@link #string}. */
    static final int REFUSED = 0;
    static final int DONE = 1;
    static final int FAULTED = 2;
    static final int AGAIN = 3;

    private final PhysicalMemory ram;
    private final byte[] element = new byte[4];
    private long faultAddress;
    private int faultErrorCode;

    PvPorts(PhysicalMemory ram) {
        this.ram = ram;
    }

    /** Whether the virtual IOPL lets the present mode use ports, CLI and STI (iopl_ok). */
    boolean ioplAllows(Vcpu vcpu) {
        PvContext context = vcpu.pv();
        boolean architectural = (vcpu.domain.vmAssist & 1L << Xen.VMASST_TYPE_ARCHITECTURAL_IOPL) != 0;
        int level = !context.kernelMode ? 3 : architectural ? 0 : 1;
        return level <= context.iopl;
    }

    private boolean allowed(Processor p, Vcpu vcpu, int port, int size) {
        if (ioplAllows(vcpu)) {
            return true;
        }
        PvContext context = vcpu.pv();
        if (port + size > context.ioBitmapPorts) {
            return false;
        }
        long root = (long) vcpu.tables().walkRoot() << PhysicalMemory.FRAME_SHIFT;
        for (int i = port; i < port + size; i++) {
            long at = context.ioBitmap + (i >>> 3);
            long physical = GuestLinear.isGuestAddress(at) ? p.mmu().translate(root, at, Mmu.READ, Mmu.SUPERVISOR) : -1;
            if (physical < 0 || (ram.read8(physical) >>> (i & 7) & 1) != 0) {
                return false;
            }
        }
        return true;
    }

    private static int port(Processor p, DecodedInstruction instruction, boolean immediate) {
        return (int) (immediate ? instruction.immediate & 0xff : p.gpr[Processor.RDX] & 0xffff);
    }

    private static boolean hasImmediate(DecodedInstruction instruction) {
        // E4 to E7 name the port, EC to EF take it from DX.
        return (instruction.row.encoding().opcode() & 8) == 0;
    }

    /** IN. False: #GP. */
    boolean in(Processor p, Vcpu vcpu, DecodedInstruction instruction) {
        int bits = instruction.bits(0);
        if (!allowed(p, vcpu, port(p, instruction, hasImmediate(instruction)), bits / 8)) {
            return false;
        }
        long ones = (1L << bits) - 1;
        p.gpr[Processor.RAX] = bits == 32 ? ones : p.gpr[Processor.RAX] | ones;
        return true;
    }

    /** OUT. False: #GP. */
    boolean out(Processor p, Vcpu vcpu, DecodedInstruction instruction) {
        return allowed(p, vcpu, port(p, instruction, hasImmediate(instruction)), instruction.bits(1) / 8);
    }

    /** INS and OUTS, with their memory accesses, repeated as often as {@code preempt} allows. */
    int string(PvProcessor processor, Vcpu vcpu, DecodedInstruction instruction, Preempt preempt) {
        Processor p = processor.cpu;
        boolean isInput = instruction.row.semantic().name().equals("ins");
        int size = instruction.bits(isInput ? 0 : 1) / 8;
        boolean compat = vcpu.domain.memory.isCompat();
        if (!p.is64Bit() && !compat || !allowed(p, vcpu, port(p, instruction, false), size)) {
            return REFUSED;
        }
        int pointer = isInput ? Processor.RDI : Processor.RSI;
        long addresses = instruction.addressBits == 64 ? -1 : instruction.addressBits == 32 ? 0xffff_ffffL : 0xffff;
        int segment = isInput ? Processor.ES : instruction.segment;
        long step = (p.rflags() & Bits.RFLAGS_DF) != 0 ? -size : size;
        boolean repeated = instruction.repeat != DecodedInstruction.REPEAT_NONE;
        while (!repeated || (p.gpr[Processor.RCX] & addresses) != 0) {
            long at = (p.gpr[pointer] & addresses) + (isInput && !compat ? 0 : p.segmentBase[segment]);
            if (compat) {
                if (!isInSegment(p, segment, p.gpr[pointer] & addresses, size)) {
                    return REFUSED;
                }
                at &= 0xffff_ffffL;
            }
            Arrays.fill(element, (byte) 0xff);
            int missing = isInput
                    ? processor.memory.write(at, element, 0, size)
                    : processor.memory.read(at, element, 0, size);
            if (missing != 0) {
                faultAddress = at + size - missing;
                faultErrorCode = isInput ? Traps.PF_WRITE : 0;
                return FAULTED;
            }
            p.gpr[pointer] = p.gpr[pointer] + step & addresses;
            if (!repeated) {
                return DONE;
            }
            p.gpr[Processor.RCX] = p.gpr[Processor.RCX] - 1 & addresses;
            if (preempt.check()) {
                return AGAIN;
            }
        }
        return DONE;
    }

    /** Whether {@code size} bytes at {@code offset} lie in a data segment that can be used; those that expand down are refused. */
    private static boolean isInSegment(Processor p, int segment, long offset, int size) {
        if (segment == Processor.FLAT) {
            return true;
        }
        int attributes = p.segmentAttributes[segment];
        return (attributes & Segment.UNUSABLE) == 0
                && (attributes & (Segment.CODE | Segment.EXPAND_DOWN)) != Segment.EXPAND_DOWN
                && offset + size - 1 <= p.segmentLimit[segment];
    }

    long faultAddress() {
        return faultAddress;
    }

    int faultErrorCode() {
        return faultErrorCode;
    }
}
