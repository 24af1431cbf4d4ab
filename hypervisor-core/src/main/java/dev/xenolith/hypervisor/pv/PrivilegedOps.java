package dev.xenolith.hypervisor.pv;

import static dev.xenolith.hypervisor.abi.Errno.ERESTART;

import dev.xenolith.cpu.decode.DecodedInstruction;
import dev.xenolith.cpu.decode.Decoder;
import dev.xenolith.cpu.decode.OpcodeTable;
import dev.xenolith.cpu.memory.PhysicalMemory;
import dev.xenolith.cpu.paging.Mmu;
import dev.xenolith.cpu.processor.Bits;
import dev.xenolith.cpu.processor.Cpuid;
import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.cpu.processor.Vector;
import dev.xenolith.hypervisor.abi.ArchX86.CompatVcpuGuestContext;
import dev.xenolith.hypervisor.abi.Bytes;
import dev.xenolith.hypervisor.domain.Domains;
import dev.xenolith.hypervisor.domain.PvContext;
import dev.xenolith.hypervisor.domain.Vcpu;
import dev.xenolith.hypervisor.memory.SharedLayout;
import dev.xenolith.hypervisor.time.Charges;
import dev.xenolith.hypervisor.trace.TraceClass;
import dev.xenolith.hypervisor.trace.TraceEvent;
import org.jspecify.annotations.Nullable;

/**
 * Privileged instructions that fault in ring 3, or of 32-bit kernels in ring 1, and are performed for the guest's kernel (xen/arch/x86/pv/emul-priv-op.c). The
 * processor's decoder says what the instruction is; what it does to the virtual processor is here. What is not listed raises #GP
 * in the guest: HLT, INVLPG, LGDT, LIDT, LLDT, LTR, LMSW, SWAPGS, IRET, INVD, MWAIT, as on Xen.
 */
final class PrivilegedOps {
    static final int MSR_HYPERCALL_PAGE = 0x4000_0000;
    /** {@code ud2; "xen"; cpuid}: CPUID as the hypervisor wants the guest to see it, from any mode. */
    private static final byte[] FORCED_CPUID = {0x0f, 0x0b, 0x78, 0x65, 0x6e, 0x0f, (byte) 0xa2};
    private static final int CPUID_LENGTH = 2;
    /** What PV guests see of CR4 beside what they may change. */
    private static final long CR4_VISIBLE = Bits.CR4_PAE | Bits.CR4_MCE | Bits.CR4_OSFXSR | Bits.CR4_OSXMMEXCPT;
    private static final int CPUID_XSTATE = 0xd;

    private final Domains domains;
    private final ContextSwitch contexts;
    private final Bounce bounce;
    private final PvMsrs msrs;
    private final PvPorts ports;
    private final Decoder decoder;
    private final PhysicalMemory ram;
    private final byte[] code = new byte[DecodedInstruction.MAX_LENGTH];
    private final int[] leaf = new int[4];

    PrivilegedOps(Domains domains, ContextSwitch contexts, Bounce bounce, OpcodeTable opcodes) {
        this.domains = domains;
        this.contexts = contexts;
        this.bounce = bounce;
        this.ram = domains.memory.ram();
        msrs = new PvMsrs(domains);
        ports = new PvPorts(ram);
        decoder = new Decoder(opcodes);
    }

    void controlsChanged(PvProcessor processor, Vcpu vcpu) {
        contexts.controlsChanged(processor, vcpu);
    }

    // ---- CPUID -------------------------------------------------------------------------------------------------------

    /** Performs CPUID if it follows the forced-emulation prefix at RIP. */
    boolean emulateForcedCpuid(PvProcessor processor, Vcpu vcpu) {
        if (fetch(processor.cpu) < FORCED_CPUID.length) {
            return false;
        }
        for (int i = 0; i < FORCED_CPUID.length; i++) {
            if (code[i] != FORCED_CPUID[i]) {
                return false;
            }
        }
        boolean kernel = vcpu.pv().kernelMode;
        if (!kernel && vcpu.pv().cpuidFaulting) {
            processor.cpu.rip += FORCED_CPUID.length - CPUID_LENGTH;
            bounce.exception(processor, vcpu, Vector.GP, 0);
            return true;
        }
        cpuid(processor.cpu, vcpu, kernel);
        done(processor, vcpu, FORCED_CPUID.length);
        return true;
    }

    private void cpuid(Processor p, Vcpu vcpu, boolean enlightened) {
        PvCpuid.read(p, vcpu, domains.memory.frames().size(), enlightened, (int) p.gpr[Processor.RAX],
                (int) p.gpr[Processor.RCX], leaf);
        p.gpr[Processor.RAX] = leaf[0] & 0xffff_ffffL;
        p.gpr[Processor.RBX] = leaf[1] & 0xffff_ffffL;
        p.gpr[Processor.RCX] = leaf[2] & 0xffff_ffffL;
        p.gpr[Processor.RDX] = leaf[3] & 0xffff_ffffL;
    }

    // ---- all others --------------------------------------------------------------------------------------------------

    /** The loaded vCPU's instruction at RIP raised #GP(0). Performs it if it is one of those; false if the fault stays. */
    boolean emulate(PvProcessor processor, Vcpu vcpu) {
        Processor p = processor.cpu;
        DecodedInstruction instruction = decode(p);
        if (instruction == null) {
            return false;
        }
        domains.charge(Charges.EMULATION);
        boolean kernel = vcpu.pv().kernelMode;
        boolean handled = switch (instruction.row.semantic().name()) {
            case "cpuid" -> {
                if (!kernel && vcpu.pv().cpuidFaulting) {
                    yield false;
                }
                cpuid(p, vcpu, false);
                yield true;
            }
            case "rdtsc" -> kernel && readTsc(p, false);
            case "rdtscp" -> kernel && readTsc(p, true);
            case "cli", "sti" -> ports.ioplAllows(vcpu);
            case "in" -> ports.in(p, vcpu, instruction);
            case "out" -> ports.out(p, vcpu, instruction);
            case "ins", "outs" -> {
                int outcome = ports.string(processor, vcpu, instruction, domains.preemption);
                if (outcome == PvPorts.FAULTED) {
                    bounce.pageFault(processor, vcpu, ports.faultAddress(), ports.faultErrorCode());
                }
                if (outcome == PvPorts.FAULTED || outcome == PvPorts.AGAIN) {
                    yield exitWithoutAdvance();
                }
                yield outcome == PvPorts.DONE;
            }
            case "clts" -> kernel && setTaskSwitched(processor, vcpu, false);
            case "wbinvd" -> kernel;
            case "rdcr" -> kernel && readControl(p, vcpu, instruction);
            case "wrcr" -> kernel && writeControl(processor, vcpu, instruction);
            case "rddr" -> kernel && readDebug(p, vcpu, instruction);
            case "wrdr" -> kernel && writeDebug(processor, vcpu, instruction);
            case "rdmsr" -> kernel && msrs.read(p, vcpu);
            case "wrmsr" -> kernel && msrs.write(p, vcpu);
            case "xsetbv" -> kernel && writeXcr(p, vcpu);
            default -> false;
        };
        if (withoutAdvance) {
            withoutAdvance = false;
            return true;
        }
        if (handled) {
            if (domains.trace.on(TraceClass.TRAP)) {
                domains.trace.record(TraceEvent.EMULATED, p.index, vcpu.domain.domid, vcpu.id, Bytes.get64(code, 0),
                        p.rip, 0);
            }
            done(processor, vcpu, instruction.length);
        }
        return handled;
    }

    /** The instruction is to be executed again, or has been dealt with: RIP stays. */
    private boolean withoutAdvance;

    private boolean exitWithoutAdvance() {
        withoutAdvance = true;
        return true;
    }

    private void done(PvProcessor processor, Vcpu vcpu, int length) {
        Processor p = processor.cpu;
        p.rip = p.is64Bit() ? p.rip + length : p.rip + length & 0xffff_ffffL;
        long flags = p.rflags();
        if ((flags & Bits.RFLAGS_RF) != 0) {
            p.setRflags(flags & ~Bits.RFLAGS_RF);
        }
        if ((flags & Bits.RFLAGS_TF) != 0) {
            vcpu.pv().debug[6] |= Bits.DR6_BS;
            bounce.exception(processor, vcpu, Vector.DB, 0);
        }
    }

    private @Nullable DecodedInstruction decode(Processor p) {
        int length = fetch(p);
        return length == 0 ? null : decoder.decode(code, 0, length, (int) p.rip & 0xfff, p.codeContext & 0xffff);
    }

    /** Copies instruction bytes at RIP, up to {@link DecodedInstruction#MAX_LENGTH}; returns how many could be read. */
    private int fetch(Processor p) {
        java.util.Arrays.fill(code, (byte) 0);
        for (int i = 0; i < code.length; i++) {
            long physical = p.mmu().translate(p.rip + i, Mmu.EXECUTE, p.cpl == 3 ? Mmu.USER : Mmu.SUPERVISOR);
            if (physical < 0 || !ram.isMemory(physical >>> PhysicalMemory.FRAME_SHIFT)) {
                return i;
            }
            code[i] = (byte) ram.read8(physical);
        }
        return code.length;
    }

    private static boolean readTsc(Processor p, boolean withAux) {
        long tsc = p.apic.tsc();
        p.gpr[Processor.RAX] = tsc & 0xffff_ffffL;
        p.gpr[Processor.RDX] = tsc >>> 32;
        if (withAux) {
            p.gpr[Processor.RCX] = p.msr.tscAux & 0xffff_ffffL;
        }
        return true;
    }

    // ---- control registers -------------------------------------------------------------------------------------------

    private boolean setTaskSwitched(PvProcessor processor, Vcpu vcpu, boolean on) {
        PvContext context = vcpu.pv();
        context.cr0 = on ? context.cr0 | Bits.CR0_TS : context.cr0 & ~Bits.CR0_TS;
        contexts.controlsChanged(processor, vcpu);
        return true;
    }

    private boolean readControl(Processor p, Vcpu vcpu, DecodedInstruction instruction) {
        PvContext context = vcpu.pv();
        long value;
        switch (instruction.register(1)) {
            case 0 -> value = context.cr0;
            case 2 -> {
                SharedLayout layout = vcpu.domain.memory.sharedLayout();
                value = vcpu.infoAddress < 0 ? 0 : layout.read(ram, vcpu.infoAddress + layout.cr2);
            }
            case 3 -> value = cr3(vcpu);
            case 4 -> value = CR4_VISIBLE | context.cr4 & ContextSwitch.CR4_GUEST;
            default -> {
                return false;
            }
        }
        p.gpr[instruction.register(0)] = value;
        return true;
    }

    /** The root table as the guest sees it in CR3. */
    static long cr3(Vcpu vcpu) {
        int root = vcpu.tables().kernelRoot();
        return vcpu.domain.memory.isCompat()
                ? CompatVcpuGuestContext.cr3(root) & 0xffff_ffffL
                : (long) root << PhysicalMemory.FRAME_SHIFT;
    }

    private boolean writeControl(PvProcessor processor, Vcpu vcpu, DecodedInstruction instruction) {
        PvContext context = vcpu.pv();
        long value = processor.cpu.gpr[instruction.register(1)];
        switch (instruction.register(0)) {
            case 0 -> {
                return ((value ^ context.cr0) & ~Bits.CR0_TS) == 0
                        && setTaskSwitched(processor, vcpu, (value & Bits.CR0_TS) != 0);
            }
            case 2 -> {
                if (vcpu.infoAddress >= 0) {
                    SharedLayout layout = vcpu.domain.memory.sharedLayout();
                    layout.write(ram, vcpu.infoAddress + layout.cr2, value);
                }
                return true;
            }
            case 3 -> {
                long root = vcpu.domain.memory.isCompat()
                        ? CompatVcpuGuestContext.frameOf((int) value) & 0xffff_ffffL
                        : value >>> PhysicalMemory.FRAME_SHIFT;
                int rc = vcpu.tables().setKernelRoot(root);
                return rc == -ERESTART ? exitWithoutAdvance() : rc == 0;
            }
            case 4 -> {
                // Other bits are silently dropped, as Xen does.
                long allowed = ContextSwitch.CR4_GUEST
                        & ~(processor.cpu.model.has("fsgsbase") ? 0 : Bits.CR4_FSGSBASE)
                        & ~(processor.cpu.model.has("xsave") ? 0 : Bits.CR4_OSXSAVE);
                context.cr4 = value & allowed;
                contexts.controlsChanged(processor, vcpu);
                return true;
            }
            default -> {
                return false;
            }
        }
    }

    private static boolean readDebug(Processor p, Vcpu vcpu, DecodedInstruction instruction) {
        p.gpr[instruction.register(0)] = DebugRegisters.read(vcpu.pv(), instruction.register(1));
        return true;
    }

    private boolean writeDebug(PvProcessor processor, Vcpu vcpu, DecodedInstruction instruction) {
        long value = processor.cpu.gpr[instruction.register(1)];
        if (DebugRegisters.write(vcpu.pv(), instruction.register(0), value) != 0) {
            return false;
        }
        contexts.debugChanged(processor, vcpu);
        return true;
    }

    /** XSETBV: only what the processor has, and x87 always. */
    private boolean writeXcr(Processor p, Vcpu vcpu) {
        long value = p.gpr[Processor.RDX] << 32 | p.gpr[Processor.RAX] & 0xffff_ffffL;
        Cpuid.read(p, CPUID_XSTATE, 0, leaf);
        long supported = (long) leaf[3] << 32 | leaf[0] & 0xffff_ffffL;
        boolean avxWithoutSse = (value & 6) == 4;
        if ((vcpu.pv().cr4 & Bits.CR4_OSXSAVE) == 0 || (int) p.gpr[Processor.RCX] != 0 || (value & 1) == 0
                || (value & ~supported) != 0 || avxWithoutSse) {
            return false;
        }
        vcpu.pv().xcr0 = value;
        p.xcr0 = value;
        p.updateContext();
        return true;
    }
}
