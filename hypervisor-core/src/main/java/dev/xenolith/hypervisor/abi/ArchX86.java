package dev.xenolith.hypervisor.abi;

import dev.xenolith.hypervisor.abi.Struct.Type;

/** xen/include/public/arch-x86/xen.h and xen-x86_64.h: what a PV vCPU is made of. */
public final class ArchX86 {
    /** Flat descriptors that Xen keeps in the reserved part of every GDT (arch-x86/xen-x86_64.h). */
    public static final int FLAT_RING3_CS32 = 0xe023;
    public static final int FLAT_RING3_CS64 = 0xe033;
    public static final int FLAT_RING3_DS32 = 0xe02b;
    public static final int FLAT_RING3_SS32 = 0xe02b;

    /** Those in the GDT of a 32-bit guest, whose kernel runs in ring 1 (arch-x86/xen-x86_32.h). */
    public static final int FLAT_COMPAT_RING1_CS = 0xe019;
    public static final int FLAT_COMPAT_RING1_DS = 0xe021;
    public static final int FLAT_COMPAT_RING1_SS = 0xe021;
    public static final int FLAT_COMPAT_RING3_CS = 0xe02b;
    public static final int FLAT_COMPAT_RING3_DS = 0xe033;
    public static final int FLAT_COMPAT_RING3_SS = 0xe033;

    /** The part of a GDT that guests may load: entries below {@link #FIRST_RESERVED_GDT_ENTRY} in up to 14 frames. */
    public static final int FIRST_RESERVED_GDT_PAGE = 14;
    public static final int FIRST_RESERVED_GDT_BYTE = FIRST_RESERVED_GDT_PAGE * 4096;
    public static final int FIRST_RESERVED_GDT_ENTRY = FIRST_RESERVED_GDT_BYTE / 8;

    /** The linear range that belongs to Xen: L4 slots 256 to 271. */
    public static final long HYPERVISOR_VIRT_START = 0xFFFF_8000_0000_0000L;
    public static final long HYPERVISOR_VIRT_END = 0xFFFF_8800_0000_0000L;

    /**
     * Where the M2P table of 32-bit guests begins (arch-x86/xen-x86_32.h, {@code __HYPERVISOR_VIRT_START_PAE}) and how far it may
     * reach under a 64-bit hypervisor, in entries of 4 bytes; from its beginning on the address space is the hypervisor's.
     */
    public static final long HYPERVISOR_COMPAT_VIRT_START = 0xF580_0000L;
    public static final long MACH2PHYS_COMPAT_VIRT_END = 0xFFE0_0000L;

    /** set_segment_base: which base. */
    public static final int SEGBASE_FS = 0;
    public static final int SEGBASE_GS_USER = 1;
    public static final int SEGBASE_GS_KERNEL = 2;
    public static final int SEGBASE_GS_USER_SEL = 3;

    /** Flags of vcpu_guest_context; bit 8 is set in an iret frame to return as SYSRET does. */
    public static final int VGCF_I387_VALID = 1 << 0;
    public static final int VGCF_IN_KERNEL = 1 << 2;
    public static final int VGCF_FAILSAFE_DISABLES_EVENTS = 1 << 3;
    public static final int VGCF_SYSCALL_DISABLES_EVENTS = 1 << 4;
    public static final int VGCF_ONLINE = 1 << 5;
    public static final int VGCF_IN_SYSCALL = 1 << 8;

    /** Architecture part of vcpu_info. */
    public static final class ArchVcpuInfo {
        public static final Struct LAYOUT = Struct.of("arch_vcpu_info").ulong("cr2").ulong("pad")
                .u32OnlyCompat("pad[1]").u32OnlyCompat("pad[2]").u32OnlyCompat("pad[3]").u32OnlyCompat("pad[4]")
                .build();
        public static final int SIZE = LAYOUT.size();

        private ArchVcpuInfo() {
        }
    }

    /** Architecture part of shared_info: where the guest keeps its P2M. */
    public static final class ArchSharedInfo {
        public static final Struct LAYOUT = Struct.of("arch_shared_info")
                .ulong("max_pfn").ulong("pfn_to_mfn_frame_list_list").ulong("nmi_reason").ulong("p2m_cr3")
                .ulong("p2m_vaddr").ulong("p2m_generation").u32OnlyCompat("wc_sec_hi").build();
        public static final int SIZE = LAYOUT.size();

        private ArchSharedInfo() {
        }
    }

    /** One entry of set_trap_table; address 0 ends the list. */
    public static final class TrapInfo {
        public static final Struct LAYOUT = Struct.of("trap_info").u8("vector").u8("flags").u16("cs").ulong("address")
                .build();
        public static final int SIZE = LAYOUT.size();
        public static final int VECTOR = LAYOUT.offset("vector");
        public static final int FLAGS = LAYOUT.offset("flags");
        public static final int CS = LAYOUT.offset("cs");
        public static final int ADDRESS = LAYOUT.offset("address");
        /** Bits of flags: lowest privilege that may raise it by INT n, and whether to mask events on entry. */
        public static final int FLAGS_DPL = 3;
        public static final int FLAGS_MASK_EVENTS = 4;

        private TrapInfo() {
        }
    }

    /** General registers of a 64-bit guest (32-bit guests have another structure). */
    public static final class UserRegs {
        public static final Struct LAYOUT = Struct.of64("cpu_user_regs")
                .u64("r15").u64("r14").u64("r13").u64("r12").u64("rbp")
                .u64("rbx").u64("r11").u64("r10").u64("r9").u64("r8")
                .u64("rax").u64("rcx").u64("rdx").u64("rsi").u64("rdi")
                .u32("error_code").u32("entry_vector").u64("rip").u16("cs").u16("_pad0").u8("saved_upcall_mask")
                .array(Type.U8, "_pad1", 3).u64("rflags").u64("rsp").u16("ss").array(Type.U16, "_pad2", 3)
                .u16("es").array(Type.U16, "_pad3", 3).u16("ds").array(Type.U16, "_pad4", 3).u16("fs")
                .array(Type.U16, "_pad5", 3).u16("gs").array(Type.U16, "_pad6", 3).build();
        public static final int SIZE = LAYOUT.size();
        public static final int R15 = LAYOUT.offset("r15");
        public static final int R14 = LAYOUT.offset("r14");
        public static final int R13 = LAYOUT.offset("r13");
        public static final int R12 = LAYOUT.offset("r12");
        public static final int RBP = LAYOUT.offset("rbp");
        public static final int RBX = LAYOUT.offset("rbx");
        public static final int R11 = LAYOUT.offset("r11");
        public static final int R10 = LAYOUT.offset("r10");
        public static final int R9 = LAYOUT.offset("r9");
        public static final int R8 = LAYOUT.offset("r8");
        public static final int RAX = LAYOUT.offset("rax");
        public static final int RCX = LAYOUT.offset("rcx");
        public static final int RDX = LAYOUT.offset("rdx");
        public static final int RSI = LAYOUT.offset("rsi");
        public static final int RDI = LAYOUT.offset("rdi");
        public static final int ERROR_CODE = LAYOUT.offset("error_code");
        public static final int ENTRY_VECTOR = LAYOUT.offset("entry_vector");
        public static final int RIP = LAYOUT.offset("rip");
        public static final int CS = LAYOUT.offset("cs");
        public static final int SAVED_UPCALL_MASK = LAYOUT.offset("saved_upcall_mask");
        public static final int RFLAGS = LAYOUT.offset("rflags");
        public static final int RSP = LAYOUT.offset("rsp");
        public static final int SS = LAYOUT.offset("ss");
        public static final int ES = LAYOUT.offset("es");
        public static final int DS = LAYOUT.offset("ds");
        public static final int FS = LAYOUT.offset("fs");
        public static final int GS = LAYOUT.offset("gs");

        private UserRegs() {
        }
    }

    /** General registers of a 32-bit guest. */
    public static final class CompatUserRegs {
        public static final Struct LAYOUT = Struct.of32("cpu_user_regs")
                .u32("ebx").u32("ecx").u32("edx").u32("esi").u32("edi").u32("ebp").u32("eax")
                .u16("error_code").u16("entry_vector").u32("eip").u16("cs").u8("saved_upcall_mask").u8("_pad0")
                .u32("eflags").u32("esp").u16("ss").u16("_pad1").u16("es").u16("_pad2").u16("ds").u16("_pad3")
                .u16("fs").u16("_pad4").u16("gs").u16("_pad5").build();
        public static final int SIZE = LAYOUT.compatSize();
        public static final int EBX = LAYOUT.compatOffset("ebx");
        public static final int ECX = LAYOUT.compatOffset("ecx");
        public static final int EDX = LAYOUT.compatOffset("edx");
        public static final int ESI = LAYOUT.compatOffset("esi");
        public static final int EDI = LAYOUT.compatOffset("edi");
        public static final int EBP = LAYOUT.compatOffset("ebp");
        public static final int EAX = LAYOUT.compatOffset("eax");
        public static final int EIP = LAYOUT.compatOffset("eip");
        public static final int CS = LAYOUT.compatOffset("cs");
        public static final int EFLAGS = LAYOUT.compatOffset("eflags");
        public static final int ESP = LAYOUT.compatOffset("esp");
        public static final int SS = LAYOUT.compatOffset("ss");
        public static final int ES = LAYOUT.compatOffset("es");
        public static final int DS = LAYOUT.compatOffset("ds");
        public static final int FS = LAYOUT.compatOffset("fs");
        public static final int GS = LAYOUT.compatOffset("gs");

        private CompatUserRegs() {
        }
    }

    /** Everything that a 32-bit PV vCPU starts with. */
    public static final class CompatVcpuGuestContext {
        public static final Struct LAYOUT = Struct.of32("vcpu_guest_context")
                .array(Type.U8, "fpu_ctxt", 512).u32("flags").nested(CompatUserRegs.LAYOUT, "user_regs", 1)
                .nested(TrapInfo.LAYOUT, "trap_ctxt", 256).u32("ldt_base").u32("ldt_ents")
                .array(Type.U32, "gdt_frames", 16).u32("gdt_ents").u32("kernel_ss").u32("kernel_sp")
                .array(Type.U32, "ctrlreg", 8).array(Type.U32, "debugreg", 8)
                .u32("event_callback_cs").u32("event_callback_eip").u32("failsafe_callback_cs")
                .u32("failsafe_callback_eip").u32("vm_assist").build();
        public static final int SIZE = LAYOUT.compatSize();
        public static final int FPU_CTXT = LAYOUT.compatOffset("fpu_ctxt");
        public static final int FLAGS = LAYOUT.compatOffset("flags");
        public static final int USER_REGS = LAYOUT.compatOffset("user_regs");
        public static final int TRAP_CTXT = LAYOUT.compatOffset("trap_ctxt");
        public static final int LDT_BASE = LAYOUT.compatOffset("ldt_base");
        public static final int LDT_ENTS = LAYOUT.compatOffset("ldt_ents");
        public static final int GDT_FRAMES = LAYOUT.compatOffset("gdt_frames");
        public static final int GDT_ENTS = LAYOUT.compatOffset("gdt_ents");
        public static final int KERNEL_SS = LAYOUT.compatOffset("kernel_ss");
        public static final int KERNEL_SP = LAYOUT.compatOffset("kernel_sp");
        /** CR3 is in the rotated form of {@link #cr3}. */
        public static final int CTRLREG = LAYOUT.compatOffset("ctrlreg");
        public static final int DEBUGREG = LAYOUT.compatOffset("debugreg");
        public static final int EVENT_CALLBACK_CS = LAYOUT.compatOffset("event_callback_cs");
        public static final int EVENT_CALLBACK_EIP = LAYOUT.compatOffset("event_callback_eip");
        public static final int FAILSAFE_CALLBACK_CS = LAYOUT.compatOffset("failsafe_callback_cs");
        public static final int FAILSAFE_CALLBACK_EIP = LAYOUT.compatOffset("failsafe_callback_eip");
        public static final int VM_ASSIST = LAYOUT.compatOffset("vm_assist");

        private CompatVcpuGuestContext() {
        }

        /** The 32 bits in which a frame number of up to 32 bits is a CR3 ({@code xen_pfn_to_cr3}). */
        public static int cr3(int mfn) {
            return Integer.rotateLeft(mfn, 12);
        }

        /** The frame number in such a CR3 ({@code xen_cr3_to_pfn}). */
        public static int frameOf(int cr3) {
            return Integer.rotateRight(cr3, 12);
        }
    }

    /** Everything that a 64-bit PV vCPU starts with (32-bit guests have another structure). */
    public static final class VcpuGuestContext {
        public static final Struct LAYOUT = Struct.of64("vcpu_guest_context")
                .array(Type.U8, "fpu_ctxt", 512).ulong("flags").nested(UserRegs.LAYOUT, "user_regs", 1)
                .nested(TrapInfo.LAYOUT, "trap_ctxt", 256).ulong("ldt_base").ulong("ldt_ents")
                .array(Type.ULONG, "gdt_frames", 16).ulong("gdt_ents").ulong("kernel_ss").ulong("kernel_sp")
                .array(Type.ULONG, "ctrlreg", 8).array(Type.ULONG, "debugreg", 8).ulong("event_callback_eip")
                .ulong("failsafe_callback_eip").ulong("syscall_callback_eip").ulong("vm_assist").u64("fs_base")
                .u64("gs_base_kernel").u64("gs_base_user").build();
        public static final int SIZE = LAYOUT.size();
        public static final int FPU_CTXT = LAYOUT.offset("fpu_ctxt");
        public static final int FLAGS = LAYOUT.offset("flags");
        public static final int USER_REGS = LAYOUT.offset("user_regs");
        public static final int TRAP_CTXT = LAYOUT.offset("trap_ctxt");
        public static final int LDT_BASE = LAYOUT.offset("ldt_base");
        public static final int LDT_ENTS = LAYOUT.offset("ldt_ents");
        public static final int GDT_FRAMES = LAYOUT.offset("gdt_frames");
        public static final int GDT_ENTS = LAYOUT.offset("gdt_ents");
        public static final int KERNEL_SS = LAYOUT.offset("kernel_ss");
        public static final int KERNEL_SP = LAYOUT.offset("kernel_sp");
        public static final int CTRLREG = LAYOUT.offset("ctrlreg");
        public static final int DEBUGREG = LAYOUT.offset("debugreg");
        public static final int EVENT_CALLBACK_EIP = LAYOUT.offset("event_callback_eip");
        public static final int FAILSAFE_CALLBACK_EIP = LAYOUT.offset("failsafe_callback_eip");
        public static final int SYSCALL_CALLBACK_EIP = LAYOUT.offset("syscall_callback_eip");
        public static final int VM_ASSIST = LAYOUT.offset("vm_assist");
        public static final int FS_BASE = LAYOUT.offset("fs_base");
        public static final int GS_BASE_KERNEL = LAYOUT.offset("gs_base_kernel");
        public static final int GS_BASE_USER = LAYOUT.offset("gs_base_user");

        private VcpuGuestContext() {
        }
    }

    /** What the iret hypercall finds at RSP. */
    public static final class IretContext {
        public static final Struct LAYOUT = Struct.of64("iret_context")
                .u64("rax").u64("r11").u64("rcx").u64("flags").u64("rip").u64("cs").u64("rflags").u64("rsp").u64("ss")
                .build();
        public static final int SIZE = LAYOUT.size();
        public static final int RAX = LAYOUT.offset("rax");
        public static final int R11 = LAYOUT.offset("r11");
        public static final int RCX = LAYOUT.offset("rcx");
        public static final int FLAGS = LAYOUT.offset("flags");
        public static final int RIP = LAYOUT.offset("rip");
        public static final int CS = LAYOUT.offset("cs");
        public static final int RFLAGS = LAYOUT.offset("rflags");
        public static final int RSP = LAYOUT.offset("rsp");
        public static final int SS = LAYOUT.offset("ss");

        private IretContext() {
        }
    }

    private ArchX86() {
    }
}
