package dev.xenolith.cpu.oracle;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/** Machine code and the complete state it starts from. */
final class Snippet {
    /** Bits of RFLAGS that a snippet may start with: the status flags, TF, DF, NT, AC and ID. */
    static final long SETTABLE_FLAGS = 0x8d5 | 1 << 8 | 1 << 10 | 1 << 14 | 1 << 18 | 1 << 21;

    static final int MAXIMUM_CODE_BYTES = 256;
    static final int FX_BYTES = 512;

    private static final int DEFAULT_ENTRY = 0x800;

    static final int YMM_HIGH_BYTES = 256;

    final Registers registers = new Registers();
    byte[] code = {};
    /** Offset of the first instruction from {@link AddressMap#CODE}. */
    int entry = DEFAULT_ENTRY;
    /** Contents of the writable pages. */
    final byte[] pages = new byte[AddressMap.WRITABLE_BYTES];
    /** x87, MXCSR and XMM as an FXSAVE64 image (SDM 2A, FXSAVE). */
    final byte[] fx = new byte[FX_BYTES];

    /** Upper halves of YMM0 to YMM15. */
    final byte[] ymmHigh = new byte[YMM_HIGH_BYTES];

    Snippet() {
        resetRegisters();
    }

    Snippet(int... code) {
        this();
        this.code = new byte[code.length];
        for (int i = 0; i < code.length; i++) {
            this.code[i] = (byte) code[i];
        }
    }

    /** Zero in every register, the stack in the middle of the writable pages, 64-bit mode. */
    void resetRegisters() {
        Arrays.fill(registers.gpr, 0);
        registers.gpr[Registers.RSP] = AddressMap.WRITABLE + AddressMap.PAGE;
        Arrays.fill(registers.selector, 0);
        registers.selector[Registers.CS] = AddressMap.CODE_SELECTOR_64;
        registers.selector[Registers.SS] = AddressMap.DATA_SELECTOR;
        registers.rflags = 0x202;
        registers.fsBase = 0;
        registers.gsBase = 0;
        ByteBuffer image = ByteBuffer.wrap(fx).order(ByteOrder.LITTLE_ENDIAN);
        image.putShort(0, (short) 0x37f);
        image.putInt(24, 0x1f80);
    }

    long start() {
        return AddressMap.CODE + entry;
    }

    /** Address after the code's last byte, where the INT3 is that a snippet ends with if nothing else ends it. */
    long end() {
        return start() + code.length;
    }

    ByteBuffer data() {
        return ByteBuffer.wrap(pages).order(ByteOrder.LITTLE_ENDIAN);
    }

    boolean is64Bit() {
        return registers.selector[Registers.CS] == AddressMap.CODE_SELECTOR_64;
    }
}
