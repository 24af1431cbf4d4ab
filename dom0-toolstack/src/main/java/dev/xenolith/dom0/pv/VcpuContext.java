package dev.xenolith.dom0.pv;

import dev.xenolith.hypervisor.abi.ArchX86;
import dev.xenolith.hypervisor.abi.Bytes;
import dev.xenolith.hypervisor.operations.DomainControl;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The registers of a PV vCPU: a {@code vcpu_guest_context} (xen/include/public/arch-x86/xen.h). General registers and segments are numbered
 * as processors number them: RAX RCX RDX RBX RSP RBP RSI RDI R8 to R15, and ES CS SS DS FS GS.
 */
public final class VcpuContext {
    /** Numbers of registers. */
    public static final int RDX = 2;
    public static final int RSP = 4;
    public static final int RSI = 6;
    public static final int ES = 0;
    public static final int CS = 1;
    public static final int SS = 2;
    public static final int DS = 3;
    public static final int FS = 4;
    public static final int GS = 5;

    /** Indices of a CR3: of the kernel's, and of 64-bit guests the users' root. */
    private static final int KERNEL_CR3 = 3;
    private static final int USER_CR3 = 1;
    private static final String[] GENERAL = {"ax", "cx", "dx", "bx", "sp", "bp", "si", "di"};
    private static final String[] SEGMENTS = {"es", "cs", "ss", "ds", "fs", "gs"};
    private static final int FPU_BYTES = 512;

    private final PvAbi abi;
    private final byte[] bytes;

    /** One of zeros. */
    public VcpuContext(PvAbi abi) {
        this(abi, new byte[abi.size(abi.context())]);
    }

    private VcpuContext(PvAbi abi, byte[] bytes) {
        this.abi = abi;
        this.bytes = bytes;
    }

    /** That of a vCPU, or null if there is none. */
    public static @Nullable VcpuContext read(DomainControl control, int domid, int vcpu) {
        PvAbi abi = PvAbi.of(control, domid);
        byte[] bytes = control.vcpuContext(domid, vcpu);
        return bytes == null ? null : new VcpuContext(abi, bytes);
    }

    public PvAbi abi() {
        return abi;
    }

    /** The structure itself. */
    public byte[] bytes() {
        return bytes;
    }

    /** A member that is a word. */
    public long word(String member) {
        return abi.word(bytes, offset(member));
    }

    public void setWord(String member, long value) {
        abi.putWord(bytes, offset(member), value);
    }

    /** An element of a member that is an array of words. */
    public long word(String member, int index) {
        return abi.word(bytes, offset(member) + index * abi.wordBytes());
    }

    public void setWord(String member, int index, long value) {
        abi.putWord(bytes, offset(member) + index * abi.wordBytes(), value);
    }

    /** How many general registers there are: 16, or the first 8. */
    public int generals() {
        return abi.wordBytes() * 2;
    }

    /** The name of a general register, as assemblers have it. */
    public String name(int register) {
        return register < GENERAL.length ? abi.prefix() + GENERAL[register] : "r" + register;
    }

    public long general(int register) {
        return word("user_regs." + name(register));
    }

    public void setGeneral(int register, long value) {
        setWord("user_regs." + name(register), value);
    }

    public long instructionPointer() {
        return word("user_regs." + abi.prefix() + "ip");
    }

    public void setInstructionPointer(long value) {
        setWord("user_regs." + abi.prefix() + "ip", value);
    }

    public long flags() {
        return word("user_regs." + abi.prefix() + "flags");
    }

    public void setFlags(long value) {
        setWord("user_regs." + abi.prefix() + "flags", value);
    }

    public int selector(int segment) {
        return Bytes.get16(bytes, offset("user_regs." + SEGMENTS[segment]));
    }

    public void setSelector(int segment, int selector) {
        Bytes.put16(bytes, offset("user_regs." + SEGMENTS[segment]), selector);
    }

    /** Whether the vCPU is in its kernel. */
    public boolean inKernel() {
        return (word("flags") & ArchX86.VGCF_IN_KERNEL) != 0;
    }

    /** One of CR0 to CR4 as the guest sees it; CR3 is that of the mode in which the vCPU is. */
    public long control(int number) {
        boolean users = number == KERNEL_CR3 && abi.hasUserRoot() && !inKernel();
        return word("ctrlreg", users ? USER_CR3 : number);
    }

    /** The frame of the kernel's root. */
    public long root() {
        return abi.frameOf(word("ctrlreg", KERNEL_CR3));
    }

    /** The frame of the users' root, if they have one of their own; 0 is none. */
    public long userRoot() {
        return abi.hasUserRoot() ? abi.frameOf(word("ctrlreg", USER_CR3)) : 0;
    }

    /** Makes frame {@code mfn} the kernel's root. */
    public void setRoot(long mfn) {
        setWord("ctrlreg", KERNEL_CR3, abi.cr3(mfn));
    }

    /** x87 and SSE registers as FXSAVE writes them. */
    public byte[] floating() {
        int offset = offset("fpu_ctxt");
        return Arrays.copyOfRange(bytes, offset, offset + FPU_BYTES);
    }

    public void setFloating(byte[] image) {
        System.arraycopy(image, 0, bytes, offset("fpu_ctxt"), FPU_BYTES);
    }

    private int offset(String member) {
        return abi.offset(abi.context(), member);
    }
}
