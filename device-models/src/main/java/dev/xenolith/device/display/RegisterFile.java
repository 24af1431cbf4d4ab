package dev.xenolith.device.display;

import dev.xenolith.device.StateException;
import dev.xenolith.device.StateReader;
import dev.xenolith.device.StateWriter;

/** An index register and the registers of 8 bits that it selects. Those that are not there read as zero. */
final class RegisterFile {
    private final String name;
    private final byte[] registers;
    /** What was written to the index register. */
    int index;

    /** @param initial what the registers hold after reset; as many as there are */
    RegisterFile(String name, int... initial) {
        this.name = name;
        registers = new byte[initial.length];
        for (int i = 0; i < initial.length; i++) {
            registers[i] = (byte) initial[i];
        }
    }

    int get(int register) {
        return register < registers.length ? registers[register] & 0xff : 0;
    }

    /** Whether {@code bit} (0 to 7) of a register is set. */
    boolean has(int register, int bit) {
        return (get(register) >>> bit & 1) != 0;
    }

    void set(int register, int value) {
        if (register < registers.length) {
            registers[register] = (byte) value;
        }
    }

    void save(StateWriter out) {
        out.put(name + "Index", index).put(name, registers);
    }

    void restore(StateReader in) throws StateException {
        index = in.getByte(name + "Index");
        in.get(name, registers);
    }
}
