package dev.xenolith.dom0.pv;

import dev.xenolith.hypervisor.abi.ArchX86;
import dev.xenolith.hypervisor.abi.ArchX86.CompatVcpuGuestContext;
import dev.xenolith.hypervisor.abi.ArchX86.VcpuGuestContext;
import dev.xenolith.hypervisor.abi.Bytes;
import dev.xenolith.hypervisor.abi.HypercallPage;
import dev.xenolith.hypervisor.abi.Struct;
import dev.xenolith.hypervisor.abi.Xen;
import dev.xenolith.hypervisor.operations.DomainControl;
import dev.xenolith.hypervisor.operations.SharedPage;
import java.util.OptionalLong;

/**
 * A binary interface between Xen and PV kernels (xen/include/public/arch-x86): how wide a word is, an {@code unsigned long} of the
 * public headers, and what goes with that. All addresses are longs; those of 32-bit kernels have zeros in their upper halves.
 */
public enum PvAbi {
    /** 64-bit kernels: ring 3, page tables of four levels. */
    X86_64("xen-3.0-x86_64", Long.BYTES, 'r', 4, 3) {
        @Override
        public int offset(Struct struct, String member) {
            return struct.offset(member);
        }

        @Override
        public int size(Struct struct) {
            return struct.size();
        }

        @Override
        public long word(byte[] bytes, int offset) {
            return Bytes.get64(bytes, offset);
        }

        @Override
        public void putWord(byte[] bytes, int offset, long value) {
            Bytes.put64(bytes, offset, value);
        }

        @Override
        public void putWord(SharedPage page, int offset, long value) {
            page.put64(offset, value);
        }

        @Override
        public Struct context() {
            return VcpuGuestContext.LAYOUT;
        }

        @Override
        public long cr3(long mfn) {
            return mfn << PAGE_SHIFT;
        }

        @Override
        public long frameOf(long cr3) {
            return cr3 >>> PAGE_SHIFT;
        }

        @Override
        public boolean mayMap(long first, long last) {
            return canonical(first) && canonical(last) && Long.compareUnsigned(first, last) <= 0
                    && first < 0 == last < 0 && (Long.compareUnsigned(last, ArchX86.HYPERVISOR_VIRT_START) < 0
                            || Long.compareUnsigned(first, ArchX86.HYPERVISOR_VIRT_END) >= 0);
        }

        @Override
        public long rootFlags() {
            return TABLE;
        }

        /** Of ring 3, as the kernel is: for users there is another root. */
        @Override
        public long pageFlags() {
            return TABLE;
        }

        @Override
        public OptionalLong rootCovers() {
            return OptionalLong.empty();
        }

        @Override
        public Selectors selectors() {
            return new Selectors(ArchX86.FLAT_RING3_CS64, ArchX86.FLAT_RING3_SS32, 0);
        }

        @Override
        public long extendedCr3() {
            return 0;
        }

        @Override
        public byte[] hypercallPage() {
            return HypercallPage.contents();
        }
    },

    /** 32-bit kernels with PAE: ring 1, page tables of three levels, whose root has four entries. */
    X86_32P("xen-3.0-x86_32p", Integer.BYTES, 'e', 3, 1) {
        @Override
        public int offset(Struct struct, String member) {
            return struct.compatOffset(member);
        }

        @Override
        public int size(Struct struct) {
            return struct.compatSize();
        }

        @Override
        public long word(byte[] bytes, int offset) {
            return Integer.toUnsignedLong(Bytes.get32(bytes, offset));
        }

        @Override
        public void putWord(byte[] bytes, int offset, long value) {
            Bytes.put32(bytes, offset, (int) value);
        }

        @Override
        public void putWord(SharedPage page, int offset, long value) {
            page.put32(offset, (int) value);
        }

        @Override
        public Struct context() {
            return CompatVcpuGuestContext.LAYOUT;
        }

        @Override
        public long cr3(long mfn) {
            return Integer.toUnsignedLong(CompatVcpuGuestContext.cr3((int) mfn));
        }

        @Override
        public long frameOf(long cr3) {
            return Integer.toUnsignedLong(CompatVcpuGuestContext.frameOf((int) cr3));
        }

        @Override
        public boolean mayMap(long first, long last) {
            return 0 <= first && first <= last && last < ArchX86.HYPERVISOR_COMPAT_VIRT_START;
        }

        /** Entries of a PAE root have no rights of their own. */
        @Override
        public long rootFlags() {
            return PRESENT;
        }

        /** The kernel's alone: ring 1 is a supervisor to page tables. */
        @Override
        public long pageFlags() {
            return PRESENT | WRITABLE | ACCESSED;
        }

        /** The hypervisor is to be mapped there (pae_l3_table_is_valid): each root has its own level-2 table for this gigabyte. */
        @Override
        public OptionalLong rootCovers() {
            return OptionalLong.of(LAST_GIGABYTE);
        }

        @Override
        public Selectors selectors() {
            return new Selectors(ArchX86.FLAT_COMPAT_RING1_CS, ArchX86.FLAT_COMPAT_RING1_SS,
                    ArchX86.FLAT_COMPAT_RING1_DS);
        }

        @Override
        public long extendedCr3() {
            return 1L << Xen.VMASST_TYPE_PAE_EXTENDED_CR3;
        }

        @Override
        public byte[] hypercallPage() {
            return HypercallPage.compatContents();
        }
    };

    /** Bit of a page-table entry that lets a page be written (SDM 3A 4.5). */
    public static final long WRITABLE = 1 << 1;

    private static final int USER_RING = 3;
    private static final int PAGE_SHIFT = 12;
    private static final long PRESENT = 1;
    private static final long USER = 1 << 2;
    private static final long ACCESSED = 1 << 5;
    private static final long DIRTY = 1 << 6;
    /** An entry that points to a table; the rights are those of what it maps. */
    private static final long TABLE = PRESENT | WRITABLE | USER | ACCESSED | DIRTY;
    private static final long LAST_GIGABYTE = 0xc000_0000L;

    /**
     * Selectors of the flat segments in the hypervisor's part of a kernel's GDT.
     *
     * @param data for DS, ES, FS and GS, 0 for none
     */
    public record Selectors(int code, int stack, int data) {
    }

    private final String guestType;
    private final int wordBytes;
    private final char prefix;
    private final int levels;
    private final int kernelRing;

    PvAbi(String guestType, int wordBytes, char prefix, int levels, int kernelRing) {
        this.guestType = guestType;
        this.wordBytes = wordBytes;
        this.prefix = prefix;
        this.levels = levels;
        this.kernelRing = kernelRing;
    }

    /** That of a domain; if there is none, the hypervisor's own. */
    public static PvAbi of(DomainControl control, int domid) {
        return control.addressSize(domid) == X86_32P.bits() ? X86_32P : X86_64;
    }

    /** Its name, which a kernel finds in its start_info. */
    public String guestType() {
        return guestType;
    }

    /** Width of an address, 64 or 32. */
    public int bits() {
        return wordBytes * Byte.SIZE;
    }

    /** Bytes of a word: of an {@code unsigned long}, a frame number, a pointer. */
    public int wordBytes() {
        return wordBytes;
    }

    /** With what the names of registers as wide as a word begin. */
    public char prefix() {
        return prefix;
    }

    /** Whether there is a root for users beside the kernel's: where the two share a ring. */
    public boolean hasUserRoot() {
        return kernelRing == USER_RING;
    }

    /** Levels of page tables. */
    public int levels() {
        return levels;
    }

    /** The ring in which kernels run. */
    public int kernelRing() {
        return kernelRing;
    }

    /** {@code offsetof} a member of a public structure. */
    public abstract int offset(Struct struct, String member);

    /** {@code sizeof} a public structure. */
    public abstract int size(Struct struct);

    public abstract long word(byte[] bytes, int offset);

    public abstract void putWord(byte[] bytes, int offset, long value);

    public abstract void putWord(SharedPage page, int offset, long value);

    /** Its {@code vcpu_guest_context}. */
    public abstract Struct context();

    /** The value of CR3 that means the root in frame {@code mfn} ({@code xen_pfn_to_cr3}). */
    public abstract long cr3(long mfn);

    /** The frame of the root that such a value means. */
    public abstract long frameOf(long cr3);

    /** Whether a guest may map the addresses from {@code first} to {@code last}: neither is there a hole, nor the hypervisor. */
    public abstract boolean mayMap(long first, long last);

    /** Flags of a root's entries. */
    public abstract long rootFlags();

    /** Flags of the tables between the root and the level-1 tables. */
    public long tableFlags() {
        return TABLE;
    }

    /** Flags of a writable page of the kernel. */
    public abstract long pageFlags();

    /** The address for which a root must have an entry, whether something is mapped there or not. */
    public abstract OptionalLong rootCovers();

    public abstract Selectors selectors();

    /** vm_assist of a kernel that takes a root at and above 4 GiB, if its kind has to say so. */
    public abstract long extendedCr3();

    /** What a kernel's hypercall page is filled with. */
    public abstract byte[] hypercallPage();

    private static boolean canonical(long address) {
        return address << 16 >> 16 == address;
    }
}
