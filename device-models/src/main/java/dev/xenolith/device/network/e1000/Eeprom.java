package dev.xenolith.device.network.e1000;

import dev.xenolith.device.Saveable;
import dev.xenolith.device.StateException;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;
import dev.xenolith.device.network.MacAddress;

/** The Microwire EEPROM of 64 words (5.6), which software reads by EERD, or bit by bit by EECD. It takes no writes. */
final class Eeprom implements Saveable {
    static final int WORDS = 64;

    private static final int SUM = 0xbaba;
    private static final int SUM_WORD = 0x3f;
    /** EECD: clock, chip select, data in and out, request and grant, presence. */
    private static final int CLOCK = 1;
    private static final int SELECT = 1 << 1;
    private static final int DATA_IN = 1 << 2;
    private static final int DATA_OUT = 1 << 3;
    private static final int REQUEST = 1 << 6;
    private static final int GRANT = 1 << 7;
    private static final int PRESENT = 1 << 8;
    private static final int WRITABLE = CLOCK | SELECT | DATA_IN | REQUEST | 0x30;
    /** EERD. */
    private static final int READ_START = 1;
    private static final int READ_DONE = 1 << 4;
    /** Start bit and opcode "read", then six bits of address. */
    private static final int COMMAND_BITS = 9;
    private static final int OPCODE_READ = 0b110;
    /** What is clocked out has 17 bits. */
    private static final int OUT_BIT = 1 << 16;
    private static final int OUT_MASK = (1 << 17) - 1;

    private final int[] words = new int[WORDS];
    private int control;
    private int read;
    /** Bits clocked in since the chip was selected, and how many; once a command is whole, the word that is clocked out. */
    private int shifted;
    private int bits;
    private int out;

    Eeprom(MacAddress address) {
        for (int i = 0; i < MacAddress.BYTES; i += 2) {
            words[i / 2] = address.octet(i) | address.octet(i + 1) << 8;
        }
        words[0x03] = 0x0000;
        words[0x05] = 0xffff;
        words[0x08] = 0xffff;
        words[0x09] = 0xffff;
        // Load subsystem and device ids; subsystem, its vendor, device, vendor.
        words[0x0a] = 0x4408;
        words[0x0b] = E1000.SUBSYSTEM_ID;
        words[0x0c] = E1000.VENDOR_ID;
        words[0x0d] = E1000.DEVICE_ID;
        words[0x0e] = E1000.VENDOR_ID;
        words[0x0f] = 0x3040;
        int sum = 0;
        for (int word : words) {
            sum += word;
        }
        words[SUM_WORD] = SUM - sum & 0xffff;
    }

    int word(int index) {
        return words[index & WORDS - 1];
    }

    int readControl() {
        return control | PRESENT | ((control & REQUEST) != 0 ? GRANT : 0) | ((out & OUT_BIT) != 0 ? DATA_OUT : 0);
    }

    void writeControl(int value) {
        boolean rises = (value & ~control & CLOCK) != 0;
        control = value & WRITABLE;
        if ((control & SELECT) == 0) {
            shifted = 0;
            bits = 0;
            out = 0;
        } else if (rises) {
            clock((control & DATA_IN) != 0);
        }
    }

    private void clock(boolean data) {
        if (bits == COMMAND_BITS) {
            out = out << 1 & OUT_MASK;
            return;
        }
        if (bits == 0 && !data) {
            // Not started.
            return;
        }
        shifted = shifted << 1 | (data ? 1 : 0);
        if (++bits == COMMAND_BITS && shifted >>> 6 == OPCODE_READ) {
            // A zero goes before the word's sixteen bits.
            out = word(shifted & 0x3f);
        }
    }

    int readData() {
        return read;
    }

    /** EERD of the 82540: address in bits 15 to 8, the word in the upper half. */
    void writeData(int value) {
        if ((value & READ_START) != 0) {
            read = word(value >>> 8) << 16 | value & 0xff00 | READ_DONE;
        }
    }

    @Override
    public String stateName() {
        return "eeprom";
    }

    @Override
    public void save(StateWriter state) {
        state.put("control", control).put("read", read).put("shifted", shifted).put("bits", bits).put("out", out);
    }

    @Override
    public void restore(StateReader in) throws StateException {
        control = in.getInt("control") & WRITABLE;
        read = in.getInt("read");
        shifted = in.getInt("shifted", 0, (1 << COMMAND_BITS) - 1);
        bits = in.getInt("bits", 0, COMMAND_BITS);
        out = in.getInt("out", 0, OUT_MASK);
    }
}
