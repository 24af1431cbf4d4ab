package dev.xenolith.dom0.gdb;

import dev.xenolith.cpu.processor.FloatContext;
import dev.xenolith.cpu.processor.Processor;
import dev.xenolith.cpu.processor.ProcessorState;
import dev.xenolith.dom0.pv.PvAbi;
import dev.xenolith.dom0.pv.VcpuContext;
import dev.xenolith.hypervisor.abi.ArchX86;
import java.util.Arrays;
import java.util.function.IntToLongFunction;

/** A {@code vcpu_guest_context} as the registers of a processor, and back. CR2 is not in it; SYSCALL, NX and long mode are always on. */
final class GuestRegisters {
    /** SCE, LME, LMA and NXE. */
    static final long EFER = 0xd01;
    /** Attributes of a segment as they are in the upper half of its descriptor, shifted by 8. */
    private static final int CS_LONG = 1 << 13;
    private static final int CS_32 = 1 << 14;
    private static final int DESCRIPTOR_LONG = 53;
    private static final String[] SEGMENTS = {"es", "cs", "ss", "ds", "fs", "gs"};
    private static final int USER_RING = 3;

    private final VcpuContext context;
    private final IntToLongFunction descriptors;
    private final SegmentBases bases;

    /** @param descriptors the descriptor that a selector names, as its 8 bytes */
    GuestRegisters(VcpuContext context, IntToLongFunction descriptors) {
        this.context = context;
        this.descriptors = descriptors;
        bases = SegmentBases.of(context, descriptors);
    }

    void save(ProcessorState into) {
        for (int i = 0; i < context.generals(); i++) {
            into.gpr[i] = context.general(i);
        }
        for (int i = 0; i < SEGMENTS.length; i++) {
            into.selector[i] = context.selector(i);
        }
        into.rip = context.instructionPointer();
        into.rflags = context.flags();
        boolean is64Bit = (descriptors.applyAsLong(context.selector(VcpuContext.CS)) >>> DESCRIPTOR_LONG & 1) != 0;
        into.attributes[Processor.CS] = is64Bit ? CS_LONG : CS_32;
        into.cpl = context.inKernel() ? context.abi().kernelRing() : USER_RING;
        into.efer = EFER;
        into.cr0 = context.control(0);
        into.cr4 = context.control(4);
        into.base[Processor.FS] = bases.fs();
        into.base[Processor.GS] = bases.gs();
        into.kernelGsBase = bases.otherGs();
        into.floating.setImage(context.floating());
    }

    /** Changes the context to what {@code from} says; what is the same in both stays exactly as it is. False if that cannot be. */
    boolean load(ProcessorState from) {
        if (!bases.set(from.base[Processor.FS], from.base[Processor.GS], from.kernelGsBase)) {
            return false;
        }
        for (int i = 0; i < context.generals(); i++) {
            context.setGeneral(i, from.gpr[i]);
        }
        context.setInstructionPointer(from.rip);
        context.setFlags(from.rflags);
        byte[] image = new byte[FloatContext.FX_BYTES];
        from.floating.getImage(image);
        if (Arrays.equals(image, context.floating())) {
            // The context knows nothing of the upper halves of vector registers, and they are not to be lost for nothing.
            context.setWord("flags", context.word("flags") & ~(long) ArchX86.VGCF_I387_VALID);
        }
        context.setFloating(image);
        return true;
    }

    /** All that is to be said, in lines. */
    String dump() {
        PvAbi abi = context.abi();
        String word = "%0" + abi.bits() / 4 + "x";
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < context.generals(); i++) {
            text.append(("%-3s " + word + "%s").formatted(context.name(i), context.general(i),
                    i % 4 == 3 ? "\n" : "  "));
        }
        text.append(("%cip " + word + "  %cflags %08x  %s mode\n").formatted(abi.prefix(),
                context.instructionPointer(), abi.prefix(), context.flags(), context.inKernel() ? "kernel" : "user"));
        for (int i = 0; i < SEGMENTS.length; i++) {
            text.append("%s %04x%s".formatted(SEGMENTS[i], context.selector(i),
                    i == SEGMENTS.length - 1 ? "\n" : "  "));
        }
        text.append(bases.dump()).append("cr0 %x  cr3".formatted(context.control(0)));
        text.append(abi.hasUserRoot()
                ? " kernel %x user %x".formatted(abi.cr3(context.root()), abi.cr3(context.userRoot()))
                : " %x".formatted(abi.cr3(context.root())));
        return text.append("  cr4 %x%n".formatted(context.control(4))).toString();
    }
}
