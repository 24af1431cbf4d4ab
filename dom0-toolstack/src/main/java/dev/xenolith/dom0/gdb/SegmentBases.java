package dev.xenolith.dom0.gdb;

import dev.xenolith.dom0.pv.VcpuContext;
import java.util.function.IntToLongFunction;

/** The bases of a vCPU's FS and GS, wherever its guest has them. */
sealed interface SegmentBases {
    long fs();

    long gs();

    /** What SWAPGS would exchange with the base of GS. */
    long otherGs();

    /** Sets them; false, with nothing changed, if they cannot be so. */
    boolean set(long fs, long gs, long otherGs);

    /** All that is to be said, in lines. */
    String dump();

    /** @param descriptors the descriptor that a selector names */
    static SegmentBases of(VcpuContext context, IntToLongFunction descriptors) {
        return switch (context.abi()) {
            case X86_64 -> new InContext(context);
            case X86_32P -> new InDescriptors(context, descriptors);
        };
    }

    /** Of 64-bit guests: they are registers, and which of two is that of GS depends on the mode. */
    record InContext(VcpuContext context) implements SegmentBases {
        @Override
        public long fs() {
            return context.word("fs_base");
        }

        @Override
        public long gs() {
            return context.word(gsOf(context.inKernel()));
        }

        @Override
        public long otherGs() {
            return context.word(gsOf(!context.inKernel()));
        }

        @Override
        public boolean set(long fs, long gs, long otherGs) {
            context.setWord("fs_base", fs);
            context.setWord(gsOf(context.inKernel()), gs);
            context.setWord(gsOf(!context.inKernel()), otherGs);
            return true;
        }

        @Override
        public String dump() {
            return "fs_base %016x  gs_base kernel %016x user %016x%n".formatted(fs(), context.word(gsOf(true)),
                    context.word(gsOf(false)));
        }

        private static String gsOf(boolean kernel) {
            return kernel ? "gs_base_kernel" : "gs_base_user";
        }
    }

    /** Of 32-bit guests: only their descriptor tables have them, which are the guest's to change. */
    record InDescriptors(VcpuContext context, IntToLongFunction descriptors) implements SegmentBases {
        @Override
        public long fs() {
            return base(VcpuContext.FS);
        }

        @Override
        public long gs() {
            return base(VcpuContext.GS);
        }

        @Override
        public long otherGs() {
            return 0;
        }

        @Override
        public boolean set(long fs, long gs, long otherGs) {
            return fs == fs() && gs == gs() && otherGs == 0;
        }

        @Override
        public String dump() {
            return "fs_base %08x  gs_base %08x%n".formatted(fs(), gs());
        }

        /** SDM 3A 3.4.5: bits 16 to 39 and 56 to 63 of a descriptor. */
        private long base(int segment) {
            long descriptor = descriptors.applyAsLong(context.selector(segment));
            return descriptor >>> 16 & 0xff_ffff | descriptor >>> 32 & 0xff00_0000L;
        }
    }
}
