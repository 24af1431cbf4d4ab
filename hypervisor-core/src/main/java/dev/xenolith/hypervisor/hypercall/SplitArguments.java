package dev.xenolith.hypervisor.hypercall;

/**
 * A hypercall of 32-bit guests that take arguments of 64 bits: each is given as two words, the lower first
 * (xen/include/public/arch-x86/xen-x86_32.h; {@code compat_*} of xen/arch/x86/pv).
 */
public final class SplitArguments implements Handler {
    private static final long WORD = 0xffff_ffffL;

    private final Handler handler;
    private final int first;
    private final int count;

    /** {@code count} arguments from number {@code first} on are split; those after them move up. */
    public SplitArguments(Handler handler, int first, int count) {
        this.handler = handler;
        this.first = first;
        this.count = count;
    }

    @Override
    public long call(Call call) {
        long[] arguments = call.arguments;
        for (int i = 0; i < count; i++) {
            int low = first + 2 * i;
            arguments[first + i] = arguments[low] & WORD | arguments[low + 1] << Integer.SIZE;
        }
        for (int i = first + count; i + count < arguments.length; i++) {
            arguments[i] = arguments[i + count];
        }
        long result = handler.call(call);
        if (result == Call.RESTART) {
            split(arguments);
        }
        return result;
    }

    private void split(long[] arguments) {
        for (int i = arguments.length - 1; i >= first + 2 * count; i--) {
            arguments[i] = arguments[i - count];
        }
        for (int i = count - 1; i >= 0; i--) {
            long wide = arguments[first + i];
            arguments[first + 2 * i] = wide & WORD;
            arguments[first + 2 * i + 1] = wide >>> Integer.SIZE;
        }
    }
}
